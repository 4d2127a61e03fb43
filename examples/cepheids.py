"""The brightness of variable stars from their period (Leavitt 1912), judged by cross-validation."""

from __future__ import annotations

import sys

import numpy as np
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from balmer import SymbolicRegressor, datasets


def main(short: bool = False) -> float:
    data = datasets.load_leavitt()
    print(data.title)
    model = SymbolicRegressor(
        unary_operators=["log", "exp"],
        maxsize=10,
        niterations=2 if short else 20,
        populations=8,
        random_state=0,
        verbosity=0,
    )
    model.fit(data.X, data.y, variable_names=data.feature_names)
    print(model)
    pipeline = make_pipeline(FunctionTransformer(np.log), model.set_params(unary_operators=None))
    folds = KFold(5, shuffle=True, random_state=0)
    scores = cross_val_score(pipeline, data.X, data.y, cv=folds)
    print(f"\nR^2 on stars that were left out: {scores.mean():.3f}")
    return float(scores.mean())


if __name__ == "__main__":
    main("--short" in sys.argv)
