"""Losses: named ones against numpy, scipy and mpmath; fits against linear programming and Newton's method."""

from __future__ import annotations

import pickle

import mpmath
import numpy as np
import pytest
from scipy import optimize, special, stats

import balmer

RNG = np.random.default_rng(11)
P = RNG.normal(size=400) * 3
T = RNG.normal(size=400) * 2
R = P - T
RATE_P, RATE_T = np.exp(RNG.normal(size=400)), np.exp(RNG.normal(size=400))
CLASS = np.where(RNG.normal(size=400) > 0, 1.0, -1.0)
A = P * CLASS
PROBABILITY = RNG.uniform(0.01, 0.99, size=400)


def student_t(r, nu, scale):
    """Negative log likelihood, up to its constant."""
    return stats.t.logpdf(0, nu, scale=scale) - stats.t.logpdf(r, nu, scale=scale)


FORMULAS = [
    ("L2DistLoss()", P, T, R**2),
    ("L1DistLoss()", P, T, abs(R)),
    ("LPDistLoss{3}()", P, T, abs(R) ** 3),
    ("LPDistLoss{0.5}()", P, T, abs(R) ** 0.5),
    ("HuberLoss(1.35)", P, T, special.huber(1.35, R)),
    ("LogCoshLoss()", P, T, np.log(np.cosh(R))),
    ("LogitDistLoss()", P, T, -np.log(4 * np.exp(R) / (1 + np.exp(R)) ** 2)),
    ("QuantileLoss(0.3)", P, T, np.where(T > P, 0.3 * (T - P), 0.7 * (P - T))),
    ("L1EpsilonInsLoss(0.5)", P, T, np.maximum(0, abs(R) - 0.5)),
    ("L2EpsilonInsLoss(0.5)", P, T, np.maximum(0, abs(R) - 0.5) ** 2),
    ("PeriodicLoss(2.5)", P, T, 1 - np.cos(2 * np.pi * R / 2.5)),
    ("StudentTLoss(3)", P, T, student_t(R, 3, 1)),
    ("StudentTLoss(2.5, 0.4)", P, T, student_t(R, 2.5, 0.4)),
    ("CauchyLoss(2)", P, T, stats.cauchy.logpdf(0, scale=2) - stats.cauchy.logpdf(R, scale=2)),
    ("TukeyLoss()", P, T, 4.685**2 / 6 * (1 - (1 - np.minimum(1, (R / 4.685) ** 2)) ** 3)),
    ("LogRatioLoss()", RATE_P, RATE_T, np.log(RATE_P / RATE_T) ** 2),
    ("PoissonLoss()", P, RATE_T, np.exp(P) - RATE_T * P),
    ("PoissonDevianceLoss()", RATE_P, RATE_T, 2 * special.kl_div(RATE_T, RATE_P)),
    ("GammaDevianceLoss()", RATE_P, RATE_T, 2 * (np.log(RATE_P / RATE_T) + RATE_T / RATE_P - 1)),
    (
        "CrossEntropyLoss()",
        PROBABILITY,
        CLASS > 0,
        special.xlogy(CLASS > 0, 1 / PROBABILITY) - special.xlog1py(CLASS < 0, -PROBABILITY),
    ),
    ("ZeroOneLoss()", P, CLASS, (A < 0).astype(float)),
    ("PerceptronLoss()", P, CLASS, np.maximum(0, -A)),
    ("LogitMarginLoss()", P, CLASS, np.logaddexp(0, -A)),
    ("L1HingeLoss()", P, CLASS, np.maximum(0, 1 - A)),
    ("L2HingeLoss()", P, CLASS, np.maximum(0, 1 - A) ** 2),
    ("SmoothedL1HingeLoss(0.5)", P, CLASS, np.where(A >= 0.5, np.maximum(0, 1 - A) ** 2, 0.75 - A)),
    ("ModifiedHuberLoss()", P, CLASS, np.where(A >= -1, np.maximum(0, 1 - A) ** 2, -4 * A)),
    ("L2MarginLoss()", P, CLASS, (1 - A) ** 2),
    ("ExpLoss()", P, CLASS, np.exp(-A)),
    ("SigmoidLoss()", P, CLASS, 1 - np.tanh(A)),
    ("DWDMarginLoss(1)", P, CLASS, np.where(A <= 0.5, 1 - A, 0.25 / np.where(A == 0, 1, A))),
]


