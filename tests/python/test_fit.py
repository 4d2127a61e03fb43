"""The constants of one formula, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit

import balmer

RNG = np.random.default_rng(7)
X = RNG.uniform(0.5, 3.0, size=(80, 2))
NOISE = 0.1 * RNG.normal(size=80)


def test_linear_constants_are_the_least_squares_solution():
    y = 2 * X[:, 0] - 3 * X[:, 1] + 0.7 + NOISE
    result = balmer.fit_constants(balmer.parse("1 * x0 + 1 * x1 + 1"), X, y)
    expected, residual, *_ = np.linalg.lstsq(np.column_stack([X, np.ones(80)]), y, rcond=None)
    np.testing.assert_allclose(result.expression.constants, expected, rtol=1e-9)
    assert result.loss == pytest.approx(residual[0] / 80, rel=1e-9)
    assert result.status.startswith("converged")
    np.testing.assert_allclose(result.expression(X), X @ expected[:2] + expected[2], rtol=1e-9)


def test_nonlinear_constants_and_their_errors_are_scipys():
    y = 2.5 * np.exp(-1.3 * X[:, 0]) + 0.4 + 0.01 * NOISE
    result = balmer.fit_constants(balmer.parse("1 * exp(-1 * x0) + 0.1"), X, y)

    def model(x, a, b, c):
        return a * np.exp(b * x) + c

    expected, covariance = curve_fit(model, X[:, 0], y, p0=[1, -1, 0.1], ftol=1e-14, xtol=1e-14)
    np.testing.assert_allclose(result.expression.constants, expected, rtol=1e-6)
    np.testing.assert_allclose(result.standard_errors, np.sqrt(np.diag(covariance)), rtol=1e-4)


def test_weights_are_repeated_rows():
    y = 2 * np.sin(1.2 * X[:, 0]) + NOISE
    weights = RNG.integers(0, 4, size=80)
    start = balmer.parse("1 * sin(1 * x0)")
    weighted = balmer.fit_constants(start, X, y, sample_weight=weights)
    repeated = balmer.fit_constants(start, X.repeat(weights, axis=0), y.repeat(weights))
    np.testing.assert_allclose(weighted.expression.constants, repeated.expression.constants, rtol=1e-7)
    assert weighted.loss == pytest.approx(repeated.loss, rel=1e-9)


def test_a_scalar_weight_changes_nothing():
    y = 2 * X[:, 0] + NOISE
    start = balmer.parse("1 * x0")
    one, three = (balmer.fit_constants(start, X, y, sample_weight=w) for w in (None, 3.0))
    assert one.loss == pytest.approx(three.loss, rel=1e-12)


def test_the_start_is_kept_and_the_loss_does_not_rise():
    start = balmer.parse("1 * sin(9 * x0)")
    y = np.cos(X[:, 0])
    result = balmer.fit_constants(start, X, y, max_iterations=3)
    np.testing.assert_array_equal(start.constants, [1, 9])
    assert result.loss <= np.mean((start(X) - y) ** 2)
    assert result.iterations <= 3


def test_nothing_to_fit():
    result = balmer.fit_constants(balmer.parse("x0 * x1"), X, X[:, 0])
    assert result.status == "nothing_to_fit"
    assert result.loss == pytest.approx(np.mean((X[:, 0] * X[:, 1] - X[:, 0]) ** 2), rel=1e-12)
    assert result.standard_errors.shape == (0,)


def test_a_start_without_a_finite_loss_is_left_alone():
    start = balmer.parse("log(-1 * x0) + 2")
    result = balmer.fit_constants(start, X, X[:, 0])
    assert result.status == "not_finite"
    assert result.expression == start


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_the_scale_of_the_target_does_not_matter(scale):
    y = scale * 3.0 * np.exp(0.5 * X[:, 0])
    result = balmer.fit_constants(balmer.parse("1 * exp(1 * x0)"), X, y)
    np.testing.assert_allclose(result.expression.constants, [3.0 * scale, 0.5], rtol=1e-7)


def test_many_formulas_are_fitted_like_each_alone():
    starts = [
        balmer.parse(text)
        for text in ("1 * x0 + 1", "1 * exp(-1 * x0) + 0.1", "x1 * x0", "1 * sin(1.2 * x1)")
    ]
    y = 2.0 * np.exp(-0.7 * X[:, 0]) + 0.3
    Y = np.column_stack([y, 3 * y, X[:, 0], 2 * np.sin(1.4 * X[:, 1])])
    for target, own in ((y, [y] * 4), (Y, list(Y.T))):
        alone = [balmer.fit_constants(start, X, t) for start, t in zip(starts, own, strict=True)]
        for n_jobs in (1, 3):
            many = balmer.fit_constants(starts, X, target, n_jobs=n_jobs)
            for a, b in zip(alone, many, strict=True):
                assert (a.expression, a.loss, a.status) == (b.expression, b.loss, b.status)
                np.testing.assert_array_equal(a.standard_errors, b.standard_errors)
    np.testing.assert_allclose(many[3].expression.constants, [2, 1.4], rtol=1e-12)
    assert balmer.fit_constants([], X, y) == []


def test_restarts_find_a_frequency():
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 10, (600, 1))
    for n_rows in (100, 600):
        data = x[:n_rows]
        y = 2.0 * np.sin(5.3 * data[:, 0] + 0.4) + 1.0
        start = balmer.parse("1 * sin(4 * x0 + 0.1) + 0.5")
        assert balmer.fit_constants(start, data, y).loss > 0.1  # the minimum beside
        found = balmer.fit_constants(start, data, y, restarts=100)
        assert found.loss < 1e-20
        assert abs(found.expression.constants[1]) == pytest.approx(5.3, rel=1e-12)


WAVES = {
    "sine": ("1 * sin({} * x0 + 0.1)", lambda x, w: 1.7 * np.sin(w * x + 0.8)),
    "cosine of a shifted variable": ("1 * cos((x0 - 0.3) * {}) + 1", lambda x, w: 2 + np.cos(w * x + 2)),
    "without a phase": ("1 * sin({} * x0) * x0", lambda x, w: 2 * x * np.sin(w * x)),
    "on a trend": (
        "1 * sin({} * x0 + 1) + 1 * x0 + 1 * (x0 * x0)",
        lambda x, w: np.sin(w * x) + 3 * x - 0.5 * x**2,
    ),
    "damped": (
        "1 * (exp(-0.1 * x0) * sin({} * x0 + 0.1))",
        lambda x, w: np.exp(-0.3 * x) * np.sin(w * x + 0.8),
    ),
}


@pytest.mark.parametrize("periods", [0.3, 1.3, 23.4, 199.0])
@pytest.mark.parametrize("wave", WAVES)
def test_a_scan_finds_a_frequency_from_any_start(wave, periods):
    form, law = WAVES[wave]
    for n_rows in (80, 2000):
        x = np.sort(np.random.default_rng(4).uniform(0, 5, (n_rows, 1)), axis=0)
        y = law(x[:, 0], periods * 2 * np.pi / 5)
        for start in (0.5, 30.0):
            found = balmer.fit_constants(balmer.parse(form.format(start)), x, y, scan_frequencies=True)
            assert found.loss < 1e-6 * y.var(), start


def test_a_scan_finds_the_frequency_of_a_wave_in_noise_and_of_two_waves():
    rng = np.random.default_rng(7)
    x = rng.uniform(0, 5, (300, 1))
    y = np.sin(90 * x[:, 0] + 1)
    one = balmer.parse("1 * sin(3 * x0 + 0.1) + 0.1")
    noisy = balmer.fit_constants(one, x, y + rng.normal(size=300), scan_frequencies=True)
    assert abs(noisy.expression.constants[1]) == pytest.approx(90, abs=5 * noisy.standard_errors[1])
    assert noisy.standard_errors[1] < 0.1
    two = balmer.parse("1 * sin(3 * x0 + 0.1) + 1 * cos(5 * x0 + 0.1)")
    assert balmer.fit_constants(two, x, y + 0.7 * np.sin(140 * x[:, 0]), scan_frequencies=True).loss < 1e-20


def test_of_the_frequencies_that_equal_distances_cannot_tell_apart_a_scan_takes_the_lowest():
    x = np.linspace(0, 5, 101)[:, None]  # so w and 2 pi / 0.05 - w have the same values
    found = balmer.fit_constants(
        balmer.parse("1 * sin(1 * x0 + 0.1)"), x, np.sin(50 * x[:, 0]), scan_frequencies=True
    )
    assert found.loss < 1e-20
    assert abs(found.expression.constants[1]) == pytest.approx(50, rel=1e-9)


@pytest.mark.parametrize("n_rows", [80, 2000])
@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_a_shift_of_the_features_keeps_what_the_doubles_hold(scale, n_rows):
    x = 1e5 + np.random.default_rng(5).uniform(0, 3, (n_rows, 1))
    y = scale * (3.0 * np.exp(-0.5 * (x[:, 0] - 1e5)) + 1.0)
    found = balmer.fit_constants(balmer.parse("1 * exp(-1 * (x0 - 100000.3)) + 1"), x, y)
    assert found.loss < 1e-20 * y.var()
    # The factor and the shift are one constant too many: the shift stays, the others are determined.
    assert found.expression.constants[2] == 100000.3
    np.testing.assert_allclose(found.expression.constants[[1, 3]], [-0.5, scale], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.zeros(79)}, "79 values, but X has 80 rows"),
        ({"y": np.full(80, np.nan)}, "NaN in row 0"),
        ({"X": np.where(X > 2.9, np.inf, X)}, "infinite .* column 'x"),
        ({"sample_weight": np.full(80, -1.0)}, "negative in row 0"),
        ({"sample_weight": np.zeros(80)}, "zero in every row"),
        ({"max_iterations": -1}, "max_iterations is -1"),
        ({"restarts": -1}, "restarts is -1"),
        ({"n_jobs": 0}, "n_jobs is 0"),
        ({"y": np.zeros((80, 2))}, r"y has shape \(80, 2\)"),
        ({"X": np.zeros((0, 2)), "y": np.zeros(0)}, "no rows"),
    ],
)
def test_bad_input(change, message):
    arguments = {"X": X, "y": X[:, 0], **change}
    data, target = arguments.pop("X"), arguments.pop("y")
    with pytest.raises(ValueError, match=message):
        balmer.fit_constants(balmer.parse("2 * x0 + x1"), data, target, **arguments)
