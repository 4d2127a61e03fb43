"""What many runs come to: rates with intervals, times, sizes, failures, and pairs of runs."""

from __future__ import annotations

import math
from statistics import median


def wilson(hits, n, z=1.96):
    """Interval of a rate that covers the true one in 95 of 100 cases (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    rate, square = hits / n, z * z
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = z * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n)) / (1 + square / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def sign_test(wins, losses):
    """Probability of a split at least as uneven, if each of the two were as likely to win."""
    n = wins + losses
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(wins, losses) + 1)) / 2**n
    return min(1.0, 2 * tail)


def rate(hits, n):
    low, high = wilson(hits, n)
    return f"{hits}/{n} = {100 * hits / max(n, 1):.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else math.nan


def _or_nan(values):
    return median(values) if values else math.nan


def summary(runs):
    """Figures of the runs of one suite at one noise, as a dictionary."""
    selected = [run for run in runs if run.get("selected_solved")]
    timed = [run["cpu_s"] for run in runs if "cpu_s" in run]
    return {
        "runs": len(runs),
        "problems": len({run["id"] for run in runs}),
        "selected": len(selected),
        "on_front": sum(bool(run.get("front_solved")) for run in runs),
        "cpu_median": _or_nan(timed),
        "cpu_p90": quantile(timed, 0.9),
        "cpu_max": max(timed, default=math.nan),
        "solved_cpu_median": _or_nan([run["cpu_s"] for run in selected]),
        "solved_wall_median": _or_nan([run["wall_s"] for run in selected]),
        "solved_within_2_cpu_s": sum(run["cpu_s"] <= 2 for run in selected),
        "size_ratio": _or_nan([run["selected_node_ratio"] for run in selected]),
        "peak_mb": max((run["peak_mb"] for run in runs if "peak_mb" in run), default=math.nan),
        "over_budget": sum(run.get("cpu_s", 0) > 1.05 * run["budget"] + 0.1 for run in runs),
        "not_ok": sum(run["status"] != "ok" for run in runs),
    }


def groups_of(runs):
    """The runs by (suite, dummies, noise), in that order."""
    groups = {}
    for run in runs:
        key = (run["suite_name"], run["dummies"], run["noise"])
        groups.setdefault(key, []).append(run)
    return dict(sorted(groups.items()))


def newest(runs):
    """Of each suite and noise the runs of the commit that was measured last, with default settings."""
    kept = []
    for group in groups_of([run for run in runs if not run["parameters"]]).values():
        last = max(group, key=lambda run: run["date"])
        kept += [run for run in group if run["commit"] == last["commit"]]
    return kept


def title(suite, dummies, noise):
    return f"{suite}{' with dummies' if dummies else ''}, noise {noise:g}"


def table(runs):
    """A table in Markdown, one line for each suite and noise."""
    times = "CPU s: median, 90 %, most | solved in CPU s, <= 2 s"
    lines = [f"| suite | problems | selected | on front | {times} | size ratio |", "|" + " --- |" * 7]
    for key, group in groups_of(runs).items():
        s = summary(group)
        lines.append(
            f"| {title(*key)} | {s['problems']} | {rate(s['selected'], s['runs'])} "
            f"| {rate(s['on_front'], s['runs'])} "
            f"| {s['cpu_median']:.2f}, {s['cpu_p90']:.1f}, {s['cpu_max']:.1f} "
            f"| {s['solved_cpu_median']:.2f}, {s['solved_within_2_cpu_s']}/{s['runs']} "
            f"| {s['size_ratio']:.2f} |"
        )
    return "\n".join(lines)


def pairs(base, other):
    """Two records of the same problem, noise, rows and seed, one of each list."""

    def place(run):
        return tuple(run[name] for name in ("suite_name", "id", "seed", "noise", "rows", "dummies"))

    others = {place(run): run for run in other}
    return [(run, others[place(run)]) for run in base if place(run) in others]


def compare_pairs(base, other, field="selected_solved"):
    """What two settings make of the same problems: wins are laws that the `base` alone found."""
    both = pairs(base, other)
    wins = sum(a[field] and not b[field] for a, b in both)
    losses = sum(b[field] and not a[field] for a, b in both)
    ratios = [b["cpu_s"] / a["cpu_s"] for a, b in both if a.get("cpu_s") and b.get("cpu_s")]
    return {
        "pairs": len(both),
        "base": sum(bool(a[field]) for a, _ in both),
        "other": sum(bool(b[field]) for _, b in both),
        "wins": wins,
        "losses": losses,
        "p": sign_test(wins, losses),
        "cpu_ratio": _or_nan(ratios),
        "cpu_total_ratio": sum(b.get("cpu_s", 0) for _, b in both)
        / max(sum(a.get("cpu_s", 0) for a, _ in both), 1e-9),
        "won": sorted({f"{a['id']} noise {a['noise']:g}" for a, b in both if a[field] and not b[field]}),
        "lost": sorted({f"{a['id']} noise {a['noise']:g}" for a, b in both if b[field] and not a[field]}),
    }


def failures(runs):
    """A line for each run that did not select the law, the ones that did not even end first."""
    lines = []
    for run in sorted(
        runs, key=lambda run: (run["status"] == "ok", run["suite_name"], run["noise"], run["id"])
    ):
        place = f"{run['id']} noise {run['noise']:g} seed {run['seed']}"
        if run["status"] != "ok":
            lines.append(f"{place}: {run['status'].upper()}: {run['reason']}")
        elif not run["selected_solved"]:
            front = "on the front" if run["front_solved"] else "not on the front"
            chosen = run["front"][run["selected"]]["equation"]
            how = f"{run['selected_verdict']}, {front}, {run['cpu_s']:.1f} CPU s, {run['stop_reason']}"
            lines += [f"{place}: {how}", f"    law    {run['law']}", f"    chosen {chosen}"]
    return "\n".join(lines)
