"""What an estimator is made with: its parameters, what they mean, and their defaults."""

from __future__ import annotations

import difflib
import functools
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator, clone

from balmer.callbacks import Callback
from balmer.expression import Expression
from balmer.losses import Loss
from balmer.operators import CompiledOperator, compiled_function
from balmer.templates import TemplateExpressionSpec

__all__ = ["SearchParameters", "documented", "suggesting"]

_Method = TypeVar("_Method", bound=Callable[..., Any])
_Estimator = TypeVar("_Estimator", bound="type[SearchParameters]")


def suggesting(method: _Method) -> _Method:
    """Give the TypeError for an unknown keyword the nearest known ones, and what replaces PySR's."""
    known = list(inspect.signature(method).parameters)[1:]

    @functools.wraps(method)  # scikit-learn reads the parameters through it
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        for name in kwargs:
            if name not in known:
                owner = type(self).__name__ + ("" if method.__name__ == "__init__" else f".{method.__name__}")
                raise TypeError(f"{owner} has no parameter {name!r}{_hint(name, known)}")
        return method(self, *args, **kwargs)

    return wrapper  # type: ignore[return-value]


def _hint(name: str, known: Sequence[str]) -> str:
    from balmer._pysr import DIFFERENT, OF_FIT, RENAMED

    if name in DIFFERENT:
        kind, note = DIFFERENT[name]
        return f", which PySR has{'' if kind != 'missing' else ' and balmer has not yet'}: {note}"
    if name in OF_FIT:
        return f", which PySR has: {OF_FIT[name]}"
    if name in RENAMED:
        return f": did you mean {RENAMED[name]!r}?"
    near = difflib.get_close_matches(name, known, n=3)
    return f": did you mean {' or '.join(map(repr, near))}?" if near else ""


