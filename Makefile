# make demo, make test: everything else is set up on the way.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: install demo test test-slow check format clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml tests/compat/package-lock.json
	@echo "installing into .venv: some minutes the first time"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@if command -v npm >/dev/null; then npm ci --silent --prefix tests/compat \
	  || echo "npm ci failed: the tests that read tokenizers under node will be skipped"; fi
	touch $(INSTALLED)

demo: $(INSTALLED)
	$(BIN)/thaitok demo --out demo

test: $(INSTALLED)
	$(BIN)/python -m pytest -n auto --maxprocesses 4

test-slow: $(INSTALLED)
	$(BIN)/python -m pytest -m slow

check: $(INSTALLED)
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/check

format: $(INSTALLED)
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

clean:
	rm -rf .venv demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
