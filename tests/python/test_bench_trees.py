"""bench/trees.py: what the engines are measured on means the same to balmer as to numpy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import balmer

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import trees  # noqa: E402


@pytest.mark.parametrize("token", [*trees.BINARY, *trees.UNARY])
def test_every_operator_of_a_tree_has_the_values_of_numpy(token: str) -> None:
    X = trees.rows(3, 50, 2)
    tree = ["x0", "x1", token] if token in trees.BINARY else ["x1", "x0", "-", token]
    values = balmer.parse(trees.to_text(tree))(X)
    np.testing.assert_allclose(values, trees.evaluate(tree, X), rtol=1e-14, atol=1e-15)


def test_a_file_of_trees_is_read_as_it_was_written(tmp_path: Path) -> None:
    some = trees.tree_set("full", count=20)
    (tmp_path / "some.jsonl").write_text("".join(json.dumps(tree) + "\n" for tree in some))
    assert trees.load(tmp_path / "some.jsonl") == some
