"""How often, and how soon, a search finds the law behind the rows.

    python bench/laws.py --suite bench/suites/feynman.json --noise 0.01 --json feynman.jsonl
    python bench/laws.py --suite bench/suites/classic.json --ids Nguyen-4 Jin-6 --seeds 5
    python bench/laws.py --report feynman.jsonl classic.jsonl --store bench/results/laws.jsonl
    python bench/laws.py --report bench/results/laws.jsonl --page docs/results.md

Each run is a fit with default settings and the operators that the problem names, in a process of its own,
stopped after `--timeout` CPU seconds. A seed changes the rows and the search. The formula that the model
selects and its whole front are graded (`grade`). With `--json`, each run is a line of that file, and runs
that are there already are not done again.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import runs as bench_runs
import statistics_of_runs as statistics
from grade import FormulaError, find, grade, grade_front, load_suite, n_training_rows

# What makes two runs the same.
KEY = ("suite_name", "id", "seed", "noise", "rows", "dummies", "budget", "operators", "parameters")


def key_of(record):
    return json.dumps([record[name] for name in KEY], sort_keys=True)


def tasks_of(arguments):
    """One task for each problem, noise and seed; seeds change slowest, so that a part of them is a sample."""
    tasks = []
    for path in arguments.suite:
        suite = load_suite(path)
        problems = suite["problems"]
        if arguments.ids:
            problems = [find(suite, identifier) for identifier in arguments.ids]
        for problem in problems:
            if arguments.noise and "data" in problem and any(arguments.noise):
                raise FormulaError(f"{problem['id']} comes with measurements: noise cannot be added to them")
            if problem.get("scored") is False and not arguments.ids:
                continue
            for noise in arguments.noise or [0.0]:
                tasks += [
                    {
                        "suite": str(suite["path"]),
                        "suite_name": suite.get("suite", suite["path"].stem),
                        "id": problem["id"],
                        "law": problem["formula"],
                        "seed": seed,
                        "noise": noise,
                        "rows": arguments.rows
                        or (n_training_rows(suite) if arguments.protocol_rows else 1000),
                        "dummies": arguments.dummies,
                        "budget": arguments.timeout,
                        "n_jobs": arguments.n_jobs,
                        "operators": arguments.operators,
                        "parameters": dict(arguments.set),
                    }
                    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds)
                ]
    tasks.sort(key=lambda task: (task["seed"], task["noise"]))
    return tasks


def graded(task, answer, grade_timeout):
    """The verdicts on the selected formula and on the front, as fields of a record."""
    suite = load_suite(task["suite"])
    problem = find(suite, task["id"])
    noise = task["noise"] or None  # None: that of the measurements, if the problem has some
    formulas = [row["equation"] for row in answer["front"]]
    selected = grade(formulas[answer["selected"]], problem, noise=noise, timeout=grade_timeout)
    best = selected
    if not selected["solved"]:
        best = grade_front(formulas, problem, noise=noise, timeout=grade_timeout)
    return {
        "selected_solved": selected["solved"],
        "selected_verdict": selected["verdict"],
        "selected_node_ratio": selected.get("node_ratio"),
        "front_solved": best["solved"],
        "front_verdict": best["verdict"],
        "front_index": best.get("front_index", answer["selected"]),
    }


def measure(task, common, grade_timeout):
    answer = bench_runs.run(task)
    record = {**common, **task, **answer}
    if answer["status"] == "ok":
        record |= graded(task, answer, grade_timeout)
    else:
        record |= {"selected_solved": False, "front_solved": False}
    return record


def read_record(path, number, line):
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        text = f"{path}, line {number} is not JSON: delete it, and the run is done again"
        raise FormulaError(text) from None


def read_records(path):
    lines = Path(path).read_text().splitlines()
    return [read_record(path, number, line) for number, line in enumerate(lines, 1)]


def shortened(record):
    """A record without paths, and with the chosen formula as its whole front: what bench/results keeps."""
    record = {**record, "suite": Path(record["suite"]).name}
    if not record.get("front"):
        return record
    return {**record, "front": [record["front"][record["selected"]]], "selected": 0}


def store(records, path):
    """Put records into a file of short ones, in the place of older ones of the same runs and commit."""
    known = read_records(path) if path.exists() else []
    kept = {(key_of(record), record["commit"]): record for record in known}
    kept |= {(key_of(record), record["commit"]): shortened(record) for record in records}
    ordered = sorted(kept.values(), key=lambda r: (r["date"], r["commit"], key_of(r)))
    path.write_text("".join(json.dumps(record) + "\n" for record in ordered))


def write_page(records, path):
    """Put the tables of the newest measurements into a page, between its markers."""
    start, end = "<!-- tables: made by bench/laws.py -->", "<!-- end of tables -->"
    before, _, rest = path.read_text().partition(start)
    _, marker, after = rest.partition(end)
    if not marker:
        raise FormulaError(f"{path} has no lines {start!r} and {end!r} for the tables to stand between")
    newest = statistics.newest(records)
    measured = sorted({(run["date"][:10], run["commit"], run["machine"]) for run in newest})
    lines = [f"Measured on {date} at {commit}, {machine}." for date, commit, machine in measured]
    path.write_text("\n\n".join([before + start, statistics.table(newest), "\n".join(lines), end]) + after)


def show_progress(k, n, record):
    text = record.get("selected_verdict", record["status"])
    if record["front_solved"] and not record["selected_solved"]:
        text += " (on the front)"
    seconds = f"{record['cpu_s']:7.2f} CPU s" if "cpu_s" in record else ""
    print(
        f"[{k}/{n}] {record['id']:24} noise {record['noise']:<6g} seed {record['seed']} {seconds}  {text}",
        flush=True,
    )


def run_all(tasks, known, arguments):
    """Run the tasks that are not among the `known` records; returns the record of each task."""
    done = {key_of(record): record for record in known}
    waiting = [task for task in tasks if key_of(task) not in done]
    common = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"),
        "commit": arguments.commit or bench_runs.commit(),
        "machine": bench_runs.processor(),
    }
    others = sorted({record["commit"] for record in known} - {common["commit"]})
    if len(waiting) < len(tasks):
        text = f"{len(tasks) - len(waiting)} of {len(tasks)} runs are in {arguments.json} already"
        print(text + (f", some of other commits ({', '.join(others)})" if others else ""))
    with ThreadPoolExecutor(arguments.processes) as pool:
        measured = pool.map(lambda task: measure(task, common, arguments.grade_timeout), waiting)
        for k, record in enumerate(measured, 1):
            done[key_of(record)] = record
            if arguments.json:
                with arguments.json.open("a") as file:
                    file.write(json.dumps(record) + "\n")
            show_progress(k, len(waiting), record)
    return [done[key_of(task)] for task in tasks]


def report(records):
    print(statistics.table(records))
    lost = statistics.failures(records)
    if lost:
        print(f"\nNot selected:\n{lost}")
    for key, group in statistics.groups_of(records).items():
        s = statistics.summary(group)
        if s["over_budget"] or s["not_ok"]:
            counts = f"{s['over_budget']} runs over budget, {s['not_ok']} did not end well"
            print(f"\n{statistics.title(*key)}: {counts}")


def setting(text):
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=VALUE, the value as JSON")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def positive(kind):
    def convert(text):
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text} is not positive")
        return value

    convert.__name__ = kind.__name__
    return convert


def add_arguments(made):
    """What says which runs are made, and how."""
    made.add_argument("--suite", action="append", default=[], help="a suite's file; may be given again")
    made.add_argument("--ids", nargs="+", help="only these problems")
    made.add_argument("--seeds", type=positive(int), default=1, help="runs of each problem")
    made.add_argument("--first-seed", type=int, default=0)
    made.add_argument("--noise", type=float, nargs="+", help="parts of the target's root mean square; 0")
    made.add_argument("--rows", type=positive(int), help="training rows; 1000")
    made.add_argument("--protocol-rows", action="store_true", help="as many as the suite itself says")
    made.add_argument("--dummies", action="store_true", help="SRSD: with the irrelevant columns")
    made.add_argument("--timeout", type=positive(float), default=30.0, help="CPU seconds of a fit; 30")
    made.add_argument("--n-jobs", type=positive(int), default=1, help="threads of a fit")
    made.add_argument("--processes", type=positive(int), default=1, help="fits at a time")
    made.add_argument("--operators", choices=("named", "complete"), default="named",
                      help="complete: also the functions of the law that the problem lacks")  # fmt: skip
    made.add_argument("--set", type=setting, action="append", default=[], metavar="NAME=VALUE",
                      help="a parameter of the estimator")  # fmt: skip
    made.add_argument("--grade-timeout", type=positive(float), default=20.0, help="seconds of a comparison")
    made.add_argument("--commit", help="of the balmer that is measured, if not that of this tree")
    made.add_argument("--json", type=Path, help="where the runs are kept, one a line")


def parser():
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(made)
    made.add_argument("--report", nargs="+", type=Path, help="print what such files hold, and run nothing")
    made.add_argument("--store", type=Path, help="keep what is reported there too, without the fronts")
    made.add_argument("--page", type=Path, help="put the newest of what is reported into that page")
    return made


def main(argv=None):
    arguments = parser().parse_args(argv)
    try:
        if arguments.report:
            records = [record for path in arguments.report for record in read_records(path)]
            report(records)
            if arguments.page:
                write_page(records, arguments.page)
            if arguments.store:
                store(records, arguments.store)
            return 0
        if not arguments.suite:
            parser().error("give --suite FILE, for example bench/suites/feynman.json")
        tasks = tasks_of(arguments)
        known = read_records(arguments.json) if arguments.json and arguments.json.exists() else []
    except (FormulaError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    records = run_all(tasks, known, arguments)
    print()
    report(records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
