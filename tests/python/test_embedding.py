"""balmer's C interface from Python's side: a Cython module that is compiled here, and ctypes."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import balmer
from balmer import _core

SOURCE = Path(__file__).resolve().parents[1] / "embedding" / "laws.pyx"
INCLUDE = Path(balmer.get_include())


def function_names() -> list[str]:
    lines = (INCLUDE / "balmer" / "c_api_functions.def").read_text().splitlines()
    return [line[len("BALMER_FUNCTION(") : -1] for line in lines if line.startswith("BALMER_FUNCTION(")]


@pytest.fixture(scope="module")
def laws(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The module in tests/embedding, compiled."""
    pytest.importorskip("Cython")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not Path(sysconfig.get_path("include"), "Python.h").exists():
        pytest.skip("needs a C compiler and Python.h")
    folder = tmp_path_factory.mktemp("embedding")
    source = folder / "laws.c"
    package = Path(balmer.__file__).parents[1]
    subprocess.run(
        [sys.executable, "-m", "cython", "-I", str(package), str(SOURCE), "-o", str(source)], check=True
    )
    target = folder / f"laws{sysconfig.get_config_var('EXT_SUFFIX')}"
    includes = [f"-I{path}" for path in (sysconfig.get_path("include"), INCLUDE)]
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", *includes, str(source), "-o", str(target)], check=True
    )
    spec = importlib.util.spec_from_file_location("laws", target)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cython_evaluates_without_the_interpreter(laws: ModuleType) -> None:
    X = np.asfortranarray(np.random.default_rng(0).normal(size=(1000, 3)))
    text = "sin(x0) * x2 + exp(x1) / 3.25"
    values = np.empty(1000)
    laws.Law(text)(X, values, n_threads=2)
    np.testing.assert_array_equal(values, balmer.evaluate([balmer.parse(text)], X)[0])


def test_cython_sees_the_messages_of_the_core(laws: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"sine.*sin"):
        laws.Law("sine(x0)")
    with pytest.raises(ValueError, match="feature 3"):
        laws.Law("x3")(np.ones((2, 1), order="F"), np.empty(2))


def test_ctypes_reads_a_formula() -> None:
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype = ctypes.c_void_p
    pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    table = pointer(_core._c_api, b"balmer._core._c_api")
    head = ctypes.cast(table, ctypes.POINTER(ctypes.c_int))
    assert head[0] == 1
    names = function_names()
    assert ctypes.cast(table, ctypes.POINTER(ctypes.c_size_t))[1] == 8 * (2 + len(names))
    addresses = ctypes.cast(table + 16, ctypes.POINTER(ctypes.c_void_p))

    def function(name: str, result: type | None, *arguments: type) -> ctypes._CFuncPtr:
        address = addresses[names.index(name)]
        assert address is not None
        return ctypes.CFUNCTYPE(result, *arguments)(address)

    void, size = ctypes.c_void_p, ctypes.c_size_t
    version = function("balmer_version", ctypes.c_char_p)
    assert version().decode().count(".") == 2
    parse = function("balmer_parse", void, ctypes.c_char_p, void, size, void, void)
    text = function(
        "balmer_expression_text",
        ctypes.c_ssize_t,
        void,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_char_p,
        size,
        void,
    )
    free = function("balmer_expression_free", None, void)
    law = parse(b"2 * x0 ^ 1.5", None, 0, None, None)
    buffer = ctypes.create_string_buffer(64)
    assert text(law, 0, 17, buffer, 64, None) == 12
    assert buffer.value == b"2 * x0 ^ 1.5"
    free(law)
    assert parse(b"2 *", None, 0, None, None) is None


def test_the_table_and_the_pxd_have_every_function_of_the_header() -> None:
    header = (INCLUDE / "balmer" / "c_api.h").read_text()
    declared = [
        line.split("(")[0].split()[-1].lstrip("*")
        for line in header.splitlines()
        if line.startswith("BALMER_C_API ")
    ]
    assert sorted(function_names()) == sorted(declared)  # the header goes by subject, the table by age
    pxd = (Path(balmer.__file__).parent / "c_api.pxd").read_text()
    assert [name for name in declared if f'{name} "balmer_functions_->{name}"(' not in pxd] == []
