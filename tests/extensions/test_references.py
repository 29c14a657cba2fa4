"""A reference to nothing ends a strict build, and names its line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.extensions.conftest import Site

#: Every kind of reference that a chapter may hold, and what is said when it leads nowhere.
NOWHERE = {
    "{ref}`nowhere`": "undefined label: 'nowhere'",
    "{numref}`nowhere`": "undefined label: 'nowhere'",
    "{doc}`nowhere`": "unknown document: 'nowhere'",
    "{term}`nowhere`": "term not in glossary: 'nowhere'",
    "{eq}`nowhere`": "equation not found: nowhere",
    "[words](#nowhere)": "cross-reference target not found: 'nowhere'",
    "[words](nowhere.md)": "cross-reference target not found: 'nowhere.md'",
    "[words](02-go-on.md#nowhere)": "local id not found in doc '02-go-on': 'nowhere'",
    "{cite}`nowhere`": 'could not find bibtex key "nowhere"',
    "{download}`nowhere.txt`": "download file not readable",
    "![words](nowhere.png)": "image file not readable: nowhere.png",
    "[^nowhere]": 'Unknown target name: "nowhere"',
}

#: MyST, as it reports a link to nothing, uses names that Sphinx 9 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:'myst_parser")


@pytest.mark.parametrize("reference", NOWHERE)
def test_a_reference_to_nothing_is_reported_where_it_stands(
    reference: str, site: Callable[[str], Site]
) -> None:
    book = site("numbers")
    book.edit("source/01-begin.md", "# Begin\n", f"# Begin\n\nSee {reference} for more.\n")
    found = [line for line in book.build().splitlines() if NOWHERE[reference] in line]
    assert found, book.build()
    assert "source/01-begin.md:3: " in found[0]
