"""From the parameters of the estimator to the options of the core."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from balmer import _core
from balmer.expression import Expression
from balmer.losses import as_loss
from balmer.operators import OperatorChoice
from balmer.selection import check_rule
from balmer.templates import TemplateExpressionSpec

__all__ = [
    "PRESETS",
    "check_choices",
    "n_threads",
    "parsed_guess",
    "search_options",
    "selection_rule",
    "stop_function",
]

PRESETS = ("balmer", "pysr")
_PYSR_ITERATIONS = 100
_PYSR_PENALTY = 1000.0

# Parameters that may be None, which leaves the core's own value.
_OPTIONAL = frozenset(
    {
        "batch_size",
        "complexity_of_constants",
        "dimensional_constraint_penalty",
        "max_evals",
        "maxdepth",
        "niterations",
        "restarts",
        "seeding",
        "timeout_in_seconds",
        "warmup_maxsize_by",
        "weight_backsolve",
    }
)


def _set(options: _core.SearchOptions, name: str, value: Any) -> None:
    try:
        setattr(options, name, value)
    except TypeError:
        kind = type(getattr(options, name)).__name__
        noun = {"int": "a whole number", "float": "a number", "bool": "True or False"}.get(
            kind, "another value"
        )
        raise TypeError(f"{name} is {value!r}: give {noun}") from None


_EXAMPLES = {
    "complexity_of_operators": '{"sin": 2}',
    "constraints": '{"^": (-1, 1), "sin": 5}',
    "nested_constraints": '{"sin": {"cos": 0}}',
    "operator_variables": '{"sin": ["t"]}',
}


def _by_operator(params: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a parameter that says something of operators, by their names."""
    value = {} if params[name] is None else params[name]
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} is {value!r}: give a dict, as in {_EXAMPLES[name]}")
    return value


def _number(name: str, value: Any, kind: type = float) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} has {value!r}: give numbers, as in {_EXAMPLES[name]}") from None


def n_threads(n_jobs: int | None) -> int:
    """Return the number of threads for `n_jobs`.

    None and -1 are all processors that this process may use, -2 all but one, and so on. None obeys the
    environment variable OMP_NUM_THREADS, by which joblib's workers share a machine.
    """
    if n_jobs is not None and (isinstance(n_jobs, bool) or int(n_jobs) != n_jobs or n_jobs == 0):
        raise ValueError(f"n_jobs is {n_jobs!r}: give the number of threads, or -1 for all processors")
    if n_jobs is not None and n_jobs > 0:
        return int(n_jobs)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if n_jobs is None and asked.isdigit() and int(asked) > 0:
        return int(asked)
    import joblib  # type: ignore[import-untyped]

    processors: int = joblib.cpu_count()
    return max(1, processors + 1 + (-1 if n_jobs is None else n_jobs))


def _set_complexities(
    options: _core.SearchOptions,
    params: Mapping[str, Any],
    chosen: OperatorChoice,
    names: Sequence[str],
) -> None:
    of_variables = params["complexity_of_variables"]
    if of_variables is not None:
        if isinstance(of_variables, (int, float)):
            of_variables = [of_variables]
        elif len(of_variables) != len(names):
            raise ValueError(
                f"complexity_of_variables has {len(of_variables)} values, but X has {len(names)} columns: "
                "give one for each, or one number for all"
            )
        options.complexity_of_variables = [float(value) for value in of_variables]
    values = [math.nan] * (max(chosen.codes) + 1)
    for code in chosen.power_codes:  # the operator and its exponent
        values[code] = 1.0 + options.complexity_of_constants
    for name, value in _by_operator(params, "complexity_of_operators").items():
        for code in chosen.find(name, "complexity_of_operators"):
            exponent = options.complexity_of_constants if code in chosen.power_codes else 0.0
            values[code] = _number("complexity_of_operators", value) + exponent
    if any(not math.isnan(value) for value in values):
        options.complexity_of_operators = values


