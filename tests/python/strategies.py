"""Random formulas and data for the property tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import balmer

N_FEATURES = 3

numbers = st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)
any_finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.lists(
    st.one_of(
        st.sampled_from(["x", "beta", "N", "S", "x y", "sin", "x0", "E", "größe", "a+b", "1", "I"]),
        st.text(
            st.characters(exclude_characters="`", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6
        ),
    ),
    min_size=N_FEATURES,
    max_size=N_FEATURES,
    unique=True,
)


def _call(info: balmer.OperatorInfo, operands: list[str]) -> str:
    return f"{info.name}({', '.join(f'({operand})' for operand in operands)})"


@st.composite
def texts(draw, constants=numbers, smooth=False, max_depth=4):
    """Text of a formula over x0, x1, x2, every operator written as a call."""
    infos = [info for info in balmer.operators() if info.smooth or not smooth]

    def grow(depth: int) -> str:
        kind = draw(st.integers(0, 5)) if depth < max_depth else 0
        if kind <= 1:
            if draw(st.booleans()):
                return f"x{draw(st.integers(0, N_FEATURES - 1))}"
            return repr(draw(constants))
        info = draw(st.sampled_from(infos))
        return _call(info, [grow(depth + 1) for _ in range(info.arity)])

    return grow(0)


def expressions(**kwargs):
    """Formulas over x0, x1, x2."""
    return texts(**kwargs).map(balmer.parse)


@st.composite
def matrices(draw, low=-5.0, high=5.0, max_rows=40):
    """Matrices with a column for each feature, from one row up."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.uniform(low, high, size=(draw(st.integers(1, max_rows)), N_FEATURES))
