"""The estimator: formulas for a table, in the manner of scikit-learn."""

from __future__ import annotations

import difflib
import functools
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from balmer import _core
from balmer._display import Display
from balmer._results import FrontResults
from balmer._validation import (
    as_weights,
    check_finite_columns,
    check_finite_vector,
    check_names,
    explain_text,
    merge_rows,
)
from balmer.expression import Expression
from balmer.losses import Loss, as_loss
from balmer.operators import OperatorChoice, choose_operators
from balmer.options import search_options, stop_function
from balmer.selection import Front, check_rule

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["SymbolicRegressor"]

_Init = TypeVar("_Init", bound=Callable[..., None])


def _suggesting(init: _Init) -> _Init:
    """Give the TypeError for an unknown keyword the nearest known ones."""
    known = list(inspect.signature(init).parameters)[1:]

    @functools.wraps(init)  # scikit-learn reads the parameters through it
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        for name in kwargs:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=3)
                hint = f": did you mean {' or '.join(map(repr, near))}?" if near else ""
                raise TypeError(f"{type(self).__name__} has no parameter {name!r}{hint}")
        init(self, *args, **kwargs)

    return wrapper  # type: ignore[return-value]


class SymbolicRegressor(FrontResults, MultiOutputMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Finds formulas that predict `y` from the columns of `X`.

    Islands of formulas evolve side by side (M. Cranmer 2023, arXiv:2305.01582); the result is a front: the
    best formula for each complexity. Parameters that PySR has too bear its names and have its meaning and
    defaults.

    Parameters
    ----------
    model_selection : {"dl", "best", "accuracy", "score"}
        Which formula of the front `predict` uses. ``dl``: the one of least description length, the nats that
        it takes to write down the data by means of the formula. ``accuracy``: the smallest loss. ``score``:
        the steepest fall of the logarithm of the loss for each unit of complexity. ``best``: the largest
        score among the formulas whose loss is at most 1.5 times the smallest.
    binary_operators, unary_operators : list of str, optional
        What formulas may be made of: names and aliases of `balmer.operators`, or definitions such as
        ``"inv(x) = 1/x"``. Without both: ``+ - * /``.
    operators : dict of int to list of str, optional
        The same by number of operands, in the place of the other two: ``{1: ["sin"], 2: ["+", "*"], 3:
        ["ifelse"]}``.
    maxsize : int
        Largest complexity.
    maxdepth : int, optional
        Most nodes on a path from the root to a leaf.
    niterations, populations, population_size, ncycles_per_iteration : int
        Size of the search: iterations, islands, formulas on each, cycles of evolution in an iteration.
    elementwise_loss : str or Loss, optional
        What is minimised: the name of a loss (`named_losses`), such as ``"HuberLoss(1.35)"``, or a formula of
        prediction, target and, if it is wanted, weight: ``"loss(p, t, w) = w * abs(p - t)^1.5"``. Without it:
        the weighted mean of squared residuals.
    parsimony : float
        What a unit of complexity costs, in units of the loss of a simple prediction.
    constraints : dict, optional
        Largest complexity of each operand, -1 for any: ``{"^": (-1, 1), "sin": 5}``.
    nested_constraints : dict of dict, optional
        How often an operator may stand below another: ``{"sin": {"sin": 0, "cos": 1}}``.
    complexity_of_operators : dict of str to float, optional
    complexity_of_constants : float, optional
    complexity_of_variables : float or list of float, optional
        What a node counts, if not 1.
    warmup_maxsize_by : float, optional
        Part of the search during which the largest complexity grows from 3 to `maxsize`.
    use_frequency, use_frequency_in_tournament : bool
    adaptive_parsimony_scaling : float
        Complexities that are frequent in the populations count as worse: when mutations are accepted, in
        tournaments, and how much.
    should_simplify : bool
    weight_add_node, weight_insert_node, weight_delete_node, weight_do_nothing, weight_mutate_constant,
    weight_mutate_operator, \
weight_mutate_feature, weight_swap_operands, weight_rotate_tree, weight_randomize, weight_simplify,
    weight_optimize : float
        Relative frequencies of the mutations.
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
    batching : bool or "auto"
    batch_size : int, optional
        Whether to judge candidates on some of the rows; "auto": above 1000 rows.
    seeding : bool
        Whether to look for laws of closed form before evolution starts: sums, products and quotients of
        thousands of simple parts, with their constants. False: evolution alone, as in PySR.
    max_evals : float, optional
    timeout_in_seconds : float, optional
    early_stop_condition : float, str or callable, optional
        When to stop before the last iteration: after so many evaluations; after that time; when a formula of
        the front has a loss below the number, or fulfils ``"stop_if(loss, complexity) = loss < 1e-6 &&
        complexity < 10"``.
    guesses : list of str, optional
        Formulas to start from; their constants are fitted. For more than one target, a list of lists.
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

    Attributes
    ----------
    equations_ : DataFrame, or a list of them for more than one target
        The front: complexity, loss, score, equation, sympy_format, lambda_format.
    fronts_ : list of Front
        The same as objects, one for each target.
    variable_names_ : list of str
    n_features_in_, feature_names_in_ : as in all of scikit-learn
    n_outputs_ : int
    seed_ : int
        The seed that was used.
    stop_reason_ : str
        ``iterations``, ``early_stop``, ``exact`` (a formula is as exact as the numbers are), ``timeout``,
        ``max_evals``, ``interrupted`` or ``constant_target``; of the last target.
    interrupted_ : bool
        Whether Ctrl-C ended the search.
    n_iterations_ : int
    n_evaluations_ : float
    search_seconds_ : float

    Examples
    --------
    >>> import numpy as np
    >>> from balmer import SymbolicRegressor
    >>> X = np.linspace(1, 2, 20).reshape(-1, 1)
    >>> model = SymbolicRegressor(niterations=5, populations=4, random_state=0, verbosity=0)
    >>> model.fit(X, 3 * X[:, 0] ** 2).predict([[3.0]])
    array([27.])
    """

    @_suggesting
    def __init__(
        self,
        model_selection: str = "dl",
        *,
        binary_operators: Sequence[str] | None = None,
        unary_operators: Sequence[str] | None = None,
        operators: Mapping[int, Sequence[str]] | None = None,
        maxsize: int = 30,
        maxdepth: int | None = None,
        niterations: int = 100,
        populations: int = 31,
        population_size: int = 27,
        ncycles_per_iteration: int = 380,
        elementwise_loss: str | Loss | None = None,
        parsimony: float = 0.0,
        constraints: Mapping[str, int | Sequence[int]] | None = None,
        nested_constraints: Mapping[str, Mapping[str, int]] | None = None,
        complexity_of_operators: Mapping[str, float] | None = None,
        complexity_of_constants: float | None = None,
        complexity_of_variables: float | Sequence[float] | None = None,
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
        batching: bool | str = "auto",
        batch_size: int | None = None,
        seeding: bool = True,
        max_evals: float | None = None,
        timeout_in_seconds: float | None = None,
        early_stop_condition: float | str | Callable[[float, int], bool] | None = None,
        guesses: Sequence[Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbosity: int = 1,
        progress: bool = True,
        print_precision: int = 5,
    ) -> None:
        self.model_selection = model_selection
        self.binary_operators = binary_operators
        self.unary_operators = unary_operators
        self.operators = operators
        self.maxsize = maxsize
        self.maxdepth = maxdepth
        self.niterations = niterations
        self.populations = populations
        self.population_size = population_size
        self.ncycles_per_iteration = ncycles_per_iteration
        self.elementwise_loss = elementwise_loss
        self.parsimony = parsimony
        self.constraints = constraints
        self.nested_constraints = nested_constraints
        self.complexity_of_operators = complexity_of_operators
        self.complexity_of_constants = complexity_of_constants
        self.complexity_of_variables = complexity_of_variables
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
        self.batching = batching
        self.batch_size = batch_size
        self.seeding = seeding
        self.max_evals = max_evals
        self.timeout_in_seconds = timeout_in_seconds
        self.early_stop_condition = early_stop_condition
        self.guesses = guesses
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbosity = verbosity
        self.progress = progress
        self.print_precision = print_precision

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        variable_names: Sequence[str] | None = None,
    ) -> SymbolicRegressor:
        """Search for formulas.

        Ctrl-C ends the search and keeps the front found so far, with a RuntimeWarning; `interrupted_` is then
        True.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The columns of a DataFrame keep their names.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Each column gets a front of its own.
        sample_weight : array-like of shape (n_samples,), optional
            Not negative. A row of weight 2 counts as the row twice.
        variable_names : list of str, optional
            Names for the columns, in the place of x0, x1, ... or the DataFrame's. Any text is a name.

        Raises
        ------
        ValueError, TypeError
            For data or parameters that make no sense, with the remedy.
        """
        check_rule(self.model_selection)
        chosen = choose_operators(self.binary_operators, self.unary_operators, self.operators)
        X, y, weights = self._check_data(X, y, sample_weight, variable_names)
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        guesses = self._guesses_by_target()

        self.seed_ = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self.fronts_: list[Front] = []
        self.interrupted_ = False
        self.n_iterations_, self.n_evaluations_, self.search_seconds_ = 0, 0.0, 0.0
        targets = y.reshape(len(y), -1)
        for k in range(self.n_outputs_):
            rows = merge_rows(X, targets[:, k], weights)
            title = f"target {k}" if self.n_outputs_ > 1 else ""
            if self.interrupted_ or rows[1][0] == rows[1][-1]:  # sorted: constant
                self.fronts_.append(self._constant_front(*rows, chosen))
                if not self.interrupted_:
                    self.stop_reason_ = "constant_target"
                    warnings.warn(
                        f"y{f' in column {k}' if title else ''} is constant ({rows[1][0]:.6g} in every row): "
                        "the formula is that constant. Check the target if this is not what you expect",
                        UserWarning,
                        stacklevel=2,
                    )
            else:
                self.fronts_.append(self._search(*rows, chosen, guesses[k], self.seed_ + k, title))
        if self.interrupted_:
            warnings.warn(
                "The search was interrupted: the front is what was found so far", RuntimeWarning, stacklevel=2
            )
        return self

    def _check_data(
        self, X: Any, y: Any, sample_weight: Any, variable_names: Sequence[str] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
        columns = getattr(X, "columns", None)
        if columns is not None and not columns.is_unique:
            check_names(list(columns), len(columns))
        if y is not None:
            target = np.asarray(y)
            if target.dtype.kind == "f":
                check_finite_vector(target, "y")
        try:
            X_array, y_array = validate_data(
                self,
                X,
                y,
                dtype=np.float64,
                order="F",
                multi_output=True,
                y_numeric=True,
                ensure_all_finite=False,
                ensure_min_samples=2,
            )
        except ValueError as error:
            text = explain_text(X) if "convert" in str(error) else None
            if text is None:
                raise
            raise ValueError(text) from error
        names = variable_names if variable_names is not None else getattr(self, "feature_names_in_", None)
        if names is None:
            names = [f"x{j}" for j in range(X_array.shape[1])]
        self.variable_names_ = check_names(names, X_array.shape[1])
        check_finite_columns(X_array, self.variable_names_)
        y_array = np.asarray(y_array, dtype=np.float64)
        check_finite_vector(y_array, "y")
        if y_array.ndim == 2 and y_array.shape[1] == 1:
            y_array = y_array.ravel()
        for j in np.flatnonzero((X_array == X_array[0]).all(axis=0)):
            warnings.warn(
                f"column {self.variable_names_[j]!r} of X is constant ({X_array[0, j]:.6g} in every row): "
                "no formula can tell it from a number. Leave the column out",
                UserWarning,
                stacklevel=3,
            )
        return X_array, y_array, as_weights(sample_weight, len(X_array))

    def _guesses_by_target(self) -> list[Sequence[Any]]:
        guesses = self.guesses
        if guesses is None:
            return [()] * self.n_outputs_
        if isinstance(guesses, (str, Expression)):
            raise ValueError(f"guesses is {guesses!r}: give a list of formulas")
        if self.n_outputs_ == 1:
            return [guesses]
        if len(guesses) != self.n_outputs_ or any(isinstance(g, (str, Expression)) for g in guesses):
            raise ValueError(
                f"y has {self.n_outputs_} columns: guesses must be a list with a list of formulas for each"
            )
        return list(guesses)

    def _constant_front(
        self,
        X: NDArray[np.float64],
        y: NDArray[np.float64],
        weights: NDArray[np.float64] | None,
        chosen: OperatorChoice,
    ) -> Front:
        mean = float(y[0]) if y[0] == y[-1] else float(np.average(y, weights=weights))
        loss = float(np.average((y - mean) ** 2, weights=weights))
        formula = _core.Expression.parse("0", self.variable_names_, chosen.set).with_constants([mean])
        if self.elementwise_loss is not None:
            given = as_loss(self.elementwise_loss, chosen.set.definitions)._core
            fit = _core.fit_constants(formula, X, y, weights, 200, given)
            formula, loss = fit.expression, fit.loss
        complexity = 1 if self.complexity_of_constants is None else round(self.complexity_of_constants)
        return Front([complexity], [loss], [Expression(formula)])

    def _search(
        self,
        X: NDArray[np.float64],
        y: NDArray[np.float64],
        weights: NDArray[np.float64] | None,
        chosen: OperatorChoice,
        guesses: Sequence[Any],
        seed: int,
        title: str,
    ) -> Front:
        options = search_options(self.get_params(deep=False), chosen, self.variable_names_, guesses, seed)
        search = _core.Search(X, y, weights, self.variable_names_, chosen.set, options)
        should_stop = stop_function(self.early_stop_condition)
        stopped_early = False
        display = Display(
            verbosity=self.verbosity, progress=self.progress, precision=self.print_precision, title=title
        )

        def report(progress: _core.Progress) -> bool:
            nonlocal stopped_early
            display.update(progress)
            if should_stop is not None:
                stopped_early = any(should_stop(row.loss, row.complexity) for row in progress.front)
            return not stopped_early

        with display:
            result = search.run(report if display.active or should_stop is not None else None)
        if not result.front and result.reason == "interrupted":
            raise KeyboardInterrupt
        self.stop_reason_ = "early_stop" if stopped_early else result.reason
        self.interrupted_ = result.reason == "interrupted" and not stopped_early
        self.n_iterations_ += result.iterations
        self.n_evaluations_ += result.evaluations
        self.search_seconds_ += result.seconds
        if not result.front:  # no iterations and no guesses
            return self._constant_front(X, y, weights, chosen)
        return Front.of(result.front)

    def predict(self, X: ArrayLike, index: int | Sequence[int] | None = None) -> NDArray[np.float64]:
        """Evaluate the chosen formula.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The features of `fit`: the same order, the same units.
        index : int, or list of int for more than one target
            Rows of `equations_`, in the place of the chosen ones.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the unit of the target; NaN where the formula is undefined, as in ``log(-1)``.
        """
        check_is_fitted(self)
        try:
            X_array: NDArray[np.float64] = validate_data(
                self, X, reset=False, dtype=np.float64, order="F", ensure_all_finite=False
            )
        except ValueError as error:
            text = explain_text(X) if "convert" in str(error) else None
            if text is None:
                raise
            raise ValueError(text) from error
        check_finite_columns(X_array, self.variable_names_)
        columns = [row.expression(X_array) for row in self._chosen(index)]
        return columns[0] if self.n_outputs_ == 1 else np.column_stack(columns)
