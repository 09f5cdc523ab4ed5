# make report: environment, the reports on the sample data.  make course: environment, lessons and exercises to work in.
# make test: everything that must pass.  make docs: the site.
# requirements.lock holds what reports need, requirements-test.lock the same pins and what tests need besides.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: report course test test-long test-pandas2 bench docs lock clean

report: .venv/.ready
	$(BIN)/cx run --data data/sample

course: .venv/.ready
	$(BIN)/cx course
	$(BIN)/cx course --lang ja

# one thread of linear algebra for each worker, as in a report: more only wait for each other
test: .venv/.ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy cxlib
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadscope

test-long: .venv/.ready-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m long

# the quick part on pandas 2.3: the same packages as make test, but for pandas and what it alone needs
QUICK := not slow and not long and not spark and not browser and not benchmark
test-pandas2: .venv-pandas2/.ready
	OMP_NUM_THREADS=1 .venv-pandas2/bin/python -m pytest -n 2 --dist loadscope -m "$(QUICK)"

bench: .venv/.ready-test
	$(BIN)/python -m pytest tests/benchmarks -m benchmark -s

# the site, docs/_build/site/index.html; Japanese chapters are run anew where code or notebooks changed
SITE_JA := docs/_build/ran_ja
docs: .venv/.ready-test $(SITE_JA)/.done
	OMP_NUM_THREADS=1 PYTHONPATH=docs $(BIN)/python -m build_site --ran-ja $(SITE_JA)

$(SITE_JA)/.done: .venv/.ready-test $(wildcard notebooks/*.ipynb) $(shell find cxlib data -type f -not -name "*.pyc")
	rm -rf $(SITE_JA)
	$(BIN)/cx run --lang ja --form full --accept-gaps --data data/sample --out $(SITE_JA)
	touch $@

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

PURELIB := -c "import sysconfig; print(sysconfig.get_path('purelib'))"
.venv-pandas2/.ready: .venv/.ready-test
	$(BIN)/python -m venv --clear .venv-pandas2
	.venv-pandas2/bin/python -m pip install --quiet --disable-pip-version-check --no-deps pandas==2.3.3 pytz==2025.2
	{ pwd; $(BIN)/python $(PURELIB); } > "$$(.venv-pandas2/bin/python $(PURELIB))/others.pth"
	touch $@

LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet
lock:
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra test --extra docs --constraint requirements.lock --output-file requirements-test.lock

clean:
	rm -rf .venv .venv-pandas2 docs/_build .pytest_cache .ruff_cache .mypy_cache .hypothesis
