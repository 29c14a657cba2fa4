"""What print needs beyond the page: each transform below says which."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.latex.nodes import footnotetext
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata

from extensions.callouts import callout
from extensions.excerpt import MARK
from proofs.outline import FILE, PLANNED, load_outline

#: Characters of text that a line can hold at most.
ONE_LINE = 95
#: Characters of code that stay on one line.
SHORT = 20
#: Lines between a reference and its target that are in view of each other: about a page.
IN_VIEW = 40
#: Lines up to which a table, and a listing or a callout (latex/lwbook.lua), stays on one page.
WHOLE, WHOLE_BOX = 9, 8
#: Lines that stay together on either side of a break in them.
TOGETHER = 3
#: Lines of a page that a picture takes.
LINES_OF_PICTURE = 16
#: Lines of a page that a heading takes with a line of text, and that the beginning of a listing, a
#: box, a table or a next heading asks for (latex/lwbook.sty).
HEADING, BEGINNING = 5, 9
#: Lines that the caption of a table or the frame of a box and the space around it take, and that a
#: table can ask for at most: Sphinx breaks a table of more than 30 rows.
CAPTION, MOST = 3, 33


class Tables(SphinxPostTransform):
    """A table begins at the margin; a long one with set widths may run over the page.

    In boxes LaTeX's breakable kind of table is an error.
    """

    default_priority = 400
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Mark the tables of the book."""
        for table in self.document.findall(nodes.table):
            if table.get("align", "default") == "default":
                table["align"] = "left"
            given = "colwidths-given" in table["classes"]
            if given and not _is_inside(table, nodes.Admonition) and _lines_of_table(table) > WHOLE:
                table["classes"].append("longtable")


class TableTails(SphinxPostTransform):
    """The last row of a table does not go to the next page alone."""

    default_priority = 410  # after the long tables are marked
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Forbid the break before it."""
        for table in self.document.findall(nodes.table):
            if "longtable" in table["classes"]:
                *_others, last = table.findall(nodes.row)
                last.insert(0, _latex(r"\noalign{\nobreak}"))


class Planned(SphinxPostTransform):
    """Chapters to come begin no page: each is a heading, a sentence and its topics."""

    default_priority = 380
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Put the commands of latex/lwbook.sty before parts and chapters."""
        source = Path(self.env.srcdir)
        outline = load_outline(source) if (source / FILE).exists() else None
        if outline is None:
            return
        planned = {page.page for page in outline.pages if page.state == PLANNED}
        part: nodes.raw | None = None
        is_running = False  # whether the page before holds a chapter to come
        for node in list(self.document.findall(nodes.Element)):
            if isinstance(node, nodes.raw) and node.astext().startswith(r"\part{"):
                part = node
            if not isinstance(node, addnodes.start_of_file):
                continue
            is_planned = node["docname"] in planned
            begin = "" if is_running or not is_planned else r"\bookplannedpage"
            if part is not None:
                title = part.astext().strip().removeprefix(r"\part{").removesuffix("}")
                about = outline.parts.get(title, "")
                command = r"\bookplannedpart" if is_planned else rf"\bookpart{{{about}}}"
                part[:] = [nodes.Text(f"{begin}{command}{{{title}}}\n")]
                part, begin = None, ""
            if is_planned:
                node.insert(0, _latex(begin + r"\bookplannedchapter"))
                self._run_in(node)
            is_running = is_planned

    def _run_in(self, chapter: nodes.Element) -> None:
        """Set the topics of a chapter as one paragraph."""
        for box in list(chapter.findall(callout)):
            if "planned" in box["classes"]:
                text = " · ".join(item.astext().strip() for item in box.findall(nodes.list_item))
                begin, end = (_latex(rf"\{word}{{bookplannedtopics}}") for word in ("begin", "end"))
                box.replace_self([begin, nodes.paragraph(text, text), end])


