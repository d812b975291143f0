"""Every public name has a docstring, an example, a test and a place in the API pages.

And what the links between chapters, API pages, source and tests are made of: it is read
from the code, and nothing is built here. tests/test_site.py follows the links.
"""

import ast
import importlib
import textwrap
from pathlib import Path

import pytest

from tools.lossfn_links.code import with_links
from tools.lossfn_links.gaps import gaps
from tools.lossfn_links.names import makers, paths_to, public_names, rooms
from tools.lossfn_links.pages import with_places
from tools.lossfn_links.proofs import proofs_of
from tools.lossfn_links.references import Reference, bindings, references


def test_no_public_name_lacks_anything():
    assert list(gaps()) == []


@pytest.mark.parametrize("room", rooms())
def test_the_names_read_are_those_that_python_imports(room):
    module = importlib.import_module(f"lossfn.{room}")
    read = {name.name for name in public_names().values() if name.room == room}
    if hasattr(module, "__all__"):
        assert read == set(module.__all__)
    else:
        own = {
            name
            for name, value in vars(module).items()
            if not name.startswith("_")
            if getattr(value, "__module__", module.__name__) == module.__name__
            if not isinstance(value, type(importlib)) and name != "annotations"
        }
        assert read == own


# --- a package with one room -------------------------------------------------

