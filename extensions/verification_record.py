"""The directive `{verification-record}`: what was proved about each listing, from records/.

On screen, an entry per listing tells it all; print has a line for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from extensions.proven import records_of, root_of
from extensions.rereading import note_records
from extensions.stamp import claim, newest, record_label, unusual
from proofs.outline import FILE, Chapter, load_outline
from proofs.records import Record, RecordError, tally

#: The columns in print, and their widths in hundredths.
HEAD = ("File", "Proof", "Tests / mutants")
WIDTHS = (53, 37, 10)


class VerificationRecord(SphinxDirective):
    """How many listings have which evidence, then an entry per listing, by chapter."""

    def run(self) -> list[nodes.Node]:
        """Return the summary and a section per chapter."""
        self.env.note_dependency(FILE)
        note_records(self.env)
        try:
            records = records_of(root_of(self.env))
        except RecordError as error:
            raise self.error(str(error)) from error
        if not records:
            return [_paragraph("No listing is proved yet.")]
        pages = load_outline(self.env.srcdir).pages
        chapters = {one.slug: one for one in pages}
        by_chapter = groupby(sorted(records.items()), key=lambda item: PurePosixPath(item[0]).parts[0])
        sections = [self._section(folder, chapters, dict(group)) for folder, group in by_chapter]
        return [_paragraph(f"{tally(records.values())}."), *sections]

    def _section(
        self, folder: str, chapters: Mapping[str, Chapter], records: Mapping[str, Record]
    ) -> nodes.section:
        if folder not in chapters:
            message = (
                f"examples/{folder} has the name of no page in source/{FILE}: rename it, and its records"
            )
            raise self.error(message)
        number, title = chapters[folder].number, chapters[folder].title
        title = f"{'Chapter' if number.isdigit() else 'Appendix'} {number}: {title}"
        entries = [self._entry(record) for record in records.values()]
        section = nodes.section(
            "", nodes.title(title, title), nodes.definition_list("", *entries, classes=["record"])
        )
        section["names"].append(f"records-{folder}")
        self.state.document.note_explicit_target(section)
        return section

    def _entry(self, record: Record) -> nodes.definition_list_item:
        path = f"examples/{record.listing}"
        term = nodes.term("", "", nodes.literal(path, path), names=[record_label(record.listing)])
        self.state.document.note_explicit_target(term)
        return nodes.definition_list_item(
            "", term, nodes.definition("", *_details(record)), listing=record.listing
        )


class PrintedRecord(SphinxPostTransform):
    """Put a table of one line per listing in the place of a chapter's entries."""

    default_priority = 5  # before Sphinx resolves references
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Replace the entries of all chapters."""
        records = records_of(root_of(self.env))
        for entries in list(self.document.findall(nodes.definition_list)):
            if "record" in entries["classes"]:
                items = entries.findall(nodes.definition_list_item)
                rows = [_line(item, records[item["listing"]]) for item in items]
                entries.replace_self(_table(_row(*map(_paragraph, HEAD)), rows))


def _line(entry: nodes.definition_list_item, record: Record) -> nodes.row:
    """Return file, proof, and the numbers of tests and mutants; stamps refer to it as to the entry."""
    (term,) = entry.findall(nodes.term)
    name = record.listing.partition("/")[2]
    file = _paragraph(nodes.literal(name, name), nodes.target("", "", ids=term["ids"]))
    proof = claim(record, unusual(newest(record)))
    return _row(file, _paragraph(proof), _paragraph(f"{len(record.proofs)} / {len(record.mutants)}"))


def _row(*cells: nodes.Node) -> nodes.row:
    return nodes.row("", *(nodes.entry("", cell) for cell in cells))


def _table(head: nodes.row, rows: Sequence[nodes.row]) -> nodes.container:
    columns = [nodes.colspec(colwidth=width) for width in WIDTHS]
    group = nodes.tgroup("", *columns, nodes.thead("", head), nodes.tbody("", *rows), cols=len(columns))
    table = nodes.table("", group, classes=["colwidths-given", "longtable"])
    return nodes.container("", table, classes=["record"])


def _details(record: Record) -> Iterator[nodes.Node]:
    """Give what was proved where, by which tests, and what made them fail."""
    for environment in record.environments:
        yield _paragraph(claim(record, environment))
    for proof in record.proofs:
        module, test = proof.split("::", 1)
        yield _paragraph("Proved by ", nodes.literal(test, test), " in ", nodes.literal(module, module))
    if record.mutants:
        changes = [
            _paragraph(nodes.literal(one.change, one.change), f": {one.because}") for one in record.mutants
        ]
        yield _paragraph("The proof fails, as it must, with:")
        yield nodes.bullet_list("", *(nodes.list_item("", change) for change in changes))


def _paragraph(*parts: str | nodes.Node) -> nodes.paragraph:
    return nodes.paragraph("", "", *(nodes.Text(part) if isinstance(part, str) else part for part in parts))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive."""
    app.setup_extension("extensions.rereading")
    app.add_directive("verification-record", VerificationRecord)
    app.add_post_transform(PrintedRecord)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
