# The only commands anyone must know. CONTRIBUTING.md says when to use which.
BIN := .venv/bin
export PYTHON
export PYTHONSAFEPATH := 1

.PHONY: run test check bench fuzz chaos docs pins clean

run:  ## play the main job on two nodes, then serve them; ARGS=--once, ARGS=--fresh
	@scripts/environment.sh run
	@$(BIN)/lienthong demo $(ARGS)

test:  ## everything CI runs, with a table of what each stage took
	@started=$$(date +%s); scripts/environment.sh test && scripts/debian.sh \
	    && $(BIN)/python -m scripts.stages --started $$started

check:  ## format, lint, types, floors, docs: the first half of CI, under two minutes
	@scripts/environment.sh test
	@$(BIN)/python -m scripts.stages --only check

bench:  ## the performance goals as ratios, JSON lines; ONLY=prefix for some
	@scripts/environment.sh bench && scripts/debian.sh
	@$(BIN)/python -m benchmarks $(ONLY)

fuzz:  ## the fuzz targets with many more examples, from random seeds
	@scripts/environment.sh test
	$(BIN)/python -m pytest -q tests/fuzz --hypothesis-profile=deep

chaos:  ## workers, Redis and connections killed at every step; SECONDS=600 for a long storm
	@scripts/environment.sh test && scripts/debian.sh
	$(BIN)/python -m tests.chaos --seconds $(or $(SECONDS),60)

docs:  ## rewrite the pages that come from the code: settings, errors, commands, index
	@scripts/environment.sh test
	@$(BIN)/python -m scripts.reference

pins:  ## rewrite constraints.txt with the newest versions that setup.cfg allows
	@scripts/pins.sh

clean:  ## remove what make made, but not the data under var/
	rm -rf .venv build dist *.egg-info \
	    .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