@pytest.mark.parametrize(
    ("text", "prediction", "target", "expected"), FORMULAS, ids=[case[0] for case in FORMULAS]
)
def test_a_named_loss_is_its_formula(text, prediction, target, expected):
    loss = balmer.Loss(text)
    np.testing.assert_allclose(loss.rows(prediction, target), expected, rtol=1e-12, atol=1e-13)
    weights = RNG.uniform(0.1, 2, size=len(expected))
    np.testing.assert_allclose(
        loss.rows(prediction, target, weights), weights * expected, rtol=1e-12, atol=1e-13
    )
    assert loss(prediction, target, weights) == pytest.approx(
        np.average(expected, weights=weights), rel=1e-12
    )


def test_every_named_loss_is_tested():
    tested = {text.replace("{", "(").split("(")[0] for text, *_ in FORMULAS}
    assert {loss.name for loss in balmer.named_losses()} == tested


@pytest.mark.parametrize(("text", "function"), [
    ("LogCoshLoss", lambda r: mpmath.log(mpmath.cosh(r))),
    ("LogitDistLoss", lambda r: -mpmath.log(4 * mpmath.exp(r) / (1 + mpmath.exp(r)) ** 2)),
    ("StudentTLoss(3)", lambda r: 2 * mpmath.log1p(r**2 / 3)),
    ("PeriodicLoss(2)", lambda r: 1 - mpmath.cos(mpmath.pi * r)),
])  # fmt: skip
def test_a_loss_is_accurate_for_small_and_large_distances(text, function):
    distances = np.concatenate([10.0 ** np.arange(-12, 3), -(10.0 ** np.arange(-11, 3))])
    values = balmer.Loss(text).rows(distances, np.zeros_like(distances))
    with mpmath.workdps(60):
        expected = np.array([float(function(mpmath.mpf(r))) for r in distances])
    # The argument of the sine is rounded: where it is near a multiple of pi, that is what is left.
    np.testing.assert_allclose(values, expected, rtol=2e-15, atol=1e-26 if text.startswith("Periodic") else 0)


@pytest.mark.parametrize("text", [case[0] for case in FORMULAS])
def test_derivatives_by_the_prediction_are_central_differences(text):
    prediction, target = next((p, t) for name, p, t, _ in FORMULAS if name == text)
    loss, h = balmer.Loss(text), 1e-5
    for order in (1, 2):
        low, middle, high = (loss.rows(prediction + d, target, order=order - 1) for d in (-h, 0, h))
        slope = (high - low) / (2 * h)
        with np.errstate(invalid="ignore"):
            smooth = abs(high - 2 * middle + low) < 1e-3 * h * (1 + abs(slope))  # no kink between
        assert smooth.mean() > 0.9
        actual = loss.rows(prediction, target, order=order)
        np.testing.assert_allclose(actual[smooth], slope[smooth], rtol=1e-4, atol=1e-4)


def design(n=120, features=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, features))
    y = X @ np.arange(1, features + 1) - 2 + rng.standard_t(1.5, size=n)
    return X, y, rng.uniform(0.2, 2, size=n)


def linear(features):
    return balmer.parse(" + ".join(f"0.5 * x{j}" for j in range(features)) + " + 0.1")


def quantile_by_linear_programming(X, y, weights, q):
    """Smallest mean loss: minimise w (q u + (1 - q) v) with X b + u - v = y and u, v >= 0."""
    n, k = X.shape[0], X.shape[1] + 1
    matrix = np.hstack([X, np.ones((n, 1)), np.eye(n), -np.eye(n)])
    cost = np.concatenate([np.zeros(k), q * weights, (1 - q) * weights])
    result = optimize.linprog(cost, A_eq=matrix, b_eq=y, bounds=[(None, None)] * k + [(0, None)] * (2 * n))
    assert result.status == 0
    return result.fun / weights.sum(), result.x[:k]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("q", [0.1, 0.5, 0.8])
