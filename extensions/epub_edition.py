"""The EPUB as e-readers want it, where Sphinx's own falls short.

- The contents name the parts, and number chapters and sections as the pages do.
- The package says which picture is the cover, which pages hold formulas, and what a
  reader who cannot see finds; it holds nothing that no page uses.
- Each part opens with a page of its title, and pictures are light on the white page of
  readers whose system is dark.
- A line of code that is longer than the page goes on under its own beginning, a little to the
  right, so that the beginnings of lines still show how the code is built. It breaks between
  words or the parts of a name.
- The same inputs give the same bytes: no entry of the archive carries a time.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from docutils import nodes
from pygments.formatters import HtmlFormatter
from sphinx.application import Sphinx
from sphinx.builders.epub3 import Epub3Builder
from sphinx.util.typing import ExtensionMetadata

from extensions.parts import pages_by_part
from extensions.screens import breakable
from proofs.outline import FILE, load_outline

Entry = dict[str, Any]
PACKAGE, DUBLIN_CORE = "http://www.idpf.org/2007/opf", "http://purl.org/dc/elements/1.1/"
#: Style sheets for signs that only a screen with a pointer has.
FOR_SCREENS = "copybutton"
#: The colours of pictures on dark pages (extensions/vector.py).
DARK = re.compile(r"@media \(prefers-color-scheme:dark\)\{(?:[^{}]*\{[^{}]*\})*\}")
#: The width of a character of code in em, and how many characters further a long line goes on.
CHARACTER, FURTHER = 0.6, 2
#: The beginning of a line of code: it can have a number, and a colour of its own.
BEGINNING = re.compile(r'(?:<span class="linenos">([^<]*)</span>)?(?:<[^>]+>)*( *)')
#: The tags of a line, and what is between them.
PARTS = re.compile(r"<[^>]+>|[^<]+")
HIGHLIGHTED = '<span class="hll">'
#: In place of a tab, which would end at the first place where the line goes on.
TAB = 4 * " "
ACCESSIBILITY = (
    ("accessMode", "textual"),
    ("accessMode", "visual"),
    ("accessModeSufficient", "textual"),
    ("accessibilityFeature", "alternativeText"),
    ("accessibilityFeature", "index"),
    ("accessibilityFeature", "MathML"),
    ("accessibilityFeature", "readingOrder"),
    ("accessibilityFeature", "structuralNavigation"),
    ("accessibilityFeature", "tableOfContents"),
    ("accessibilityHazard", "none"),
    ("accessibilitySummary", "Every picture has a text that says what it shows; code is text."),
)


class HangingLines(HtmlFormatter[str]):
    """Highlighted code, each line of which is a block that knows how far it is indented."""

    def wrap(self, source: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        """Yield the lines and what is around them."""
        lines = ((kind, _hanging(line) if kind else line) for kind, line in source)
        yield from super().wrap(lines)  # type: ignore[no-untyped-call]


def _hanging(line: str) -> str:
    """Return a line of code as a block whose second and later lines on the page are indented."""
    line = line.replace("\t", TAB)
    line = "".join(part if part.startswith("<") else breakable(part) for part in PARTS.findall(line))
    number, blanks = BEGINNING.findall(line)[0]
    indent = CHARACTER * (len(number) + len(blanks) + FURTHER)
    style = f'style="padding-left: {indent:.1f}em; text-indent: -{indent:.1f}em"'
    if line.startswith(HIGHLIGHTED):
        return line.replace(HIGHLIGHTED, f'<span class="hll" {style}>', 1)
    return f'<span class="line" {style}>{line}</span>'


class BookEpub(Epub3Builder):
    """Sphinx's builder, with a better contents, package and archive."""

    html_tag = Epub3Builder.html_tag.replace(">", ' lang="en" xml:lang="en">')

    def init_highlighter(self) -> None:
        """Have the lines of code hang."""
        super().init_highlighter()
        self.highlighter.formatter = HangingLines

    def get_refnodes(self, doctree: nodes.Node, result: list[Entry]) -> list[Entry]:
        """Return the entries of the contents; Sphinx would make a dash of the hyphens of a flag."""
        before = len(result)
        found = super().get_refnodes(doctree, result)
        if isinstance(doctree, nodes.reference) and len(found) > before:
            found[-1]["text"] = html.escape(doctree.astext())
        return found

    def build_navlist(self, navnodes: list[Entry]) -> list[Any]:
        """Return the contents that e-readers show: parts, chapters, sections."""
        return super().build_navlist(list(self._in_parts(self._numbered(navnodes))))

    def build_navigation_doc(self) -> None:
        """Write the contents as a page, in the look of the book: each entry has one number."""
        super().build_navigation_doc()
        file = self.outdir / "nav.xhtml"
        page = file.read_text(encoding="utf-8").replace("Table of Contents", "Contents")
        style = '<link rel="stylesheet" type="text/css" href="_static/epub.css"/>'
        file.write_text(page.replace("</title>", f"</title>\n    {style}", 1), encoding="utf-8")

    def build_navpoints(self, nodes: list[Entry]) -> list[Any]:
        """Return the contents for old e-readers, which cannot have two entries for one page."""
        return super().build_navpoints(list(self._numbered(nodes)))

    def build_content(self) -> None:
        """Write the package."""
        self._drop_unused()
        for picture in (self.outdir / "_images").glob("*.svg"):
            picture.write_text(DARK.sub("", picture.read_text(encoding="utf-8")), encoding="utf-8")
        super().build_content()
        file = self.outdir / "content.opf"
        file.write_bytes(self._completed(file.read_text(encoding="utf-8")))

    def build_epub(self) -> None:
        """Write the archive, with the same date in every entry."""
        names = ("mimetype", "META-INF/container.xml", "content.opf", "toc.ncx", *self.files)
        with ZipFile(self.outdir / f"{self.config.epub_basename}.epub", "w") as archive:
            for name in names:
                entry = ZipInfo(name)  # of 1 January 1980, the oldest date that an archive knows
                entry.external_attr = 0o644 << 16
                method = ZIP_STORED if name == "mimetype" else ZIP_DEFLATED
                archive.writestr(entry, (self.outdir / name).read_bytes(), compress_type=method)

    def _numbered(self, entries: list[Entry]) -> Iterator[Entry]:
        """Give each entry the number that its heading has."""
        for entry in entries:
            page, _, anchor = entry["refuri"].partition("#")
            numbers = self.env.toc_secnumbers.get(self._document(page), {})
            number = ".".join(map(str, numbers.get(anchor and f"#{anchor}", ())))
            yield {**entry, "text": f"{number} {entry['text']}".strip()}

    def _in_parts(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """Put an entry for each part before its first chapter, and its chapters below it."""
        parts = {page: title for title, pages in pages_by_part(self.env).items() for page in pages}
        current, depth = "", 0
        for entry in entries:
            if entry["level"] == 1:
                part = parts.get(self._document(entry["refuri"]), "")
                depth = 1 if part else 0
                if part and part != current:
                    yield {**entry, "text": html.escape(part)}
                current = part
            yield {**entry, "level": entry["level"] + depth}

    def _document(self, page: str) -> str:
        return html.unescape(page).removesuffix(self.out_suffix)

    def _drop_unused(self) -> None:
        """Remove what Sphinx and its extensions bring for HTML alone: it would be packed."""
        linked = {str(sheet.filename) for sheet in self._css_files if FOR_SCREENS not in str(sheet.filename)}
        used = linked | set(self.config.epub_cover[:1])
        for file in (self.outdir / "_static").rglob("*"):
            if file.is_file() and file.relative_to(self.outdir).as_posix() not in used:
                file.unlink()

    def _completed(self, package: str) -> bytes:
        """Return the package with what Sphinx leaves out of it."""
        ET.register_namespace("", PACKAGE)
        ET.register_namespace("dc", DUBLIN_CORE)
        root = ET.fromstring(package)  # noqa: S314 - Sphinx has just written it
        about = next(root.iter(f"{{{PACKAGE}}}metadata"))
        for name, text in ACCESSIBILITY:
            ET.SubElement(about, f"{{{PACKAGE}}}meta", property=f"schema:{name}").text = text
        for item in root.iter(f"{{{PACKAGE}}}item"):
            if item.attrib["href"] in self.config.epub_cover[:1]:
                item.set("properties", "cover-image")
            elif _has_formula(self.outdir / unquote(item.attrib["href"])):
                item.set("properties", "mathml")
        ET.indent(root)
        return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _has_formula(file: Path) -> bool:
    return file.suffix == ".xhtml" and file.exists() and b"<math " in file.read_bytes()


def adapt_page(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Open a part before its first page, and link a page to no style sheet that is of no use there."""
    if app.builder.name != "epub":
        return
    if doctree is not None:
        context["body"] = _opening(app, page) + context["body"]
    sheets = context.get("css_files", [])
    context["css_files"] = [sheet for sheet in sheets if FOR_SCREENS not in str(sheet.filename)]


def _opening(app: Sphinx, page: str) -> str:
    """Return the title page of the part that begins with a page; empty where none does."""
    parts = {title: pages for title, pages in pages_by_part(app.env).items() if title and pages}
    for number, (title, pages) in enumerate(parts.items(), start=1):
        if page == pages[0]:
            is_numbered = (app.srcdir / FILE).exists() and title in (about := load_outline(app.srcdir).parts)
            return "".join(
                (
                    '<div class="part-opening">',
                    f'<p class="part-number">Part {number}</p>' if is_numbered else "",
                    f'<p class="part-title">{html.escape(title)}</p>',
                    f'<p class="part-about">{html.escape(about[title])}</p>' if is_numbered else "",
                    "</div>",
                )
            )
    return ""


def setup(app: Sphinx) -> ExtensionMetadata:
    """Take the place of Sphinx's builder."""
    app.add_builder(BookEpub, override=True)
    app.connect("html-page-context", adapt_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
