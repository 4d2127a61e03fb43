"""The certified problems of NIST through `balmer.fit_constants` (far starts: tests/cpp/fit/test_nist.cpp)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import balmer

PROBLEMS = json.loads((Path(__file__).parent.parent / "data" / "nist.json").read_text())["problems"]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem["name"])
def test_certified_values_from_the_near_start(problem: dict[str, Any]) -> None:
    arguments = [f"x{j}" for j in range(len(problem["x"]))]
    arguments += [repr(float(value)) for value in problem["start_2"]]
    name = problem["model"].split("(")[0]
    expression = balmer.parse(f"{name}({', '.join(arguments)})", definitions=[problem["model"]])
    X = np.array(problem["x"]).T
    fit = balmer.fit_constants(expression, X, problem["y"], max_iterations=500)
    np.testing.assert_allclose(fit.expression.constants, problem["certified"], rtol=1e-9)
    # In doubles the residuals of Lanczos1, 4e-14 of y, have three digits.
    digits = 1e-2 if problem["name"] == "Lanczos1" else 1e-6
    np.testing.assert_allclose(fit.standard_errors, problem["standard_deviations"], rtol=digits)
