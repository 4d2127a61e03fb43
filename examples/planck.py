"""Planck's law from a hundred noisy rows in SI units."""

from __future__ import annotations

import importlib.util
import sys

from balmer import SymbolicRegressor, datasets

BOLTZMANN, PLANCK = 1.380649e-23, 6.62607015e-34


def main(short: bool = False) -> SymbolicRegressor:
    data = datasets.load_planck()
    model = SymbolicRegressor(
        unary_operators=["exp", "log", "square"],
        niterations=4 if short else 40,
        random_state=0,
        verbosity=0,
    )
    model.fit(data.X, data.y, variable_names=data.feature_names)
    print(data.title)
    print(model)
    print(f"\nh / k is {PLANCK / BOLTZMANN:.5g} K s\n")
    predicted, deviation = model.predict(data.X[:3], return_std=True)
    for value, spread in zip(predicted, deviation, strict=True):
        print(f"{value:.3f} +- {spread:.3f}")
    if not short and importlib.util.find_spec("matplotlib"):
        model.plot_pareto().figure.savefig("planck_front.png")
        model.plot_residuals(data.X, data.y).figure.savefig("planck_residuals.png")
    return model


if __name__ == "__main__":
    main("--short" in sys.argv)
