"""Models that go on: warm starts, checkpoints, and what comes back from disk."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import balmer
from balmer.callbacks import Callback

RNG = np.random.default_rng(5)
X = RNG.normal(size=(80, 3))
NOISY = 2.5 * np.sin(X[:, 0]) - X[:, 1] ** 2 + 0.1 * RNG.normal(size=80)

SMALL = {"populations": 4, "ncycles_per_iteration": 40, "seeding": False, "random_state": 3, "verbosity": 0}


def small(**params):
    return balmer.SymbolicRegressor(**{"niterations": 6, **SMALL, **params})


def front_of(model):
    return [(row.complexity, row.loss, str(row.expression)) for front in model.fronts_ for row in front]


class InterruptAfter(Callback):
    """Ctrl-C, in effect."""

    def __init__(self, iterations):
        self.iterations = iterations

    def on_progress(self, progress):
        if progress.iteration == self.iterations:
            raise KeyboardInterrupt


class KillAfter(Callback):
    """Ends the process as kill -9 does, in the middle of a fit."""

    def __init__(self, iterations):
        self.iterations = iterations

    def on_progress(self, progress):
        if progress.iteration == self.iterations:
            os.kill(os.getpid(), signal.SIGKILL)


# ---- warm starts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batching", [False, True])
def test_a_warm_start_goes_on_as_if_nothing_had_been(batching):
    undisturbed = small(niterations=6, batching=batching, batch_size=32).fit(X, NOISY)
    model = small(niterations=3, batching=batching, batch_size=32, warm_start=True).fit(X, NOISY)
    early = front_of(model)
    model.fit(X, NOISY)
    assert front_of(model) == front_of(undisturbed)
    assert model.n_iterations_ == 6
    assert front_of(model) != early


def test_without_warm_start_a_fit_begins_anew():
    model = small().fit(X, NOISY)
    first = front_of(model)
    assert front_of(model.fit(X, NOISY)) == first
    assert model.n_iterations_ == 6


def test_a_warm_start_with_other_data_begins_from_the_front():
    model = small(niterations=40, unary_operators=["sin"]).fit(X, NOISY)
    shifted = NOISY + 3
    alone = small(niterations=1, unary_operators=["sin"]).fit(X, shifted)
    model.set_params(warm_start=True, niterations=1).fit(X, shifted)
    assert model.fronts_[0][-1].loss < alone.fronts_[0][-1].loss


def test_a_warm_start_with_other_operators_keeps_what_it_can():
    model = small(niterations=20, binary_operators=["+", "*"], unary_operators=["sin"]).fit(X, NOISY)
    model.set_params(warm_start=True, niterations=0, unary_operators=["exp"]).fit(X, NOISY)
    names = {name for row in model.fronts_[0] for name, arity, _ in row.expression._formula.nodes if arity}
    assert names <= {"add", "mul", "exp"}
    model.set_params(niterations=1).fit(X[:, :2], NOISY)  # other columns: from the beginning
    assert model.n_features_in_ == 2


def test_no_iterations_fit_the_guesses_and_the_front():
    model = small(niterations=0, unary_operators=["sin"], guesses=["sin(x0) - x1 * x1"]).fit(X, NOISY)
    loss = model.fronts_[0][-1].loss
    model.set_params(warm_start=True, guesses=["2 * sin(x0) - x1 * x1"]).fit(X, NOISY)
    assert model.fronts_[0][-1].loss < loss


# ---- saving -----------------------------------------------------------------------------------------------


def test_a_saved_model_comes_back_whole(tmp_path):
    model = small(
        unary_operators=["sin", "special(x) = x * exp(x)"],
        named_constants={"g": (9.81, 2)},
        constraints={"/": (-1, 3)},
        operators=None,
        elementwise_loss=balmer.Loss("HuberLoss(1.5)"),
        model_selection="accuracy",
    ).fit(X, np.column_stack([NOISY, NOISY * 2]), variable_names=["a", "x y", "c"])
    model.save(tmp_path / "model.json")
    copied = balmer.SymbolicRegressor.load(tmp_path / "model.json")
    assert front_of(copied) == front_of(model)
    np.testing.assert_array_equal(copied.predict(X), model.predict(X))
    ours, theirs = model.get_params(), copied.get_params()
    assert {k: v for k, v in ours.items() if k != "elementwise_loss"} == {
        k: v for k, v in theirs.items() if k != "elementwise_loss"
    }
    assert theirs["elementwise_loss"] == ours["elementwise_loss"]
    assert isinstance(theirs["constraints"]["/"], tuple)
    fitted = {name for name in vars(model) if name.endswith("_") and name[0] != "_"}
    assert fitted <= set(vars(copied))
    assert copied.states_ == model.states_
    assert str(copied) == str(model)
    model.warm_start = copied.warm_start = True
    assert front_of(copied.fit(X, np.column_stack([NOISY, NOISY * 2]), variable_names=["a", "x y", "c"])) == (
        front_of(model.fit(X, np.column_stack([NOISY, NOISY * 2]), variable_names=["a", "x y", "c"]))
    )


def test_special_numbers_come_back(tmp_path):
    model = small(max_evals=float("inf"), timeout_in_seconds=None).fit(X, NOISY)
    model.note_ = {"nan": float("nan"), "inf": -float("inf"), 3: (1, [2.5]), "array": np.arange(3)}
    model.save(tmp_path / "m")
    copied = balmer.SymbolicRegressor.load(tmp_path / "m")
    assert np.isnan(copied.note_["nan"])
    assert copied.note_["inf"] == -float("inf")
    assert copied.note_[3] == (1, [2.5])
    np.testing.assert_array_equal(copied.note_["array"], np.arange(3))


def test_functions_are_named_and_may_be_given_again(tmp_path):
    def stop(loss, complexity):
        return False

    small(early_stop_condition=stop).fit(X, NOISY).save(tmp_path / "m")
    with pytest.warns(RuntimeWarning, match="holds no functions: give early_stop_condition to load"):
        assert balmer.SymbolicRegressor.load(tmp_path / "m").early_stop_condition is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copied = balmer.SymbolicRegressor.load(tmp_path / "m", early_stop_condition=stop, niterations=2)
    assert copied.early_stop_condition is stop
    assert copied.niterations == 2


def test_an_unfitted_model_is_saved_too(tmp_path):
    small(maxsize=11).save(tmp_path / "m")
    assert balmer.SymbolicRegressor.load(tmp_path / "m").maxsize == 11


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other"])
def test_a_damaged_file_is_refused_and_the_backup_used(tmp_path, damage):
    path = tmp_path / "model.json"
    model = small().fit(X, NOISY)
    model.save(path)
    text = path.read_text()
    path.write_text(
        {"cut": text[: len(text) // 2], "flip": text.replace("x0", "x1"), "empty": "", "other": '{"a": 1}\n'}[
            damage
        ]
    )
    with pytest.raises(
        ValueError, match=r"(cut off or damaged|not a model).*; there is no backup model.json.bak"
    ):
        balmer.SymbolicRegressor.load(path)
    path.with_name("model.json.bak").write_text(text)
    with pytest.warns(RuntimeWarning, match=r"the backup model.json.bak is used"):
        copied = balmer.SymbolicRegressor.load(path)
    assert front_of(copied) == front_of(model)
    path.with_name("model.json.bak").write_text(text[:-20])
    with pytest.raises(ValueError, match="the backup is no better"):
        balmer.SymbolicRegressor.load(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nothing, and no backup nothing\.bak"):
        balmer.SymbolicRegressor.load(tmp_path / "nothing")


def test_no_code_of_a_file_is_run(tmp_path):
    path = tmp_path / "m"
    small().fit(X, NOISY).save(path)
    head, content = path.read_text().split("\n")[:2]
    changed = content.replace('"params":{', '"params":{"evil":{"call":["os.system","true"]},', 1)
    import hashlib

    head = json.dumps({**json.loads(head), "sha256": hashlib.sha256(changed.encode()).hexdigest()})
    path.write_text(f"{head}\n{changed}\n")
    with pytest.raises(ValueError, match="unknown kind 'call'"):
        balmer.SymbolicRegressor.load(path)


def test_the_file_before_becomes_the_backup(tmp_path):
    path = tmp_path / "m"
    small(maxsize=11).save(path)
    small(maxsize=12).save(path)
    assert balmer.SymbolicRegressor.load(path).maxsize == 12
    path.unlink()
    with pytest.warns(RuntimeWarning, match="m.bak is used"):
        assert balmer.SymbolicRegressor.load(path).maxsize == 11


# ---- checkpoints ------------------------------------------------------------------------------------------


def test_a_run_writes_its_front_and_a_checkpoint(tmp_path):
    model = small(output_directory=tmp_path, run_id="first").fit(X, np.column_stack([NOISY, X[:, 1] + NOISY]))
    names = {path.name for path in (tmp_path / "first").iterdir()}
    assert {"checkpoint.json", "hall_of_fame_output1.csv", "hall_of_fame_output2.csv"} <= names
    lines = (tmp_path / "first" / "hall_of_fame_output2.csv").read_text().splitlines()
    assert lines[0] == "Complexity,Loss,Equation"
    assert len(lines) == 1 + len(model.fronts_[1])
    copied = balmer.SymbolicRegressor.from_file(run_directory=tmp_path / "first")
    assert front_of(copied) == front_of(model)
    assert (model.run_id_, model.output_directory_) == ("first", str(tmp_path))
    second = small(output_directory=tmp_path, niterations=1).fit(X, NOISY)
    assert len(second.run_id_) == 22
    assert (tmp_path / second.run_id_ / "hall_of_fame.csv").exists()
    assert not (tmp_path / second.run_id_ / "checkpoint.json.new").exists()


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small(niterations=1).fit(X, NOISY)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="run_id is 'a', but there is no output_directory"):
        small(run_id="a").fit(X, NOISY)
    with pytest.raises(ValueError, match="checkpoint_interval is -1: give seconds"):
        small(checkpoint_interval=-1).fit(X, NOISY)


_KILLED = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[3])
import test_life
model = test_life.small(
    niterations=12, n_jobs=int(sys.argv[2]), seeding=sys.argv[4] == "seeding", checkpoint_interval=0.0,
    output_directory=sys.argv[1], run_id="killed", callbacks=[test_life.KillAfter(7)],
)
targets = np.column_stack([test_life.NOISY, test_life.NOISY * test_life.X[:, 2]])
model.fit(test_life.X, targets if sys.argv[4] == "targets" else test_life.NOISY)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGKILL")
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "seeding", "targets"])
def test_a_killed_fit_goes_on_to_the_same_front(tmp_path, kind):
    folder = str(Path(__file__).parent)
    command = [sys.executable, "-c", _KILLED, str(tmp_path), "2", folder, kind]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    model = balmer.SymbolicRegressor.load(tmp_path / "killed", callbacks=None)
    assert model.stop_reason_ == "unfinished"
    assert np.isfinite(model.predict(X)).all()
    y = np.column_stack([NOISY, NOISY * X[:, 2]]) if kind == "targets" else NOISY
    undisturbed = small(niterations=12, seeding=kind == "seeding").fit(X, y)
    if kind == "targets":
        with pytest.raises(ValueError, match="the interrupted fit had 3 columns and 2 targets, not 3 and 1"):
            model.resume(X, NOISY)
        model = balmer.SymbolicRegressor.load(tmp_path / "killed", callbacks=None)
    model.resume(X, y)
    assert front_of(model) == front_of(undisturbed)
    assert model.n_finished_ == model.n_outputs_
    again = balmer.SymbolicRegressor.load(tmp_path / "killed")  # resume went on writing to the same folder
    assert front_of(again) == front_of(undisturbed)


def interrupted(**params):
    with pytest.warns(RuntimeWarning, match="interrupted"):
        return small(niterations=8, callbacks=[InterruptAfter(3)], **params).fit(X, NOISY)


def test_resume_wants_the_same_data_and_options():
    model = interrupted()
    with pytest.raises(ValueError, match="belongs to other data"):
        model.resume(X, NOISY + 1)
    with pytest.raises(ValueError, match="belongs to other options"):
        interrupted().set_params(callbacks=None, maxsize=21).resume(X, NOISY)
    with pytest.raises(ValueError, match="there is no fit to go on with"):
        small().resume(X, NOISY)
    with pytest.raises(ValueError, match="came to its end"):
        small(niterations=1).fit(X, NOISY).resume(X, NOISY)


def test_an_interrupted_fit_goes_on_to_the_same_front():
    model = interrupted()
    assert model.interrupted_
    model.set_params(callbacks=None).resume(X, NOISY)
    assert not model.interrupted_
    assert front_of(model) == front_of(small(niterations=8).fit(X, NOISY))


def sizes_after(fits):
    """Bytes of memory of this process after each of the fits."""
    if not os.path.exists("/proc/self/statm"):
        pytest.skip("no /proc")
    sizes = []
    for model in fits:
        model.fit(X, NOISY)
        with open("/proc/self/statm") as file:
            sizes.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    return sizes


def test_many_fits_take_no_more_memory():
    sizes = sizes_after(small(niterations=2, populations=3, n_jobs=1, random_state=k) for k in range(50))
    assert sizes[-1] - sizes[9] < 20e6


def test_a_thousand_small_fits_leak_nothing():
    least = {"niterations": 1, "populations": 2, "population_size": 12, "tournament_selection_n": 4}
    sizes = sizes_after(
        small(**least, ncycles_per_iteration=5, n_jobs=1, random_state=k) for k in range(1000)
    )
    assert sizes[-1] - sizes[199] < 4e6  # 5 kB a fit


MOST_MEMORY = """
import resource, sys
import numpy as np
from balmer import SymbolicRegressor

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

