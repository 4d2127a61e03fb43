"""The lines of hydrogen (Rydberg) with an operator of one's own, a log and checkpoints."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from balmer import SymbolicRegressor, datasets
from balmer.callbacks import CSVLogger


def main(short: bool = False) -> SymbolicRegressor:
    data = datasets.load_rydberg()
    print(data.title)
    with tempfile.TemporaryDirectory() as folder:
        model = SymbolicRegressor(
            unary_operators=["invsquare(n) = 1 / (n * n)", "inv"],
            niterations=4 if short else 40,
            random_state=0,
            verbosity=0,
            output_directory=folder,
            run_id="hydrogen",
            callbacks=[CSVLogger(Path(folder, "course.csv"))],
        )
        model.fit(data.X, data.y, variable_names=data.feature_names)
        again = SymbolicRegressor.load(Path(folder, "hydrogen"), callbacks=None)
    print(again)
    error = np.max(np.abs(again.predict(data.X) / data.y - 1))
    print(f"\n{data.target_name} = {again.expression()}, off by at most {error:.2%}")
    return again


if __name__ == "__main__":
    main("--short" in sys.argv)
