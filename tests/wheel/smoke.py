"""What a wheel must do on a machine without compiler and source tree: python smoke.py [WHEEL]."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import balmer

LARGEST = 5_000_000  # bytes of the file
CARRIED = [
    "py.typed",
    "_core.pyi",
    "c_api.pxd",
    "include/balmer/c_api.h",
    "include/balmer/python_api.h",
]
BITS = """
import numpy as np, balmer
X = np.random.default_rng(0).normal(size=(1000, 2))
print(balmer.parse("exp(sin(x0)) * tanh(x1) / (1 + x0 ^ 2)")(X).tobytes().hex())
"""


def values(isa: str) -> str:
    """The bits of a formula's values on an instruction set."""
    environment = {**os.environ, "BALMER_FORCE_ISA": isa}
    command = [sys.executable, "-c", BITS]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def main() -> None:
    for wheel in sys.argv[1:]:
        size = Path(wheel).stat().st_size
        assert size < LARGEST, f"{wheel} has {size} bytes, more than {LARGEST}"
    there = {str(file).replace("\\", "/") for file in importlib.metadata.files("balmer") or ()}
    missing = [name for name in CARRIED if f"balmer/{name}" not in there]
    assert not missing, f"the wheel lacks {missing}"

    isas = balmer.available_isas()
    assert len({values(isa) for isa in isas}) == 1, f"the values differ among {isas}"

    X = np.random.default_rng(1).uniform(1, 2, size=(40, 2))
    y = 2.5 * X[:, 0] / X[:, 1] ** 2
    model = balmer.SymbolicRegressor(niterations=5, random_state=0, verbosity=0).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y)
    print(f"balmer {balmer.__version__} on {balmer.isa()} of {isas}: y = {model.expression()}")


if __name__ == "__main__":
    main()