def test_the_quantile_fit_is_the_optimum_of_the_linear_programme(seed, q):
    X, y, weights = design(n=60 + 90 * seed, features=1 + seed % 4, seed=seed)
    best, constants = quantile_by_linear_programming(X, y, weights, q)
    result = balmer.fit_constants(linear(X.shape[1]), X, y, sample_weight=weights, loss=f"QuantileLoss({q})")
    assert result.loss == pytest.approx(best, rel=1e-9)
    np.testing.assert_allclose(result.expression.constants, constants, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_the_l1_fit_of_whole_numbers_is_the_optimum_of_the_linear_programme(seed):
    rng = np.random.default_rng(seed)  # ties everywhere
    X, y = rng.integers(0, 4, size=(200, 3)).astype(float), rng.integers(-3, 4, size=200).astype(float)
    best, _ = quantile_by_linear_programming(X, y, np.ones(200), 0.5)
    result = balmer.fit_constants(linear(3), X, y, loss="L1DistLoss()")
    assert result.loss == pytest.approx(2 * best, rel=1e-9)


def test_the_epsilon_insensitive_fit_is_the_optimum_of_the_linear_programme():
    X, y, weights = design(n=150)
    n, k = X.shape[0], 4
    matrix = np.hstack([X, np.ones((n, 1)), -np.eye(n)])
    result = optimize.linprog(
        np.concatenate([np.zeros(k), weights]),
        A_ub=np.vstack([matrix, np.hstack([-matrix[:, :k], -np.eye(n)])]),
        b_ub=np.concatenate([y + 0.3, -y + 0.3]),
        bounds=[(None, None)] * k + [(0, None)] * n,
    )
    fit = balmer.fit_constants(linear(3), X, y, sample_weight=weights, loss="L1EpsilonInsLoss(0.3)")
    assert fit.loss == pytest.approx(result.fun / weights.sum(), rel=1e-9)


@pytest.mark.parametrize(("text", "value"), [
    ("HuberLoss(0.5)", lambda r: special.huber(0.5, r)),
    ("LogCoshLoss()", lambda r: np.logaddexp(r, -r) - np.log(2)),
    ("LPDistLoss{1.5}()", lambda r: abs(r) ** 1.5),
    ("LPDistLoss{4}()", lambda r: r**4),
    ("loss(p, t) = sqrt(1 + (p - t)^2) - 1", lambda r: np.sqrt(1 + r**2) - 1),
])  # fmt: skip
def test_a_convex_fit_is_scipys_minimum(text, value):
    X, y, weights = design(n=150)
    y = np.clip(y, -20, 20)
    columns = np.column_stack([X, np.ones(len(y))])

    def mean(constants):
        return np.average(value(columns @ constants - y), weights=weights)

    start = np.linalg.lstsq(columns, y, rcond=None)[0]
    best = optimize.minimize(mean, start, method="BFGS", options={"gtol": 1e-9}).fun
    result = balmer.fit_constants(linear(3), X, y, sample_weight=weights, loss=text)
    assert result.loss <= best * (1 + 1e-9)
    assert result.loss == pytest.approx(mean(np.array(result.expression.constants)), rel=1e-12)


def least_nearby(mean, start):
    """The least of some simplex searches from around `start`, each begun anew where it ends."""
    rng = np.random.default_rng(6)
    best = mean(start)
    for spread in (1e-3, 1e-3, 1e-2, 1e-2):
        point = start + spread * rng.normal(size=len(start))
        for _ in range(2):
            point = optimize.minimize(
                mean, point, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14, "maxfev": 400}
            ).x
        best = min(best, mean(point))
    return best


@pytest.mark.parametrize(("text", "prediction", "target"), [case[:3] for case in FORMULAS])
def test_the_fit_by_every_named_loss_ends_at_its_optimum(text, prediction, target):
    form = {id(RATE_P): "exp({})", id(PROBABILITY): "logistic({})"}.get(id(prediction), "{}")
    x = np.random.default_rng(12).normal(size=(90, 1))
    y = np.asarray(target[:90], dtype=float)
    if target is T:
        y = 0.8 * x[:, 0] + 0.3 * y  # a law and noise
    loss = balmer.Loss(text)

    def formula(constants):
        c, d = constants.tolist()
        return balmer.parse(form.format(f"{c!r} * x0 + {d!r}"))

    def mean(constants):
        value = loss.rows(formula(constants)(x), y).mean()
        return value if np.isfinite(value) else np.inf

    # Losses that are not convex have several minima: a fit is to end in one, from a start that is near one.
    grid = [np.array([c, d]) for c in np.linspace(-2, 2, 9) for d in np.linspace(-2, 2, 9)]
    start = min(grid, key=mean)
    result = balmer.fit_constants(formula(start), x, y, loss=text)
    assert result.loss <= mean(start)
    if text.startswith("LPDistLoss{0.5}"):  # a minimum wherever two rows are met
        assert np.sum(abs(result.expression(x) - y) < 1e-12) == 2
    elif not text.startswith("ZeroOne"):  # steps: nothing to follow
        best = least_nearby(mean, np.array(result.expression.constants))
        assert result.loss <= best + 1e-9 * abs(best)


