"""Ctrl-C ends a search and keeps its front."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import balmer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")

# Generous: a loaded machine may take its time. What a user waits is measured elsewhere.
PATIENCE = 60

_SCRIPT = """
import sys, threading, time, warnings
import numpy as np
import balmer

rng = np.random.default_rng(0)
X = rng.normal(size=(int(sys.argv[1]), 4))
y = np.sin(X[:, 0]) * X[:, 1] + rng.normal(size=len(X))
model = balmer.SymbolicRegressor(
    unary_operators=["sin", "exp"], niterations=10**7, random_state=0, verbosity=0, n_jobs=2
)
threading.Timer(1.0, lambda: print("searching", flush=True)).start()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model.fit(X, y)
print("kept", model.interrupted_, model.stop_reason_, caught[0].category.__name__, flush=True)
print(model.equations_.shape[0] > 0, flush=True)
print(np.isfinite(model.predict(X)).all(), flush=True)
"""


def interrupted(command: list[str], marker: str) -> tuple[int, str, str]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        seen = []
        assert process.stdout is not None
        for line in process.stdout:
            seen.append(line)
            if marker in line:
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, "".join(seen) + out, err
    finally:
        process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [50, 20000])
def test_a_script_goes_on_with_the_front(n_rows):
    code, out, err = interrupted([sys.executable, "-c", _SCRIPT, str(n_rows)], "searching")
    assert code == 0, err
    assert out.splitlines() == ["searching", "kept True interrupted RuntimeWarning", "True", "True"]


@pytest.mark.slow
def test_the_command_line_prints_the_front(tmp_path: Path):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(300, 3))
    path = tmp_path / "noise.csv"
    np.savetxt(path, table, delimiter=",", header="a,b,y", comments="")
    script = (
        "import sys, threading; from balmer.cli import main;"
        "threading.Timer(1.5, lambda: print('searching', flush=True)).start();"
        f"sys.exit(main(['fit', {str(path)!r}, '--target', 'y', '--niterations', '10000000', '--jobs', '1']))"
    )
    code, out, err = interrupted([sys.executable, "-c", script], "searching")
    assert code == 130
    assert ">>>>" in out
    assert "y = " in out
    assert "interrupted" in err


def test_an_interrupt_within_this_process():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    model = balmer.SymbolicRegressor(niterations=10**7, random_state=0, verbosity=0, n_jobs=1)
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.warns(RuntimeWarning, match="interrupted"):
        model.fit(X, rng.normal(size=100))
    assert model.interrupted_
    assert len(model.equations_) > 0


def test_targets_that_were_not_searched_get_their_mean():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    Y = rng.normal(size=(100, 2))
    model = balmer.SymbolicRegressor(niterations=10**7, random_state=0, verbosity=0, n_jobs=1)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.warns(RuntimeWarning, match="interrupted"):
        model.fit(X, Y)
    assert model.predict(X).shape == (100, 2)
    np.testing.assert_allclose(model.predict(X)[:, 1], Y[:, 1].mean())


def test_another_signal_may_raise_what_it_likes():
    class AlarmError(Exception):
        pass

    def ring(*_: object) -> None:
        raise AlarmError

    rng = np.random.default_rng(0)
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.7)
    try:
        with pytest.raises(AlarmError):
            balmer.SymbolicRegressor(niterations=10**7, random_state=0, verbosity=0, n_jobs=1).fit(
                rng.normal(size=(100, 2)), rng.normal(size=100)
            )
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
