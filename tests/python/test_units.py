"""Physical units: reading them, and searches that keep to them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import balmer
from balmer import Dimension, dimension
from balmer._dimensions import DataUnits
from balmer.callbacks import Callback

RNG = np.random.default_rng(8)
SMALL = {"random_state": 0, "verbosity": 0, "niterations": 8, "populations": 6, "ncycles_per_iteration": 60}
ALONE = {**SMALL, "seeding": False}


def fitted(X, y, fit, **params):
    return balmer.SymbolicRegressor(**{**SMALL, **params}).fit(X, y, **fit)


def front_of(model):
    return [(row.complexity, row.loss, str(row.expression)) for front in model.fronts_ for row in front]


# ---- reading ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "si"),
    [
        ("", "1"),
        ("1", "1"),
        ("deg", "1"),
        ("%", "1"),
        ("km", "m"),
        ("kilometers", "m"),
        ("min", "s"),
        ("days", "s"),
        ("g", "kg"),
        ("°C", "K"),
        ("mol", "mol"),
        ("m/s^2", "m/s^2"),
        ("m s⁻²", "m/s^2"),
        ("meter/second**2", "m/s^2"),
        ("m / s / s", "m/s^2"),
        ("kg*m^2", "m^2*kg"),
        ("m^(1/2)", "m^(1/2)"),
        ("m**-1.5", "1/m^(3/2)"),
        ("(m/s)^2", "m^2/s^2"),
        ("10^3 m", "m"),
        ("N", "m*kg/s^2"),
        ("J/(kg*K)", "m^2/(s^2*K)"),
        ("kWh", "m^2*kg/s^2"),
        ("eV", "m^2*kg/s^2"),
        ("mbar", "kg/(m*s^2)"),
        ("µF", "s^4*A^2/(m^2*kg)"),
        ("W·m⁻²·K⁻⁴", "kg/(s^3*K^4)"),
        ("Mpc", "m"),
        ("L", "m^3"),
        ("Constants.G", "m^3/(kg*s^2)"),
    ],
)
def test_a_unit_has_this_dimension(text, si):
    assert str(dimension(text)) == si


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("N", "kg*m/s^2"),
        ("Pa", "N/m^2"),
        ("J", "W*s"),
        ("V", "J/C"),
        ("Ohm", "V/A"),
        ("F", "C/V"),
        ("H", "Wb/A"),
        ("T", "V*s/m^2"),
        ("Hz", "Bq"),
        ("Sv", "m^2/s^2"),
        ("lx", "cd/m^2"),
        ("kat", "mol/s"),
        ("ly", "AU"),
        ("year", "h"),
        ("Jy", "kg/s^2"),
    ],
)
def test_units_of_one_dimension(left, right):
    assert dimension(left) == dimension(right)


@given(
    st.lists(st.builds(Fraction, st.integers(-12, 12), st.integers(1, 12)), min_size=7, max_size=7).map(tuple)
)
def test_what_is_printed_is_read_back(exponents):
    known = Dimension(exponents)
    assert dimension(str(known)) == known
    assert dimension(f"1/({known})") * known == Dimension()


@given(
    st.lists(st.sampled_from(["m", "ms", "N", "kJ", "eV", "mol", "h", "T", "Å"]), min_size=1, max_size=5),
    st.data(),
)
def test_a_product_of_units_is_the_product_of_their_dimensions(names, data):
    expected, text = Dimension(), "1"
    for name in names:
        sign, power = data.draw(st.sampled_from("*/")), data.draw(st.integers(-3, 3))
        text += f" {sign} {name}^{power}"
        expected *= dimension(name) ** (power if sign == "*" else -power)
    assert dimension(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metr", "unknown unit 'metr': did you mean 'metre'"),
        ("kg*Newton", r"unknown unit 'Newton' in 'kg\*Newton': did you mean 'newton'"),
        ("qqqqq", "unknown unit 'qqqqq': write it in SI units"),
        ("m/", "'m/' makes no sense: a unit is missing at its end"),
        ("m^x", "an exponent is a number, as in"),
        ("m^(1/0)", "an exponent divides by 0"),
        ("(m", "a bracket is not closed"),
        ("m)", r"did not expect '\)'"),
        ("m//s", "did not expect '/'"),
        ("J/kg K", "may belong to either side"),
        ("m&s", "did not expect '&'"),
    ],
)
def test_what_is_no_unit_is_said_so(text, message):
    with pytest.raises(ValueError, match=message):
        dimension(text)


@pytest.mark.parametrize("unit", [3.5, None, ["m"], True, 2])
def test_numbers_and_lists_are_no_units(unit):
    with pytest.raises(TypeError, match="is no unit: give text such as 'm/s"):
        dimension(unit)


def test_units_of_sympy_and_mappings_are_read():
    from sympy.physics import units

    assert dimension(units.newton * units.meter / units.second**2) == dimension("N*m/s^2")
    assert dimension({"m": 1, "s": -2}) == dimension("m/s^2")
    assert dimension({"m": 0.5}) == dimension("m^(1/2)")
    assert dimension(dimension("N")) == dimension("N")


# ---- arguments of fit -------------------------------------------------------------------------------------

X = RNG.uniform(1, 3, size=(60, 3))
Y = 3 * X[:, 0] * X[:, 1] / X[:, 2] ** 2


@pytest.mark.parametrize(
    ("units", "message"),
    [
        (
            {"X_units": ["m", "s"]},
            "X_units has 2 units, but X has 3 columns: give a list with one unit for each",
        ),
        ({"X_units": "m"}, "X_units is 'm', but X has 3 columns"),
        ({"X_units": {"x7": "m"}}, "X_units has 'x7', but the columns of X are x0, x1, x2"),
        ({"X_units": ["m", "s", "metr"]}, "the unit of 'x2': unknown unit 'metr'"),
        ({"y_units": ["m", "s"]}, "y_units has 2 units, but y has 1 column: give one for each"),
        ({"y_units": "m//s"}, "the unit of y: the unit 'm//s' makes no sense"),
    ],
)
def test_wrong_units_are_said_so(units, message):
    with pytest.raises(ValueError, match=message):
        fitted(X, Y, units)


def test_a_unit_that_the_columns_do_not_make_up_is_said_so():
    with pytest.raises(ValueError, match=r"dimension is m kg s\^-2; the features do not make it up"):
        fitted(X, Y, {"X_units": ["m", "s", "m"], "y_units": "N"}, dimensionless_constants_only=True)


def test_a_penalty_is_not_negative():
    with pytest.raises(ValueError, match="dimensional_constraint_penalty is -1; give 0 or more"):
        fitted(X, Y, {"y_units": "N"}, dimensional_constraint_penalty=-1.0)


def test_a_guess_that_violates_the_units_is_said_so():
    units = {"X_units": ["m", "s", "m"], "y_units": "m"}
    with pytest.raises(ValueError, match=r"guesses has 'x0 \+ x1', but 'x0 \+ x1' violates the units"):
        fitted(X, Y, units, guesses=["x0 + 2 * x1", "x0 + x1"])


# ---- searches ---------------------------------------------------------------------------------------------


def violations(model, names=("x0", "x1", "x2")):
    """Formulas of the fronts that violate the units."""
    units = DataUnits(model.X_units_, model.y_units_)
    parts = [
        units.dimensions(names, target, model.dimensionless_constants_only).violating_part(
            row.expression._formula
        )
        for target, front in enumerate(model.fronts_)
        for row in front
    ]
    return [part for part in parts if part is not None]


@pytest.mark.parametrize("seeding", [True, False])
def test_gravitation_and_the_unit_of_its_constant(seeding):
    model = fitted(
        X,
        6.67 * Y,
        {"X_units": ["kg", "kg", "m"], "y_units": "N"},
        seeding=seeding,
        niterations=40,
        binary_operators=["*", "/", "+"],
    )
    assert model.score(X, 6.67 * Y) > 1 - 1e-12
    # The constant may stand above the line or, as its inverse, below.
    equation = model.get_best()["equation"]
    above = "20.01" in equation
    assert above or "0.0499750124" in equation
    assert model.units() == ["m^3/(kg*s^2)" if above else "kg*s^2/m^3"]
    assert violations(model) == []


def test_a_pendulum_with_numbers_as_constants():
    y = 2 * np.pi * np.sqrt(X[:, 0] / X[:, 1]) * (1 + X[:, 2] ** 2 / 16)
    model = fitted(
        X,
        y,
        {"X_units": {"x0": "m", "x1": "m/s^2"}, "y_units": "s"},
        unary_operators=["sqrt"],
        dimensionless_constants_only=True,
    )
    assert model.score(X, y) > 1 - 1e-12
    assert violations(model) == []
    assert set(model.units()) == {"1"}


@pytest.mark.parametrize(
    "params", [{}, {"dimensionless_constants_only": True}, ALONE], ids=["", "numbers", "alone"]
)
def test_no_formula_of_the_front_violates_the_units(params):
    y = X[:, 0] + np.sin(X[:, 1]) * X[:, 2] + 0.1 * RNG.normal(size=len(X))  # fits best what is forbidden
    units = {"X_units": ["m", "s", "kg"], "y_units": "m"}
    model = fitted(X, y, units, unary_operators=["sin", "log", "exp"], **params)
    assert violations(model) == []
    assert len(model.equations_) > 1
    assert violations(fitted(X, y, {}, **params).set_params(**params).fit(X, y, X_units=["m"] * 3)) == []


def test_units_decide_between_formulas_that_are_as_good():
    columns = np.column_stack([X[:, 0], X[:, 0], X[:, 2]])  # a length and a time of the same numbers
    with_units = fitted(columns, X[:, 0] * X[:, 2], {"X_units": ["m", "s", "kg"], "y_units": "s*kg"}, **ALONE)
    assert "x1" in str(with_units.expression())
    assert "x0" not in str(with_units.expression())


def test_a_penalty_is_added_to_the_loss():
    y = X[:, 0] + X[:, 1]
    units = {"X_units": ["m", "s", "m"], "y_units": "m"}
    alone = {**ALONE, "binary_operators": ["+"], "dimensionless_constants_only": True}
    forbidden = fitted(X, y, units, **alone)
    assert "x0 + x1" not in set(forbidden.equations_.equation)
    dear = fitted(X, y, units, dimensional_constraint_penalty=1e-3, **alone)
    row = dear.equations_.set_index("equation").loc["x0 + x1"]
    assert row.loss == pytest.approx(1e-3)
    free = fitted(X, y, units, dimensional_constraint_penalty=0.0, **alone)
    assert front_of(free) == front_of(fitted(X, y, {}, **alone))


def test_pysr_asks_a_penalty():
    y = 1e3 * (X[:, 0] + X[:, 1])
    units = {"X_units": ["m", "s", "m"], "y_units": "m"}
    model = fitted(X, y, units, binary_operators=["+", "*"], preset="pysr", niterations=20)
    assert violations(model) or model.equations_.loss.min() < 1000


def test_it_warns_where_nothing_keeps_to_the_units():
    units = {"X_units": ["m", "m", "m"], "y_units": "m^2"}
    with pytest.warns(UserWarning, match="no formula that keeps to the units was found"):
        model = fitted(X, Y, units, binary_operators=["+"], dimensionless_constants_only=True, **ALONE)
    assert str(model.expression()) == repr(float(Y.mean()))


def test_only_the_target_or_only_the_columns_may_have_units():
    model = fitted(X, Y, {"y_units": "N"}, **ALONE)
    assert model.X_units_ == {"x0": "1", "x1": "1", "x2": "1"}
    assert violations(model) == []
    model = fitted(X, Y, {"X_units": ["kg", None, "m"]}, **ALONE)
    assert model.y_units_ == [None]
    assert violations(model) == []


def test_more_than_one_target_and_named_constants():
    y = np.column_stack([9.81 * X[:, 0], X[:, 0] * X[:, 1]])
    units = {"X_units": {"x0": "s", "x1": "m", "g": "m/s^2"}, "y_units": ["m/s", "m*s"]}
    model = fitted(X, y, units, named_constants={"g": 9.81}, dimensionless_constants_only=True)
    assert [str(formula) for formula in model.expression()] == ["g * x0", "x0 * x1"]
    assert model.units() == [[], []]


def test_there_are_no_units_of_constants_without_units():
    with pytest.raises(ValueError, match="there are no units: give X_units and y_units to fit"):
        fitted(X, Y, {}, **ALONE).units()


def test_the_front_is_the_same_on_any_number_of_threads():
    y = Y + 0.1 * RNG.normal(size=len(Y))
    units = {"X_units": ["kg", "kg", "m"], "y_units": "N"}
    fronts = [front_of(fitted(X, y, units, unary_operators=["log"], n_jobs=n)) for n in (1, 2)]
    assert fronts[0] == fronts[1]


class Interrupt(Callback):
    def on_progress(self, progress):
        if progress.iteration == 2:
            raise KeyboardInterrupt


def test_a_search_with_units_goes_on_from_disk(tmp_path):
    y = Y + 0.1 * RNG.normal(size=len(Y))
    units = {"X_units": ["kg", "kg", "m"], "y_units": "N"}
    with pytest.warns(RuntimeWarning, match="interrupted"):
        model = fitted(X, y, units, callbacks=[Interrupt()], **ALONE)
    model.set_params(callbacks=None).save(tmp_path / "model.json")
    model = balmer.SymbolicRegressor.load(tmp_path / "model.json")
    assert model.y_units_ == ["N"]
    assert front_of(model.resume(X, y)) == front_of(fitted(X, y, units, **ALONE))
    assert len(model.units()) == len(model.expression().constants)


def test_a_warm_start_with_other_units_keeps_to_them():
    model = fitted(X, X[:, 0] + X[:, 1], {}, warm_start=True, **ALONE)
    model.fit(X, X[:, 0] + X[:, 1], X_units=["m", "s", "m"], y_units="m")
    assert violations(model) == []
