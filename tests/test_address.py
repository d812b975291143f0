"""What a repository's address does to the pages, on a small site of two of them."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from nbformat import v4
from sphinx.config import Config
from sphinx.errors import ConfigError

from tools import links, lossfn_address

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = "https://github.com/Some-Owner/some.name"
BLOB = "https://colab.research.google.com/github/Some-Owner/some.name/blob"
LAB = "https://mybinder.org/v2/gh/Some-Owner/some.name/next?urlpath=lab/tree"
PUBLISHED = "https://some-owner.github.io/some.name/"
CONF = """
extensions = ["myst_nb", "sphinx_togglebutton", "sphinxext.opengraph", "lossfn_address"]
html_theme = "sphinx_book_theme"
root_doc = "index"
nb_execution_mode = "off"
ogp_social_cards = {{"enable": False}}
mathjax_path = "none.js"
lossfn_repository = {address!r}
lossfn_branch = "next"
"""
INDEX = "# Contents\n\n```{toctree}\nbook/01-one\n```\n"


def small_site(folder: Path, address: str) -> Path:
    """Build a site of a contents page and a notebook; return its folder."""
    (folder / "book").mkdir()
    (folder / "conf.py").write_text(CONF.format(address=address), encoding="utf-8")
    (folder / "index.md").write_text(INDEX, encoding="utf-8")
    notebook = v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# One\n\nText."),
            v4.new_code_cell("import lossfn"),
        ]
    )
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    notebook.metadata.language_info = {"name": "python", "pygments_lexer": "ipython3"}
    path = folder / "book" / "01-one.ipynb"
    path.write_text(v4.writes_json(notebook), encoding="utf-8")
    # A process of its own: Sphinx registers what it loads for good.
    build = [sys.executable, "-m", "sphinx", "-Wqn", str(folder), str(folder / "html")]
    done = subprocess.run(
        build,
        cwd=ROOT / "tools",
        env={"PYTHONPATH": str(ROOT / "tools")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


class Addresses(HTMLParser):
    """The outside addresses of one page, and its text."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.text = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = (value for _, value in attrs if value)
        self.found |= {v for v in values if v.startswith(("http:", "https:", "//"))}

    def handle_data(self, data):
        self.text += data


PAGES = ["book/01-one.html", "index.html"]


@pytest.fixture(scope="module", name="with_address")
def _with_address(tmp_path_factory) -> Path:
    return small_site(tmp_path_factory.mktemp("with"), REPOSITORY)


@pytest.fixture(scope="module", name="without_address")
def _without_address(tmp_path_factory) -> Path:
    return small_site(tmp_path_factory.mktemp("without"), "")


def repository_addresses(page: Path) -> set[str]:
    """Return the outside addresses; an issue's prefilled text is the theme's affair."""
    theme = "https://sphinx-doc.org/"
    found = {address.split("?title=")[0] for address in Addresses(page).found}
    return {a for a in found if not a.startswith((theme, "https://pydata-sphinx"))}


def test_a_notebook_gets_every_button(with_address):
    assert repository_addresses(with_address / "book/01-one.html") == {
        REPOSITORY,
        f"{REPOSITORY}/issues/new",
        f"{REPOSITORY}/edit/next/book/01-one.ipynb",
        f"{BLOB}/next/book/01-one.ipynb",
        f"{LAB}/book/01-one.ipynb",
        f"{PUBLISHED}book/01-one.html",
    }


def test_a_page_that_does_not_run_gets_the_other_buttons(with_address):
    assert repository_addresses(with_address / "index.html") == {
        REPOSITORY,
        f"{REPOSITORY}/issues/new",
        f"{REPOSITORY}/edit/next/index.md",
        f"{PUBLISHED}index.html",
    }


@pytest.mark.parametrize("site", ["with_address", "without_address"])
def test_no_page_loads_anything_from_elsewhere(site, request):
    assert list(links.faults(request.getfixturevalue(site), PAGES)) == []


def test_a_notebook_says_what_colab_needs_first(with_address):
    text = Addresses(with_address / "book/01-one.html").text
    assert lossfn_address.first_cell(
        lossfn_address.Repository("Some-Owner", "some.name", "next")
    ) == (
        f"!git clone --quiet --depth 1 --branch next {REPOSITORY}\n"
        "%cd some.name/book\n"
        '%pip install --quiet "..[data]"'
    )
    assert f"!git clone --quiet --depth 1 --branch next {REPOSITORY}" in text
    assert text.index("Run this page in") < text.index("Text.")


@pytest.mark.parametrize("page", PAGES)
def test_without_an_address_nothing_points_outside(without_address, page):
    assert repository_addresses(without_address / page) == set()
    written = (without_address / page).read_text(encoding="utf-8")
    assert not re.search("colab|binder|github", written, re.IGNORECASE)


# --- the configuration ---------------------------------------------------------------


def configuration(address: str, **values: object) -> Config:
    config = Config({}, {})
    for name in ("lossfn_repository", "lossfn_branch"):
        config.add(name, "", "env", [str])
    config.add("ogp_site_url", "", "html", [str])
    config.lossfn_repository, config.lossfn_branch = address, "main"
    config.html_theme_options, config.html_baseurl = {}, ""
    for name, value in values.items():
        setattr(config, name, value)
    return config


@pytest.mark.parametrize(
    "address",
    [
        "github.com/owner/name",
        "http://github.com/owner/name",
        "https://github.com/owner",
        "https://github.com/owner/name/",
        "https://github.com/owner/name.git",
        "https://elsewhere.invalid/owner/name",
    ],
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ConfigError) as caught:
        lossfn_address.repository_of(configuration(address))
    assert str(caught.value) == (
        "lossfn_repository in _config.yml must be empty or "
        f"https://github.com/OWNER/NAME, got {address!r}"
    )


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("book", "https://owner.github.io/book/"),
        ("owner.github.io", "https://owner.github.io/"),
    ],
)
def test_the_site_knows_where_it_is_published(name, published):
    config = configuration(f"https://github.com/Owner/{name}")
    lossfn_address.set_theme(None, config)
    assert (config.html_baseurl, config.ogp_site_url) == (published, published)


def test_a_site_address_of_ones_own_stays():
    mine = "https://book.invalid/"
    config = configuration(REPOSITORY, html_baseurl=mine)
    lossfn_address.set_theme(None, config)
    assert (config.html_baseurl, config.ogp_site_url) == (mine, mine)


def test_the_book_has_the_two_values_in_one_place():
    written = (ROOT / "_config.yml").read_text(encoding="utf-8")
    config = yaml.safe_load(written)["sphinx"]["config"]
    assert lossfn_address.ADDRESS.fullmatch(config["lossfn_repository"] or REPOSITORY)
    assert config["lossfn_branch"] == "main"
    assert "lossfn_address" in config["extensions"]
