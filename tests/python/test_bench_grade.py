"""The grader of bench/laws.py: its verdicts, its rows, and that nothing makes it hang."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import grade  # noqa: E402
from grade import rows  # noqa: E402
from grade.child import in_child  # noqa: E402

STORED = json.loads((ROOT / "tests/data/graded.json").read_text())
SUITES = {path.stem: grade.load_suite(path) for path in sorted((ROOT / "bench/suites").glob("*.json"))}


def judged(case: dict[str, Any]) -> dict[str, Any]:
    problem = grade.find(SUITES[case["suite"]], case["id"])
    result: dict[str, Any] = grade.grade(case["formula"], problem, noise=case["noise"] or None)
    return result


# One test for each suite: in one for each formula, most of the time would be pytest's.
@pytest.mark.slow
@pytest.mark.parametrize("suite", sorted(SUITES))
def test_verdicts_are_those_of_the_reference(suite: str) -> None:
    wrong = []
    for case in (case for case in STORED["verdicts"] if case["suite"] == suite):
        result = judged(case)
        if any(result.get(name) != case[name] for name in ("verdict", "nodes", "true_nodes")):
            wrong.append(f"{case}: {result['verdict']}, {result.get('nodes')} nodes, {result.get('reason')}")
    assert not wrong, "\n".join(wrong)


def test_all_verdicts_are_among_the_stored_ones() -> None:
    # Else the test above would say nothing of one.
    kinds = {case["verdict"] for case in STORED["verdicts"]}
    expected = {"exact", "additive", "multiplicative", "form", "almost", "overcomplex", "no", "invalid"}
    assert kinds == expected


@pytest.mark.parametrize("case", STORED["rows"], ids=lambda case: case["id"])
def test_rows_are_those_of_the_reference(case: dict[str, Any]) -> None:
    suite = SUITES[case["suite"]]
    names, train, test = grade.make_rows(
        suite,
        grade.find(suite, case["id"]),
        seed=case["seed"],
        rows=case["rows"],
        noise=case["noise"],
        dummies=case["dummies"],
    )
    assert names == case["names"]
    assert [list(train[0].shape), list(test[0].shape)] == case["shapes"]
    # The last digits are those of the C library's exp and log.
    np.testing.assert_allclose([*train[0][0], train[1][0]], case["first"], rtol=1e-9)
    np.testing.assert_allclose([*test[0][-1], test[1][-1]], case["last"], rtol=1e-9)


def test_normal_features_have_a_range_of_three_deviations_to_both_sides() -> None:
    variables = [
        {"name": "a", "range": [-6, 6], "dist": "normal"},
        {"name": "b", "range": [4, 10], "dist": "normal"},
    ]
    problem = {"id": "sum", "formula": "a + b", "variables": variables}
    columns = rows.sample(problem, 20_000, np.random.default_rng(0))
    # The mean of n rows is off by a deviation / sqrt(n), the deviation by 1 / sqrt(2 n) of it; rarely by 4.
    for name, mean, deviation in (("a", 0, 2), ("b", 7, 1)):
        assert columns[name].mean() == pytest.approx(mean, abs=4 * deviation / 20_000**0.5)
        assert columns[name].std() == pytest.approx(deviation, rel=4 / 40_000**0.5)
        assert np.abs(columns[name] - mean).max() > 3 * deviation  # the range is no bound
    outside = rows.sample(problem, 200, np.random.default_rng(1), outside=True)
    assert all(np.isfinite(column).all() and len(column) == 200 for column in outside.values())


@pytest.mark.parametrize("problem", SUITES["empirical"]["problems"], ids=lambda problem: problem["id"])
def test_measurements_are_found_and_the_law_is_of_its_own_form(problem: dict[str, Any]) -> None:
    names, (X, y), test = grade.make_rows(SUITES["empirical"], problem)
    assert names == [variable["name"] for variable in problem["variables"]]
    assert len(X) == len(y) == problem["rows"]["train"]
    assert len(test[0]) == 0
    assert grade.grade(problem["formula"], problem)["verdict"] == "form"


@pytest.mark.parametrize(
    ("text", "n"),
    [("a+b+a", 5), ("-3*a", 3), ("a**2", 3), ("a^2", 3), ("square(a)", 2), ("-a", 2), ("sin(a*b)", 4),
     ("max(a, b, 2)", 5), ("y = a", 1), ("a - -1.5", 3)],
)  # fmt: skip
def test_nodes_are_counted_as_written(text: str, n: int) -> None:
    assert grade.n_nodes(grade.parse(text, ["a", "b"])) == n


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(grade.FormulaError, match=r"unknown name 'masse'.*did you mean 'mass'"):
        grade.parse("2*masse", ["mass", "time"])
    with pytest.raises(grade.FormulaError, match=r"unknown function 'sinn'.*did you mean 'sin'"):
        grade.parse("sinn(mass)", ["mass"])
    with pytest.raises(grade.FormulaError, match="did you mean Nguyen-5"):
        grade.find(SUITES["classic"], "Nguyn-5")


def test_a_variable_may_be_called_like_a_constant() -> None:
    node = grade.parse("E * pi", ["E"])
    np.testing.assert_allclose(grade.evaluate(node, {"E": np.array([2.0])}), 2 * np.pi)


def test_an_overflow_on_the_way_to_a_value_is_forgiven() -> None:
    node = grade.parse("log(exp(x) - 1)", ["x"])
    np.testing.assert_allclose(grade.evaluate(node, {"x": np.array([1.0, 800.0])}), [0.5413248546, 800.0])


def test_a_front_is_solved_by_its_smallest_right_formula() -> None:
    problem = grade.find(SUITES["feynman"], "I.10.7")
    law = "m_0 / sqrt(1 - square(v / c))"
    result = grade.grade_front(["m_0", f"{law} + 0 * c", law, "m_0 *"], problem)
    assert (result["verdict"], result["front_index"], result["nodes"]) == ("exact", 2, 9)
    assert not grade.grade_front(["m_0", "m_0 * c"], problem)["solved"]
    assert grade.grade_front([], problem)["verdict"] == "invalid"


def _raise() -> None:
    raise RuntimeError("broken")


def _refuse() -> None:
    raise grade.FormulaError("no formula")


def test_a_child_ends_in_time_and_tells_why() -> None:
    assert in_child(time.sleep, (60,), 0.2) == ("timeout", "no answer within 0.2 s")
    assert in_child(_raise, (), 10) == ("failed", "RuntimeError: broken")
    assert in_child(_refuse, (), 10) == ("invalid", "no formula")
    assert in_child(abs, (-2,), 10) == ("ok", 2)


def test_a_file_that_is_no_suite_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[1, 2]")
    with pytest.raises(grade.FormulaError, match='no list "problems"'):
        grade.load_suite(tmp_path / "list.json")
    (tmp_path / "text.json").write_text("law: a*b")
    with pytest.raises(grade.FormulaError, match="is not JSON"):
        grade.load_suite(tmp_path / "text.json")
