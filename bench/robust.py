"""Searches on data that searches stumble over: none may crash, hang or fill the memory.

    python bench/robust.py
    python bench/robust.py --only "8 rows" "noise alone" --json robust.jsonl

A run is ``right`` (the law, on fresh rows), ``on front``, ``graceful`` (a front of formulas that can be
evaluated, but not the law), or it is ``wasteful`` (too much CPU time or memory), ``fooled`` (it uses features
that have no part in the law), or what ended it: ``crash``, ``cpu``, ``memory``, ``error``, ``wall``. The
program ends with status 1 if one of the latter was among them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import sys
from pathlib import Path

import robust_cases
import runs

GOOD = ("right", "on front", "graceful")


def judged(case, answer):
    """One word for how a run went."""
    if answer["status"] != "ok":
        return answer["status"]
    if not answer["front"] or not answer["predicts"]:
        return "error"
    if answer["cpu_s"] > case.cpu_s or answer["peak_mb"] > case.memory_mb:
        return "wasteful"
    if case.relevant == 0:
        return "right" if len(answer["features"]) <= 1 else "fooled"
    if case.relevant and any(feature >= case.relevant for feature in answer["features"]):
        return "fooled"
    errors = [error if math.isfinite(error) else math.inf for error in answer["errors"]]
    if errors[answer["selected"]] < case.tolerance:
        return "right"
    return "on front" if min(errors) < case.tolerance else "graceful"


def run_case(name, seed, budget, n_jobs):
    case = robust_cases.CASES[name]
    task = {"case": name, "seed": seed, "budget": budget, "n_jobs": n_jobs}
    limit = 2 * max(case.cpu_s, budget) + runs.SPARE_CPU
    program = Path(robust_cases.__file__)
    answer = runs.in_process(program, task, cpu_seconds=limit, memory=int(4 * case.memory_mb) << 20)
    return {"case": name, "seed": seed, **answer, "verdict": judged(case, answer)}


def line(record):
    chosen = record["front"][record["selected"]]["equation"] if record.get("front") else record["reason"]
    figures = f"{record['cpu_s']:8.2f} CPU s {record['peak_mb']:6.0f} MB" if "cpu_s" in record else " " * 23
    return f"{record['case']:30} {record['seed']:3} {record['verdict']:9} {figures}  {chosen[:90]}"


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=list(robust_cases.CASES), metavar="CASE")
    parser.add_argument("--seeds", type=int, help="of each case, if not as many as it says")
    parser.add_argument("--timeout", type=float, default=30.0, help="CPU seconds of a fit; 30")
    parser.add_argument("--n-jobs", type=int, default=1, help="threads of a fit")
    parser.add_argument("--json", type=Path, help="where the runs are appended, one a line")
    arguments = parser.parse_args(argv)
    for name in arguments.only:
        if name not in robust_cases.CASES:
            parser.error(f"no case {name!r}: there are {', '.join(robust_cases.CASES)}")
    common = {"date": datetime.date.today().isoformat(), "commit": runs.commit(), "machine": runs.processor()}
    records = []
    for name in arguments.only:
        for seed in range(arguments.seeds or robust_cases.CASES[name].seeds):
            records.append({**common, **run_case(name, seed, arguments.timeout, arguments.n_jobs)})
            print(line(records[-1]), flush=True)
            if arguments.json:
                with arguments.json.open("a") as file:
                    file.write(json.dumps(records[-1]) + "\n")
    counts = {}
    for record in records:
        counts[record["verdict"]] = counts.get(record["verdict"], 0) + 1
    print(
        "\n" + ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items(), key=lambda item: -item[1]))
    )
    return 0 if all(record["verdict"] in (*GOOD, "wasteful", "fooled") for record in records) else 1


if __name__ == "__main__":
    sys.exit(main())
