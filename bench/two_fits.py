"""Two fits at once: in two threads and in two processes, round by round. python bench/two_fits.py [ROUNDS]"""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time

import numpy as np

import balmer

SEEDS = (1, 2)


def fit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(800, 4))
    y = np.sin(X[:, 0] * X[:, 1]) + 0.3 * rng.normal(size=800)
    balmer.SymbolicRegressor(
        unary_operators=["sin", "exp"],
        niterations=60,
        populations=12,
        seeding=False,
        random_state=seed,
        n_jobs=1,
        verbosity=0,
    ).fit(X, y)


def in_threads() -> float:
    threads = [threading.Thread(target=fit, args=(seed,)) for seed in SEEDS]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def in_processes() -> float:
    """The longer of two fits; each process says when it is ready, so imports are not counted."""
    command = [sys.executable, __file__, "--worker"]
    workers = [
        subprocess.Popen([*command, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for seed in SEEDS
    ]
    for worker in workers:
        worker.stdout.readline()
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    seconds = [float(worker.stdout.readline()) for worker in workers]
    for worker in workers:
        worker.communicate()
    return max(seconds)


def work(seed: int) -> None:
    balmer.SymbolicRegressor(niterations=0, verbosity=0).fit([[1.0], [2.0], [4.0]], [1.0, 2.0, 3.0])
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.perf_counter()
    fit(seed)
    print(time.perf_counter() - start, flush=True)


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        return work(int(sys.argv[2]))
    fit(0)
    rounds = [(in_threads(), in_processes()) for _ in range(int(sys.argv[1]) if sys.argv[1:] else 5)]
    for threads, processes in rounds:
        print(f"threads {threads:.2f} s, processes {processes:.2f} s")
    ratio = statistics.median(threads / processes for threads, processes in rounds)
    return print(f"threads / processes, median: {ratio:.2f}")


if __name__ == "__main__":
    main()
