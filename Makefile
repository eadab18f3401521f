# make run | make test | make ui; each sets everything up first, once.
.PHONY: run test test-fast test-services check ui setup lock clean
PY := .venv/bin/python
TEST := $(PY) -m pytest -n 2 --dist loadscope --no-loadscope-reorder

run: .venv/.ready
	$(PY) run.py -m cluster.k=10,50,233

test: .venv/.ready
	$(TEST) -m "not service"

test-fast: .venv/.ready
	$(TEST) -m "not service and not process and not browser and not slow"

test-services: .venv/.ready
	$(TEST) -m service

check: .venv/.ready
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/codespell
	.venv/bin/lint-imports --no-cache --no-logo
	$(PY) scripts/make/sizes.py

ui: .venv/.ready
	sh mlflow/serve.sh

setup: .venv/.ready

.venv/.ready: requirements.txt pyproject.toml scripts/setup.sh
	sh scripts/setup.sh

lock: .venv/.ready
	PATH="$(CURDIR)/.venv/bin:$$PATH" sh scripts/lock.sh

clean:
	rm -rf .venv cache outputs