class SearchParameters(BaseEstimator):  # type: ignore[misc]
    """The parameters of `SymbolicRegressor`.

    Parameters
    ----------
    model_selection : {"dl", "bic", "cv", "best", "accuracy", "score"}, optional
        Which formula of the front `predict` uses. ``dl``, the default: the one of least description length,
        the nats that it takes to write down the data by means of the formula. ``bic``: the least
        n ln(loss) + p ln(n), with n rows and p constants. ``cv``: the simplest formula whose loss on rows
        that its constants were not fitted to is within a standard error of the smallest (`cv_folds`).
        ``accuracy``: the smallest loss. ``score``: the steepest fall of the logarithm of the loss for each
        unit of complexity. ``best``, the default with ``preset="pysr"``: the largest score among the
        formulas whose loss is at most 1.5 times the smallest. For losses that may be negative or are not
        least at the target, ``dl`` and ``bic`` mean ``best``. ``cv`` is not for `loss_function`.
    preset : {"balmer", "pysr"}
        ``pysr``: evolution alone, as PySR 2 does it with its default parameters, no search for laws of closed
        form before, no fit, pruning or snapping of the front after: a base line. What stays different is
        listed in docs/search.md.
    binary_operators, unary_operators : list of str or CompiledOperator, optional
        What formulas may be made of: names and aliases of `balmer.operators`, definitions such as
        ``"inv(x) = 1/x"``, or compiled code (`CompiledOperator`). Without both: ``+ - * /``.
    operators : dict of int to list of str or CompiledOperator, optional
        The same by number of operands, in the place of the other two: ``{1: ["sin"], 2: ["+", "*"], 3:
        ["ifelse"]}``.
    exponents : list of float, optional
        The only exponents that ``^`` may have: ``range(-3, 4)`` for whole ones, ``[2, 3, 0.5]``. Without it
        they are formulas, and numbers in them are fitted.
    expression_spec : TemplateExpressionSpec, optional
        The structure that formulas shall have: a search finds its parts, by evolution alone. See
        docs/templates.md. Complexities, `maxdepth` and constraints are of the parts.
    maxsize : int
        Largest complexity.
    maxdepth : int, optional
        Most nodes on a path from the root to a leaf.
    niterations : int, optional
        Iterations of evolution. Without it, 100 from the last one on that described the data in fewer nats
        (400 at most), or 25 if the best formula leaves only noise.
    populations, population_size, ncycles_per_iteration : int
        Islands, formulas on each, cycles of evolution in an iteration.
    elementwise_loss : str or Loss, optional
        What is minimised: the name of a loss (`named_losses`), such as ``"HuberLoss(1.35)"``, or a formula of
        prediction, target and, if it is wanted, weight: ``"loss(p, t, w) = w * abs(p - t)^1.5"``. Without it:
        the weighted mean of squared residuals.
    loss_function : callable, optional
        In its place, a function of whole arrays ``(y_pred, y)`` or ``(y_pred, y, weights)`` that returns one
        number, the smaller the better; `weights` is None if `fit` had none. It is called from several
        threads, one at a time, with the rows in the order of `fit`, and makes a search tens of times slower
        than a formula does. A ``scipy.LowLevelCallable`` of a compiled ``double (double *prediction, double
        *target, double *weights, size_t n)``, from Cython, numba or ctypes, is called without Python, from
        several threads at once; its weights are null if there are none.
    loss_scale : {"log", "linear"}
        How losses are compared in the column ``score`` and by the rules that look at it: by ratios, or by
        differences, as is right for losses with another zero than the perfect formula's. Then ``best`` means
        ``accuracy``. Where a loss is negative the scale is linear in any case.
    dimensional_constraint_penalty : float, optional
        What is added to the loss of a formula that violates the units of `fit`. None, the default: there are
        no such formulas on the front (with ``preset="pysr"``: 1000, as there). 0: units do not matter.
    dimensionless_constants_only : bool
        Whether constants are numbers. If not, each has the unit that its place demands.
    parsimony : float
        What a unit of complexity costs, in units of the loss of a simple prediction.
    constraints : dict, optional
        Largest complexity of each operand, -1 for any: ``{"^": (-1, 1), "sin": 5}``.
    nested_constraints : dict of dict, optional
        How often an operator may stand below another: ``{"sin": {"sin": 0, "cos": 1}}``.
    operator_variables : dict of str to list of str, optional
        Which variables may stand below an operator: ``{"sin": ["t"]}``.
    named_constants : dict, optional
        Numbers that formulas may use by name: ``{"g": 9.81}``, or ``{"g": (9.81, 2)}`` for one that counts 2
        in the complexity. They are not fitted; a number that the data cannot tell from one of them, from its
        inverse or its negative, is written by name.
    complexity_of_operators : dict of str to float, optional
    complexity_of_constants : float, optional
    complexity_of_variables : float or list of float, optional
        What a node counts, if not 1.
    complexity_mapping : callable, optional
        In the place of the sum over nodes, a function of an `Expression` that returns its complexity, rounded
        and at least 1: ``lambda e: e.size + 5 * (e.depth > 4)``. `constraints` still go by the sum. It is
        called for each candidate, one at a time, so a search takes a few microseconds more for each.
    warmup_maxsize_by : float, optional
        Part of the search during which the largest complexity grows from 3 to `maxsize`.
    use_frequency, use_frequency_in_tournament : bool
    adaptive_parsimony_scaling : float
        Complexities that are frequent in the populations count as worse: when mutations are accepted, in
        tournaments, and how much.
    should_simplify : bool
    weight_add_node, weight_insert_node, weight_delete_node, weight_do_nothing : float
    weight_mutate_constant, weight_mutate_operator, weight_mutate_feature : float
    weight_swap_operands, weight_rotate_tree, weight_randomize, weight_simplify : float
    weight_optimize : float
    weight_backsolve : float, optional
        Relative frequencies of the mutations. `weight_backsolve`, of the one that computes what a part of a
        formula should be and puts the nearest of some small formulas there: 0.1, or 0 with ``preset="pysr"``.
    adaptive_mutation_weights : bool
        Whether these follow the success of each mutation.
    crossover_probability : float
    annealing : bool
    alpha : float
        Whether, and how readily, mutations that raise the cost are accepted early in an iteration.
    perturbation_factor, probability_negate_constant : float
        How far a mutation moves a constant, and how often it turns its sign.
    skip_mutation_failures : bool
    tournament_selection_n : int
    tournament_selection_p : float
        Formulas in a tournament, and the probability that the best one wins.
    should_optimize_constants : bool
    optimize_probability : float
    optimizer_iterations, optimizer_nrestarts : int
        How often, how long and from how many starts constants are fitted.
    migration, hof_migration : bool
    fraction_replaced, fraction_replaced_hof, fraction_replaced_guesses : float
    topn : int
        Part of a population that gives way to the best of other islands, of the front and of `guesses`, and
        how many each island offers.
    restarts : bool, optional
        Whether every second island begins anew when 40 iterations have led to nothing better. True, but for
        ``preset="pysr"``.
    batching : bool or "auto"
    batch_size : int, optional
        Whether to judge candidates on some of the rows; "auto": above 1000 rows.
    precision : {16, 32, 64}
        Bits of the numbers by which evolution judges candidates; 16 is taken as 32. Single precision is
        faster on many rows without batches. Constants are fitted and the losses of the front computed in
        double precision always, and so is all where a column goes beyond 1e-9 to 1e9.
    seeding : bool, optional
        Whether to look for laws of closed form before evolution starts: sums, products and quotients of
        thousands of simple parts, with their constants. False: evolution alone. True, unless `preset` says
        otherwise.
    cv_folds : int
        Parts of the rows for ``model_selection="cv"``: each in turn is left out when constants are fitted.
    max_evals : float, optional
    timeout_in_seconds : float, optional
    early_stop_condition : float, str or callable, optional
        When to stop before the last iteration: after so many evaluations; after that time; when a formula of
        the front has a loss below the number, or fulfils ``"stop_if(loss, complexity) = loss < 1e-6 &&
        complexity < 10"``.
    memory_limit_in_bytes : float
        What the search may take beside the data; a limit of 1.5e8 or more is kept. Where it does not suffice,
        the stages before and after evolution look at a sample of the rows and at fewer formulas; losses are
        those of all rows always.
    guesses : list of str, optional
        Formulas to start from; their constants are fitted. For more than one target, a list of lists. With an
        `expression_spec`, dicts of its parts and parameters: ``{"f": "#1 + 2", "p": [0, 1]}``.
    select_k_features : int, optional
        How many columns to keep: those that matter most to a random forest. `selection_mask_` tells which.
    denoise : bool
        Whether to put a Gaussian process through the target first, and to search on what it makes of it.
    callbacks : list of Callback, optional
        What is told of the progress, such as `balmer.callbacks.CSVLogger`.
    warm_start : bool
        Whether `fit` goes on from the fit before: with the same data and options as if that one had had more
        iterations, otherwise from its front.
    output_directory : str or path, optional
        Where to write, in a folder of the name `run_id`, the front (``hall_of_fame.csv``) and a checkpoint
        from which `load` brings the model back. None: nothing is written.
    run_id : str, optional
        None: date, time and six letters.
    checkpoint_interval : float
        Seconds from one checkpoint to the next.
    random_state : int, RandomState or None
        An int gives the same front each time, with any number of threads and on any machine.
    n_jobs : int, optional
        Threads. None and -1: all processors. The result does not depend on it.
    verbosity : int
        0: nothing is shown.
    progress : bool
        Whether to draw the front in the terminal while it grows.
    print_precision : int
        Significant digits of the constants in tables.
    """

    @suggesting
    def __init__(
        self,
        model_selection: str | None = None,
        *,
        preset: str = "balmer",
        binary_operators: Sequence[str | CompiledOperator] | None = None,
        unary_operators: Sequence[str | CompiledOperator] | None = None,
        operators: Mapping[int, Sequence[str | CompiledOperator]] | None = None,
        exponents: Sequence[float] | None = None,
        expression_spec: TemplateExpressionSpec | None = None,
        maxsize: int = 30,
        maxdepth: int | None = None,
        niterations: int | None = None,
        populations: int = 31,
        population_size: int = 27,
        ncycles_per_iteration: int = 380,
        elementwise_loss: str | Loss | None = None,
        loss_function: Callable[..., float] | None = None,
        loss_scale: str = "log",
        dimensional_constraint_penalty: float | None = None,
        dimensionless_constants_only: bool = False,
        parsimony: float = 0.0,
        constraints: Mapping[str, int | Sequence[int]] | None = None,
        nested_constraints: Mapping[str, Mapping[str, int]] | None = None,
        operator_variables: Mapping[str, Sequence[str]] | None = None,
        named_constants: Mapping[str, float | tuple[float, float]] | None = None,
        complexity_of_operators: Mapping[str, float] | None = None,
        complexity_of_constants: float | None = None,
        complexity_of_variables: float | Sequence[float] | None = None,
        complexity_mapping: Callable[[Expression], float] | None = None,
        warmup_maxsize_by: float | None = None,
        use_frequency: bool = True,
        use_frequency_in_tournament: bool = True,
        adaptive_parsimony_scaling: float = 1040.0,
        should_simplify: bool = True,
        weight_add_node: float = 2.47,
        weight_insert_node: float = 0.0112,
        weight_delete_node: float = 0.87,
        weight_do_nothing: float = 0.273,
        weight_mutate_constant: float = 0.0346,
        weight_mutate_operator: float = 0.293,
        weight_mutate_feature: float = 0.1,
        weight_swap_operands: float = 0.198,
        weight_rotate_tree: float = 4.26,
        weight_randomize: float = 0.000502,
        weight_simplify: float = 0.00209,
        weight_optimize: float = 0.0,
        weight_backsolve: float | None = None,
        adaptive_mutation_weights: bool = True,
        crossover_probability: float = 0.2,
        annealing: bool = True,
        alpha: float = 3.17,
        perturbation_factor: float = 0.129,
        probability_negate_constant: float = 0.00743,
        skip_mutation_failures: bool = True,
        tournament_selection_n: int = 15,
        tournament_selection_p: float = 0.982,
        should_optimize_constants: bool = True,
        optimize_probability: float = 0.14,
        optimizer_iterations: int = 8,
        optimizer_nrestarts: int = 2,
        migration: bool = True,
        hof_migration: bool = True,
        fraction_replaced: float = 0.00036,
        fraction_replaced_hof: float = 0.0614,
        fraction_replaced_guesses: float = 0.001,
        topn: int = 12,
        restarts: bool | None = None,
        batching: bool | str = "auto",
        batch_size: int | None = None,
        precision: int = 64,
        seeding: bool | None = None,
        cv_folds: int = 5,
        max_evals: float | None = None,
        timeout_in_seconds: float | None = None,
        memory_limit_in_bytes: float = 1e9,
        early_stop_condition: float | str | Callable[[float, int], bool] | None = None,
        guesses: Sequence[Any] | None = None,
        select_k_features: int | None = None,
        denoise: bool = False,
        callbacks: Sequence[Callback] | None = None,
        warm_start: bool = False,
        output_directory: str | os.PathLike[str] | None = None,
        run_id: str | None = None,
        checkpoint_interval: float = 30.0,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbosity: int = 1,
        progress: bool = True,
        print_precision: int = 5,
    ) -> None:
        self.model_selection = model_selection
        self.preset = preset
        self.binary_operators = binary_operators
        self.unary_operators = unary_operators
        self.operators = operators
        self.exponents = exponents
        self.expression_spec = expression_spec
        self.maxsize = maxsize
        self.maxdepth = maxdepth
        self.niterations = niterations
        self.populations = populations
        self.population_size = population_size
        self.ncycles_per_iteration = ncycles_per_iteration
        self.elementwise_loss = elementwise_loss
        self.loss_function = loss_function
        self.loss_scale = loss_scale
        self.dimensional_constraint_penalty = dimensional_constraint_penalty
        self.dimensionless_constants_only = dimensionless_constants_only
        self.parsimony = parsimony
        self.constraints = constraints
        self.nested_constraints = nested_constraints
        self.operator_variables = operator_variables
        self.named_constants = named_constants
        self.complexity_of_operators = complexity_of_operators
        self.complexity_of_constants = complexity_of_constants
        self.complexity_of_variables = complexity_of_variables
        self.complexity_mapping = complexity_mapping
        self.warmup_maxsize_by = warmup_maxsize_by
        self.use_frequency = use_frequency
        self.use_frequency_in_tournament = use_frequency_in_tournament
        self.adaptive_parsimony_scaling = adaptive_parsimony_scaling
        self.should_simplify = should_simplify
        self.weight_add_node = weight_add_node
        self.weight_insert_node = weight_insert_node
        self.weight_delete_node = weight_delete_node
        self.weight_do_nothing = weight_do_nothing
        self.weight_mutate_constant = weight_mutate_constant
        self.weight_mutate_operator = weight_mutate_operator
        self.weight_mutate_feature = weight_mutate_feature
        self.weight_swap_operands = weight_swap_operands
        self.weight_rotate_tree = weight_rotate_tree
        self.weight_randomize = weight_randomize
        self.weight_simplify = weight_simplify
        self.weight_optimize = weight_optimize
        self.weight_backsolve = weight_backsolve
        self.adaptive_mutation_weights = adaptive_mutation_weights
        self.crossover_probability = crossover_probability
        self.annealing = annealing
        self.alpha = alpha
        self.perturbation_factor = perturbation_factor
        self.probability_negate_constant = probability_negate_constant
        self.skip_mutation_failures = skip_mutation_failures
        self.tournament_selection_n = tournament_selection_n
        self.tournament_selection_p = tournament_selection_p
        self.should_optimize_constants = should_optimize_constants
        self.optimize_probability = optimize_probability
        self.optimizer_iterations = optimizer_iterations
        self.optimizer_nrestarts = optimizer_nrestarts
        self.migration = migration
        self.hof_migration = hof_migration
        self.fraction_replaced = fraction_replaced
        self.fraction_replaced_hof = fraction_replaced_hof
        self.fraction_replaced_guesses = fraction_replaced_guesses
        self.topn = topn
        self.restarts = restarts
        self.batching = batching
        self.batch_size = batch_size
        self.precision = precision
        self.seeding = seeding
        self.cv_folds = cv_folds
        self.max_evals = max_evals
        self.timeout_in_seconds = timeout_in_seconds
        self.memory_limit_in_bytes = memory_limit_in_bytes
        self.early_stop_condition = early_stop_condition
        self.guesses = guesses
        self.select_k_features = select_k_features
        self.denoise = denoise
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.output_directory = output_directory
        self.run_id = run_id
        self.checkpoint_interval = checkpoint_interval
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbosity = verbosity
        self.progress = progress
        self.print_precision = print_precision

    def __sklearn_clone__(self) -> Any:
        """Return an unfitted copy; a compiled loss, which cannot be copied, is shared."""
        if compiled_function(self.loss_function) is None:
            return super().__sklearn_clone__()
        return clone(type(self)(**{**self.get_params(deep=False), "loss_function": None})).set_params(
            loss_function=self.loss_function
        )


def documented(estimator: _Estimator) -> _Estimator:
    """Put the section of the parameters into the docstring of an estimator, before its attributes."""
    if estimator.__doc__ and SearchParameters.__doc__:  # absent under python -OO
        parameters = SearchParameters.__doc__.partition("Parameters\n")[2].rstrip()
        estimator.__doc__ = estimator.__doc__.replace(
            "    Attributes\n", f"    Parameters\n{parameters}\n\n    Attributes\n", 1
        )
    return estimator
