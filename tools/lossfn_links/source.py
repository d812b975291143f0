"""What viewcode asks for its pages of the source, answered without an import.

Asked by itself, it would import each module, and TensorFlow with it; and it would leave
constants without a link.
"""

from __future__ import annotations

from functools import cache

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

from .names import PACKAGE, PublicName, file_of

Tags = dict[str, tuple[str, int, int]]


class Sources:
    """The modules that define the public names."""

    def __init__(self, names: dict[str, PublicName]) -> None:
        """Take the names."""
        self.names = names
        self.find = cache(self._find)

    def module_that_defines(self, app: Sphinx, module: str, name: str) -> str | None:
        """Find the part of a room that a name, or the owner of a method, is in."""
        full = f"{module}.{name.split('.')[0]}"
        return self.names[full].module if full in self.names else None

    def source(self, app: Sphinx, module: str) -> tuple[str, Tags] | None:
        """Return a module's source, and the lines of what it defines."""
        return self.find(module) if module.split(".")[0] == PACKAGE else None

    def _find(self, module: str) -> tuple[str, Tags]:
        code = file_of(module).read_text(encoding="utf-8")
        tags = ModuleAnalyzer.for_string(code, module).find_tags()
        constants = {
            name.name: ("other", name.node.lineno, name.node.end_lineno)
            for name in self.names.values()
            if name.is_constant and name.module == module
        }
        return code, {**tags, **constants}
