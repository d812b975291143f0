"""What goes into the archive, and the words that come with it."""

from __future__ import annotations

from pathlib import Path

from tools.bundle import datasets
from tools.bundle.archive import tree
from tools.bundle.downloads import FOLDER, Download, list_on

NOTEBOOKS_README = """\
The chapters as notebooks
=========================

Every chapter of the book, with its outputs stored, and the scripts of chapter 13.
They need Python 3.10 to 3.13 and the package lossfn:

    pip install "{wheel}[data,lab]"
    jupyter lab

The first line takes TensorFlow and a few more packages from where pip takes them, which
needs a network, once; after it, nothing does. Chapter 15 uses pytest, too. Chapters 18
and 19 compile C++ and need g++ or clang. Start JupyterLab in the folder of this file:
chapter 13 looks for scripts/ beside it.

Start with 01-information.ipynb.
"""
README = """\
{title}
{line}

For version {version} of the package lossfn. Nothing here needs a network, except the
installation of TensorFlow, if you want to run the chapters and do not have it.

site/index.html      Read: open this file in a browser. The whole book, with search.
{pdf}
                     Read or print: the book as PDF, solutions and answers at its back.
{epub}
                     Read on an e-book reader.
notebooks/           Run: the chapters as notebooks. Begin with its README.txt.
{wheel}
                     The package: pip install "{wheel}[data]"
data/                The data of the chapters as CSV. README.txt says where they come
                     from and under which licence.
LICENSE              Apache License, Version 2.0, for text and code.
"""


def notebooks(book: Path, wheel: str) -> dict[str, Path | bytes]:
    """List the notebooks and what they need.

    Args:
        book: the folder of the chapters.
        wheel: where the package's wheel lies, seen from the notebooks.
    """
    files: dict[str, Path | bytes] = {p.name: p for p in book.glob("*.ipynb")}
    files |= tree(book / "scripts", "scripts")
    files["README.txt"] = NOTEBOOKS_README.format(wheel=wheel).encode()
    return files


def site(folder: Path, downloads: list[Download]) -> dict[str, Path | bytes]:
    """List the site's files; its first page leads to the files beside it."""
    files: dict[str, Path | bytes] = {
        name: path
        for name, path in tree(folder, "site").items()
        if not name.startswith(f"site/{FOLDER}/") and path.suffix != ".map"
    }
    addresses = {f"../{it.path.name}": it for it in downloads}
    text = (folder / "index.html").read_text(encoding="utf-8")
    files["site/index.html"] = list_on(text, addresses).encode()
    return files


def everything(
    root: Path, folder: Path, downloads: dict[str, Download], title: str, version: str
) -> dict[str, Path | bytes]:
    """List all files of the archive.

    Args:
        root: the repository.
        folder: the built site.
        downloads: the made files by their kinds: pdf, epub, notebooks, wheel.
        title: the book's title.
        version: the package's version.
    """
    names = {kind: it.path.name for kind, it in downloads.items()}
    readme = README.format(title=title, line="=" * len(title), version=version, **names)
    files = site(folder, list(downloads.values()))
    files |= {it.path.name: it.path for it in downloads.values()}
    files |= {
        f"notebooks/{name}": source
        for name, source in notebooks(root / "book", f"../{names['wheel']}").items()
    }
    files |= {f"data/{name}": text for name, text in datasets.files().items()}
    files |= {"README.txt": readme.encode(), "LICENSE": root / "LICENSE"}
    return files
