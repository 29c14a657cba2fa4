"""Offer what a page lets its reader take along: its listings in one file, its text, the book.

A chapter whose folder of examples/ holds files gets them as `_downloads/<folder>.zip`.
`_templates/page-downloads.html` shows the links. The PDF and the EPUB are put beside the
pages by `nox -s docs`, when all three editions are built.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from extensions.proven import root_of
from proofs.listings import chapter_files

BOOK = (("The whole book", "PDF", "life-with-llm-d.pdf"), ("The whole book", "EPUB", "life-with-llm-d.epub"))


class Download(NamedTuple):
    """A link of a page: what it gives, in which format, and its address from there."""

    what: str
    kind: str
    address: str


def offer(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Write the archive of a page's listings and hand the page its links."""
    if app.builder.name != "html" or doctree is None:
        return
    files = [("This page", "Markdown", f"{page}.md"), *BOOK]
    slug = PurePosixPath(page).name
    if listings := chapter_files(root_of(app.env), slug):
        files.insert(0, ("Listings of this chapter", "zip", _archive(app, slug, listings)))
    context["downloads"] = [Download(what, kind, context["pathto"](name, 1)) for what, kind, name in files]


def _archive(app: Sphinx, slug: str, files: list[Path]) -> str:
    name = f"_downloads/{slug}.zip"
    (app.outdir / "_downloads").mkdir(exist_ok=True)
    with ZipFile(app.outdir / name, "w") as archive:
        for file in files:
            # Without the dates of a checkout: an archive must not differ from one to the next.
            entry = ZipInfo(file.relative_to(root_of(app.env) / "examples").as_posix())
            entry.external_attr = (0o755 if file.stat().st_mode & 0o100 else 0o644) << 16
            archive.writestr(entry, file.read_bytes(), ZIP_DEFLATED)
    return name


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to every page before it is written."""
    app.connect("html-page-context", offer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
