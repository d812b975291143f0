"""What the site needs from Sphinx beyond its configuration.

MathJax comes from the package sphinx-mathjax-offline. Its own extension copies all of
it, 24 MB; this one copies what the pages load: one script, and its fonts.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import inspect

SCRIPT = "tex-chtml.js"
FONTS = "output/chtml/fonts/woff-v2"


def mathjax_source() -> Path:
    """Find the installed MathJax.

    Raises:
        ExtensionError: If the package is not installed.
    """
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    if package is None or package.origin is None:
        raise ExtensionError("sphinx-mathjax-offline is not installed: run make book")
    return Path(package.origin).parent / "static" / "mathjax"


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Copy MathJax into the built site."""
    if error is not None or app.builder.format != "html":
        return
    source = mathjax_source()
    target = Path(app.outdir) / "_static" / "mathjax"
    shutil.copytree(source / FONTS, target / FONTS, dirs_exist_ok=True)
    shutil.copy2(source / SCRIPT, target / SCRIPT)


def is_field(
    app: Sphinx, what: str, name: str, thing: object, skip: bool, options: object
) -> bool | None:
    """Leave out the fields of a named tuple: its class describes them."""
    return True if type(thing).__name__ == "_tuplegetter" else None


def signature_of_init(
    app: Sphinx,
    what: str,
    name: str,
    thing: object,
    options: object,
    signature: str | None,
    returns: str | None,
) -> tuple[str, str | None] | None:
    """Show the keywords of a class whose base is a stand-in for one of Keras.

    The stand-in takes any arguments, and Sphinx would say so of the class.
    """
    if what != "class" or not hasattr(thing, "__sphinx_mock__"):
        return None
    keywords = inspect.signature(thing.__init__, bound_method=True)
    return inspect.stringify_signature(keywords, show_annotation=False), returns


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    # The API pages describe this tree's lossfn, whatever is installed.
    sys.path.insert(0, str(app.srcdir))
    app.connect("autodoc-skip-member", is_field)
    app.connect("autodoc-process-signature", signature_of_init)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
