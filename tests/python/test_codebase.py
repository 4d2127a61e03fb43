"""The rules of the house that a program can check: see docs/architecture.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import balmer

ROOT = Path(__file__).resolve().parents[2]

# Each module may include itself and those before it.
MODULES = ("core", "math", "expr", "eval", "fit", "evolve", "search", "c_api")

CPP_SUFFIXES = {".cpp", ".hpp", ".inl", ".h", ".def"}
TEXT_SUFFIXES = CPP_SUFFIXES | {".py", ".pyi", ".pxd", ".md", ".toml", ".cmake", ".txt", ".sh", ".in", ""}
MAX_LINES = 600


def tracked_files() -> list[Path]:
    """All text files of the tree, without what builds leave behind."""
    skip = {".git", ".venv", "build", "dist", "__pycache__"}
    skip |= {".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "data", "corpus"}
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in skip]
        found += [Path(folder, name) for name in names if name != ".git"]  # a file in linked work trees
    return sorted(path for path in found if path.suffix in TEXT_SUFFIXES)


def cpp_files(*folders: str) -> list[Path]:
    return [path for path in tracked_files() if path.suffix in CPP_SUFFIXES and is_below(path, *folders)]


def is_below(path: Path, *folders: str) -> bool:
    return any(path.is_relative_to(ROOT / folder) for folder in folders)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str | None:
    """The module of a C++ file of the library; None for headers that stand above all modules."""
    parts = path.relative_to(ROOT).parts
    parts = parts[3:] if parts[:3] == ("cpp", "include", "balmer") else parts[2:]
    return parts[0] if len(parts) > 1 else None


def includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', path.read_text(), re.MULTILINE)


def test_modules_include_only_what_is_below_them() -> None:
    wrong = []
    for path in cpp_files("cpp"):
        module = module_of(path)
        if module is None:
            continue
        assert module in MODULES, (
            f"{name_of(path)}: add the module {module!r} to the order in {name_of(Path(__file__))}"
        )
        for include in includes(path):
            other = include.removeprefix("balmer/").split("/")[0]
            if other in MODULES and MODULES.index(other) > MODULES.index(module):
                wrong.append(f"{name_of(path)} includes {include}")
    assert not wrong, "\n".join(wrong)


def test_public_headers_include_no_private_one() -> None:
    wrong = [
        f"{name_of(path)} includes {include}"
        for path in cpp_files("cpp/include")
        for include in includes(path)
        if not include.startswith("balmer/")
        and ("/" in include or "." in include)
        and not (path.name == "c_api.h" and include in {"stddef.h", "stdint.h"})  # the header for C
    ]
    assert not wrong, "\n".join(wrong)


def test_core_knows_no_python_prints_nothing_and_never_ends_the_process() -> None:
    # The one look at the environment is BALMER_FORCE_ISA, when the instruction set is chosen.
    forbidden = re.compile(
        r"Python\.h|pybind11|<(?:iostream|fstream|cstdio|print)>|\bprintf\s*\(|\bstd::(?:cout|cerr|abort|exit|terminate)\b"
        r"|\b(?:abort|exit|_Exit)\s*\(|\brand\s*\(|random_device|\bgetenv\b"
    )
    wrong = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in cpp_files("cpp")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if forbidden.search(line.split("//")[0]) and not (path.name == "dispatch.cpp" and "getenv" in line)
    ]
    assert not wrong, "\n".join(wrong)


def test_files_of_one_instruction_set_include_no_library_code() -> None:
    # An inline function of the standard library that is compiled there could replace the portable copy.
    allowed = {"cstddef", "cstdint", "immintrin.h", "arm_neon.h"}
    seen: set[Path] = set()
    waiting = cpp_files("cpp/src/eval/isa")
    assert waiting
    wrong = []
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for include in includes(path):
            places = (path.parent / include, ROOT / "cpp/src" / include, ROOT / "cpp/include" / include)
            target = next((place.resolve() for place in places if place.is_file()), None)
            if target is None and include not in allowed:
                wrong.append(f"{name_of(path)} includes {include}")
            elif target is not None and target not in seen:
                waiting.append(target)
    assert not wrong, "\n".join(wrong)


def test_no_file_is_long_without_a_reason() -> None:
    wrong = []
    for path in tracked_files():
        lines = path.read_text().splitlines()
        if len(lines) > MAX_LINES and not any(re.search(r"\blong: \S", line) for line in lines[:20]):
            wrong.append(f"{name_of(path)}: {len(lines)} lines; split it, or give a reason: // long: ...")
    assert not wrong, "\n".join(wrong)


def test_no_path_of_somebodys_machine() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/\w")
    wrong = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in tracked_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_operators_are_listed_in_the_table_alone() -> None:
    # A file that spells out a third of the table has become a second one.
    names = {operator.name for operator in balmer.operators()}
    limit = len(names) // 3
    wrong = []
    for path in tracked_files():
        if not is_below(path, "cpp", "python") or path.name in {"operators.def", "operators.md"}:
            continue
        mentioned = names & set(re.findall(r"""["']([a-z0-9_]+)["']""", path.read_text()))
        if len(mentioned) > limit:
            wrong.append(f"{name_of(path)} names {len(mentioned)} operators: {', '.join(sorted(mentioned))}")
    assert not wrong, "\n".join(wrong)


def test_version_is_written_once() -> None:
    cmake = (ROOT / "CMakeLists.txt").read_text()
    match = re.search(r"^project\(balmer VERSION (\S+)", cmake, re.MULTILINE)
    assert match
    assert balmer.__version__ == match[1]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert f"## [{match[1]}]" in changelog or "## [Unreleased]" in changelog


def test_operator_page_is_that_of_the_table() -> None:
    command = [sys.executable, ROOT / "docs/make_operators.py", "--print"]
    page = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert page == (ROOT / "docs/operators.md").read_text(), "run python docs/make_operators.py"


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("path", documents(), ids=name_of)
def test_links_of_the_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text())
    wrong = [t for t in targets if not re.match(r"https?://", t) and not (path.parent / t).exists()]
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize("path", documents(), ids=name_of)
def test_code_in_the_documents_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in blocks:
        exec(compile(block, name_of(path), "exec"), namespace)
