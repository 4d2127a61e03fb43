# make demo     finds Kepler's third law in the six planets that Kepler knew
# make test     runs all tests, of C++ and of Python
# make lint     checks format, style and types (make format: puts the format right)
# make install  only the package, in .venv
# make wheel    a wheel in build/wheel, and what it must do without this tree
# make clean    removes all that these made
#
# Everything happens below .venv and build; what the machine lacks, cmake/prepare.sh gets. A second run rebuilds only what
# changed. Another Python: make PYTHON=/path/to/python3 demo. More for pytest: make PYTEST='-k words' test

PYTHON ?= python3
VENV := .venv
BUILD := build/make
DEBIAN := build/debian
BIN := $(CURDIR)/$(VENV)/bin

export PATH := $(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

SOURCES := CMakeLists.txt pyproject.toml README.md LICENSE \
           $(shell find cmake cpp python -type f -not -name '*.pyc' -not -name '.*')

# What prepare.sh had to unpack. Looked at when a recipe runs; not with $(wildcard), which remembers. The compiler is told
# by its environment, always: CMake leaves out a folder that it saw there once.
unpacked = $(shell ls -d $(CURDIR)/$(DEBIAN)/usr/include 2>/dev/null)
headers = $(shell ls -d $(CURDIR)/$(DEBIAN)/usr/include/python3.* 2>/dev/null)
with_unpacked = $(if $(unpacked),CPLUS_INCLUDE_PATH=$(if $(headers),$(headers):)$(unpacked))

# No build isolation: the build requirements live in .venv, at paths that stay the same, so that objects are kept.
build_settings = --quiet --no-build-isolation --config-settings=build-dir=$(BUILD) \
    $(if $(headers),--config-settings=cmake.define.Python_INCLUDE_DIR=$(headers))
pip_install = $(with_unpacked) $(BIN)/pip install $(build_settings)

.PHONY: demo test test-cpp test-python install wheel lint format clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	$(BIN)/balmer demo kepler

install: $(VENV)/.installed

test: test-cpp test-python

test-cpp: $(VENV)/.installed-test $(VENV)/.doctest
	@$(with_unpacked) cmake -S . -B $(BUILD) -DBALMER_TESTS=ON $(if $(unpacked),-DBALMER_DOCTEST_DIR=$(unpacked)) \
	    >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	$(with_unpacked) cmake --build $(BUILD) --target balmer_tests
	ctest --test-dir $(BUILD) --output-on-failure -j 2

test-python: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST)

wheel: $(VENV)/.installed
	rm -rf build/wheel
	$(with_unpacked) $(BIN)/pip wheel $(build_settings) --no-deps --wheel-dir build/wheel .
	$(BIN)/pip install --quiet --no-deps --target build/wheel/site build/wheel/*.whl
	PYTHONPATH=build/wheel/site $(BIN)/python tests/wheel/smoke.py build/wheel/*.whl

lint: $(VENV)/.installed-lint
	@./cmake/lint.sh

format: $(VENV)/.installed-lint
	@./cmake/lint.sh --fix

clean:
	rm -rf $(VENV) build

# ---- what the targets above stand on --------------------------------------------------------------------------------

$(VENV)/.created:
	@./cmake/prepare.sh venv "$(PYTHON)" $(VENV)
	@touch $@

# The second install is of what scikit-build-core asks for where the machine has none or old ones: cmake and ninja.
$(VENV)/.requirements: pyproject.toml $(VENV)/.created
	$(BIN)/pip install --quiet $$(sed -n 's/^requires = \[\(.*\)\]$$/\1/p' pyproject.toml | tr -d '",')
	@more=$$($(BIN)/python -c 'from scikit_build_core import build; print(*build.get_requires_for_build_wheel())') && \
	    { [ -z "$$more" ] || $(BIN)/pip install --quiet $$more; }
	@touch $@

$(VENV)/.headers: $(VENV)/.created
	@./cmake/prepare.sh headers $(BIN)/python $(DEBIAN)
	@touch $@

$(VENV)/.doctest: $(VENV)/.created
	@./cmake/prepare.sh doctest $(DEBIAN)
	@touch $@

$(VENV)/.installed: $(SOURCES) $(VENV)/.requirements $(VENV)/.headers
	$(pip_install) .
	@touch $@

$(VENV)/.installed-test: $(SOURCES) $(VENV)/.requirements $(VENV)/.headers
	$(pip_install) '.[test]'
	@touch $(VENV)/.installed $@

$(VENV)/.installed-lint: $(VENV)/.installed-test
	$(pip_install) '.[lint,test]'
	@touch $@