FILES = {
    "lossfn/__init__.py": "",
    "lossfn/room/__init__.py": """
        from lossfn.room._part import LIMIT, Found, find
        __all__ = ["LIMIT", "Found", "find"]
        """,
    "lossfn/room/_part.py": '''
        class Found:
            """What was found.

            >>> Found()
            """

        def find() -> Found:
            """Find it.

            >>> find()
            """

        LIMIT = 3
        ''',
    "book/api/room.md": """
        # lossfn.room

        ```{eval-rst}
        .. automodule:: lossfn.room
           :members:

        .. py:data:: LIMIT
           :module: lossfn.room

           How many are found.
        ```
        """,
    "_toc.yml": "- file: book/api/room",
    "tests/cases.py": """
        from lossfn import room
        CASES = ["LIMIT"]
        def look_up(name):
            return getattr(room, name)
        """,
    "tests/test_room.py": """
        import pytest
        from lossfn import room
        from tests import cases

        @pytest.fixture(name="found")
        def _found():
            return room.find()

        def test_direct():
            room.find()

        def test_of_a_fixture(found):
            assert found

        def test_of_a_table():
            for case in cases.CASES:
                cases.look_up(case)

        def test_of_something_else():
            assert room
        """,
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return root


def test_a_whole_package_has_no_gaps(tmp_path):
    assert list(gaps(write(tmp_path, FILES))) == []


GAPS = {
    "a function without a docstring": (
        ("lossfn/room/_part.py", '"""Find', 'f"""Find'),
        ["lossfn.room.find has no docstring"],
    ),
    "a class without a docstring": (
        ("lossfn/room/_part.py", '"""What', 'f"""What'),
        ["lossfn.room.Found has no docstring"],
    ),
    "a function without an example": (
        ("lossfn/room/_part.py", ">>> find()", "find()"),
        ["lossfn.room.find has no example"],
    ),
    "a class without an example": (
        ("lossfn/room/_part.py", ">>> Found()", "Found()"),
        ["lossfn.room.Found has no example"],
    ),
    "a function without a test, and what it returns": (
        ("tests/test_room.py", "room.find()", "room"),
        ["lossfn.room.Found has no test", "lossfn.room.find has no test"],
    ),
    "a constant without a test": (
        ("tests/cases.py", "LIMIT", "OTHER"),
        ["lossfn.room.LIMIT has no test"],
    ),
    "a page without members": (
        ("book/api/room.md", "   :members:", ""),
        [
            "lossfn.room.Found has no place in book/api/room.md",
            "lossfn.room.find has no place in book/api/room.md",
        ],
    ),
    "a page that the contents do not list": (
        ("_toc.yml", "room", "room_of_another_name"),
        [
            "lossfn.room.LIMIT has no place in book/api/room.md",
            "lossfn.room.Found has no place in book/api/room.md",
            "lossfn.room.find has no place in book/api/room.md",
        ],
    ),
    "a constant without an entry": (
        ("book/api/room.md", "py:data:: LIMIT", "py:data:: OTHER"),
        ["lossfn.room.LIMIT has no place in book/api/room.md"],
    ),
    "a constant without a description": (
        ("book/api/room.md", "   How many are found.", ""),
        ["lossfn.room.LIMIT has no description in book/api/room.md"],
    ),
}


@pytest.mark.parametrize(("change", "expected"), GAPS.values(), ids=GAPS)
def test_a_gap_is_reported(tmp_path, change, expected):
    file, old, new = change
    assert old in FILES[file]
    changed = {**FILES, file: FILES[file].replace(old, new)}
    assert list(gaps(write(tmp_path, changed))) == expected


def test_a_page_that_is_missing_is_reported(tmp_path):
    files = {name: text for name, text in FILES.items() if not name.endswith(".md")}
    found = list(gaps(write(tmp_path, files)))
    assert found == [
        f"lossfn.room.{name} has no place in book/api/room.md"
        for name in ("LIMIT", "Found", "find")
    ]


def test_the_example_of_a_class_may_be_in_its_init(tmp_path):
    part = """
        class Found:
            'What was found.'
            def __init__(self):
                '>>> Found()'
        def find() -> Found:
            '>>> find()'
        LIMIT = 3
        """
    files = {**FILES, "lossfn/room/_part.py": part}
    assert list(gaps(write(tmp_path, files))) == []


# --- names -------------------------------------------------------------------


def test_a_name_is_found_where_it_is_defined(tmp_path):
    names = public_names(write(tmp_path, FILES))
    assert {full: name.module for full, name in names.items()} == {
        "lossfn.room.LIMIT": "lossfn.room._part",
        "lossfn.room.Found": "lossfn.room._part",
        "lossfn.room.find": "lossfn.room._part",
    }
    assert [name.name for name in names.values() if name.is_constant] == ["LIMIT"]
    assert makers(names) == {"lossfn.room.Found": {"lossfn.room.find"}}


def test_a_name_that_is_offered_and_not_defined_is_an_error(tmp_path):
    part = FILES["lossfn/room/_part.py"].replace("LIMIT = 3", "")
    root = write(tmp_path, {**FILES, "lossfn/room/_part.py": part})
    message = r"^lossfn\.room\._part offers LIMIT and does not define it$"
    with pytest.raises(LookupError, match=message):
        public_names(root)


# --- references --------------------------------------------------------------

PATHS = {
    **{f"lossfn.nn.{name}": f"lossfn.nn.{name}" for name in ("first", "second")},
    "lossfn.losses._part.huber": "lossfn.losses.huber",
    "lossfn.nn": "lossfn.nn",
}

SOURCES = {
    "an attribute": ("from lossfn import nn\nnn.first(1)", ["nn", "first"]),
    "an alias": ("import lossfn.nn as other\nother.first", ["other", "first"]),
    "the whole path": ("import lossfn\nlossfn.nn.second()", ["nn", "second"]),
    "a name": ("from lossfn.nn import first\nfirst()", ["first"]),
    "where it is defined": (
        "from lossfn.losses._part import huber\nhuber()",
        ["huber"],
    ),
    "a loop over libraries": (
        "from lossfn import nn\nfor n, m in [('a', nn), ('b', tf.nn)]: m.first()",
        ["nn", "m", "first"],
    ),
    "a comprehension": (
        "from lossfn import nn\n[m.first for m in (tf.nn, nn)]",
        ["nn", "m", "first"],
    ),
    "letters before it that are not ASCII": (
        "from lossfn import nn\nx = 'ππ', nn.first",
        ["nn", "first"],
    ),
    "another library": ("import tensorflow as tf\ntf.nn.first()", []),
    "a private name": ("from lossfn import nn\nnn._first()", ["nn"]),
}


@pytest.mark.parametrize(("source", "expected"), SOURCES.values(), ids=SOURCES)
def test_the_references_of_a_source(source, expected):
    bound = bindings([ast.parse(source)])
    found = [each for each in references(source, bound, PATHS) if not each.is_import]
    lines = source.splitlines()
    assert {lines[r.line - 1][r.start : r.end] for r in found} == set(expected)


def test_a_cell_knows_what_an_earlier_cell_imported():
    first, second = "from lossfn import nn", "nn.first"
    bound = bindings(map(ast.parse, (first, second)))
    assert [each.full for each in references(second, bound, PATHS)] == [
        "lossfn.nn.first",
        "lossfn.nn",
    ]


# --- tests -------------------------------------------------------------------


def test_the_tests_that_refer_to_a_name(tmp_path):
    found = proofs_of(public_names(root := write(tmp_path, FILES)), root)
    tests = {full: [proof.test for proof in proofs] for full, proofs in found.items()}
    assert tests == {
        "lossfn.room.LIMIT": ["test_of_a_table"],
        "lossfn.room.Found": ["test_direct", "test_of_a_fixture"],
        "lossfn.room.find": ["test_direct", "test_of_a_fixture"],
    }
    (direct, _) = found["lossfn.room.find"]
    lines = (root / "tests/test_room.py").read_text(encoding="utf-8").splitlines()
    assert lines[direct.line - 1] == "def test_direct():"


def test_the_most_telling_test_comes_first(tmp_path):
    tests = {
        "tests/test_all.py": """
            from lossfn import room
            def test_find_elsewhere():
                room.find()
            """,
        "tests/test_room.py": """
            from lossfn import room
            def test_all():
                room.find(), room.LIMIT
            def test_it():
                room.find()
            def test_find_with_the_limit():
                room.find(), room.LIMIT
            """,
    }
    root = write(tmp_path, {**FILES, **tests})
    found = proofs_of(public_names(root), root)["lossfn.room.find"]
    assert [proof.test for proof in found] == [
        "test_find_with_the_limit",
        "test_it",
        "test_all",
        "test_find_elsewhere",
    ]


def test_a_table_may_hold_the_halves_of_a_name(tmp_path):
    table = FILES["tests/cases.py"].replace('["LIMIT"]', '["LIM", f"{0}IT"]')
    root = write(tmp_path, {**FILES, "tests/cases.py": table})
    found = proofs_of(public_names(root), root)["lossfn.room.LIMIT"]
    assert [proof.test for proof in found] == ["test_of_a_table"]


# --- links in code -----------------------------------------------------------


def test_links_are_put_around_names():
    code = '<pre><span></span><span class="n">nn</span><span class="o">.</span>'
    code += '<span class="n">first</span> &lt; <span class="n">nn</span>\n</pre>'
    found = [
        Reference("lossfn.nn.first", 1, 3, 8, False),
        Reference("lossfn.nn", 1, 11, 13, False),
        Reference("lossfn.nn.second", 1, 0, 2, False),
    ]
    addresses = {"lossfn.nn.first": "nn.html#first", "lossfn.nn": "nn.html#nn"}
    linked = with_links(code, found, addresses)
    for name, address in (("first", "nn.html#first"), ("nn", "nn.html#nn")):
        link = f'<a class="to-api" href="{address}">{name}</a>'
        assert linked.count(link) == 1
        linked = linked.replace(link, name)
    assert linked == code


def test_a_place_inside_an_f_string_that_python_gets_wrong_is_no_link():
    wrong = Reference("lossfn.nn", 1, 0, 0, False)
    assert with_links("<pre>x\n</pre>", [wrong], {"lossfn.nn": "nn.html"}) == (
        "<pre>x\n</pre>"
    )


def test_a_test_has_a_place_at_its_line():
    assert with_places("<pre>import a\ndef test_a():\n</pre>", {"test_a": 2}) == (
        '<pre>import a\n<span class="place" id="test_a"></span>def test_a():\n</pre>'
    )


def test_the_path_to_a_name_may_be_that_of_its_definition():
    paths = paths_to(public_names())
    assert paths["lossfn.losses._regression.huber"] == "lossfn.losses.huber"
    assert paths["lossfn.losses.huber"] == "lossfn.losses.huber"