def _set_constraints(options: _core.SearchOptions, params: Mapping[str, Any], chosen: OperatorChoice) -> None:
    for name, limits in _by_operator(params, "constraints").items():
        codes = chosen.find(name, "constraints")
        arity = 2 if codes == chosen.power_codes else chosen.set.arity(codes[0])
        values = list(limits) if isinstance(limits, (tuple, list)) else [limits]
        values = [_number("constraints", limit, int) for limit in values]
        if len(values) != arity:
            raise ValueError(
                f"constraints: {name!r} takes {arity} operand{'s' if arity > 1 else ''}, but {limits!r} "
                f"limits {len(values)}: give one number for each operand, -1 for no limit"
            )
        for code in codes:
            options.add_constraint(code, values[: chosen.set.arity(code)])
    for outer, inners in _by_operator(params, "nested_constraints").items():
        if not isinstance(inners, Mapping):
            raise TypeError(
                f"nested_constraints has {outer!r}: {inners!r}: give a dict of dicts, as in "
                f"{_EXAMPLES['nested_constraints']}"
            )
        for inner, depth in inners.items():
            most = _number("nested_constraints", depth, int)
            pairs = product(*(chosen.find(name, "nested_constraints") for name in (outer, inner)))
            for outer_code, inner_code in pairs:
                options.add_nested_constraint(outer_code, inner_code, most)


def selection_rule(model_selection: str | None, preset: str) -> str:
    """Return the rule that `model_selection` names; None leaves it to the preset."""
    if preset not in PRESETS:
        raise ValueError(f"preset is {preset!r}: choose among {', '.join(map(repr, PRESETS))}")
    if model_selection is None:
        return "best" if preset == "pysr" else "dl"
    return model_selection


_CHOICES: dict[str, tuple[Any, ...]] = {"loss_scale": ("log", "linear"), "precision": (16, 32, 64)}


def check_choices(params: Mapping[str, Any]) -> None:
    """Raise ValueError for a parameter with few values that has another."""
    rule = selection_rule(params["model_selection"], params["preset"])
    check_rule(rule)
    spec = params["expression_spec"]
    if spec is not None and not isinstance(spec, TemplateExpressionSpec):
        raise TypeError(f"expression_spec is {spec!r}: give a TemplateExpressionSpec")
    if rule == "cv" and params["loss_function"] is not None:
        raise ValueError(
            "model_selection is 'cv', but loss_function is of all rows together, so that no rows can be left "
            "out: choose another rule, or give elementwise_loss"
        )
    for name, values in _CHOICES.items():
        if params[name] not in values:
            raise ValueError(f"{name} is {params[name]!r}: choose among {', '.join(map(repr, values))}")


def _set_iterations(options: _core.SearchOptions, params: Mapping[str, Any]) -> None:
    """Choose when evolution ends: after so many iterations, or when it leads to nothing better."""
    plain = params["preset"] == "pysr"
    if params["niterations"] is None and plain:
        options.niterations = _PYSR_ITERATIONS
    if params["niterations"] is not None or plain:
        options.n_iter_no_change = 0


def _set_stages(options: _core.SearchOptions, params: Mapping[str, Any]) -> None:
    """Choose what there is beside evolution."""
    plain = params["preset"] == "pysr"
    if params["seeding"] is None:
        options.seeding = not plain
    if plain:
        options.finish = _core.Finish.none
        options.scaled_constants = 0.0
        if params["weight_backsolve"] is None:
            options.weight_backsolve = 0.0
        if params["restarts"] is None:
            options.restarts = False
        if params["dimensional_constraint_penalty"] is None:
            options.dimensional_constraint_penalty = _PYSR_PENALTY
    elif not options.seeding:
        options.finish = _core.Finish.fit


def _folds(params: Mapping[str, Any]) -> int:
    """Return the parts of the rows for cross-validation; 0 if the rule needs none."""
    folds = params["cv_folds"]
    if isinstance(folds, bool) or not isinstance(folds, (int, np.integer)) or folds < 2:
        raise ValueError(f"cv_folds is {folds!r}: give a whole number of parts, at least 2")
    return int(folds) if selection_rule(params["model_selection"], params["preset"]) == "cv" else 0


