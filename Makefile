# Two commands matter: make forecast, make test. Everything runs from .venv, which
# scripts/bootstrap.sh makes on first use and leaves alone while it is up to date.
# ARGS is handed on: make test ARGS='-k lock', make forecast ARGS=--help.

BIN := .venv/bin
ARGS ?=
SOURCES ?=

.PHONY: help forecast test test-long fit bench data docs lint lock clean bootstrap

help: ## say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

forecast: bootstrap ## fit the default record and forecast from it
	@$(BIN)/fairweather forecast $(ARGS)

test: bootstrap ## run the tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --timeout=1200 $(ARGS)

test-long: bootstrap ## run the tests that take minutes each
	@$(BIN)/python -m pytest --timeout=3600 -m long $(ARGS)

fit: bootstrap ## fit the model and archive the draws
	@$(BIN)/fairweather fit $(ARGS)

bench: bootstrap ## measure the engine against textbook forms: make bench ARGS='--only a,c'
	@$(BIN)/python -m benchmarks.engine $(ARGS)

data: bootstrap ## rebuild data/ from publishers' files: make data SOURCES=folder
	@test -d "$(SOURCES)" || { echo "make data: say where the files are: make data SOURCES=folder" >&2; exit 2; }
	@$(BIN)/python -m fairweather.coding.build "$(SOURCES)" data $(ARGS)

docs: bootstrap ## describe data/ anew: data package, codebook page, coverage chart
	@$(BIN)/fairweather data package --data data
	@$(BIN)/fairweather data codebook --data data --out docs/codebook.md
	@$(BIN)/fairweather data coverage --data data --history --out docs/img/coverage.png

lint: bootstrap ## check style
	@$(BIN)/ruff check . $(ARGS)
	@$(BIN)/ruff format --check .

lock: ## resolve the lock file anew (needs uv): make lock ARGS=--upgrade
	uv pip compile pyproject.toml --universal --extra coding --extra samplers --extra test --extra dev --python-version 3.12 \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	  --quiet --output-file requirements.lock $(ARGS)

clean: ## remove .venv, builds and caches; results/ stays
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
	find model tests -type d -name __pycache__ -exec rm -rf {} +

bootstrap:
	@sh scripts/bootstrap.sh
