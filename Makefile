# Targets explain themselves: `make` prints the lines that carry "##".
PYTHON ?= python3
VENV ?= .venv
OUT ?= out
ARGS ?=
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DISPLAYED := $(or $(DISPLAY),$(WAYLAND_DISPLAY),$(filter Darwin,$(shell uname -s)))

export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_CONSTRAINT = $(CURDIR)/constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run demo test lint types imports check format bench docs gpu wheel constraints clean

help: ## Say what each target does
	@echo "ddsp-studio: a synthesizer studio. Targets:"
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

$(STAMP): pyproject.toml constraints.txt tools/system-packages.sh tools/environment.sh
	@tools/system-packages.sh run "$(PYTHON)"
	@tools/environment.sh "$(PYTHON)" "$(VENV)" ".[dev]"
	@touch $@

run: $(STAMP) ## Open the studio; without a display, render the demo and a picture of the window into out/
ifneq ($(DISPLAYED),)
	@$(BIN)/ddsp-studio $(ARGS)
else
	@$(BIN)/ddsp-studio demo --out "$(OUT)" $(ARGS)
endif

demo: $(STAMP) ## Render the demo performance to a WAV and the window to a PNG in out/
	@$(BIN)/ddsp-studio demo --out "$(OUT)" $(ARGS)

test: $(STAMP) ## Everything that must hold: lint, types, import rules and the test suite
	@tools/system-packages.sh test "$(PYTHON)"
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest --numprocesses auto --dist loadgroup $(ARGS)

check: lint types imports ## Lint, types and import rules, without the tests

lint: $(STAMP) ## Style: ruff's rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP) ## Types: mypy, strict
	@$(BIN)/mypy

imports: $(STAMP) ## Import rules between the packages
	@$(BIN)/lint-imports --no-logo

format: $(STAMP) ## Rewrite the sources in the house format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## Measure speed here, beside a plain baseline (ARGS="--quick", "--live", ...)
	@$(BIN)/ddsp-studio bench $(ARGS)

docs: $(STAMP) ## Write docs/processors.md and docs/processors/ from the declarations
	@$(BIN)/ddsp-studio processors --pages docs

gpu: $(STAMP) ## Add TensorFlow's CUDA libraries (NVIDIA GPU under Linux or WSL2; 4 GB)
	@tools/environment.sh "$(PYTHON)" "$(VENV)" ".[dev,gpu]"

wheel: $(STAMP) ## Build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

constraints: $(STAMP) ## Print the installed versions in the form of constraints.txt
	@$(BIN)/python -m pip list --format=freeze --exclude-editable

clean: ## Remove the environment and everything generated
	rm -rf $(VENV) $(OUT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
