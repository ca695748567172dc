# Every verb works on a fresh clone: the first one that needs it sets up .venv (Python 3.11 or later, pip, make).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SEARCHES := "parse an ISO date" "remove duplicates from a list keeping order" "download a file over http"

.PHONY: demo test check format mutants bench bench-information docs clean

demo: $(READY)
	$(BIN)/infomax fit python --out runs/demo --overwrite
	@for query in $(SEARCHES); do printf '\n'; $(BIN)/infomax search runs/demo "$$query" -k 3; done

test: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

mutants: $(READY)
	$(BIN)/python tools/mutants.py

bench: $(VENV)-bench/ready
	$(VENV)-bench/bin/python -m benchmarks.run --into docs/benchmarks.md
	$(VENV)-bench/bin/python -m benchmarks.run --threads 2 --sizes 1024x384 4096x128 4096x384 --into docs/benchmarks.md
	$(VENV)-bench/bin/python -m benchmarks.memory --into docs/benchmarks.md
	$(VENV)-bench/bin/python -m benchmarks.vocabulary --into docs/benchmarks-language.md --plot docs/vocabulary.svg

bench-information: $(VENV)-bench-mi/ready
	$(VENV)-bench-mi/bin/python -m benchmarks.information
	$(VENV)-bench-mi/bin/python -m benchmarks.information --groups staircase high discrete mixed series conditional independent --n 10000 --seeds 0
	$(VENV)-bench-mi/bin/python -m benchmarks.information --tables --into docs/benchmarks-information.md

$(VENV)-bench-mi/ready: benchmarks/requirements-information.txt
	$(PYTHON) -m venv $(VENV)-bench-mi
	$(VENV)-bench-mi/bin/pip install -q -e . -r benchmarks/requirements-information.txt
	touch $@

$(VENV)-bench/ready: benchmarks/requirements.txt
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/pip install -q -c constraints.txt -e '.[hf]'
	$(VENV)-bench/bin/pip install -q --no-deps -r benchmarks/requirements.txt
	touch $@

docs: $(READY)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[docs]'
	$(BIN)/mkdocs build --strict

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev,hf,tensorboard]'
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-bench $(VENV)-bench-mi .mypy_cache .ruff_cache .pytest_cache site