class IndexLines(SphinxPostTransform):
    """An entry of the index with one entry below it, and no page, takes one line."""

    default_priority = 400
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Join the two with a comma."""
        below: dict[str, set[str]] = defaultdict(set)
        entries = [node["entries"] for node in self.document.findall(addnodes.index)]
        for kind, words, *_rest in (entry for some in entries for entry in some):
            name, _, rest = words.partition(";")
            below[name.strip()].add(rest.strip() if kind == "single" else "")
        for some in entries:
            for place, (kind, words, *rest) in enumerate(some):
                name = words.partition(";")[0].strip()
                if kind == "single" and ";" in words and len(below[name]) == 1:
                    some[place] = (kind, f"{name}, {words.partition(';')[2].strip()}", *rest)


class Answers(SphinxPostTransform):
    """The line over an answer, and a section's question, are set in environments of latex/lwbook.sty."""

    default_priority = 400
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Wrap the lines."""
        for line in list(self.document.findall(nodes.paragraph)):
            for name in {"answer", "standfirst"} & set(line["classes"]):
                begin, end = (_latex(rf"\{word}{{book{name}}}") for word in ("begin", "end"))
                line.replace_self([begin, line, end])


class ShortCode(SphinxPostTransform):
    """A short piece of code, such as `replicas: 2`, stays on one line outside of headings and columns."""

    default_priority = 400
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Put it in a box."""
        for code in list(self.document.findall(nodes.literal)):
            text = code.astext()
            if " " in text and len(text) <= SHORT and not _is_inside(code, (nodes.title, nodes.table)):
                code.replace_self([_latex(r"\mbox{"), code, _latex("}")])


class Refused(SphinxPostTransform):
    """A refused listing and its answer are on one page, where one holds both."""

    default_priority = 395
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Ask for the space."""
        for box in list(self.document.findall(nodes.container)):
            lines = CAPTION + 3 + sum(_lines(block) for block in box.findall(nodes.literal_block))
            if "refused" in box["classes"] and lines < IN_VIEW:
                _insert_before(box, _latex(rf"\bookroom{{{lines}}}"))


class SourceAddresses(SphinxPostTransform):
    """The bibliography spells addresses out, so that they need no footnotes."""

    default_priority = 390  # before Sphinx makes the footnotes
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Show the address of every link in a source."""
        for citation in self.document.findall(nodes.citation):
            for link in citation.findall(nodes.reference):
                if address := link.get("refuri", ""):
                    link[:] = [nodes.Text(address)]


class SpacesAfterNotes(SphinxPostTransform):
    """A link in a footnote is another note, after which Sphinx's command swallows a space."""

    default_priority = 650  # after Sphinx has made the footnotes
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Put an empty group between the command and the space."""
        for note in list(self.document.findall(footnotetext)):
            index = note.parent.index(note) + 1
            if note.parent[index : index + 1] and note.parent[index].astext()[:1].isspace():
                note.parent.insert(index, _latex("{}"))


class Headings(SphinxPostTransform):
    """A heading keeps space for the code, box or heading that follows it after a line or less."""

    default_priority = 890
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Ask for the space."""
        for section in list(self.document.findall(nodes.section)):
            if lines := _lines_needed(section):
                _insert_before(section, _latex(rf"\bookroom{{{lines}}}"))


class PageReferences(SphinxPostTransform):
    """Who reads on paper finds the target of a reference by its page, unless it is about in view.

    Which ones get a page depends on the text between the two, not on the pages, so that a build
    comes out the same whatever was printed before it, and after few runs of LaTeX.
    """

    default_priority = 880
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Put the command that leaves out the page before references to what is near."""
        places, references = _places(self.document)
        for line, target, reference in references:
            if target in places and abs(places[target] - line) < IN_VIEW:
                reference.parent.insert(reference.parent.index(reference), _latex(r"\booknear{}"))


class SourceLines(SphinxPostTransform):
    """A comment before each block names its place in the source, for messages of LaTeX."""

    default_priority = 900
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Insert the comments."""
        root = Path(self.env.srcdir).parent
        for section in list(self.document.findall(nodes.section)):
            for block in list(section.children):
                if _is_block(block) and block.source:
                    # The line of a table is that of its end.
                    line = min(node.line for node in block.findall(nodes.Element) if node.line)
                    place = Path(block.source).relative_to(root).as_posix()
                    _insert_before(block, _latex(f"% {place}:{line}"))


def _places(document: nodes.document) -> tuple[dict[str, int], list[tuple[int, str, nodes.Element]]]:
    """Return the line of each target, and the references within the book with line and target."""
    page, line = "", 0
    places: dict[str, int] = {}
    references: list[tuple[int, str, nodes.Element]] = []
    for node in document.findall(nodes.Element):
        line += _lines(node)
        if isinstance(node, addnodes.start_of_file):
            page = node["docname"]
            places[f"%{page}"] = line
        places.update((f"%{page}#{name}", line) for name in node["ids"])
        if isinstance(node, (nodes.reference, addnodes.number_reference)):
            target = f"%{page}#{node['refid']}" if "refid" in node else node.get("refuri", "")
            references.append((line, target, node))
    return places, references


