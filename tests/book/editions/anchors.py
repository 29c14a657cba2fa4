"""The anchors of the HTML edition that other sites may link to: `anchors.txt` keeps them.

A release adds those of build/html (`nox -s release`), so that changes beside each other do
not meet here. It takes none away: an
anchor that goes breaks links on other sites, so its line is removed by hand, knowingly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bs4 import BeautifulSoup

KEPT = Path(__file__).with_name("anchors.txt")
BUILT = Path(__file__).parents[3] / "build" / "html"
#: Sections, listings, figures and tables; before them, labels are empty spans.
LINKED = "section[id], section > span[id], div.literal-block-wrapper[id], figure[id], table[id], dt[id]"


def anchors(page: str, article: BeautifulSoup) -> Iterator[str]:
    """Yield the anchors of a page that a link may name; Sphinx's own `id1` may change."""
    for element in article.select(LINKED):
        if not str(element["id"]).removeprefix("id").isdigit():
            yield f"{page}#{element['id']}"


def kept() -> set[str]:
    """Return the anchors that must stay."""
    return set(KEPT.read_text(encoding="utf-8").split())


def add(found: Iterable[str]) -> None:
    """Keep more anchors."""
    KEPT.write_text("".join(f"{anchor}\n" for anchor in sorted({*kept(), *found})), encoding="utf-8")


if __name__ == "__main__":
    from tests.book.editions.conftest import html_pages

    add(anchor for page, article in html_pages() for anchor in anchors(page, article))
