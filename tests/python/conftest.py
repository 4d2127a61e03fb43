"""What all tests share: the profile of hypothesis, and which tests belong to the core."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Read by scipy when it is imported: without it scikit-learn leaves out its check of array namespaces.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# Machines that run the tests are shared, so a slow example is no failure. In CI the examples are always the
# same.
settings.register_profile("balmer", deadline=None, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("balmer")

# Files whose tests depend on the instruction set: CI runs them once for each (marker `core`).
CORE = {"test_evaluate.py", "test_expression.py", "test_fit.py", "test_kernels.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in CORE:
            item.add_marker(pytest.mark.core)


@pytest.fixture(autouse=True)
def interrupts_are_heard() -> Iterator[None]:
    """A process that was started in the background may ignore Ctrl-C, and some libraries take its handler."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the source tree."""
    return Path(__file__).resolve().parents[2]