def _lines(node: nodes.Element) -> int:
    """Return about how many lines an element adds to a page."""
    if isinstance(node, nodes.literal_block):
        return node.astext().count("\n") + 1
    if isinstance(node, nodes.image):
        return LINES_OF_PICTURE
    if isinstance(node, addnodes.start_of_file):
        return IN_VIEW  # a chapter begins on a new page
    is_text = isinstance(node, nodes.TextElement) and not isinstance(node.parent, nodes.TextElement)
    return len(node.astext()) // ONE_LINE + 1 if is_text else 0


def _lines_of_table(table: nodes.table) -> int:
    """Return about how many lines a table takes: in each row, as many as its longest cell."""
    widths = [column["colwidth"] for column in table.findall(nodes.colspec)]
    return sum(
        max(
            len(cell.astext()) * sum(widths) // (width * ONE_LINE) + 1
            for cell, width in zip(row.findall(nodes.entry), widths, strict=False)
        )
        for row in table.findall(nodes.row)
    )


def _lines_needed(section: nodes.section) -> int:
    """Return the lines that a section needs to begin on a page; 0 if it begins with text."""
    blocks = (block for block in section if _is_block(block) or isinstance(block, nodes.section))
    first = next(blocks, None)
    if isinstance(first, nodes.paragraph) and len(first.astext()) < ONE_LINE:
        first = next(blocks, None)
    if isinstance(first, nodes.section):
        return HEADING + max(_lines_needed(first), BEGINNING)
    if isinstance(first, nodes.table) and "longtable" not in first["classes"]:
        return HEADING + min(CAPTION + _lines_of_table(first), MOST)
    boxes = (nodes.container, nodes.Admonition, nodes.table, nodes.figure)
    if not isinstance(first, boxes):
        return 0
    lines = sum(_lines(node) for node in first.findall(nodes.Element))
    if lines > WHOLE_BOX + 2:  # with caption and stamp, or a title
        return HEADING + max(BEGINNING, _lines_of_first_piece(first))
    gaps = len(list(first.findall(nodes.paragraph))) // 2
    return HEADING + max(CAPTION + lines + gaps, BEGINNING)


def _lines_of_first_piece(box: nodes.Element) -> int:
    """Return the lines of a box up to its first break, before a command or after a cut; 0 if it has none."""
    code = next(box.findall(nodes.literal_block), None)
    lines = code.astext().splitlines() if code and isinstance(box, nodes.container) else []
    begins = [place for place, line in enumerate(lines) if line.startswith("$ ")]
    begins = begins or [place for place, line in enumerate(lines, start=1) if line.strip() == MARK]
    first = next((place for place in begins if place >= TOGETHER), 0)
    return CAPTION + first if 0 < first < WHOLE_BOX + TOGETHER else 0


def _is_block(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Body) and not isinstance(node, nodes.Special) and bool(node.line)


def _insert_before(block: nodes.Node, command: nodes.Node) -> None:
    """Insert a command before a block and its labels, which must stay next to what they name."""
    parent: nodes.Element = block.parent
    index = parent.index(block)
    # The labels of a heading are the last nodes of the section before it.
    while index and isinstance(before := parent[index - 1], nodes.section):
        parent, index = before, len(before)
    while index and isinstance(parent[index - 1], nodes.target):
        index -= 1
    parent.insert(index, command)


def _is_inside(node: nodes.Element, kinds: type | tuple[type, ...]) -> bool:
    parent = node.parent
    while parent is not None and not isinstance(parent, kinds):
        parent = parent.parent
    return parent is not None


def _latex(text: str) -> nodes.raw:
    return nodes.raw("", text, format="latex")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the transforms."""
    for transform in (
        Tables,
        TableTails,
        Planned,
        ShortCode,
        Refused,
        IndexLines,
        Answers,
        SourceAddresses,
        SpacesAfterNotes,
        PageReferences,
        Headings,
        SourceLines,
    ):
        app.add_post_transform(transform)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
