"""Ctrl-C ends a search and keeps its front."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import balmer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")

# Generous: a loaded machine may take its time. What a user waits is measured elsewhere.
PATIENCE = 60

_SCRIPT = """
import sys, warnings
import numpy as np
import balmer

rng = np.random.default_rng(0)
X = rng.normal(size=(int(sys.argv[1]), 4))
y = np.sin(X[:, 0]) * X[:, 1] + rng.normal(size=len(X))
started = []

def watch(loss, complexity):
    if not started:
        started.append(print("searching", flush=True))
    return False

model = balmer.SymbolicRegressor(
    unary_operators=["sin", "exp"], niterations=10**7, random_state=0, verbosity=0, n_jobs=2,
    early_stop_condition=watch, timeout_in_seconds=60,
)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model.fit(X, y)
print("kept", model.interrupted_, model.stop_reason_, caught[0].category.__name__, flush=True)
print(model.equations_.shape[0] > 0, flush=True)
print(np.isfinite(model.predict(X)).all(), flush=True)
"""


def interrupted(command: list[str], marker: str) -> tuple[int, str]:
    """Send Ctrl-C some time after a line with `marker`; return the exit code and both streams."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        seen = []
        assert process.stdout is not None
        for line in process.stdout:
            seen.append(line)
            if marker in line:
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, "".join(seen) + rest
    finally:
        process.kill()


def interrupt_soon() -> Callable[[float, int], bool]:
    """A stop condition that never holds, and sends Ctrl-C to this process while the search runs."""
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))

    def watch(loss: float, complexity: int) -> bool:
        if timer.ident is None:
            timer.start()
        return False

    return watch


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [50, 20000])
def test_a_script_goes_on_with_the_front(n_rows):
    code, out = interrupted([sys.executable, "-c", _SCRIPT, str(n_rows)], "searching")
    assert code == 0, out
    assert out.splitlines() == ["searching", "kept True interrupted RuntimeWarning", "True", "True"]


@pytest.mark.slow
def test_the_command_line_prints_the_front(tmp_path: Path):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(300, 3))
    path = tmp_path / "noise.csv"
    np.savetxt(path, table, delimiter=",", header="a,b,y", comments="")
    script = (
        "import sys; from balmer import _display; from balmer.cli import main; _display._LOG_SECONDS = 0.1;"
        f"options = ['--niterations', '10000000', '--jobs', '1', '--timeout', '{PATIENCE}'];"
        f"sys.exit(main(['fit', {str(path)!r}, '--target', 'y', *options]))"
    )
    code, out = interrupted([sys.executable, "-c", script], " of 10000000")
    assert code == 130, out
    assert ">>>>" in out
    assert "y = " in out
    assert "balmer: The search was interrupted: the front is what was found so far" in out


def endless(**params: Any) -> balmer.SymbolicRegressor:
    """A search that nothing but a signal ends, within the patience of a test."""
    params = {"random_state": 0, "verbosity": 0, "n_jobs": 1, "timeout_in_seconds": PATIENCE, **params}
    return balmer.SymbolicRegressor(niterations=10**7, **params)


def test_an_interrupt_within_this_process():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    model = endless(early_stop_condition=interrupt_soon())
    with pytest.warns(RuntimeWarning, match="interrupted"):
        model.fit(X, rng.normal(size=100))
    assert model.interrupted_
    assert len(model.equations_) > 0


def test_targets_that_were_not_searched_get_their_mean():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    Y = rng.normal(size=(100, 2))
    model = endless(early_stop_condition=interrupt_soon())
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
            endless().fit(rng.normal(size=(100, 2)), rng.normal(size=100))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
