"""What `make links` asks about a DOI: whether it is registered.

Behind doi.org stands a publisher, and many publishers answer a program with 403. The
registry itself answers everybody, and with 404 if there is no such DOI.
"""

from __future__ import annotations

from sphinx.application import Sphinx

DOI = "https://doi.org/"
REGISTRY = "https://doi.org/api/handles/"


def ask_the_registry(app: Sphinx, address: str) -> str | None:
    """Return the address to ask instead of a publisher's, or None."""
    if not address.startswith(DOI):
        return None
    return REGISTRY + address.removeprefix(DOI)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("linkcheck-process-uri", ask_the_registry)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