def test_poisson_regression_is_newtons():
    rng = np.random.default_rng(2)
    X = rng.uniform(-1, 1, size=(300, 2))
    y = rng.poisson(np.exp(0.3 + X @ [1.0, -0.7])).astype(float)
    columns = np.column_stack([X, np.ones(300)])
    constants = np.zeros(3)
    for _ in range(50):
        rate = np.exp(columns @ constants)
        constants += np.linalg.solve(columns.T * rate @ columns, columns.T @ (y - rate))
    log_rate = balmer.fit_constants(linear(2), X, y, loss="PoissonLoss()")
    np.testing.assert_allclose(log_rate.expression.constants, constants, rtol=1e-8)
    rate = balmer.fit_constants(
        balmer.parse("exp(0.1 * x0 + 0.1 * x1 + 0.1)"), X, y, loss="PoissonDevianceLoss()", max_iterations=400
    )
    np.testing.assert_allclose(rate.expression.constants, constants, rtol=1e-6)


def test_student_t_and_l1_are_not_moved_by_outliers_and_least_squares_is():
    rng = np.random.default_rng(3)
    X = rng.uniform(0, 4, size=(100, 1))
    y = 2 * np.exp(-0.8 * X[:, 0]) + 1
    y[::9] += 30
    start = balmer.parse("1 * exp(-0.3 * x0) + 0.5")
    for loss in ("L1DistLoss", "StudentTLoss(1, 0.05)", "QuantileLoss(0.45)"):
        result = balmer.fit_constants(start, X, y, loss=loss)
        np.testing.assert_allclose(result.expression.constants, [2, -0.8, 1], rtol=1e-4, err_msg=loss)
        assert np.isnan(result.standard_errors).all()
    squares = balmer.fit_constants(start, X, y)
    assert abs(squares.expression.constants[2] - 1) > 0.5


def test_multiples_of_least_squares_are_least_squares():
    X, y, weights = design()
    squares = balmer.fit_constants(linear(3), X, y, sample_weight=weights)
    for text, factor in [
        ("L2DistLoss()", 1),
        ("(p, t) -> 3 * (t - p)^2", 3),
        ("(p, t, w) -> w * square(p - t) / 2", 0.5),
    ]:
        assert balmer.Loss(text).is_least_squares
        result = balmer.fit_constants(linear(3), X, y, sample_weight=weights, loss=text)
        assert result.expression == squares.expression
        assert result.loss == pytest.approx(factor * squares.loss)
        np.testing.assert_array_equal(result.standard_errors, squares.standard_errors)


def test_a_formula_may_use_the_weight_and_own_operators():
    loss = balmer.Loss("(p, t, w) -> w^2 * clip(abs(p - t))", operators=["clip(x) = min(x, 4)"])
    np.testing.assert_array_equal(loss.rows([1.0, 9.0], [0.0, 0.0], [2.0, 3.0]), [4.0, 36.0])
    assert loss([1.0, 9.0], [0.0, 0.0], [2.0, 3.0]) == 8
    assert not loss.is_smooth
    assert not loss.is_convex
    assert balmer.Loss("L1HingeLoss").is_convex
    assert not balmer.Loss("PoissonLoss").is_non_negative


def test_a_loss_is_a_value():
    loss = balmer.Loss("clipped(p, t) = clip(abs(p - t))", operators=["clip(x) = min(x, 4)"])
    copy = pickle.loads(pickle.dumps(loss))
    assert copy == loss
    assert hash(copy) == hash(loss)
    assert copy != balmer.Loss("L1DistLoss")
    assert eval(repr(loss), {"Loss": balmer.Loss}) == loss
    assert copy.rows([9.0], [0.0]) == 4


