"""Scores, the choice of a row, tables."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import balmer
from balmer.selection import Front, FrontRow, scores

FRONT = Front(
    [1, 3, 5, 9],
    [10.0, 5.0, 0.01, 0.009],
    [
        balmer.parse(text)
        for text in ("1.5", "x0 + 0.5", "x0 * 2.123456 + x1", "sin(x0) * 2 + x1 - 0.25 * x0")
    ],
)


def test_score_is_the_fall_of_log_loss_per_complexity():
    expected = [0, math.log(2) / 2, math.log(500) / 2, math.log(0.01 / 0.009) / 4]
    np.testing.assert_allclose([row.score for row in FRONT], expected)


def test_a_loss_of_zero_has_an_infinite_score():
    assert scores([1, 2], [1.0, 0.0]) == [0.0, math.inf]


def test_a_loss_that_was_infinite_gives_an_infinite_score():
    assert scores([1, 2], [math.inf, 1.0]) == [0.0, math.inf]


def test_on_the_linear_scale_the_score_is_the_fall_of_the_loss():
    assert scores([1, 3, 4], [10.0, 4.0, 0.0], "linear") == [0.0, 3.0, 4.0]
    assert scores([1, 3, 4], [1.0, 0.0, -5.0]) == [0.0, 0.5, 5.0]  # ratios mean nothing here


@pytest.mark.parametrize(("rule", "row"), [("score", 1), ("best", 3), ("accuracy", 3), ("dl", 3)])
@pytest.mark.parametrize(("shift", "scale"), [(0, "linear"), (-1, "linear"), (-1, "log")])
def test_rules_on_the_linear_scale(rule, row, shift, scale):
    losses = [loss + shift for loss in (10.0, 5.0, 0.01, 0.009)]
    front = Front([1, 2, 8, 12], losses, [row.expression for row in FRONT], loss_scale=scale)
    assert front.select(rule) == row
    assert pickle.loads(pickle.dumps(front)).select(rule) == row


@pytest.mark.parametrize(("rule", "row"), [("best", 2), ("score", 2), ("accuracy", 3)])
def test_rules(rule, row):
    assert FRONT.select(rule) == row


def test_the_least_description_length():
    expressions = [balmer.parse("x0")] * 3
    assert Front([1, 2, 3], [9.0, 1.0, 0.9], expressions, [30.0, 10.0, 11.0]).select("dl") == 1
    # Other losses than least squares have none.
    assert Front([1, 2, 3], [9.0, 1.0, 0.9], expressions).select("dl") == 1


def rows(**columns):
    values = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return Front.of_rows(
        FrontRow(complexity=2 * i + 1, loss=1 / (i + 1), score=0.0, expression=balmer.parse("x0"), **row)
        for i, row in enumerate(values)
    )


def test_the_least_bic():
    assert rows(bic=[30.0, 9.0, 10.0], dl=[3.0, 2.0, 1.0]).select("bic") == 1


def test_cross_validation_takes_the_simplest_row_within_a_standard_error_of_the_best():
    assert rows(cv=[9.0, 2.1, 2.0, 3.0], cv_error=[1.0, 0.1, 0.2, 0.1]).select("cv") == 1
    assert rows(cv=[9.0, 2.3, 2.0, 3.0], cv_error=[1.0, 0.1, 0.2, 0.1]).select("cv") == 2
    assert rows(cv=[math.inf, math.inf], cv_error=[math.inf, math.inf]).select("cv") == 0


def test_without_cross_validated_losses_the_rule_cannot_choose():
    with pytest.raises(ValueError, match="call fit with model_selection='cv'"):
        FRONT.select("cv")
    assert Front.of_rows(list(FRONT)[:1]).select("cv") == 0


def test_the_table_shows_what_the_rule_looks_at():
    front = rows(dl=[30.125, 9.0], bic=[70.5, 20.0], cv=[1.25, 0.5])
    for rule, value in (("dl", "30.125"), ("bic", "70.5"), ("cv", "1.25")):
        lines = front.table(0, rule=rule).splitlines()
        assert rule in lines[0].split()
        assert value in lines[1].split()
    for rule in ("best", "score", "accuracy"):
        assert front.table(0, rule=rule).splitlines()[0].split() == [
            "complexity",
            "loss",
            "score",
            "equation",
        ]
    assert "dl" not in FRONT.table(0, rule="dl")  # infinite in every row


def test_best_looks_only_at_rows_near_the_smallest_loss():
    front = Front([1, 2, 3, 6], [100.0, 1.0, 0.5, 0.4], [balmer.parse("x0")] * 4)
    assert front.select("score") == 1
    assert front.select("best") == 2


def test_an_unknown_rule():
    with pytest.raises(ValueError, match="model_selection is 'bes'"):
        FRONT.select("bes")


def test_a_row_by_number():
    assert FRONT.row(0, "best") == 0
    assert FRONT.row(-1, "best") == 3
    with pytest.raises(IndexError, match="index is 4, but the front has 4 rows"):
        FRONT.row(4, "best")


def test_table_marks_the_row():
    lines = FRONT.table(2, precision=3).splitlines()
    assert lines[0].split() == ["complexity", "loss", "score", "equation"]
    assert lines[3].startswith(">>>>")
    assert lines[3].endswith("x0 * 2.12 + x1")
    assert sum(line.startswith(">>>>") for line in lines) == 1


def test_frame():
    frame = FRONT.frame
    assert list(frame.columns) == [
        "complexity",
        "loss",
        "score",
        "dl",
        "bic",
        "r2",
        "equation",
        "constants",
        "standard_errors",
        "sympy_format",
        "lambda_format",
    ]
    X = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(frame.lambda_format[2](X), [4.123456])
    assert float(frame.sympy_format[2].subs({"x0": 1, "x1": 2})) == pytest.approx(4.123456)
    assert frame.constants[2] == (2.123456,)
    assert FRONT.frame is frame


def test_pickles_without_the_frame():
    assert FRONT.frame is not None
    copied = pickle.loads(pickle.dumps(FRONT))
    assert copied._frame is None
    assert list(copied) == list(FRONT)


def test_latex_table():
    text = FRONT.latex_table([2, -1], 3, ["equation", "complexity", "loss"])
    assert text.count(r"\\") == 3
    assert r"x_{0} \cdot 2.12 + x_{1}" in text
    assert "$9$" in text
    assert "$y_{2} = x_{0}" in text
    with pytest.raises(ValueError, match="unknown column 'los'"):
        FRONT.latex_table(None, 3, ["los"])


def test_a_latex_table_has_every_number_of_a_row():
    front = rows(dl=[30.125, 9.0], bic=[70.5, math.inf], cv=[1.25, None], r2=[0.5, 0.75])
    columns = ["complexity", "dl", "bic", "cv", "r2"]
    lines = front.latex_table(None, 4, columns).splitlines()
    assert lines[4] == r"Complexity & Description length & BIC & Loss in cross-validation & $R^2$ \\"
    assert lines[6] == r"$1$ & $30.12$ & $70.5$ & $1.25$ & $0.5$ \\"
    assert lines[7] == r"$3$ & $9$ & $\infty$ & $-$ & $0.75$ \\"


def test_latex_breaks_long_equations():
    long = balmer.parse(" + ".join(f"{k + 1.25} * sin(x{k})" for k in range(8)))
    text = Front([3, 20], [1.0, 0.5], [balmer.parse("x0 + x1"), long]).latex_table()
    assert "$y_{0} = x_{0} + x_{1}$ &" in text
    assert rf"\begin{{dmath*}} y_{{1}} = {long.latex(3)} \end{{dmath*}}" in text
    assert text.count("dmath*") == 2
