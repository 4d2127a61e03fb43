"""The package as a whole: what an import loads, and the stub of the extension."""

from __future__ import annotations

import subprocess
import sys

import pytest

import balmer


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


def test_import_leaves_slow_packages_for_their_first_use():
    loaded = python("import sys, balmer; print(*sys.modules)").split()
    assert not {"sklearn", "sympy", "pandas", "scipy", "rich"} & set(loaded)


def test_every_public_name_is_there():
    for name in balmer.__all__:
        assert getattr(balmer, name) is not None
    assert set(balmer.__all__) <= set(dir(balmer))
    with pytest.raises(AttributeError, match="nothing"):
        balmer.nothing  # noqa: B018


def test_the_core_does_not_print(capfd):
    balmer.SymbolicRegressor(niterations=1, populations=2, verbosity=0, random_state=0).fit(
        [[1.0], [2.0], [4.0]], [1.0, 2.0, 3.0]
    )
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
