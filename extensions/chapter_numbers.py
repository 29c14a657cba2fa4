"""Number each chapter by the number in its file name.

Sphinx begins at 1 again in every numbered toctree, and the book has one toctree per
part. Here `04-title` is chapter 4, and `p-title` Appendix P, in HTML and EPUB as in
print; listings, figures and tables follow ("Listing 4.1").
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector
from sphinx.util.typing import ExtensionMetadata

_number_per_toctree = TocTreeCollector.assign_section_numbers


def chapter_number(page: str) -> int | str:
    """Return the number in a document's name: 4 for "part/04-title", "P" for "p-title"."""
    prefix = PurePosixPath(page).name.split("-")[0]
    return int(prefix) if prefix.isdigit() else prefix.upper()


def number_by_file_name(self: TocTreeCollector, env: BuildEnvironment) -> list[str]:
    """Assign a number to every section; return the documents whose numbers have changed.

    It takes the place of Sphinx's own method, because figures take their numbers from
    the sections' right after it, in the same event.
    """
    before = env.toc_secnumbers
    _number_per_toctree(self, env)
    for page, numbers in env.toc_secnumbers.items():
        chapter = chapter_number(page)
        env.toc_secnumbers[page] = {anchor: _moved(chapter, number) for anchor, number in numbers.items()}
        for holder in (env.titles[page], *env.tocs[page].findall(nodes.reference)):
            if holder.get("secnumber"):
                holder["secnumber"] = _moved(chapter, holder["secnumber"])
    return [page for page, numbers in env.toc_secnumbers.items() if numbers != before.get(page)]


def _moved(chapter: int | str, number: Sequence[int]) -> tuple[int, ...]:
    # Sphinx writes letters as well as numbers, though its types do not say so.
    return (cast("int", chapter), *number[1:]) if number else ()


def setup(app: Sphinx) -> ExtensionMetadata:  # noqa: ARG001 - the method is the same for all
    """Replace the numbering of sections."""
    TocTreeCollector.assign_section_numbers = number_by_file_name  # type: ignore[method-assign]
    return {"parallel_read_safe": True, "parallel_write_safe": True}
