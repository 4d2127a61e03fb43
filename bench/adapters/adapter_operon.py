"""Operon through pyoperon (PyPI, single precision): the same five functions, and its Levenberg-Marquardt."""

import time
from types import SimpleNamespace

import numpy as np
import pyoperon as operon
import trees as tree_format

_TYPES = {
    "+": "Add", "-": "Sub", "*": "Mul", "/": "Div",
    "pow": "Pow", "tan": "Tan", "abs": "Abs", "square": "Square",
    "sin": "Sin", "cos": "Cos", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "tanh": "Tanh",
}  # fmt: skip


def info():
    return {"engine": "operon", "version": operon.Version().strip().replace("\n", "; ")}


def dtypes():
    return ["float32"]


def _second_operand_first(tree):
    """Operon's order: the first operand is right before its operator. Constants keep their number."""
    stack, constants = [], 0
    for token in tree:
        if token in tree_format.BINARY:
            right = stack.pop()
            stack.append(right + stack.pop() + [(token, None)])
        elif token in tree_format.UNARY:
            stack.append([*stack.pop(), (token, None)])
        else:
            stack.append([(token, constants if tree_format.is_constant(token) else None)])
            constants += tree_format.is_constant(token)
    return stack[-1]


def _to_operon(tree, hashes):
    nodes = []
    for token, _ in _second_operand_first(tree):
        if tree_format.is_constant(token):
            node = operon.Node.Constant(float(token))
        elif token in _TYPES:
            node = operon.Node(getattr(operon.NodeType, _TYPES[token]))
        else:
            node = operon.Node(operon.NodeType.Variable)
            node.HashValue = node.CalculatedHashValue = hashes[int(token[1:])]
            node.Value = 1.0
            node.Optimize = False  # its weight is no constant of the tree
        nodes.append(node)
    return operon.Tree(nodes).UpdateNodes()


def _hashes(dataset):
    return [v.Hash for v in sorted(dataset.Variables, key=lambda v: v.Index)]


def prepare(trees, X, dtype="float32"):
    if dtype != "float32":
        raise ValueError("the wheel of pyoperon is a float32 build")
    columns = np.asfortranarray(X, dtype=np.float32)
    dataset = operon.Dataset(columns)
    hashes = _hashes(dataset)
    return SimpleNamespace(
        X=columns,  # the dataset refers to it
        dataset=dataset,
        trees=[_to_operon(tree, hashes) for tree in trees],
        rows=operon.Range(0, len(X)),
        out=np.ones((len(trees), len(X)), dtype=np.float32),
    )


def run(handle, threads):
    operon.EvaluateTrees(handle.trees, handle.dataset, handle.rows, handle.out, threads)


def result(handle):
    return handle.out


class Fits:
    def __init__(self, X, cases):
        self.cases = cases
        self.columns = np.asfortranarray(np.column_stack([X, *[y for *_, y in cases]]).astype(np.float32))
        self.dataset = operon.Dataset(self.columns)
        self.variables = sorted(self.dataset.Variables, key=lambda v: v.Index)
        self.n_features = X.shape[1]
        self.problem = operon.Problem(self.dataset)
        self.problem.TrainingRange = self.problem.TestRange = operon.Range(0, len(X))
        self.table = operon.DispatchTable()
        self.random = operon.RandomGenerator(1)
        hashes = _hashes(self.dataset)
        self.starts = [
            _to_operon(tree_format.with_constants(tree, start), hashes) for tree, _, start, _ in cases
        ]

    def fit_all(self, steps):
        optimizer = operon.LMOptimizer(self.table, self.problem, steps, 0)
        coefficients = operon.CoefficientOptimizer(optimizer)
        seconds, fitted = [], []
        for i, ((tree, constants, *_), start) in enumerate(zip(self.cases, self.starts, strict=True)):
            self.problem.Target = self.variables[self.n_features + i]
            begin = time.process_time()
            found, _ = coefficients(self.random, start)
            seconds.append(time.process_time() - begin)
            values = np.empty(len(constants))
            numbers = [number for _, number in _second_operand_first(tree) if number is not None]
            values[numbers] = [node.Value for node in found.Nodes if node.IsConstant]
            fitted.append(tree_format.with_constants(tree, values))
        return seconds, fitted
