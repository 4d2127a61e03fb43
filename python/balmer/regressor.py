"""The estimator: formulas for a table, in the manner of scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from balmer import _core
from balmer._display import Display
from balmer._parameters import SearchParameters, documented
from balmer._results import FrontResults, SearchRecord
from balmer._validation import (
    as_weights,
    check_finite_columns,
    check_finite_vector,
    check_names,
    explain_text,
    merge_rows,
)
from balmer.expression import Expression
from balmer.losses import as_loss
from balmer.operators import OperatorChoice, choose_operators
from balmer.options import search_options, stop_function
from balmer.selection import Front, FrontRow, check_rule

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["SymbolicRegressor"]


@documented
class SymbolicRegressor(FrontResults, MultiOutputMixin, RegressorMixin, SearchParameters):  # type: ignore[misc]
    """Finds formulas that predict `y` from the columns of `X`.

    Islands of formulas evolve side by side (M. Cranmer 2023, arXiv:2305.01582); the result is a front: the
    best formula for each complexity. Parameters that PySR has too bear its names and have its meaning and
    defaults.

    Attributes
    ----------
    equations_ : DataFrame, or a list of them for more than one target
        The front: complexity, loss, score, dl, bic, r2, with ``model_selection="cv"`` also cv and cv_error;
        equation, standard_errors of its constants, sympy_format, lambda_format.
    search_log_ : DataFrame, or a list of them
        Which stage found what after how much work.
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
        check_rule(self._rule)
        chosen = choose_operators(self.binary_operators, self.unary_operators, self.operators)
        X, y, weights = self._check_data(X, y, sample_weight, variable_names)
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        guesses = self._guesses_by_target()

        self.seed_ = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self.fronts_: list[Front] = []
        self.search_records_: list[list[SearchRecord]] = []
        self.interrupted_ = False
        self.n_iterations_, self.n_evaluations_, self.search_seconds_ = 0, 0.0, 0.0
        targets = y.reshape(len(y), -1)
        for k in range(self.n_outputs_):
            rows = merge_rows(X, targets[:, k], weights)
            title = f"target {k}" if self.n_outputs_ > 1 else ""
            if self.interrupted_ or rows[1][0] == rows[1][-1]:  # sorted: constant
                self.fronts_.append(self._constant_front(*rows, chosen))
                self.search_records_.append([])
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
        r2 = 1.0 if y[0] == y[-1] and loss == 0 else 0.0
        row = FrontRow(complexity, loss, 0.0, Expression(formula), r2=r2)
        return Front.of_rows([row])

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
        self.search_records_.append([SearchRecord.of(entry) for entry in result.log])
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
