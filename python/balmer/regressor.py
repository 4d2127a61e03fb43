"""The estimator: formulas for a table, in the manner of scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from balmer._course import Before, Course
from balmer._data import Table, check_table, denoised, named_constants, resampled, select_features
from balmer._dimensions import DataUnits
from balmer._exporting import Exporting
from balmer._html import Notebook
from balmer._parameters import SearchParameters, documented, suggesting
from balmer._plots import Plotting
from balmer._results import FrontResults, SearchRecord, TargetResult
from balmer._saving import Saving
from balmer._search import Searches
from balmer._uncertainty import Uncertainty
from balmer._validation import check_finite_columns, explain_text
from balmer.operators import OperatorChoice, choose_operators
from balmer.options import check_choices
from balmer.selection import Front
from balmer.templates import check_categories

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["SymbolicRegressor"]


@documented
class SymbolicRegressor(
    FrontResults,
    Saving,
    Exporting,
    Plotting,
    Notebook,
    MultiOutputMixin,  # type: ignore[misc]
    RegressorMixin,  # type: ignore[misc]
    SearchParameters,
):
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
    states_ : list of str
        The state of each search, from which `warm_start` and `resume` go on.
    uncertainties_ : list of list of Uncertainty
        Of each formula, from which `predict` has standard deviations.
    n_finished_ : int
        Targets whose search came to its end.
    selection_mask_ : ndarray of shape (n_features,)
        Which columns `select_k_features` kept.
    run_id_, output_directory_ : str
        Where checkpoints are, if `output_directory` was given.
    variable_names_ : list of str
    categories_ : dict of int to int
        With an `expression_spec` that looks up parameters: by the column of X that tells the category, how
        many there are.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if X was a DataFrame.
    n_outputs_ : int
    X_units_ : dict of str to str, or None
    y_units_ : list of str, or None
        Units by the names of the columns, and of the targets, if `fit` had some.
    seed_ : int
        The seed that was used.
    stop_reason_ : str
        ``iterations``, ``early_stop``, ``exact`` (a formula is as exact as the numbers are), ``timeout``,
        ``max_evals``, ``interrupted``, ``settled`` (a formula explains what fewer than 12 rows of
        measurements can tell, or leaves only noise, and 25 iterations found nothing better) or
        ``constant_target``; of the last target.
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

    @suggesting
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        variable_names: Sequence[str] | None = None,
        Xresampled: ArrayLike | None = None,
        X_units: Sequence[Any] | Mapping[str, Any] | None = None,
        y_units: Any = None,
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
        Xresampled : array-like of shape (n_other_samples, n_features), optional
            With `denoise`: the rows at which to take the smoothed target, in the place of those of `X`.
        X_units : list of str, or dict of str to str, optional
            The unit of each column, such as ``["kg", "m/s^2"]``, or units by the names of columns and
            `named_constants`; columns that a dict leaves out are numbers. None in the place of a unit: any.
            Only dimensions matter: ``"km"`` is ``"m"``, and no value is rescaled. See `balmer.dimension`.
        y_units : str, or list of str for more than one target, optional
            The unit of the target; without it, any.

        Raises
        ------
        ValueError, TypeError
            For data or parameters that make no sense, with the remedy.
        """
        return self._fit(X, y, sample_weight, variable_names, Xresampled, (X_units, y_units), going_on=False)

    def resume(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        variable_names: Sequence[str] | None = None,
        Xresampled: ArrayLike | None = None,
    ) -> SymbolicRegressor:
        """Bring a fit to its end that was interrupted: by Ctrl-C, or by the end of a process (see `load`).

        The front is that of a fit that nothing interrupted, if the checkpoint was written between two
        iterations, as all are but one after Ctrl-C.

        Parameters
        ----------
        X, y, sample_weight, variable_names, Xresampled
            What `fit` was given: the same rows. The units are those of `fit`.

        Raises
        ------
        ValueError
            If they are others, or if there is nothing to go on from.
        """
        if not getattr(self, "states_", None):
            raise ValueError("there is no fit to go on with: call fit, or load a checkpoint")
        if self.n_finished_ == self.n_outputs_:
            raise ValueError("the fit came to its end: for more iterations, set warm_start=True and call fit")
        units = (getattr(self, "X_units_", None), getattr(self, "y_units_", None))
        return self._fit(X, y, sample_weight, variable_names, Xresampled, units, going_on=True)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        variable_names: Sequence[str] | None,
        Xresampled: Any,
        units: tuple[Any, Any],
        going_on: bool,
    ) -> SymbolicRegressor:
        check_choices(self.get_params(deep=False))
        chosen = choose_operators(self.binary_operators, self.unary_operators, self.operators, self.exponents)
        before = Before.of(self) if self.warm_start or going_on else None
        table = self._table(X, y, sample_weight, variable_names, Xresampled, units, before, chosen)
        if before is not None and not before.fits(self):
            if going_on:
                raise ValueError(
                    f"the interrupted fit had {before.n_features} columns and {before.n_outputs} targets, "
                    f"not {self.n_features_in_} and {self.n_outputs_}: give the same data"
                )
            before = None
        self.categories_ = self._categories(table, chosen)
        guesses = self._guesses_by_target()

        self._begin(before.finished() if before is not None and going_on else [])
        course = Course(self, going_on)
        course.start()
        searches = Searches(self, table, chosen, course, before)
        for target in range(self.n_finished_, self.n_outputs_):
            self._add(searches.run(target, guesses[target]))
            self.n_finished_ += not self.interrupted_
        course.end()
        if self.interrupted_:
            warnings.warn(
                "The search was interrupted: the front is what was found so far", RuntimeWarning, stacklevel=3
            )
        return self

    def _begin(self, finished: Sequence[TargetResult]) -> None:
        """Start with the results of the targets whose search has come to its end already."""
        self.fronts_: list[Front] = []
        self.states_: list[str] = []
        self.search_records_: list[list[SearchRecord]] = []
        self.uncertainties_: list[list[Uncertainty]] = []
        for result in finished:
            self._add(result)
        self.n_finished_ = len(finished)
        self.interrupted_ = False
        self.n_iterations_, self.n_evaluations_, self.search_seconds_ = 0, 0.0, 0.0

    def _add(self, result: TargetResult) -> None:
        self.fronts_.append(result.front)
        self.states_.append(result.state)
        self.search_records_.append(result.records)
        self.uncertainties_.append(result.uncertainties)

    def _table(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        variable_names: Sequence[str] | None,
        Xresampled: Any,
        units: tuple[Any, Any],
        before: Before | None,
        chosen: OperatorChoice,
    ) -> Table:
        spec = self.expression_spec
        if spec is not None and variable_names is None and not hasattr(X, "columns"):
            variable_names = spec.variable_names
        X, y, weights, names = check_table(self, X, y, sample_weight, variable_names)
        self.variable_names_ = names
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        targets = y.reshape(len(y), -1)
        self.seed_ = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        if before is not None and before.fits(self):
            self.seed_ = before.seed
        rows_wanted = resampled(Xresampled, self.denoise, X.shape[1], names, weights)
        self.selection_mask_ = select_features(self.select_k_features, X, y, self.seed_)
        if not self.selection_mask_.all():
            X = X[:, self.selection_mask_]
        if self.denoise:
            at = rows_wanted(X)
            at = at if at is X or self.selection_mask_.all() else at[:, self.selection_mask_]
            targets = denoised(X, targets, at, self.seed_)
            X = at
        fixed, _ = named_constants(self.named_constants, names)
        known = DataUnits.of(*units, names, list(fixed), self.n_outputs_)
        self.X_units_ = known.columns if known else None
        self.y_units_ = known.targets if known else None
        places = [int(j) for j in np.flatnonzero(self.selection_mask_)]
        columns = np.hstack([X, np.tile(list(fixed.values()), (len(X), 1))]) if fixed else X
        return Table(
            X=np.asfortranarray(columns),
            targets=targets,
            weights=weights,
            names=[*(names[j] for j in places), *fixed],
            places=places,
            fixed=fixed,
            powers=chosen.powers,
            units=known,
        )

    def _categories(self, table: Table, chosen: OperatorChoice) -> dict[int, int]:
        if self.expression_spec is None:
            return {}
        template = self.expression_spec.over(self.variable_names_, table).compiled(chosen)
        return {table.places[j]: size for j, size in template.categories if j < len(table.places)}

    def _guesses_by_target(self) -> list[Sequence[Any]]:
        guesses = self.guesses
        if guesses is None:
            return [()] * self.n_outputs_
        if not isinstance(guesses, (list, tuple)):
            raise ValueError(f"guesses is {guesses!r}: give a list of formulas")
        if self.n_outputs_ == 1:
            return [guesses]
        if len(guesses) != self.n_outputs_ or not all(isinstance(g, (list, tuple)) for g in guesses):
            raise ValueError(
                f"y has {self.n_outputs_} columns: guesses must be a list with a list of formulas for each"
            )
        return list(guesses)

    @overload
    def predict(
        self, X: ArrayLike, index: int | Sequence[int] | None = ..., *, return_std: Literal[False] = ...
    ) -> NDArray[np.float64]: ...
    @overload
    def predict(
        self, X: ArrayLike, index: int | Sequence[int] | None = ..., *, return_std: Literal[True]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def predict(
        self, X: ArrayLike, index: int | Sequence[int] | None = None, *, return_std: bool = False
    ) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Evaluate the chosen formula.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The features of `fit`: the same order, the same units.
        index : int, or list of int for more than one target
            Rows of `equations_`, in the place of the chosen ones.
        return_std : bool
            Whether to return also the standard deviation of a new target at each row: the noise around the
            formula and the uncertainty of its constants, to first order. That the formula itself was chosen
            among many is not in it.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the unit of the target; NaN where the formula is undefined, as in ``log(-1)``.
        std : ndarray of the same shape
            Only with `return_std`.

        Raises
        ------
        ValueError
            For a standard deviation after a fit by another loss than least squares.
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
        check_categories(X_array, getattr(self, "categories_", {}), self.variable_names_)
        chosen = list(enumerate(self._chosen_places(index)))  # a killed fit may not have come to all targets
        predicted = self._side_by_side([self.fronts_[k][row].expression(X_array) for k, row in chosen])
        if not return_std:
            return predicted
        known = [len(of) == len(front) for of, front in zip(self.uncertainties_, self.fronts_, strict=False)]
        if len(known) < self.n_outputs_ or not all(known):
            raise ValueError(
                "return_std is True, but there are no uncertainties: they come from a finished fit by "
                "least squares"
            )
        deviations = [
            self.uncertainties_[k][row].of(self.fronts_[k][row].expression, X_array) for k, row in chosen
        ]
        return predicted, self._side_by_side(deviations)

    def _side_by_side(self, columns: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return columns[0] if self.n_outputs_ == 1 else np.column_stack(columns)

    def refit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> SymbolicRegressor:
        """Fit the constants of all formulas to other data; nothing is searched.

        The front may lose formulas that others now beat. `warm_start` goes on from the new front.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`: the same columns.

        Returns
        -------
        self : SymbolicRegressor
        """
        check_is_fitted(self)
        spec = self.expression_spec
        formulas: list[Any] = [
            [guess for row in front if (guess := str(row.expression) if spec is None else row.parts)]
            for front in self.fronts_
        ]
        other = clone(self).set_params(
            niterations=0,
            seeding=False,
            guesses=formulas if self.n_outputs_ > 1 else formulas[0],
            select_k_features=None,
            denoise=False,
            warm_start=False,
            output_directory=None,
            run_id=None,
            callbacks=None,
            early_stop_condition=None,
        )
        names = None if hasattr(self, "feature_names_in_") else self.variable_names_
        other.fit(X, y, sample_weight=sample_weight, variable_names=names)
        if (other.n_features_in_, other.n_outputs_) != (self.n_features_in_, self.n_outputs_):
            raise ValueError(
                f"X and y have {other.n_features_in_} and {other.n_outputs_} columns, but the formulas are "
                f"of {self.n_features_in_} and {self.n_outputs_}"
            )
        self.fronts_, self.uncertainties_ = other.fronts_, other.uncertainties_
        self.states_ = [""] * self.n_outputs_
        self.n_finished_ = self.n_outputs_
        return self
