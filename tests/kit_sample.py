"""A small chapter with graded exercises, and kits and submissions made of it."""

from __future__ import annotations

import re
from pathlib import Path

from nbformat import v4

from tools import notebooks
from tools.kit import build

STEM = "02-sample"

# What Jupyter would show as it stands.
MYST = re.compile(r"\{[a-z]+(:[a-z]+)?\}`|^[ \t]*[`:]{3,}\{|^\([\w-]+\)=", re.MULTILINE)

SAMPLE = [
    """# A sample {term}`chapter <chapters>`

(here)=
## A section

Code `{term}` stays, {py:func}`~lossfn.nn.loss` is short, [chapter 3](03-other.ipynb).

$$
x = 1
$$ (eq-02-x)

By {eq}`eq-02-x`, {numref}`fig-02-a`, {ref}`here`, {ref}`ex-02-clip`, {cite:t}`ann2000`
and others {cite}`ann2000,bob2001`.""",
    ("import numpy as np", ""),
    ("scale, rate = 1.0, 2.0\nprint('chapter output')", "chapter output\n"),
    ("nats = 2.3\nprint('secret answer')", "secret answer\n", "hide-cell"),
    """## Exercises

```{exercise} The uniform guess
:label: ex-02-uniform
Write `uniform_guess`. Remember {eq}`eq-02-x`.
```

```{solution-start} ex-02-uniform
:class: dropdown
```

Secret words of the solution.""",
    (
        "from lossfn.exercises import check_answer\n\n\n"
        "def uniform_guess(classes, scale=scale):\n"
        "    # secret comment\n"
        "    return scale * np.log(classes)",
        "",
    ),
    ('check_answer("ex-02-uniform", uniform_guess)', "secret output"),
    """More secret words.

```{solution-end}
```

```{exercise} By hand
:label: ex-02-by-hand
Derive it.
```""",
    ("given = 2", ""),
    """```{solution-start} ex-02-by-hand
```

Secret derivation.

```{solution-end}
```

```{exercise} The clip
:label: ex-02-clip
Write `lead_where_gradient_dies`.
```

```{solution-start} ex-02-clip
:class: dropdown
```""",
    (
        "lead_where_gradient_dies = lambda epsilon: np.log(1 / epsilon - 1)\n"
        'check_answer("ex-02-clip", lead_where_gradient_dies)',
        "secret output",
    ),
    """```{solution-end}
```

## References

None.""",
]

# What a student may write, and what is said of the wrong answer.
IMPORTS = "import numpy as np\nfrom lossfn.exercises import check_answer"
RIGHT = "def uniform_guess(classes):\n    return np.log(classes)"
WRONG = "def uniform_guess(classes):\n    return np.log2(classes)"
CHECK = 'check_answer("ex-02-uniform", uniform_guess)'
NOT_YET = "ex-02-uniform is not right yet."
BASE_2 = (
    f"{NOT_YET} For classes = 10 your function gives 3.322, and 2.303 is right. Your "
    "logarithm has base 2: the chapter's losses are in nats."
)

BIBLIOGRAPHY = """
@book{ann2000, author = {Ann, A.}, title = {A}, year = {2000}}
@book{bob2001, author = {Bob, B. and Cat, C. and Dog, D.}, title = {B}, year = {2001}}
"""


def write_book(folder: Path, sample: list = SAMPLE) -> Path:
    """Write a book of one chapter; a tuple is code, what it prints, and its tags."""
    cells = [_cell(part) for part in sample]
    cells[2].metadata["mystnb"] = {
        "figure": {"name": "fig-02-a", "caption": "A caption with {term}`terms`."}
    }
    notebook = notebooks.normalise(v4.new_notebook(cells=cells), STEM)
    book = folder / "book"
    book.mkdir(parents=True)
    text = notebooks.to_text(notebook)
    (book / f"{STEM}.ipynb").write_text(text, encoding="utf-8")
    (book / "references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    return book


def _cell(part: str | tuple[str, ...]):
    if isinstance(part, str):
        return v4.new_markdown_cell(part)
    code, printed, *tags = part
    outputs = [v4.new_output("stream", text=printed)] if printed else []
    return v4.new_code_cell(code, outputs=outputs, metadata={"tags": tags})


def make_kit(folder: Path, sample: list = SAMPLE) -> Path:
    """Write the kit of a book of one chapter."""
    build.build(write_book(folder, sample), folder / "kit")
    return folder / "kit"


def submission(folder: Path, *cells: str, printed: str = "") -> Path:
    """Write a notebook as a student might hand it in, each cell with this output."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{STEM}.ipynb"
    written = [_cell((cell, printed)) for cell in cells]
    notebook = v4.new_notebook(cells=written)
    path.write_text(notebooks.to_text(notebook), encoding="utf-8")
    return path
