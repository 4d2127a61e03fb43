"""The scripts of examples/ run, in their short form, and its notebook."""

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


@pytest.mark.slow
def test_the_notebook_runs_and_shows_the_front_and_two_pictures():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.read(FOLDER / "planets.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "clear the outputs before committing"
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    shown: dict[str, list[str]] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            assert output.get("name") != "stderr", output
            for kind, content in output.get("data", {"text": output.get("text")}).items():
                shown.setdefault(kind, []).append(content)
    front = next(page for page in shown["text/html"] if 'class="balmer"' in page)
    assert front.count(">>>>".replace(">", "&gt;")) == 1
    assert "<svg" in front
    assert len(shown["image/png"]) == 2
    assert any("P" in text or "a" in text for text in shown["text/latex"])
    assert any("+-" in text for text in shown["text"])
