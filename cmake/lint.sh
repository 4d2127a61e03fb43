#!/bin/sh
# Format, style and types. Usage: lint.sh [--fix | --tidy COMMIT SOURCE]; run by `make lint` and `make format`, which
# install the tools. Runs all checks, then fails if one did.
set -u
cd "$(dirname "$0")/.."

cpp=$(find cpp python/bindings tests bench examples -name '*.cpp' -o -name '*.hpp' -o -name '*.inl' -o -name '*.h' -o -name '*.c' 2>/dev/null |
    grep -v /coefficients.inl)  # made by a program
python="python tests/python tests/wheel bench docs examples"

# clang-tidy takes seconds for each file, so it reads the sources that the last commit changed, but for those of another
# machine's instruction sets, two at a time, and speaks of the lines that changed. It has no omp.h, and GCC's has an attribute
# that Clang refuses: __malloc__ of an argument.
changed_lines() {
    git diff -U0 "$1" -- "$2" | sed -n 's/^@@ [^+]*+\([0-9]*\),\{0,1\}\([0-9]*\).*/\1 \2/p' |
        awk '{ n = $2 == "" ? 1 : $2; if (n > 0) { printf "%s[%d,%d]", comma, $1, $1 + n - 1; comma = "," } }'
}
tidy_one() {
    clang-tidy -p build/make --quiet "$2" \
        --extra-arg=-Wno-error --extra-arg=-Wno-unknown-warning-option \
        --extra-arg="-idirafter$(${CXX:-g++} -print-file-name=include)" --extra-arg="-D__malloc__(f)=" \
        --line-filter="[{\"name\":\"$2\",\"lines\":[$(changed_lines "$1" "$2")]}]"
}
tidy() {
    for source in $(git diff --name-only --diff-filter=d "$1" -- 'cpp/*.cpp' 'python/bindings/*.cpp'); do
        if grep -q "\"file\": \".*/$source\"" build/make/compile_commands.json; then echo "$source"; fi
    done | xargs -P 2 -I SOURCE ./cmake/lint.sh --tidy "$1" SOURCE
}

if [ "${1:-}" = --tidy ]; then
    tidy_one "$2" "$3"
    exit
fi

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

if ! git rev-parse --quiet --verify HEAD~1 >/dev/null 2>&1 || ! command -v clang-tidy >/dev/null 2>&1; then
    printf 'lint: clang-tidy: skipped, without git, a commit before this one, or clang-tidy\n'
elif [ ! -f build/make/compile_commands.json ]; then
    printf 'lint: clang-tidy: skipped, until make test has compiled something\n'
else
    check "clang-tidy on what changed" tidy HEAD~1
fi

if [ -n "$failed" ]; then
    printf 'lint: failed:%s (make format puts the formats right)\n' "$failed"
    exit 1
fi
