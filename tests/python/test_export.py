"""Formulas in other languages have the values of the core."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess

import numpy as np
import pytest

import balmer
from balmer.export import LANGUAGES, jax_function, numpy_function, source, torch_module

N_FORMULAS = 1000
N_FEATURES = 3
RNG = np.random.default_rng(20)
X = RNG.uniform(0.3, 2.5, size=(20, N_FEATURES)) * RNG.choice([-1, 1], size=(20, N_FEATURES), p=[0.2, 0.8])


def random_text(rng, depth=0):
    """A formula over x0, x1, x2: every operator of the table, four levels deep."""
    if depth == 4 or rng.random() < 0.2 * depth:
        return f"x{rng.integers(N_FEATURES)}" if rng.random() < 0.6 else repr(round(rng.normal() * 2, 3))
    infos = balmer.operators()
    info = infos[rng.integers(len(infos))]
    return f"{info.name}({', '.join(random_text(rng, depth + 1) for _ in range(info.arity))})"


@pytest.fixture(scope="module")
def formulas():
    rng = np.random.default_rng(0)
    return [balmer.parse(random_text(rng), ["x0", "x1", "x2"]) for _ in range(N_FORMULAS)]


@pytest.fixture(scope="module")
def truth(formulas):
    """Values, and how far a change of all numbers in the last places moves them."""
    values, moved = [], []
    for e in formulas:
        here = e(X)
        with np.errstate(all="ignore"):
            shifts = [
                np.abs(e.with_constants(e.constants * (1 + s))(X * (1 + t)) - here)
                for s, t in [(3e-15, 0), (0, 3e-15), (-3e-15, 0), (0, -3e-15)]
            ]
        values.append(here)
        moved.append(np.max(shifts, axis=0))
    return np.array(values), np.array(moved)


def check(values, truth, what, rtol=1e-12):
    """Finite values agree to 1e-12 where rounding does not matter more; hardly any is finite on one side."""
    expected, moved = truth
    finite = np.isfinite(expected)
    compared = finite & np.isfinite(values) & np.isfinite(moved)
    assert compared.sum() > 0.99 * finite.sum(), what
    with np.errstate(all="ignore"):
        wrong = compared & (
            np.abs(values - expected) > rtol * np.maximum(np.abs(expected), 1e-3) + 100 * moved
        )
    # Where a formula jumps (floor, greater, ...) the last place may decide.
    assert wrong.sum() <= 0.0005 * compared.sum(), f"{what}: {np.argwhere(wrong)[:5]}"


def test_numpy(formulas, truth):
    check(np.array([numpy_function(e)(X) for e in formulas]), truth, "numpy")


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.slow
@pytest.mark.parametrize(("language", "compiler"), [("c", "cc -std=c99"), ("c++", "c++ -std=c++11")])
def test_compiled(formulas, truth, tmp_path, language, compiler):
    if shutil.which(compiler.split()[0]) is None:
        pytest.skip("no compiler")
    if language == "c++":
        formulas, truth = formulas[:200], (truth[0][:200], truth[1][:200])
    parts, names = [], []
    for k, e in enumerate(formulas):
        text = source(e, language, f"f{k}")
        # Each has its own helpers: give them names of their own.
        for helper in set(re.findall(r"static double (\w+)\(", text)):
            text = re.sub(rf"(?<![\w:]){helper}\(", f"h{k}_{helper}(", text)
        parts.append(text)
        names.append(f"f{k}")
    table = ", ".join(names)
    linkage = 'extern "C" ' if language == "c++" else ""
    parts.append(
        f"typedef double (*formula_t)(double, double, double);\nstatic const formula_t table[] = "
        f"{{{table}}};\n"
        f"{linkage}double value(int k, double a, double b, double c) {{ return table[k](a, b, c); }}\n"
    )
    file = tmp_path / ("f.c" if language == "c" else "f.cpp")
    file.write_text("\n".join(parts))
    library = tmp_path / "f.so"
    subprocess.run(
        [
            *compiler.split(),
            "-O0",
            "-ffp-contract=off",
            "-shared",
            "-fPIC",
            str(file),
            "-o",
            str(library),
            "-lm",
        ],
        check=True,
    )
    function = ctypes.CDLL(str(library)).value
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_int] + [ctypes.c_double] * 3
    check(np.array([[function(k, *row) for row in X] for k in range(len(formulas))]), truth, language)


def test_torch(formulas, truth):
    torch = pytest.importorskip("torch")
    columns = torch.tensor(X)
    values = [torch_module(e)(columns).detach().numpy() for e in formulas]
    check(np.array(values), truth, "torch", rtol=3e-12)  # its gamma goes through a logarithm


def test_gradients_of_torch_are_those_of_the_core():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    smooth = {info.name for info in balmer.operators() if info.smooth} - {"gamma", "mod"}
    checked = 0
    while checked < 100:
        e = balmer.parse(random_text(rng), ["x0", "x1", "x2"])
        names = {name for name, arity, _ in e._formula.nodes if arity}
        if not len(e.constants) or not names <= smooth:
            continue
        expected = e.jacobian(X)
        module = torch_module(e)
        for row in range(0, len(X), 7):
            module.zero_grad()
            module(torch.tensor(X[row : row + 1])).sum().backward()
            ours = module.constants.grad.numpy() if module.constants.grad is not None else expected[row] * 0
            good = np.isfinite(expected[row]) & np.isfinite(ours) & (np.abs(expected[row]) < 1e8)
            np.testing.assert_allclose(ours[good], expected[row][good], rtol=1e-7, atol=1e-9, err_msg=str(e))
        checked += 1


def test_constants_of_torch_can_be_trained():
    torch = pytest.importorskip("torch")
    module = torch_module(balmer.parse("1.5 * x0 + 0.5", ["x0"]))
    assert "1.5 * x0 + 0.5" in repr(module)
    assert [name for name, _ in module.named_parameters()] == ["constants"]
    columns = torch.linspace(0, 1, 20, dtype=torch.float64)[:, None]
    optimiser = torch.optim.LBFGS(module.parameters())

    def closure():
        optimiser.zero_grad()
        loss = ((module(columns) - (3 * columns[:, 0] - 1)) ** 2).mean()
        loss.backward()
        return loss

    for _ in range(5):
        optimiser.step(closure)
    np.testing.assert_allclose(module.constants.detach().numpy(), [3, -1], atol=1e-4)
    constant = torch_module(balmer.parse("2.5", ["x0"]))
    assert constant(columns).shape == (20,)


@pytest.mark.slow
def test_jax(formulas, truth):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    formulas, truth = formulas[:12], (truth[0][:12], truth[1][:12])
    values = []
    for e in formulas:
        made = jax_function(e)
        values.append(np.asarray(made["callable"](X, made["parameters"])))
    check(np.array(values), truth, "jax", rtol=1e-11)
    made = jax_function(balmer.parse("2.5 * sin(x0) + x1 ^ 3.5", ["x0", "x1"]))
    slopes = jax.jacobian(made["callable"], argnums=1)(np.abs(X), made["parameters"])
    np.testing.assert_allclose(
        slopes, balmer.parse("2.5 * sin(x0) + x1 ^ 3.5", ["x0", "x1"]).jacobian(np.abs(X[:, :2])), rtol=1e-12
    )


def test_names_become_those_of_the_language():
    e = balmer.parse("sin(`double`) + `x y` * `x-y` + exp * 2", ["double", "x y", "x-y", "exp"])
    assert "double formula(double double_2, double x_y, double x_y_2, double exp_2)" in source(e, "c")
    assert "def law(double, x_y, x_y_2, exp_2):" in source(e, "numpy", "law")
    np.testing.assert_array_equal(numpy_function(e)(np.ones((2, 4))), e(np.ones((2, 4))))
    both = balmer.parse("x + X", ["x", "X"])
    assert "formula(x, X_2)" in source(both, "fortran")
    assert "formula(x, X)" in source(both, "julia")


def test_named_constants_and_operators_of_the_user_are_written_out():
    model = balmer.SymbolicRegressor(
        binary_operators=["*", "twice(x, y) = x * x + y"],
        named_constants={"g": 9.81},
        guesses=["twice(x0, x1) * g"],
        niterations=0,
        verbosity=0,
    )
    points = np.random.default_rng(0).normal(size=(30, 2))
    model.fit(points, 9.81 * (points[:, 0] ** 2 + points[:, 1]))
    text = model.source("c", index=-1)
    assert "static double user_twice(double p0, double p1) { return p0 * p0 + p1; }" in text
    assert "double formula(double x0, double x1)" in text
    assert "9.81" in text
    np.testing.assert_allclose(model.numpy(-1)(points), model.predict(points, -1), rtol=1e-14)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_operator_can_be_written(language):
    for info in balmer.operators():
        names = ["a", "b", "c"][: info.arity]
        text = source(balmer.parse(f"{info.name}({', '.join(names)})", names), language)
        assert text.count("(") == text.count(")")


@pytest.mark.parametrize(
    ("formula", "language", "expected"),
    [
        ("2.5e-7 * x0 - -x1 ^ 2", "fortran", "value = 2.5d-7 * x0 - (-(x1)**(2.0d0))"),
        ("cbrt(x0) + round(x1)", "fortran", "balmer_cbrt(x0) + balmer_round(x1)"),
        ("log(x0) ^ x1", "julia", "formula(x0, x1) = NaNMath.pow(NaNMath.log(x0), x1)"),
        ("erf(x0) + x1", "julia", "using SpecialFunctions"),
        ("-x0 ^ 2 + atan2(x0, x1)", "excel", "=(-((A2)^(2.0))) + (ATAN2(B2,A2))"),
        ("ifelse(x0 > 1, square(x0 + 1), 1e-7)", "excel", "(A2 + 1.0) * (A2 + 1.0)"),
        ("x0 / 3", "c++", "#include <cmath>"),
    ],
)
def test_text(formula, language, expected):
    assert expected in source(balmer.parse(formula, ["x0", "x1"]), language)


def test_fortran_lines_are_short():
    text = source(balmer.parse(" + ".join(f"sin({k}.123456789 * x0)" for k in range(30)), ["x0"]), "fortran")
    assert max(map(len, text.splitlines()[1:])) <= 132


def test_wrong_words():
    e = balmer.parse("x0")
    with pytest.raises(ValueError, match="language is 'cobol': choose among 'numpy', 'c'"):
        source(e, "cobol")
    with pytest.raises(ValueError, match="name is '2 f'"):
        source(e, "c", "2 f")


@pytest.mark.parametrize(("function", "module"), [(torch_module, "torch"), (jax_function, "jax")])
def test_what_is_not_installed_is_named(monkeypatch, function, module):
    import builtins

    real = builtins.__import__

    def blocked(name, *args, **kwargs):
        if name.split(".")[0] == module:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", blocked)
    with pytest.raises(ImportError, match=rf'pip install "balmer\[{module}\]"'):
        function(balmer.parse("x0"))
