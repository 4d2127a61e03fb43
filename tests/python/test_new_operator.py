"""A row added to the table of operators is all that an operator takes: everything else is made from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = "cpp/include/balmer/expr/operators.def"
ROW = (
    'BALMER_OP(Peak, "peak lorentz", 1, 1 / (1 + a * a), -2 * a * (y * y), 0, 0, "peak(a)", '
    r'R"(\operatorname{peak}\left($a\right))", "1 / (1 + a ** 2)", 3, -kInf, kInf, pure)' + "\n"
)

# What is made from the row, in one process for each instruction set. Prints the bits of the values.
CHECK = r"""
import re
import numpy as np, sympy, balmer
from balmer.export import numpy_function, source

info = {op.name: op for op in balmer.operators()}["peak"]
assert (info.aliases, info.arity, info.complexity) == (("lorentz",), 1, 3)
law = balmer.parse("2.5 * lorentz(x0 / 3) + x1")
assert str(law) == "2.5 * peak(x0 / 3) + x1" and balmer.parse(str(law)) == law
assert law.complexity == 10
assert r"\operatorname{peak}\left(\frac{x_{0}}{3}\right)" in law.latex()
x0, x1 = sympy.symbols("x0 x1")
assert sympy.simplify(law.sympy() - (2.5 / (1 + (x0 / 3) ** 2) + x1)) == 0
assert balmer.parse("peak(1.5)").simplify().size == 1

X = np.random.default_rng(0).normal(size=(1000, 2)) * 3
peak = 1 / (1 + (X[:, 0] / 3) ** 2)
values = law(X)
np.testing.assert_allclose(values, 2.5 * peak + X[:, 1], rtol=1e-14, atol=1e-14)
np.testing.assert_allclose(law.gradient(X)[:, 0], -2 * X[:, 0] / 9 * 2.5 * peak**2, rtol=1e-13, atol=1e-14)
np.testing.assert_allclose(law.jacobian(X)[:, 0], peak, rtol=1e-13)
single = balmer.evaluate([law], X.astype("float32"), dtype="float32")[0]
np.testing.assert_allclose(single, values, rtol=1e-4, atol=1e-5)
np.testing.assert_allclose(numpy_function(law)(X), values, rtol=1e-14, atol=1e-14)
for language in ("c", "c++", "fortran", "julia", "excel"):
    assert re.search(r"1(\.0)?(d0)? ?/ ?\(1", source(law, language)), source(law, language)
print(balmer.isa(), values.tobytes().hex())
"""


def copied(folder: Path) -> Path:
    """A copy of what an operator passes through, with one more row in the table."""
    tree = folder / "tree"
    for part in ("cpp", "cmake", "python", "docs/make_operators.py"):
        source, target = ROOT / part, tree / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("_core*.so", "__pycache__"))
        else:
            shutil.copy(source, target)
    table = tree / TABLE
    before, first, after = table.read_text().partition("BALMER_OP(Exp,")
    table.write_text(before + ROW + first + after)
    return tree


def built(tree: Path, build: Path) -> None:
    """Compile the module of the copy, without optimising: what counts is that it is there."""
    pybind11 = pytest.importorskip("pybind11")
    arguments = [
        f"-DTREE={tree}",
        f"-DCMAKE_PREFIX_PATH={pybind11.get_cmake_dir()}",
        f"-DPython_EXECUTABLE={sys.executable}",
        "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_CXX_FLAGS_DEBUG=-O0",
        f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={tree / 'python' / 'balmer'}",
    ]
    for command in (
        ["cmake", "-S", str(ROOT / "tests" / "operator"), "-B", str(build), "-G", "Ninja", *arguments],
        ["cmake", "--build", str(build), "-j", "2"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cmake") is None or shutil.which("ninja") is None, reason="no cmake")
def test_one_row_is_an_operator(tmp_path):
    tree = copied(tmp_path)
    built(tree, tmp_path / "build")

    def run(*arguments: str, isa: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": f"{tree / 'python'}{os.pathsep}{ROOT / 'tests/python'}"}
        if isa is not None:
            environment["BALMER_FORCE_ISA"] = isa
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done

    isas = run("-c", "import balmer; print(*balmer.available_isas())").stdout.split()
    seen = [run("-c", CHECK, isa=isa).stdout.split() for isa in isas]
    assert [name for name, _ in seen] == isas
    assert len({bits for _, bits in seen}) == 1  # the same on every set

    page = run(str(tree / "docs/make_operators.py"), "--print").stdout
    (line,) = [line for line in page.splitlines() if line.startswith("| `peak`")]
    assert "`lorentz`" in line
    assert "`1 / (1 + a * a)`" in line

    # The tests that go through the table find it, too: values against 60 digits, every printed form.
    tests = [str(ROOT / "tests/python" / name) for name in ("test_evaluate.py", "test_expression.py")]
    options = ["-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), "-k", "peak", "-v"]
    report = run("-m", "pytest", *options, *tests).stdout
    assert "test_kernel_is_the_function_that_sympy_reads[peak] PASSED" in report
    assert "test_every_operator_prints_and_reads_in_every_form[peak] PASSED" in report
