# Every verb works on a fresh clone: the first one that needs it sets up .venv (Python 3.11 or later, pip, make).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SEARCHES := "parse an ISO date" "remove duplicates from a list keeping order" "download a file over http"

.PHONY: demo test check format mutants bench docs clean

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

bench: $(READY)
	$(BIN)/python -m benchmarks.run

docs: $(READY)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[docs]'
	$(BIN)/mkdocs build --strict

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev,hf,tensorboard]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache site
