"""The scripts of examples/ run, in their short form."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples"

# What each must print.
EXPECTED = {
    "planets": ["double period(double", ">>>>"],
    "planck": ["h / k is 4.7992e-11 K s", "+-"],
    "galaxies": ["by L1DistLoss", "standard errors of its constants: ("],
    "cepheids": ["R^2 on stars that were left out: 0."],
    "hydrogen": ["off by at most"],
}


def test_every_script_is_run():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(EXPECTED)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_script(name, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(FOLDER / f"{name}.py"))["main"](short=True)
    out = capsys.readouterr().out
    for text in EXPECTED[name]:
        assert text in out
