# `make help` lists the targets. Everything happens inside .venv and _build.

SHELL := /bin/sh
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
SITE := _build/html
# The folders are there for files that are taken away; as book/. and not as book, which
# is a target.
SITE_INPUTS := index.md _config.yml _toc.yml $(wildcard tools/lossfn_*.py \
	tools/history.py tools/runs.py \
	tools/lossfn_links/*.py tools/matrix/*.py tests/*.py) \
	$(shell find book lossfn \( -name __pycache__ -o -name '.*' \) -prune -o -type f -print) \
	$(addsuffix /.,$(shell find book -name '.*' -prune -o -type d -print))

# oneDNN rounds differently from CPU to CPU; without it the printed digits hold on more
# machines. The rest keeps TensorFlow's start-up lines, progress bars, which hold times,
# and the user's own settings out.
export TF_ENABLE_ONEDNN_OPTS := 0
export TF_CPP_MIN_LOG_LEVEL := 3
export TQDM_DISABLE := 1
export IPYTHONDIR := $(CURDIR)/$(VENV)/ipython
export MPLCONFIGDIR := $(CURDIR)/$(VENV)/matplotlib
unexport MPLBACKEND PYTHONPATH PYTHONHOME PYTHONWARNINGS PYTEST_ADDOPTS PIP_USER

# The stages of `make test` take turns; each uses both cores by itself.
.NOTPARALLEL:
.PHONY: help book serve test lint unit site check-site lab outputs bench kit links pins bundle matrix clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

book: site ## build the website and say which file to open
	@echo
	@echo "Open $(CURDIR)/$(SITE)/index.html, or run 'make serve'."

serve: site ## build the website and serve it on localhost (PORT=8000)
	@echo "http://localhost:$(PORT)/ (stop with Ctrl-C)"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(SITE) $(PORT)

test: lint unit site check-site ## run everything that CI runs
	@echo "All of make test passed."

lab: $(VENV)/.lab ## open the chapters in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=book

outputs: $(VENV)/.installed ## execute every chapter and store its outputs
	@$(BIN)/ruff format --quiet book
	@$(BIN)/python -m tools.notebooks

# Without the first setting above: TensorFlow as its users have it.
bench: $(VENV)/.installed ## time and memory of every loss, half an hour (BENCH=--quick)
	@env -u TF_ENABLE_ONEDNN_OPTS $(BIN)/python -m benchmarks $(BENCH)

kit: $(VENV)/.installed ## notebooks for a class, and what grades them (KIT="03 08")
	@$(BIN)/python -m tools.kit $(KIT)

# In a folder of its own: it writes lists that are no part of the site.
links: $(VENV)/.installed ## check the links that leave the book (needs a network)
	@$(BIN)/jupyter-book build . --builder linkcheck --quiet --path-output _build/links

# The whole solution at once, for every Python; `make test` then says what it changes.
pins: $(VENV)/.installed ## put the newest releases into constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@{ grep '^#' constraints.txt; $(BIN)/uv pip compile --quiet --upgrade \
		--universal --python-version 3.10 --all-extras --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links pyproject.toml; } >constraints.new \
		|| { rm constraints.new; exit 1; }
	@mv constraints.new constraints.txt

bundle: site ## the site, PDF, EPUB, notebooks, data and wheel in one archive, 5 minutes
	@echo "== bundle"
	@$(BIN)/python -m tools.bundle

# Without the first setting above, too: each row has its own.
matrix: $(VENV)/.installed ## run the book on other releases (MATRIX=--few), hours for all
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@env -u TF_ENABLE_ONEDNN_OPTS $(BIN)/python -m tools.matrix $(MATRIX)

clean: ## remove the built site (not .venv)
	@rm -rf _build

lint: $(VENV)/.installed
	@echo "== lint and format, code and notebooks"
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/python -m tools.notebooks --check

# Unit tests, doctests and every chapter in one run, so that both cores stay busy.
unit: $(VENV)/.installed
	@echo "== unit tests, doctests, and strict nbval over every chapter"
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --quiet \
		--nbval --nbval-current-env --ignore=tests/test_site.py tests lossfn book

# Whatever changed, the whole site is built: Sphinx by itself leaves a changed title or
# contents page out of the other pages' menus, and changed style sheets out altogether.
site: _build/.built

_build/.built: $(SITE_INPUTS) $(VENV)/.installed
	@echo "== site, warnings are errors"
	@rm -rf _build
	@$(BIN)/jupyter-book build . -W -n --keep-going --quiet
	@touch $@

check-site: site
	@echo "== links, and every page in a browser"
	@$(BIN)/python -c "from tools.browser import find_chromium as find; \
		find() or print('No Chromium found (or named in CHROMIUM): its checks are skipped.')"
	@$(BIN)/python -m pytest --numprocesses 2 --quiet tests/test_site.py

# The stamp is written last: an interrupted installation is taken up again.
$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "== $(VENV), from constraints.txt (2 GB, a few minutes the first time)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		python=$$(sh tools/find-python $(PYTHON)) && \
		"$$python" -m venv --clear $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[data,book,test,bundle]'
	@touch $@

$(VENV)/.lab: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[lab]'
	@touch $@
