"""Hubble's law of 1929: the speed of galaxies from their distance, by least squares and by a robust loss."""

from __future__ import annotations

import sys

from balmer import SymbolicRegressor, datasets


def main(short: bool = False) -> list[SymbolicRegressor]:
    data = datasets.load_hubble()
    print(data.title)
    models = []
    for loss in (None, "L1DistLoss"):
        model = SymbolicRegressor(
            elementwise_loss=loss, maxsize=10, niterations=3 if short else 30, random_state=0, verbosity=0
        )
        model.fit(data.X, data.y, variable_names=data.feature_names)
        print(f"\nby {loss or 'least squares'}")
        print(model)
        models.append(model)
    best = models[0].get_best()
    print(f"\n{best.equation}, standard errors of its constants: {best.standard_errors}")
    return models


if __name__ == "__main__":
    main("--short" in sys.argv)
