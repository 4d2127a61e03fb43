"""bench/laws.py: what it measures is what happened, and it goes on where it stopped."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import ablate  # noqa: E402
import laws  # noqa: E402
import runs  # noqa: E402
import statistics_of_runs as statistics  # noqa: E402


def problem(identifier: str, formula: str, **more: Any) -> dict[str, Any]:
    variables = [{"name": name, "range": [1, 3], "dist": "uniform"} for name in ("a", "b")]
    return {
        "id": f"small/{identifier}",
        "formula": formula,
        "target": {"name": "y"},
        "variables": variables,
        **more,
    }


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    problems = [problem("product", "a * b"), problem("sine", "sin(a * b) + log(a / b)")]
    path.write_text(json.dumps({"suite": "small", "operators": ["+", "*"], "problems": problems}))
    return path


def records_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


QUICK = ["--rows", "60", "--set", "niterations=1", "--set", "populations=2", "--timeout", "20"]


def test_a_law_is_found_and_a_hopeless_one_is_not(suite: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out.jsonl"
    assert laws.main(["--suite", str(suite), "--json", str(out), *QUICK]) == 0
    product, sine = records_of(out)
    assert (product["id"], product["selected_verdict"], product["front_solved"]) == (
        "small/product",
        "exact",
        True,
    )
    assert product["front"][product["selected"]]["equation"] in ("a * b", "b * a")
    assert product["stop_reason"] == "exact"
    assert product["selected_node_ratio"] == 1
    assert (product["n_rows"], product["n_features"]) == (60, 2)
    assert 0 < product["cpu_s"] < 20
    assert product["peak_mb"] > 10
    assert (sine["selected_solved"], sine["front_solved"]) == (False, False)  # neither sin nor log is allowed
    text = capsys.readouterr().out
    assert "| small, noise 0 | 2 | 1/2 = 50 % [9, 91] | 1/2 = 50 % [9, 91] |" in text
    assert "small/sine noise 0 seed 0: no, not on the front" in text
    assert "law    sin(a * b) + log(a / b)" in text


def test_the_operators_of_the_law_are_given_on_request(suite: Path, tmp_path: Path) -> None:
    content = json.loads(suite.read_text())
    entry = problem("square root", "sqrt(a) + b", uses=["+", "sqrt"], operators=["+", "*", "constants"])
    content["problems"] = [entry]
    suite.write_text(json.dumps(content))
    out = tmp_path / "out.jsonl"
    for choice, solved in (("named", False), ("complete", True)):
        assert laws.main(["--suite", str(suite), "--json", str(out), "--operators", choice, *QUICK]) == 0
        assert records_of(out)[-1]["selected_solved"] is solved, choice
    assert runs.operators_of(entry) == (["+", "*"], [])
    assert runs.operators_of(entry, complete=True) == (["+", "*"], ["sqrt"])


def test_runs_that_are_there_are_not_done_again(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    asked = []

    def fake(task: dict[str, Any]) -> dict[str, Any]:
        asked.append((task["id"], task["noise"], task["seed"]))
        return {"status": "crash", "reason": "signal 11"}

    monkeypatch.setattr(runs, "run", fake)
    out = tmp_path / "out.jsonl"
    command = ["--suite", str(suite), "--json", str(out), "--ids", "product", "--seeds"]
    assert laws.main([*command, "1"]) == 0
    assert laws.main([*command, "2", "--noise", "0", "0.1"]) == 0
    product = "small/product"
    assert asked == [(product, 0.0, 0), (product, 0.1, 0), (product, 0.0, 1), (product, 0.1, 1)]
    assert "1 of 4 runs are in" in capsys.readouterr().out
    # A change of what is run is another run.
    assert laws.main([*command, "1", "--set", "maxsize=20"]) == 0
    assert len(asked) == 5
    assert laws.main(["--report", str(out)]) == 0
    text = capsys.readouterr().out
    assert "product noise 0.1 seed 1: CRASH: signal 11" in text
    assert "small, noise 0.1: 0 runs over budget, 2 did not end well" in text


def test_results_are_kept_without_the_fronts(tmp_path: Path, capsys: Any) -> None:
    front = [
        {"complexity": 1, "loss": 2.0, "equation": "a"},
        {"complexity": 3, "loss": 0.0, "equation": "a * b"},
    ]
    run = {
        **record("s/x", False, 0.5), "suite": "/somewhere/s.json", "operators": "named", "parameters": {},
        "budget": 1.0, "law": "b",
        "status": "ok", "selected_verdict": "no", "stop_reason": "exact", "date": "2026-11-22",
        "front": front, "selected": 1, "wall_s": 0.5, "peak_mb": 90,
    }  # fmt: skip
    runs_file, stored = tmp_path / "runs.jsonl", tmp_path / "stored.jsonl"
    for commit, seconds in (("one", 0.5), ("two", 0.7), ("two", 0.9)):
        runs_file.write_text(json.dumps({**run, "commit": commit, "cpu_s": seconds}) + "\n")
        assert laws.main(["--report", str(runs_file), "--store", str(stored)]) == 0
    kept = records_of(stored)
    assert [(run["commit"], run["cpu_s"]) for run in kept] == [("one", 0.5), ("two", 0.9)]
    assert kept[0]["front"] == [front[1]]
    assert kept[0]["suite"] == "s.json"
    capsys.readouterr()
    assert laws.main(["--report", str(stored)]) == 0
    assert "chosen a * b" in capsys.readouterr().out


def test_a_page_shows_the_newest_commit_and_default_settings(tmp_path: Path) -> None:
    def line(commit: str, date: str, solved: bool, **parameters: Any) -> str:
        run = {
            **record("s/x", solved, 0.5), "commit": commit, "date": date, "parameters": parameters,
            "budget": 1.0, "status": "ok", "selected_verdict": "exact", "law": "b", "selected": 0,
            "front": [{"equation": "a"}], "wall_s": 0.5, "peak_mb": 90, "selected_node_ratio": 1.0,
            "stop_reason": "exact", "machine": "abacus",
        }  # fmt: skip
        return json.dumps(run) + "\n"

    lines = [
        line("old", "2026-11-20 10:00", False),
        line("new", "2026-11-21 10:00", True),
        line("new", "2026-11-21 11:00", False, seeding=False),
    ]
    (tmp_path / "runs.jsonl").write_text("".join(lines))
    page = tmp_path / "page.md"
    page.write_text("# Results\n")
    command = ["--report", str(tmp_path / "runs.jsonl"), "--page", str(page)]
    assert laws.main(command) == 2
    start, end = "<!-- tables: made by bench/laws.py -->", "<!-- end of tables -->"
    page.write_text(f"before\n{start}\nold table\n{end}\nafter\n")
    for _ in range(2):
        assert laws.main(command) == 0
        text = page.read_text()
        assert "| small, noise 0 | 1 | 1/1 = 100 %" in text
        assert "Measured on 2026-11-21 at new, abacus." in text
        assert "old table" not in text
        assert text.startswith("before\n")
        assert text.endswith(f"{end}\nafter\n")


def test_bad_arguments_are_told_with_the_remedy(suite: Path, tmp_path: Path, capsys: Any) -> None:
    assert laws.main(["--suite", str(suite), "--ids", "prodct"]) == 2
    assert "did you mean product or small/product" in capsys.readouterr().err
    assert laws.main(["--suite", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err
    empirical = str(ROOT / "bench/suites/empirical.json")
    assert laws.main(["--suite", empirical, "--noise", "0.1"]) == 2
    assert "noise cannot be added" in capsys.readouterr().err
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"id": "x"\n')
    assert laws.main(["--report", str(broken)]) == 2
    assert "line 1 is not JSON: delete it" in capsys.readouterr().err
    with pytest.raises(ValueError, match='"operators": add them'):
        runs.operators_of({"id": "x"})


@pytest.mark.parametrize(
    ("program", "status", "reason"),
    [
        ("raise ValueError('bad rows')", "error", "ValueError: bad rows"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crash", "signal 11"),
        ("while True: pass", "cpu", "killed after 1 CPU s"),
        ("import time; time.sleep(60)", "wall", "no answer after 0.5 s"),
        ("x = bytearray(3 << 30)", "memory", "MemoryError"),
        ("print('{\"front\": []}')", "ok", ""),
    ],
)
def test_whatever_happens_to_a_run_is_told(tmp_path: Path, program: str, status: str, reason: str) -> None:
    path = tmp_path / "program.py"
    path.write_text(program)
    wall = 0.5 if status == "wall" else None
    answer = runs.in_process(path, {}, cpu_seconds=1, memory=2 << 30, wall_seconds=wall)
    assert answer["status"] == status
    assert reason in answer.get("reason", "")


def test_a_budget_counts_the_processor_and_not_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5.0
    monkeypatch.setattr(runs.time, "process_time", lambda: now)
    budget = runs.CpuBudget(2)
    assert not budget(loss=1.0, complexity=3)
    now = 7.5
    assert budget(loss=1.0, complexity=3)


def test_intervals_are_wilsons() -> None:
    # The published example: 15 of 20 (Brown, Cai & DasGupta 2001 tabulate the interval as [0.531, 0.888]).
    assert statistics.wilson(15, 20) == pytest.approx((0.5313, 0.8881), abs=1e-3)
    assert statistics.wilson(0, 0) == (0, 1)
    low, high = statistics.wilson(0, 10)
    assert low == 0
    assert high == pytest.approx(0.2775, abs=1e-3)


def test_the_sign_test_is_two_sided() -> None:
    assert statistics.sign_test(5, 0) == pytest.approx(2 / 32)
    assert statistics.sign_test(3, 3) == 1
    assert statistics.sign_test(0, 0) == 1
    assert statistics.sign_test(1, 8) == pytest.approx(2 * 10 / 512)


def test_a_summary_keeps_the_runs_apart_that_were_solved() -> None:
    common = {"id": "x", "status": "ok", "budget": 10, "front_solved": True}
    some = [
        {
            **common,
            "cpu_s": 1.0,
            "wall_s": 2.0,
            "selected_solved": True,
            "selected_node_ratio": 1.5,
            "peak_mb": 90,
        },
        {
            **common,
            "cpu_s": 3.0,
            "wall_s": 6.0,
            "selected_solved": True,
            "selected_node_ratio": 0.5,
            "peak_mb": 80,
        },
        {
            **common,
            "cpu_s": 12.0,
            "wall_s": 9.0,
            "selected_solved": False,
            "selected_node_ratio": 9.0,
            "peak_mb": 99,
        },
        {"id": "y", "status": "crash", "budget": 10, "selected_solved": False, "front_solved": False},
    ]
    s = statistics.summary(some)
    assert (s["runs"], s["problems"], s["selected"], s["on_front"]) == (4, 2, 2, 3)
    assert (s["cpu_median"], s["cpu_max"], s["solved_cpu_median"], s["solved_wall_median"]) == (3, 12, 2, 4)
    assert (s["solved_within_2_cpu_s"], s["size_ratio"], s["peak_mb"]) == (1, 1.0, 99)
    assert (s["over_budget"], s["not_ok"]) == (1, 1)


def test_switches_of_the_core_are_set_and_unknown_ones_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from balmer import _core, _search

    original = _search.search_options
    monkeypatch.setattr(_search, "search_options", original)  # put back afterwards
    seen = []

    def watched(*arguments: Any) -> Any:
        seen.append(original(*arguments))
        return seen[-1]

    monkeypatch.setattr(_search, "search_options", watched)
    X = [[1.0], [2.0], [3.0], [4.0]]
    some = {"niterations": 1, "populations": 1, "core.with_views": False, "core.finish": "fit"}
    runs.fit(X, [1.0, 4.0, 9.0, 16.0], ["a"], budget=5, seed=0, parameters=some)
    assert seen[0].with_views is False
    assert seen[0].with_families is True
    assert seen[0].finish == _core.Finish.fit
    monkeypatch.setattr(_search, "search_options", original)
    with pytest.raises(AttributeError, match="no option 'with_luck'"):
        runs.fit(X, [1.0, 4.0, 9.0, 16.0], ["a"], budget=5, seed=0, parameters={"core.with_luck": True})


def record(identifier: str, solved: bool, seconds: float, seed: int = 0) -> dict[str, Any]:
    return {
        "suite_name": "small", "id": identifier, "seed": seed, "noise": 0.0, "rows": 9, "dummies": False,
        "selected_solved": solved, "front_solved": True, "cpu_s": seconds,
    }  # fmt: skip


def test_pairs_are_of_the_same_rows() -> None:
    base = [record("a", True, 1), record("b", True, 1), record("c", False, 4), record("d", True, 1, seed=1)]
    other = [record("c", True, 2), record("b", False, 3), record("a", False, 1), record("d", True, 1, seed=0)]
    compared = statistics.compare_pairs(base, other)
    assert (compared["pairs"], compared["base"], compared["other"]) == (3, 2, 1)
    assert (compared["wins"], compared["losses"], compared["p"]) == (2, 1, 1)
    assert (compared["cpu_ratio"], compared["cpu_total_ratio"]) == (1, 1)
    assert compared["won"] == ["a noise 0", "b noise 0"]
    assert compared["lost"] == ["c noise 0"]


def test_an_ablation_pairs_each_ingredient_with_the_whole(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    asked = []

    def fake(task: dict[str, Any], common: dict[str, Any], timeout: float) -> dict[str, Any]:
        asked.append(task["parameters"])
        solved = task["id"] == "small/product" and "core.with_views" not in task["parameters"]
        answer = {
            "status": "ok",
            "cpu_s": 2.0 if solved else 4.0,
            "selected_verdict": "exact" if solved else "no",
            "iterations": 0 if solved else 40,
        }
        return {**common, **task, **answer, "selected_solved": solved, "front_solved": solved}

    monkeypatch.setattr(laws, "measure", fake)
    command = ["--suite", str(suite), "--only", "views", "crossover", "--set", "maxsize=20"]
    assert ablate.main([*command, "--json", str(tmp_path / "out.jsonl")]) == 0
    text = capsys.readouterr().out
    assert "| views | 0/2 | 1/2 | 1 | 0 | 1 | 1, 0 | 1.50, 1.33 |" in text
    assert "| crossover | 1/2 | 1/2 | 0 | 0 | 1 | 0, 0 | 1.00, 1.00 |" in text
    assert "views, won: small/product noise 0" in text
    assert asked[0] == {"maxsize": 20}
    assert asked[2] == {"maxsize": 20, "core.with_views": False}
    assert len(asked) == 5  # one of those without crossover ended before evolution: it is the same
    assert ablate.main([*command[:3], "magic"]) == 2
    assert "no ingredient 'magic': there are seeding" in capsys.readouterr().err


def test_every_ingredient_is_an_option_that_exists_and_is_on() -> None:
    from balmer import SymbolicRegressor, _core

    defaults, options = SymbolicRegressor().get_params(), _core.SearchOptions()
    for name, parameters in ablate.INGREDIENTS.items():
        for parameter, value in parameters.items():
            if parameter.startswith("bench."):  # what runs.py does
                continue
            default = (
                getattr(options, parameter[5:]) if parameter.startswith("core.") else defaults[parameter]
            )
            assert default != value, name