def _set_variables(
    options: _core.SearchOptions, params: Mapping[str, Any], chosen: OperatorChoice, names: Sequence[str]
) -> None:
    for operator, allowed in _by_operator(params, "operator_variables").items():
        if isinstance(allowed, str):
            raise ValueError(
                f"operator_variables: {operator!r} has the text {allowed!r}: give a list of names"
            )
        for name in allowed:
            if name not in names:
                raise ValueError(
                    f"operator_variables: {operator!r} has {name!r}, but the variables are {', '.join(names)}"
                )
        for code in chosen.find(operator, "operator_variables"):
            options.add_variable_constraint(code, [name in allowed for name in names])


def stop_function(condition: Any) -> Callable[[float, int], bool] | None:
    """Return `early_stop_condition` if it is a function of (loss, complexity), else None."""
    return condition if callable(condition) else None


def _set_early_stop(options: _core.SearchOptions, condition: Any, chosen: OperatorChoice) -> None:
    if condition is None or callable(condition):
        return
    if isinstance(condition, str):
        try:
            options.early_stop_loss = float(condition)
        except ValueError:
            text = re.sub(r"^\s*f?\s*\(", "(", condition) if "->" in condition else condition
            options.set_early_stop(text, chosen.set)
    elif isinstance(condition, (int, float)):
        options.early_stop_loss = float(condition)
    else:
        raise TypeError(
            f"early_stop_condition is {condition!r}: give a loss, a text such as "
            "'stop_if(loss, complexity) = loss < 1e-6 && complexity < 10', or a function of "
            "(loss, complexity)"
        )


def parsed_guess(guess: Any, names: Sequence[str], chosen: OperatorChoice) -> _core.Expression:
    """Return a formula that a user gave, over the variables of these names."""
    if type(guess).__module__.partition(".")[0] == "sympy":
        from balmer.sympy_io import from_sympy

        guess = from_sympy(guess, names)
    if isinstance(guess, Expression):
        guess = str(guess)
    if not isinstance(guess, str):
        raise TypeError(f"guesses holds {guess!r}: give formulas as text, or sympy expressions")
    return chosen.parse(guess, names)


def _set_guesses(
    options: _core.SearchOptions,
    spec: TemplateExpressionSpec | None,
    chosen: OperatorChoice,
    names: Sequence[str],
    guesses: Sequence[Any],
) -> None:
    """Set the structure of formulas, if there is one, and the formulas to start from."""
    if spec is None:
        for guess in guesses:
            options.add_guess(parsed_guess(guess, names, chosen))
        return
    template = spec.compiled(chosen)
    options.set_structure(template)
    for guess in guesses:
        options.add_guess_of_parts(*spec.guess(guess, template.arities, chosen))


def search_options(
    params: Mapping[str, Any],
    chosen: OperatorChoice,
    names: Sequence[str],
    guesses: Sequence[Any],
    seed: int,
) -> _core.SearchOptions:
    """Options of the core for the parameters of an estimator.

    Raises
    ------
    ValueError, TypeError
        For a value that makes no sense, with the remedy. What depends on the data, the core checks when a
        search begins.
    """
    options = _core.SearchOptions()
    values = {
        **params,
        "cv_folds": _folds(params),
        "precision": max(32, params["precision"]),  # there are no kernels of half precision
    }
    for name in _core.named_options():
        if name in values and not (values[name] is None and name in _OPTIONAL):
            _set(options, name, values[name])
    _set_iterations(options, params)
    _set_stages(options, params)
    options.operators = list(chosen.codes)
    _set_complexities(options, params, chosen, names)
    _set_constraints(options, params, chosen)
    _set_variables(options, params, chosen, names)
    _set_early_stop(options, params["early_stop_condition"], chosen)
    if params["elementwise_loss"] is not None:
        options.set_loss(as_loss(params["elementwise_loss"], chosen.set.definitions)._core)

    batching = params["batching"]
    if batching not in (True, False, "auto"):
        raise ValueError(f"batching is {batching!r}: choose True, False or 'auto'")
    kinds = _core.Batching
    options.batching = kinds.automatic if batching == "auto" else kinds.on if batching else kinds.off
    _set_guesses(options, params["expression_spec"], chosen, names, guesses)
    options.seed = seed
    options.n_threads = n_threads(params["n_jobs"])
    return options
