#!/bin/sh
# Format, style and types. Usage: lint.sh [--fix]; run by `make lint` and `make format`, which install the tools.
# Runs all checks, then fails if one did.
set -u
cd "$(dirname "$0")/.."

cpp=$(find cpp python/bindings tests bench examples -name '*.cpp' -o -name '*.hpp' -o -name '*.inl' -o -name '*.h' -o -name '*.c' 2>/dev/null |
    grep -v /coefficients.inl)  # made by a program
python="python tests/python tests/wheel bench docs examples"

if [ "${1:-}" = --fix ]; then
    # shellcheck disable=SC2086 # lists of words
    ruff check --fix --quiet $python
    # shellcheck disable=SC2086
    ruff format --quiet $python
    # shellcheck disable=SC2086
    clang-format -i $cpp
    exit
fi

failed=""
check() {
    name=$1
    shift
    if output=$("$@" 2>&1); then
        printf 'lint: %s: ok\n' "$name"
    else
        printf 'lint: %s: FAILED\n%s\n' "$name" "$output"
        failed="$failed $name"
    fi
}

# shellcheck disable=SC2086
check ruff ruff check --output-format=concise $python
# shellcheck disable=SC2086
check ruff-format ruff format --check $python
# shellcheck disable=SC2086
check clang-format clang-format --dry-run -Werror $cpp
check mypy python -m mypy python/balmer
check stubtest python -m mypy.stubtest balmer._core --mypy-config-file pyproject.toml --ignore-missing-stub \
    --ignore-disjoint-bases --allowlist cmake/stubtest.allow --ignore-unused-allowlist

if [ -n "$failed" ]; then
    printf 'lint: failed:%s (make format puts the formats right)\n' "$failed"
    exit 1
fi