rng = np.random.default_rng(0)
X = rng.uniform(1, 3, size=(6000, 4))
y = np.exp(-X[:, 0]) * X[:, 1] + np.sin(X[:, 2] * X[:, 3]) + 0.01 * rng.normal(size=6000)
options = {"unary_operators": ["sin", "exp"], "random_state": 0, "verbosity": 0, "n_jobs": 2}
SymbolicRegressor(niterations=1, seeding=False, **options).fit(X[:50], y[:50])
before = most()
model = SymbolicRegressor(memory_limit_in_bytes=float(sys.argv[1]), **options).fit(X, y)
print(model.stop_reason_, most() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sizes are in kB on Linux")
def test_a_search_keeps_to_its_memory():
    run = subprocess.run(
        [sys.executable, "-c", MOST_MEMORY, "1.5e8"], capture_output=True, text=True, check=True, timeout=300
    )
    reason, size = run.stdout.split()
    assert (
        reason == "settled"
    )  # what is compared with the residual then is the most that a search makes at once
    assert int(size) < 1.5e8


FITS_IN_PROCESSES = """
import multiprocessing, sys
sys.path.insert(0, sys.argv[2])
import test_life

def front(seed):
    model = test_life.small(niterations=2, n_jobs=2, random_state=seed)
    return test_life.front_of(model.fit(test_life.X, test_life.NOISY))

if __name__ == "__main__":
    here = [front(3), front(4)]  # its threads are not there in a child
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(pool.map_async(front, [3, 4]).get(timeout=300) == here)
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_fits_in_processes_that_were_started_after_a_fit(tmp_path, method):
    program = tmp_path / "fits.py"
    program.write_text(FITS_IN_PROCESSES)
    command = [sys.executable, str(program), method, str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.stdout == "True\n", done.stderr


WITHOUT_THREADS = """
import resource
import numpy as np, balmer
X = np.random.default_rng(0).normal(size=(60, 2))
model = balmer.SymbolicRegressor(niterations=2, n_jobs=40, random_state=0, verbosity=0)
with open("/proc/self/statm") as file:
    now = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + 200 * 2**20,) * 2)  # the stacks of 40 threads take more
try:
    model.fit(X, X[:, 0] * X[:, 1] + X[:, 0])
except MemoryError:
    pass
print("still here")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_threads_that_the_system_does_not_start_do_not_end_the_process():
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THREADS], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "still here\n", done.stderr
