"""C code as a library that a test may call."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest


def shared_library(folder: Path, source: str, *options: str) -> ctypes.CDLL:
    """Compile the text and load what comes of it; the test is skipped where there is no compiler."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    code, library = folder / "code.c", folder / "code.so"
    code.write_text(source)
    subprocess.run(
        ["cc", "-O1", "-shared", "-fPIC", *options, str(code), "-o", str(library), "-lm"], check=True
    )
    return ctypes.CDLL(str(library))
