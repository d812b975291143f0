"""On which releases the results hold: every chapter, in environments of its own.

``python -m tools.matrix``, or ``make matrix``, makes the environments in ``.matrix``,
runs the chapters and the package's tests in them, and writes ``book/matrix.json``, from
which ``tools/lossfn_matrix.py`` makes the tables of the page.
"""
