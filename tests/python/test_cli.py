"""The command line."""

from __future__ import annotations

import csv
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import balmer
from balmer import cli

FAST = ["--quiet", "--jobs", "1"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "data.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["mass", "speed [m/s]", "energy", "name", "count"])
        for m, v in rng.uniform(1, 3, size=(30, 2)):
            writer.writerow([m, v, 0.5 * m * v**2, "iron", 2])
    return path


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def test_fit_prints_the_front_and_the_formula(table, capsys, tmp_path):
    output = tmp_path / "front.csv"
    options = ["--features", "mass,speed [m/s]", "--niterations", 10, "--seed", 1, "--maxsize", 12]
    options += ["--selection", "accuracy", "--output", output]
    code = run("fit", table, "--target", "energy", *options, *FAST)
    out = capsys.readouterr().out
    assert code == 0
    assert "complexity" in out
    assert out.count(">>>>") == 1
    assert "energy = " in out
    assert "`speed [m/s]`" in out
    with output.open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["complexity", "loss", "score", "equation"]
    assert float(rows[-1]["loss"]) < 1e-20
    law = balmer.parse(rows[-1]["equation"], ["mass", "speed [m/s]"])
    assert law([[2.0, 3.0]])[0] == pytest.approx(9.0)


@pytest.mark.parametrize(
    ("rule", "title"), [("dl", "dl"), ("bic", "bic"), ("cv", "cv loss"), ("best", "score")]
)
def test_every_rule_of_selection(table, capsys, rule, title):
    options = ["--features", "mass,speed [m/s]", "--niterations", 2, "--selection", rule]
    assert run("fit", table, "--target", "energy", *options, *FAST) == 0
    assert title in capsys.readouterr().out.splitlines()[0]


def test_operators_definitions_and_weights(table, capsys):
    options = ["--features", "mass,speed [m/s]", "--binary", "*", "--unary", "square"]
    options += ["--define", "half(x) = x / 2", "--weights", "count", "--niterations", 5]
    code = run("fit", table, "--target", "energy", *options, *FAST)
    assert code == 0
    assert "energy = " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (None, ["--target", "enery"], "has no column 'enery': did you mean 'energy'?"),
        (None, ["--target", "Q"], "has no column 'Q': there are 'mass', 'speed [m/s]'"),
        (None, ["--target", "energy"], "line 2, column 'name': 'iron' is not a number"),
        (None, ["--target", "energy", "--features", "mass,spin"], "no column 'spin'"),
        (None, ["--target", "energy", "--features", "energy"], "the target 'energy' is among the features"),
        (
            None,
            ["--target", "energy", "--features", "mass", "--unary", "sine"],
            "unknown operator 'sine': did you mean",
        ),
        (None, ["--target", "energy", "--features", "mass", "--define", "f = 2"], "is not a definition"),
        (None, ["--target", "energy", "--features", "mass", "--maxsize", "0"], "maxsize"),
        (None, ["--target", "energy", "--features", "mass", "--output", "no/where.csv"], "no folder no"),
        ("a,b\n1,2\n3,\n", ["--target", "b"], "line 3, column 'b': there is no value"),
        ("a,b\n1,2\n3,nan\n", ["--target", "b"], "line 3, column 'b': the value is nan"),
        ("a,b\n1,2\n3,inf\n", ["--target", "a"], "line 3, column 'b': the value is inf"),
        ("a,b\n1,2\n3\n", ["--target", "b"], "line 3: 1 values, but there are 2 columns"),
        ("a,a\n1,2\n", ["--target", "a"], "two columns named 'a'"),
        ("", ["--target", "a"], "is empty"),
        ("a,b\n", ["--target", "a"], "no rows"),
        ("a\n1\n2\n", ["--target", "a"], "no column beside the target"),
        ("a,b\n1,2\n", ["--target", "a"], "1 sample"),
    ],
)
def test_bad_input_is_one_message_and_code_2(table, capsys, change, arguments, message):
    if change is not None:
        table.write_text(change)
    assert run("fit", table, *arguments, *FAST) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("balmer: ")
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_a_missing_file_is_given_the_nearest_name(table, capsys):
    assert run("fit", table.with_name("dta.csv"), "--target", "a") == 2
    assert "did you mean" in capsys.readouterr().err


def test_a_file_that_is_no_text(tmp_path, capsys):
    path = tmp_path / "data.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    assert run("fit", path, "--target", "a") == 2
    assert "cannot read" in capsys.readouterr().err


def test_wrong_usage(capsys):
    with pytest.raises(SystemExit) as error:
        run("fit")
    assert error.value.code == 2
    with pytest.raises(SystemExit) as error:
        run("demo", "keppler")
    assert error.value.code == 2
    assert "kepler" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as error:
        run("--version")
    assert error.value.code == 0
    assert balmer.__version__ in capsys.readouterr().out


def test_list_of_demos(capsys):
    assert run("demo") == 0
    out = capsys.readouterr().out
    assert "balmer demo kepler" in out
    assert len(out.splitlines()) == 10


def test_demo(capsys):
    assert run("demo", "kepler", "--timeout", 5, "--seed", 0, *FAST) == 0
    out = capsys.readouterr().out
    assert out.startswith("Kepler's third law: P [days] from a [AU], 6 rows")
    assert "P = " in out
    assert ">>>>" in out


def test_warnings_are_one_line(tmp_path, capsys):
    path = tmp_path / "data.csv"
    path.write_text("a,b,y\n1,5,2\n2,5,3\n4,5,4\n8,5,7\n")
    assert run("fit", path, "--target", "y", "--niterations", 1, *FAST) == 0
    assert capsys.readouterr().err.startswith("balmer: column 'b' of X is constant (5 in every row)")


def test_as_a_module(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["balmer", "demo"])
    with pytest.raises(SystemExit) as error:
        runpy.run_module("balmer", run_name="__main__")
    assert error.value.code == 0
    assert "kepler" in capsys.readouterr().out
