"""balmer against a peer, interleaved on the same trees; or against another commit, in instructions.

    python bench/compare.py evaluate [--peer operon] [--peer numpy] [--rows 1000,10000] [--trees FILE]
    python bench/compare.py fit [--peer operon] [--rows 100,1000] [--steps 10]
    python bench/compare.py instructions --against COMMIT
    python bench/compare.py table

Each line of output is JSON; `--save` also appends the lines to bench/results/<command>.jsonl, and `table`
puts the newest ones into bench/README.md.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "adapters")]

# What the README shows of each bench: title, fields that name a row, fields that are figures.
TABLES = {
    "evaluate": (
        "Evaluation through Python: G node·rows per CPU second, and times the peer's",
        ("set", "dtype", "rows", "peer"),
        ("balmer", "peer_value", "ratio", "checked"),
    ),
    "fit": (
        "Constants found again: fits per CPU second, share that reach 1e-12 of the variance",
        ("rows", "steps", "peer"),
        ("balmer", "peer_value", "ratio", "balmer_exact", "peer_exact"),
    ),
    "instructions": (
        "Instructions (callgrind) of fixed work",
        ("work", "commit", "against"),
        ("instructions", "instructions_against", "ratio"),
    ),
}


def processor():
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    found = re.search(r"model name\s*: (.*)", text)
    return found.group(1) if found else platform.processor()


def commit():
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


class Report:
    def __init__(self, command, save):
        self.path = HERE / "results" / f"{command}.jsonl" if save else None
        self.common = {
            "bench": command,
            "date": datetime.date.today().isoformat(),
            "machine": processor(),
            "commit": commit(),
        }

    def line(self, **fields):
        text = json.dumps({**self.common, **fields})
        print(text, flush=True)
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(text + "\n")


def in_turns(bodies, seconds):
    """Least time of each body by its clock; in turns, so that a burst of other work hits all."""
    best = [float("inf")] * len(bodies)
    for body, _ in bodies:
        body()
    end = time.perf_counter() + seconds * len(bodies)
    rounds = 0
    while time.perf_counter() < end or rounds < 5:
        for i, (body, clock) in enumerate(bodies):
            begin = clock()
            body()
            best[i] = min(best[i], clock() - begin)
        rounds += 1
    return best


def agreement(own, other, dtype):
    """Share of the moderate values that agree."""
    import numpy as np

    tolerance = 1e-3 if dtype == "float32" else 1e-9
    own, other = (np.asarray(values, dtype=np.float64) for values in (own, other))
    moderate = np.isfinite(other) & (np.abs(other) < 1e30) & (np.abs(other) > 1e-30)
    with np.errstate(all="ignore"):
        good = np.abs(own - other) <= tolerance * np.abs(other) + 1e-6
    return float(good[moderate].mean())


def evaluate(arguments):
    import numpy as np
    import trees

    balmer = importlib.import_module("adapter_balmer")
    report = Report("evaluate", arguments.save)
    clock = time.process_time if arguments.threads == 1 else time.perf_counter
    if arguments.trees:
        sets = {Path(arguments.trees).stem: trees.load(arguments.trees)}
    else:
        sets = {name: trees.tree_set(name) for name in trees.SETS}
    for peer_name in arguments.peer:
        peer = importlib.import_module(f"adapter_{peer_name}")
        for set_name, some in sets.items():
            nodes = sum(map(len, some))
            for dtype in peer.dtypes():
                X = trees.rows(1, 257)
                checked = balmer.prepare(some[:100], X.astype(dtype), dtype)
                balmer.run(checked, 1)
                exact = np.array(
                    [trees.evaluate(tree, X.astype(dtype).astype(np.float64)) for tree in some[:100]]
                )
                share = agreement(balmer.result(checked), exact, dtype)
                for n_rows in arguments.rows:
                    X = trees.rows(1, n_rows)
                    bodies = []
                    for adapter in (balmer, peer):
                        handle = adapter.prepare(some, X, dtype)
                        bodies.append((lambda a=adapter, h=handle: a.run(h, arguments.threads), clock))
                    own, other = in_turns(bodies, arguments.seconds)
                    report.line(
                        set=set_name, dtype=dtype, rows=n_rows, threads=arguments.threads, peer=peer_name,
                        isa=balmer.info()["isa"], balmer=round(nodes * n_rows / own / 1e9, 2),
                        peer_value=round(nodes * n_rows / other / 1e9, 2), ratio=round(other / own, 2),
                        checked=round(share, 5),
                    )  # fmt: skip


def fit(arguments):
    import numpy as np
    import trees

    balmer = importlib.import_module("adapter_balmer")
    report = Report("fit", arguments.save)

    def exact_share(X, cases, fitted):
        hits = 0
        for (*_, y), tree in zip(cases, fitted, strict=True):
            residual = y - trees.evaluate(tree, X)
            hits += bool(np.sum(residual**2) < 1e-12 * np.sum((y - y.mean()) ** 2))
        return hits / len(cases)

    for peer_name in arguments.peer:
        peer = importlib.import_module(f"adapter_{peer_name}")
        for n_rows in arguments.rows:
            X, cases = trees.fit_cases(n_rows)
            engines = [balmer.Fits(X, cases), peer.Fits(X, cases)]
            best = [np.inf, np.inf]
            for _ in range(arguments.repeat):
                runs = [engine.fit_all(arguments.steps) for engine in engines]
                best = [np.minimum(old, seconds) for old, (seconds, _) in zip(best, runs, strict=True)]
            own, other = (len(cases) / float(seconds.sum()) for seconds in best)
            shares = [exact_share(X, cases, fitted) for _, fitted in runs]
            report.line(
                rows=n_rows, steps=arguments.steps, peer=peer_name, isa=balmer.info()["isa"],
                balmer=round(own), peer_value=round(other), ratio=round(own / other, 2),
                balmer_exact=shares[0], peer_exact=shares[1],
            )  # fmt: skip


def count_instructions(revision, directory, jobs):
    """Builds a revision (None: the working tree) and counts the instructions of each piece of fixed work."""
    source = HERE.parent
    if revision is not None:
        source = directory / "source"
        source.mkdir()
        archive = subprocess.run(
            ["git", "archive", revision], cwd=HERE.parent, stdout=subprocess.PIPE, check=True
        )
        subprocess.run(["tar", "-x", "-C", str(source)], input=archive.stdout, check=True)
    build = directory / "build"
    configure = [
        "cmake",
        "-S",
        str(source),
        "-B",
        str(build),
        "-DBALMER_BENCH=ON",
        "-DCMAKE_BUILD_TYPE=Release",
    ]
    subprocess.run(configure, check=True, stdout=subprocess.DEVNULL)
    make = ["cmake", "--build", str(build), "--target", "balmer_bench", "-j", str(jobs)]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    # Callgrind knows no AVX-512.
    environment = {**os.environ, "BALMER_FORCE_ISA": "x86-64-v3", "OMP_NUM_THREADS": "1"}
    counts = {}
    for work in ("evaluate", "derivatives", "fit"):
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
             str(build / "balmer_bench"), "work", work],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        counts[work] = int(re.search(r"Collected : (\d+)", done.stderr).group(1))
    return counts


def instructions(arguments):
    report = Report("instructions", arguments.save)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        own = count_instructions(arguments.commit, Path(first), arguments.jobs)
        if arguments.commit:
            report.common["commit"] = arguments.commit
        other = (
            count_instructions(arguments.against, Path(second), arguments.jobs) if arguments.against else {}
        )
    for work, count in own.items():
        before = other.get(work)
        report.line(
            work=work, isa="x86-64-v3", instructions=count, against=arguments.against or "",
            instructions_against=before, ratio=round(count / before, 4) if before else None,
        )  # fmt: skip


def table(_):
    """Puts the newest line of each row into the README, between its markers."""
    parts = []
    for command, (title, keys, figures) in TABLES.items():
        path = HERE / "results" / f"{command}.jsonl"
        if not path.exists():
            continue
        newest = {}
        for text in path.read_text().splitlines():
            line = json.loads(text)
            newest[tuple(line.get(key) for key in keys)] = line
        header = [*keys, *figures, "date"]
        lines = [f"### {title}", "", "| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
        lines += [
            "| " + " | ".join(str(line.get(field, "")) for field in header) + " |" for line in newest.values()
        ]
        machines = sorted({f"{line['machine']}, {line.get('isa', '')}" for line in newest.values()})
        parts.append("\n".join([*lines, "", "Measured on: " + "; ".join(machines) + "."]))
    readme = HERE / "README.md"
    start, end = "<!-- tables: made by compare.py -->", "<!-- end of tables -->"
    text = readme.read_text()
    before, rest = text.split(start)
    readme.write_text(before + start + "\n\n" + "\n\n".join(parts) + "\n\n" + end + rest.split(end)[1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)

    def add(body, **defaults):
        command = commands.add_parser(body.__name__)
        command.set_defaults(body=body)
        command.add_argument("--save", action="store_true", help="append to bench/results")
        for name, (kind, default) in defaults.items():
            command.add_argument(f"--{name}", type=kind, default=default)
        return command

    def numbers(text):
        return [int(part) for part in text.split(",")]

    for command in (
        add(
            evaluate, rows=(numbers, [1000, 10000]), threads=(int, 1), seconds=(float, 1.0), trees=(str, None)
        ),
        add(fit, rows=(numbers, [100, 1000]), steps=(int, 10), repeat=(int, 5)),
    ):
        command.add_argument("--peer", action="append", choices=("operon", "numpy"))
    add(instructions, commit=(str, None), against=(str, None), jobs=(int, 1))
    add(table)
    arguments = parser.parse_args()
    if getattr(arguments, "peer", "") is None:
        arguments.peer = ["operon"]
    arguments.body(arguments)


if __name__ == "__main__":
    main()
