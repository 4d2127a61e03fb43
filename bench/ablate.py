"""What each ingredient of the search is worth: one at a time is switched off, on the same rows and seeds.

    python bench/ablate.py --suite bench/suites/feynman.json --json ablate.jsonl
    python bench/ablate.py --suite bench/suites/classic.json --only views factors --noise 0.01

Takes the arguments of bench/laws.py. Wins are laws that were selected with the ingredient and not without it,
losses the other way round; p is that of the sign test. Without wins, and with the CPU time of the runs no
longer, an ingredient does not earn its place.
"""

from __future__ import annotations

import argparse
import sys

import laws
import statistics_of_runs as statistics
from grade import FormulaError

# What switches an ingredient off: parameters of the estimator, switches of the core, or what runs.py does.
INGREDIENTS = {
    "seeding": {"seeding": False},
    "evolution after its first iteration": {"bench.one_iteration": True},
    "views": {"core.with_views": False},
    "dictionary": {"core.with_dictionary": False},
    "families": {"core.with_families": False},
    "weighted families": {"core.with_weighted_families": False},
    "factors": {"core.with_factors": False},
    "deep": {"core.with_deep": False},
    "quotients": {"core.with_quotients": False},
    "inner constants": {"core.with_inner_constants": False},
    "parts": {"core.with_parts": False},
    "large libraries": {"core.with_large_libraries": False},
    "finish before evolution": {"core.with_seed_finish": False},
    "finish after evolution": {"core.finish": "fit"},
    "constants on the data's scale": {"core.scaled_constants": 0.0},
    "adaptive mutation weights": {"adaptive_mutation_weights": False},
    "adaptive parsimony": {"use_frequency": False, "use_frequency_in_tournament": False},
    "annealing": {"annealing": False},
    "back-solving": {"weight_backsolve": 0.0},
    "restarts": {"restarts": False},
    "crossover": {"crossover_probability": 0.0},
    "migration": {"migration": False, "hof_migration": False},
    "fitted constants": {"should_optimize_constants": False},
    "simplification": {"should_simplify": False},
    "batching": {"batching": False},
}

# Those of evolution alone: a run that ended before it needs no second one, for it would be the same.
OF_EVOLUTION = {
    "adaptive mutation weights",
    "adaptive parsimony",
    "annealing",
    "back-solving",
    "restarts",
    "crossover",
    "migration",
    "fitted constants",
    "simplification",
}


def unaffected(name, base):
    """The runs without the ingredient `name` that those with it tell: they ended before evolution began."""
    if name not in OF_EVOLUTION:
        return []
    return [
        run | {"parameters": run["parameters"] | INGREDIENTS[name]}
        for run in base
        if run.get("iterations") == 0
    ]


def chosen(names):
    for name in names:
        if name not in INGREDIENTS:
            raise FormulaError(f"no ingredient {name!r}: there are {', '.join(INGREDIENTS)}")
    return {name: INGREDIENTS[name] for name in names or INGREDIENTS}


def table(base, without):
    """One line for each ingredient, in Markdown, and which laws it wins and loses."""
    lines = [
        "| without | selected | with all | wins | losses | p | on front: wins, losses | CPU: median, total |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    details = []
    for name, records in without.items():
        selected = statistics.compare_pairs(base, records)
        front = statistics.compare_pairs(base, records, "front_solved")
        lines.append(
            f"| {name} | {selected['other']}/{selected['pairs']} | {selected['base']}/{selected['pairs']} "
            f"| {selected['wins']} | {selected['losses']} | {selected['p']:.2g} "
            f"| {front['wins']}, {front['losses']} "
            f"| {selected['cpu_ratio']:.2f}, {selected['cpu_total_ratio']:.2f} |"
        )
        details += [
            f"{name}, {label}: {', '.join(selected[label])}" for label in ("won", "lost") if selected[label]
        ]
    return "\n".join([*lines, "", *details])


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    laws.add_arguments(parser)
    parser.add_argument("--only", nargs="+", default=[], metavar="INGREDIENT", help="only these")
    arguments = parser.parse_args(argv)
    try:
        ingredients = chosen(arguments.only)
        if not arguments.suite:
            parser.error("give --suite FILE, for example bench/suites/feynman.json")
        known = laws.read_records(arguments.json) if arguments.json and arguments.json.exists() else []
        common = dict(arguments.set)
        plans = {}
        for name, parameters in {"": {}, **ingredients}.items():
            arguments.set = list((common | parameters).items())
            plans[name] = laws.tasks_of(arguments)
    except (FormulaError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    results = {}
    for name, tasks in plans.items():
        print(f"without {name}" if name else "with all", flush=True)
        results[name] = laws.run_all(tasks, known + unaffected(name, results.get("", [])), arguments)
    base = results.pop("")
    print(f"\n{table(base, results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
