# make report: environment, the reports on the sample data.  make test: everything that must pass.
# requirements.lock holds what reports need, requirements-test.lock the same pins and what tests need besides.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: report test test-long bench lock clean

report: .venv/.ready
	$(BIN)/cx run --data data/sample

# one thread of linear algebra for each worker, as in a report: more only wait for each other
test: .venv/.ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy cxlib
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadscope

test-long: .venv/.ready-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m long

bench: .venv/.ready-test
	$(BIN)/python -m pytest tests/benchmarks -m benchmark -s

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else 'The handbook needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.12 report')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip uninstall --quiet --disable-pip-version-check --yes setuptools  # an old one, used by nothing
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

.venv/.ready-test: .venv/.ready requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-test.lock
	touch $@

LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet
lock:
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra test --constraint requirements.lock --output-file requirements-test.lock

clean:
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache .hypothesis
