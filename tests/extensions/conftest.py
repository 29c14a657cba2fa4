"""Small books, each in a folder of sites/, copied elsewhere and built."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from proofs.listings import listing_files
from proofs.records import write_records
from tests.pretended import pretended

SITES = Path(__file__).parent / "sites"
#: The book, and the small one with every element.
BOOKS = (SITES.parents[2], SITES.parents[1] / "book" / "kitchen_sink")
SETTINGS: dict[str, Any] = {
    "author": "its authors",
    "bibtex_bibfiles": [str(SITES.parents[2] / "source" / "references.bib")],
    "epub_copyright": "2026",
    "epub_identifier": "small",
    "epub_uid": "small",
    "extensions": [
        "extensions.alt_text",
        "extensions.callouts",
        "extensions.chapter_numbers",
        "extensions.citations",
        "extensions.downloads",
        "extensions.drawings",
        "extensions.epub_edition",
        "extensions.index_page",
        "extensions.listing",
        "extensions.markdown_twin",
        "extensions.mathml",
        "extensions.numbered_references",
        "extensions.planned",
        "extensions.plots",
        "extensions.print_edition",
        "extensions.reference",
        "extensions.screenshot",
        "extensions.site_map",
        "extensions.skeletons",
        "extensions.stamp_legend",
        "extensions.verification_record",
        "myst_parser",
        "sphinxcontrib.bibtex",
    ],
    "html_math_renderer": "mathml",
    "myst_enable_extensions": ["colon_fence"],
    "nitpicky": True,
    "numfig": True,
    "numfig_format": {"code-block": "Listing %s"},
    "project": "Small",
    "version": "1",
}
ENVIRONMENT = {
    "cluster": "kind v0.33.0",
    "date": "2026-11-25",
    "kubernetes": "v1.36.1",
    "router": "v0.10.0",
    "simulator": "v0.10.2",
}
OLDER = {**ENVIRONMENT, "date": "2026-11-26", "router": "v0.7.1, configuration translated"}


@dataclass(frozen=True)
class Site:
    """A small book at work; `root` holds source/, examples/ and records/, `settings` are for it alone."""

    root: Path
    settings: Mapping[str, Any] = field(default_factory=dict)

    def prove(self) -> None:
        """Write a record for every listing, as a run would."""
        files = listing_files(self.root)
        records = {
            listing: pretended(listing, file, OLDER, ENVIRONMENT, proof="test_02_first.py::test_it")
            for listing, file in files.items()
        }
        write_records(self.root, records)

    def build(self, builder: str = "html", *, processes: int = 1) -> str:
        """Build the book into root/<builder>; return the warnings."""
        warnings = StringIO()
        with docutils_namespace():
            app = Sphinx(
                self.root / "source",
                None,
                self.root / builder,
                self.root / f"doctrees-{builder}",
                builder,
                confoverrides={**SETTINGS, **self.settings},
                status=None,
                warning=warnings,
                parallel=processes,
            )
            app.build()
        return warnings.getvalue()

    def output(self, path: str) -> str:
        """Return the text of a built file."""
        return (self.root / path).read_text(encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that must occur in a file of the book."""
        file = self.root / path
        before = file.read_text(encoding="utf-8")
        assert old in before
        file.write_text(before.replace(old, new), encoding="utf-8")


def visible(page: str) -> str:
    """Return the text of an HTML page without its tags."""
    return html.unescape(re.sub(r"<[^>]+>", "", page))


@pytest.fixture
def site(tmp_path: Path) -> Callable[[str], Site]:
    """Return a function that copies a small book by name, with all its listings proved."""
    return lambda name: _copy(name, tmp_path)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Site]:
    """Return a function that builds a small book as HTML, once, for tests that only read it."""

    @cache
    def build(name: str) -> Site:
        book = _copy(name, tmp_path_factory.mktemp(name))
        assert book.build() == ""
        return book

    return build


def _copy(name: str, folder: Path) -> Site:
    shutil.copytree(SITES / name, folder / "book")
    book = Site(folder / "book")
    book.prove()
    return book
