"""Kepler's third law from the data of his time: the period of a planet from its distance."""

from __future__ import annotations

import sys

import numpy as np

from balmer import SymbolicRegressor, datasets


def main(short: bool = False) -> SymbolicRegressor:
    data = datasets.load_kepler()
    model = SymbolicRegressor(
        unary_operators=["sqrt", "square"], niterations=5 if short else 40, random_state=0, verbosity=0
    )
    model.fit(data.X, data.y, variable_names=data.feature_names)
    print(data.title)
    print(model)
    error = np.max(np.abs(model.predict(data.X) / data.y - 1))
    print(f"\n{data.target_name} = {model.expression()}, off by at most {error:.1%}\n")
    print(model.source("c", name="period"))
    return model


if __name__ == "__main__":
    main("--short" in sys.argv)
