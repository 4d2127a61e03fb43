#!/bin/sh
# Gets what `make` and .ci/run need and the machine lacks. Usage:
# prepare.sh venv PYTHON DIR | headers PYTHON DIR | doctest DIR | sanitizers | llvm COMPILER
#
#   venv        makes the virtual environment DIR
#   headers     sees that Python.h is there
#   doctest     sees that doctest/doctest.h is there
#   sanitizers  prints a compiler that has ThreadSanitizer and an OpenMP library that it understands (Clang's, not GCC's)
#   llvm        prints the folder of what belongs to that compiler: llvm-symbolizer, llvm-profdata and llvm-cov
#
# On Debian and its like, root gets the package installed; anyone else gets it unpacked below DIR, where the Makefile
# looks too. Elsewhere the remedy is printed.
set -eu

say() { printf 'prepare: %s\n' "$*" >&2; }

# Options that let apt-get work without root: its own lists and caches below $1.
private_apt() {
    mkdir -p "$1/apt/lists/partial" "$1/apt/cache/archives/partial"
    printf '%s' "-o Dir::State::lists=$1/apt/lists -o Dir::Cache=$1/apt/cache -o Debug::NoLocking=1 -o APT::Sandbox::User="
}

# debian_package NAME DIR: installs NAME, or unpacks it into DIR.
debian_package() {
    if ! command -v apt-get >/dev/null 2>&1; then
        return 1
    fi
    if [ "$(id -u)" = 0 ]; then
        say "apt-get install $1"
        export DEBIAN_FRONTEND=noninteractive
        apt-get install -y -qq --no-install-recommends "$1" >/dev/null 2>&1 </dev/null && return 0
        # The lists may be old or missing: on a new machine they are.
        apt-get update -qq >&2 </dev/null && apt-get install -y -qq --no-install-recommends "$1" >&2 </dev/null
        return
    fi
    say "unpacking the Debian package $1 into $2"
    mkdir -p "$2"
    root=$(cd "$2" && pwd)
    (
        cd "$root"
        rm -f "$1"_*.deb
        if ! apt-get download -qq "$1" >/dev/null 2>&1; then
            options=$(private_apt "$root")
            # shellcheck disable=SC2086 # several words on purpose
            apt-get $options update -qq >&2 && apt-get $options download -qq "$1" >&2
        fi
        dpkg -x "$1"_*.deb .
    )
}

give_up() {
    say "$1"
    exit 1
}

case "${1:-}" in
venv)
    python=$2 dir=$3
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') ||
        give_up "'$python' does not run. Choose another: make PYTHON=/path/to/python3"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        give_up "balmer needs Python 3.10 or newer; '$python' is $version. Choose another: make PYTHON=/path/to/python3"
    # Debian keeps ensurepip, which venv needs for pip, in a package of its own.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        if [ "$(id -u)" = 0 ]; then
            debian_package "python$version-venv" "$dir" || give_up "no module venv. Debian: apt-get install python3-venv"
        fi
    fi
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv --clear "$dir"
    else
        "$python" -m venv --clear --without-pip "$dir"
        debian_package python3-pip-whl build/debian || give_up "no pip. Debian: apt-get install python3-venv"
        wheel=$(ls build/debian/usr/share/python-wheels/pip-*.whl)
        "$dir/bin/python" "$wheel/pip" install -q --no-index "$wheel"
    fi
    ;;
headers)
    python=$2 dir=$3
    include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ ! -e "$include/Python.h" ] && [ ! -e "$dir/usr/include/python$version/Python.h" ]; then
        debian_package "libpython$version-dev" "$dir" ||
            give_up "no $include/Python.h. Debian: apt-get install python3-dev; Fedora: dnf install python3-devel"
    fi
    ;;
doctest)
    dir=$2
    if ! printf '#include <doctest/doctest.h>\n' | "${CXX:-g++}" -I"$dir/usr/include" -E -x c++ - >/dev/null 2>&1; then
        debian_package doctest-dev "$dir" ||
            give_up "no doctest/doctest.h. Debian: apt-get install doctest-dev; Fedora: dnf install doctest-devel"
    fi
    ;;
sanitizers)
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cat >"$work/a.cpp" <<'END'
int main() {
    int sum = 0;
#pragma omp parallel for reduction(+ : sum) num_threads(2)
    for (int i = 0; i < 1000; ++i) sum += i;
    return sum == 499500 ? 0 : 1;
}
END
    # Archer, a part of LLVM's OpenMP, tells the sanitizer where threads wait for one another; it says so if asked.
    understands() {
        "$1" -fopenmp -fsanitize=thread "$work/a.cpp" -o "$work/a" 2>/dev/null &&
            ARCHER_OPTIONS=verbose=1 "$work/a" 2>&1 | grep -q '^Archer detected'
    }
    for attempt in present installed; do
        for compiler in clang++ clang++-19 clang++-18 clang++-17 clang++-16; do
            if understands "$compiler"; then
                echo "$compiler"
                exit 0
            fi
        done
        [ "$attempt" = present ] && [ "$(id -u)" = 0 ] || break
        for package in clang-16 libclang-rt-16-dev libomp-16-dev; do
            debian_package $package build/debian || break 2
        done
    done
    give_up "no Clang with ThreadSanitizer and OpenMP. Debian: apt-get install clang-16 libclang-rt-16-dev libomp-16-dev"
    ;;
llvm)
    version=$("$2" -dumpversion | cut -d. -f1)
    tools=/usr/lib/llvm-$version/bin
    [ -x "$tools/llvm-cov" ] || { [ "$(id -u)" = 0 ] && debian_package "llvm-$version" build/debian; } ||
        give_up "no $tools/llvm-cov. Debian: apt-get install llvm-$version"
    echo "$tools"
    ;;
*)
    give_up "usage: prepare.sh venv PYTHON DIR | headers PYTHON DIR | doctest DIR | sanitizers | llvm COMPILER"
    ;;
esac
