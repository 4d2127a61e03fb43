"""DataFrames of pandas and polars: names, categories, dates, missing values."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import balmer

RNG = np.random.default_rng(11)
X = RNG.uniform(0.5, 2, size=(40, 2))
Y = X[:, 0] * X[:, 1] + 1
METALS = ["iron", "lead"] * 20


def model(**params):
    defaults = {"niterations": 3, "populations": 4, "random_state": 0, "verbosity": 0}
    return balmer.SymbolicRegressor(**{**defaults, **params})


def pandas_frame(**more):
    return pd.DataFrame({"mass": X[:, 0], "area": X[:, 1], **more})


def polars_frame(**more):
    return pl.DataFrame({"mass": X[:, 0], "area": X[:, 1], **more})


BOTH = pytest.mark.parametrize("frame", [pandas_frame, polars_frame])


@BOTH
def test_names_are_kept(frame):
    fitted = model().fit(frame(), Y)
    assert list(fitted.feature_names_in_) == ["mass", "area"]
    assert {symbol.name for symbol in fitted.sympy().free_symbols} == {"mass", "area"}
    np.testing.assert_array_equal(fitted.predict(frame()), fitted.expression()(X))


@BOTH
def test_an_array_has_no_names(frame):
    refitted = model().fit(frame(extra=np.arange(40.0)), Y).fit(X, Y)
    assert not hasattr(refitted, "feature_names_in_")
    assert refitted.n_features_in_ == 2
    assert {symbol.name for symbol in refitted.sympy().free_symbols} == {"x0", "x1"}


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.longdouble, np.int64, np.uint8])
def test_arrays_of_any_numbers(kind):
    X = RNG.integers(1, 9, size=(30, 2)).astype(kind)
    y = (2 * X[:, 0] + X[:, 1]).astype(kind)
    listed = model().fit(X.tolist(), y.tolist())
    for order in "CF":
        fitted = model().fit(np.array(X, order=order), y[:, None])
        assert [str(row.expression) for row in fitted.fronts_[0]] == [
            str(row.expression) for row in listed.fronts_[0]
        ]


@BOTH
def test_an_expression_takes_the_columns_by_name(frame):
    law = balmer.parse("mass - 2 * area", ["mass", "area"])
    data = frame(other=1.0)
    swapped = data[["area", "other", "mass"]]
    np.testing.assert_array_equal(law(swapped), X[:, 0] - 2 * X[:, 1])


def test_everything_may_be_of_polars():
    target = pl.DataFrame({"p": Y, "q": -Y})
    weights = pl.Series(np.ones(40))
    fitted = model().fit(polars_frame(), target, sample_weight=weights)
    assert fitted.n_outputs_ == 2
    np.testing.assert_allclose(fitted.predict(polars_frame()), np.column_stack([Y, -Y]), atol=1e-8)
    assert fitted.score(polars_frame(), target) > 1 - 1e-12
    smooth = model(denoise=True, maxsize=5).fit(polars_frame(), pl.Series(Y), Xresampled=polars_frame()[:20])
    assert smooth.predict(polars_frame()).shape == (40,)


@BOTH
def test_truth_values_are_numbers(frame):
    heavy = X[:, 0] > 1
    fitted = model().fit(frame(heavy=heavy)[["area", "heavy"]], X[:, 1] + 3.0 * heavy)
    np.testing.assert_allclose(fitted.predict(frame(heavy=heavy)[["area", "heavy"]]), X[:, 1] + 3.0 * heavy)


CATEGORIES = "column 'kind' of X holds categories: leave .*OneHotEncoder in a ColumnTransformer"
TEXT = r"column 'kind' of X holds text \('iron' in row 0\): leave .*OneHotEncoder in a ColumnTransformer"
DATES = "column 'kind' of X holds dates or times: leave .* seconds since the first row"
DAYS = [datetime.datetime(2020, 1, 1) + datetime.timedelta(days=k) for k in range(40)]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pandas_frame(kind=pd.Categorical(METALS)), CATEGORIES),
        (pandas_frame(kind=METALS), TEXT),
        (pandas_frame(kind=DAYS), DATES),
        (pandas_frame(kind=pd.to_timedelta(range(40), unit="s")), DATES),
        (polars_frame(kind=pl.Series(METALS, dtype=pl.Categorical)), CATEGORIES),
        (polars_frame(kind=pl.Series(METALS, dtype=pl.Enum(["iron", "lead"]))), CATEGORIES),
        (polars_frame(kind=METALS), TEXT),
        (polars_frame(kind=DAYS), DATES),
        (polars_frame(kind=[day.date() for day in DAYS]), DATES),
    ],
)
def test_what_is_no_number_is_named(frame, message):
    with pytest.raises(ValueError, match=message):
        model().fit(frame, Y)


@pytest.mark.parametrize(
    "frame",
    [
        pandas_frame(third=pd.array([1, None] * 20, dtype="Int64")),
        polars_frame(third=pl.Series([1, None] * 20)),
    ],
)
def test_missing_values_are_named(frame):
    with pytest.raises(ValueError, match=r"NaN in row 1, column 'third' \(20 such rows\): .*SimpleImputer"):
        model().fit(frame, Y)


@BOTH
def test_categories_may_be_encoded_in_a_pipeline(frame):
    lead = np.array([metal == "lead" for metal in METALS])
    target = 2 * X[:, 0] + 3 * lead
    columns = ColumnTransformer(
        [("metal", OneHotEncoder(drop="if_binary", sparse_output=False), ["metal"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    columns.set_output(transform="pandas")
    pipeline = make_pipeline(columns, model()).fit(frame(metal=METALS), target)
    np.testing.assert_allclose(pipeline.predict(frame(metal=METALS)), target, atol=1e-8)
    assert {s.name for s in pipeline[-1].sympy().free_symbols} == {"metal_lead", "mass"}
