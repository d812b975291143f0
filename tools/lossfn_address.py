"""The repository's address: one configuration value, and what the pages do with it.

Set ``lossfn_repository`` in ``_config.yml`` to ``https://github.com/OWNER/NAME``, and
every page gets buttons to the repository, to its issues and to the page's own source,
every notebook buttons that open it in Colab and on Binder, and the site knows its own
address on GitHub Pages. Unset, there is no such button, and no page names an address.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

COLAB = "https://colab.research.google.com"
BINDER = "https://mybinder.org"
ADDRESS = re.compile(r"https://github\.com/(?P<owner>[\w-]+)/(?P<name>[\w.-]+)")


class Repository(NamedTuple):
    """A repository on GitHub, and the branch that readers get."""

    owner: str
    name: str
    branch: str

    @property
    def url(self) -> str:
        """Its page."""
        return f"https://github.com/{self.owner}/{self.name}"

    @property
    def site(self) -> str:
        """Where GitHub Pages publishes it."""
        host = f"{self.owner.lower()}.github.io"
        return f"https://{host}/" + ("" if self.name == host else f"{self.name}/")

    def colab(self, file: str) -> str:
        """Where Colab opens one of its notebooks."""
        return f"{COLAB}/github/{self.owner}/{self.name}/blob/{self.branch}/{file}"

    def binder(self, file: str) -> str:
        """Where Binder opens one of its notebooks."""
        repository = f"{self.owner}/{self.name}/{self.branch}"
        return f"{BINDER}/v2/gh/{repository}?urlpath=lab/tree/{file}"


def repository_of(config: Config) -> Repository | None:
    """Read the configuration.

    Returns:
        The repository, or None if no address is set.

    Raises:
        ConfigError: If the address is none of GitHub's.
    """
    address = config.lossfn_repository
    if not address:
        return None
    parts = ADDRESS.fullmatch(address)
    if parts is None or parts["name"].endswith(".git"):
        raise ConfigError(
            "lossfn_repository in _config.yml must be empty or "
            f"https://github.com/OWNER/NAME, got {address!r}"
        )
    return Repository(parts["owner"], parts["name"], config.lossfn_branch)


def set_theme(app: Sphinx, config: Config) -> None:
    """Tell the theme, and whatever writes the site's own address into pages."""
    repository = repository_of(config)
    if repository is None:
        return
    config.html_theme_options.update(
        repository_url=repository.url,
        repository_branch=repository.branch,
        use_repository_button=True,
        use_issues_button=True,
        use_edit_page_button=True,
        launch_buttons={
            "notebook_interface": "jupyterlab",
            "binderhub_url": BINDER,
            "colab_url": COLAB,
        },
    )
    # An address of one's own, set in the configuration, stays.
    config.html_baseurl = config.html_baseurl or repository.site
    config.ogp_site_url = getattr(config, "ogp_site_url", "") or config.html_baseurl


def add_how_to_run(app: Sphinx, doctree: nodes.document) -> None:
    """Say under a notebook's title how to run it elsewhere."""
    repository = repository_of(app.config)
    file = app.env.doc2path(app.env.docname, base=False)
    title = doctree.next_node(nodes.title)
    if repository is None or title is None or not file.endswith(".ipynb"):
        return
    section = title.parent
    section.insert(section.index(title) + 1, how_to_run(repository, file))


def how_to_run(repository: Repository, file: str) -> nodes.admonition:
    """Write the note; it stays closed until a reader opens it."""
    binder = _sentence(
        _link("Binder", repository.binder(file)),
        " starts with everything installed. That can take some minutes.",
    )
    colab = _sentence(
        _link("Colab", repository.colab(file)),
        " opens the chapter alone. Put this in a new cell above the others and run it "
        "first, once:",
    )
    digits = _sentence(
        "Both may have other releases than this page: a last digit can differ."
    )
    code = nodes.literal_block(*[first_cell(repository)] * 2, language="ipython3")
    title = nodes.title("", "Run this page in Colab or on Binder")
    return nodes.admonition(
        "", title, binder, colab, code, digits, classes=["note", "dropdown"]
    )


def first_cell(repository: Repository) -> str:
    """Return what a notebook needs that was opened without its repository."""
    clone = f"git clone --quiet --depth 1 --branch {repository.branch}"
    return (
        f"!{clone} {repository.url}\n"
        f"%cd {repository.name}/book\n"
        '%pip install --quiet "..[data]"'
    )


def _sentence(*parts: nodes.Node | str) -> nodes.paragraph:
    texts = (nodes.Text(part) if isinstance(part, str) else part for part in parts)
    return nodes.paragraph("", "", *texts)


def _link(text: str, address: str) -> nodes.reference:
    return nodes.reference("", text, refuri=address)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_config_value("lossfn_repository", "", "env", [str])
    app.add_config_value("lossfn_branch", "main", "env", [str])
    app.connect("config-inited", set_theme)
    app.connect("doctree-read", add_how_to_run)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