@pytest.mark.parametrize(("text", "message"), [
    ("HuberLos(1)", "did you mean 'HuberLoss'"),
    ("QuantileLoss(2)", "between 0 and 1"),
    ("LPDistLoss()", "needs a parameter"),
    ("loss(p) = p", "it takes prediction and target"),
    ("(p, t) -> t^2", "does not depend on the prediction"),
    ("(p, t) -> sinn(p)", "sin"),
])  # fmt: skip
def test_a_wrong_loss_is_a_value_error_with_a_hint(text, message):
    with pytest.raises(ValueError, match=message):
        balmer.Loss(text)


def test_a_loss_that_is_no_text_is_a_type_error():
    with pytest.raises(TypeError, match="text"):
        balmer.Loss(3)


SMALL = {"niterations": 5, "populations": 4, "random_state": 0, "verbosity": 0, "maxsize": 12}


@pytest.mark.parametrize(
    "loss", ["L1DistLoss()", "HuberLoss(0.05)", balmer.Loss("loss(p, t) = abs(p - t)^1.2")]
)
def test_a_search_on_a_robust_loss_is_not_led_astray_by_outliers(loss):
    rng = np.random.default_rng(5)
    X = rng.uniform(1, 3, size=(160, 2))
    clean = 2.5 * X[:, 0] ** 2 - X[:, 1]
    y = clean.copy()
    y[::10] += 50 + 10 * rng.normal(size=16)
    longer = SMALL | {"niterations": 30}
    model = balmer.SymbolicRegressor(elementwise_loss=loss, model_selection="accuracy", **longer).fit(X, y)
    # The optimum of a loss that is smooth at 0 is pulled a little.
    assert np.median(abs(model.predict(X) - clean)) < 0.1
    squares = balmer.SymbolicRegressor(model_selection="accuracy", **SMALL).fit(X, y)
    assert np.median(abs(squares.predict(X) - clean)) > 1
    expected = balmer.Loss(loss) if isinstance(loss, str) else loss
    assert model.equations_.loss.iloc[-1] == pytest.approx(expected(model.predict(X), y), rel=1e-9)


def test_a_search_for_a_quantile_has_that_part_of_the_rows_below():
    rng = np.random.default_rng(6)
    X = rng.uniform(0, 2, size=(400, 1))
    y = X[:, 0] ** 2 + rng.exponential(size=400)
    model = balmer.SymbolicRegressor(elementwise_loss="QuantileLoss(0.9)", **SMALL).fit(X, y)
    assert np.mean(y <= model.predict(X) + 1e-9) == pytest.approx(0.9, abs=0.02)


def test_a_search_on_counts_uses_the_log_rate():
    rng = np.random.default_rng(7)
    X = rng.uniform(-1, 1, size=(500, 1))
    y = rng.poisson(np.exp(1 + X[:, 0])).astype(float)
    model = balmer.SymbolicRegressor(elementwise_loss="PoissonLoss()", **SMALL).fit(X, y)
    assert np.sqrt(np.mean((model.predict(X) - 1 - X[:, 0]) ** 2)) < 0.15


def test_the_loss_of_a_search_may_use_its_operators_and_a_constant_target_has_its_constant():
    X = np.linspace(1, 2, 30).reshape(-1, 1)
    clipped = "loss(p, t) = clip(abs(p - t))"
    operators = {1: ["clip(x) = min(x, 4)"], 2: ["+", "*"]}
    model = balmer.SymbolicRegressor(elementwise_loss=clipped, operators=operators, **SMALL).fit(
        X, 3 * X[:, 0]
    )
    assert model.equations_.loss.iloc[-1] < 1e-12
    with pytest.warns(UserWarning, match="constant"):
        model = balmer.SymbolicRegressor(elementwise_loss="PoissonLoss", **SMALL).fit(X, np.full(30, 5.0))
    assert model.predict(X) == pytest.approx(np.log(5))


def test_a_wrong_loss_of_a_search_is_told_before_it_begins():
    X = np.linspace(1, 2, 30).reshape(-1, 1)
    with pytest.raises(ValueError, match="did you mean 'HuberLoss'"):
        balmer.SymbolicRegressor(elementwise_loss="HuberLos", **SMALL).fit(X, X[:, 0])
