"""Every picture says what it shows, or the build names its line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.extensions.conftest import Site


def test_pictures_with_words_are_let_through(site: Callable[[str], Site]) -> None:
    assert site("pictures").build() == ""


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (":alt: A dot.\n", "", 3),
        (":alt: The same dot.", ":alt:", 9),
        (":alt: The same dot.\n", "", 9),
        ("![small dot]", "![]", 13),
    ],
)
def test_a_picture_without_words_is_reported_where_it_stands(
    old: str, new: str, line: int, site: Callable[[str], Site]
) -> None:
    book = site("pictures")
    book.edit("source/index.md", old, new)
    assert f"source/index.md:{line}: WARNING: dot.png has no alt text: say what it shows" in book.build()
