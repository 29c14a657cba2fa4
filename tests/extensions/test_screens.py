"""Do tables, pictures, planned chapters, questions and typed lines look as their screens need it?"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from pygments.token import Generic

from extensions.excerpt import marked_lexer
from extensions.screens import CELL, breakable, planned_pages
from tests.extensions.conftest import SETTINGS, Site, visible

EXTENSIONS = [*SETTINGS["extensions"], "extensions.screens", "extensions.standfirst"]
TABLE = """
```{list-table} Flags
:header-rows: 1
:widths: 1 1

* - Flag
  - What "it" does
* - a
  - b
* - c
  -
```
"""
PLANNED = """requirements = []
appendices = []

[[parts]]
title = "All"
about = "What it is about."
chapters = [
  { number = "1", title = "Home", page = "index", topics = [{ id = "1.1", title = "A", state = "written" }] },
  { number = "2", title = "First", page = "02-first", topics = [
    { id = "2.1", title = "Soon", state = "planned" },
    { id = "2.2", title = "Later", state = "planned" },
  ] },
]
"""


@pytest.fixture
def book(site: Callable[[str], Site]) -> Site:
    """Return a book whose chapter holds a table with a head and a question, and is planned."""
    book = site("listings")
    chapter = book.root / "source" / "02-first.md"
    text = chapter.read_text(encoding="utf-8")
    question = "\n## Why\n\nWhy is it so?\n\nBecause. Is it?\n"
    chapter.write_text(f"{text}{TABLE}{question}\n```{{planned}} 2\n```\n", encoding="utf-8")
    (book.root / "source" / "outline.toml").write_text(PLANNED, encoding="utf-8")
    return Site(book.root, {"extensions": EXTENSIONS})


@pytest.mark.parametrize(("builder", "page"), [("html", "02-first.html"), ("epub", "02-first.xhtml")])
def test_each_cell_has_the_title_of_its_column(book: Site, builder: str, page: str) -> None:
    assert book.build(builder) == ""
    labels = re.findall(r'<td data-label="([^"]*)"><p>(\w)</p></td>', book.output(f"{builder}/{page}"))
    other = "What “it” does"
    assert labels == [("Flag", "a"), (other, "b"), ("Flag", "c")]  # and none where nothing stands


def test_planned_chapters_are_marked_and_the_others_are_not(book: Site) -> None:
    assert planned_pages(book.root / "source") == ["02-first.html"]


def test_a_question_below_a_heading_is_a_standfirst(book: Site) -> None:
    book.build()
    assert re.findall(r'<p class="standfirst">(.*?)</p>', book.output("html/02-first.html")) == [
        "Why is it so?"
    ]


def test_in_print_a_planned_chapter_begins_no_page_and_runs_its_topics_in(book: Site) -> None:
    book.build("latex")
    tex = book.output("latex/small.tex")
    assert tex.index(r"\bookplannedpage\bookplannedchapter") < tex.index(r"\chapter{First}")
    (topics,) = re.findall(r"\\begin\{bookplannedtopics\}(.*?)\\end", tex, re.DOTALL)
    assert "2.1 Soon · 2.2 Later" in topics


def test_in_print_a_refused_listing_asks_for_room_for_its_answer(book: Site) -> None:
    book.build("latex")
    tex = book.output("latex/small.tex")
    before = tex[: tex.index(r"\begin{sphinxuseclass}{refused}")]
    assert re.search(r"\\bookroom\{\d+\}\s*(%.*\s*)*(\\begin\{sphinxuseclass\}\{listing\}\s*)?$", before)


def test_a_picture_opens_in_full_size(site: Callable[[str], Site]) -> None:
    book = site("screenshots")
    book = Site(book.root, {"extensions": EXTENSIONS})
    book.build()
    pages = "".join(page.read_text() for page in (book.root / "html").glob("*.html"))
    links = re.findall(r'<a class="full-size" href="([^"]+)"[^>]*><img [^>]*src="([^"]+)"', pages)
    assert links
    assert all(address == source for address, source in links)


@pytest.fixture
def illustrated(book: Site) -> Site:
    """Return the book with a drawing that has a narrow one beside it, and one that has none."""
    source = book.root / "source"
    for name, size in (
        ("line", 'width="9" height="1"'),
        ("line-narrow", 'width="4" height="2"'),
        ("dot", ""),
    ):
        drawing = f'<svg xmlns="http://www.w3.org/2000/svg" {size}/>'
        (source / f"{name}.svg").write_text(drawing, encoding="utf-8")
    chapter = source / "02-first.md"
    figures = "".join(f"\n```{{figure}} {name}.svg\n:alt: A {name}.\n```\n" for name in ("line", "dot"))
    chapter.write_text(chapter.read_text(encoding="utf-8") + figures, encoding="utf-8")
    return book


def test_a_page_names_the_narrow_drawing_for_narrow_screens(illustrated: Site) -> None:
    assert illustrated.build() == ""
    page = illustrated.output("html/02-first.html")
    narrow = '<source media="(max-width: 40rem)" srcset="_images/line-narrow.svg" width="4" height="2">'
    assert f'<picture>{narrow}<img loading="lazy" width="9" height="1" alt="A line."' in page
    assert '<img loading="lazy" alt="A dot."' in page
    assert page.count("<picture>") == 1
    assert len(list((illustrated.root / "html" / "_images").glob("*.svg"))) == 3


def test_the_epub_holds_the_narrow_drawing_alone(illustrated: Site) -> None:
    assert illustrated.build("epub") == ""
    assert 'src="_images/line-narrow.svg"' in illustrated.output("epub/02-first.xhtml")
    held = sorted(file.name for file in (illustrated.root / "epub" / "_images").glob("*.svg"))
    assert held == ["dot.svg", "line-narrow.svg"]


@pytest.mark.parametrize(("builder", "page"), [("html", "02-first.html"), ("epub", "02-first.xhtml")])
def test_no_line_breaks_the_name_of_the_book_or_short_code(book: Site, builder: str, page: str) -> None:
    text = "About llm-d: `sh a.sh`, `python capacity.py --at-once 8`, `--served-model-name-of_the=help-desk`"
    book.edit("source/02-first.md", "## Why", f"## Why llm-d\n\n{text}, `llm-d`.\n\n## Why")
    book.build(builder)
    shown = book.output(f"{builder}/{page}").partition('Why <span class="unbroken">llm-d</span>')[2]
    assert 'About <span class="unbroken">llm-d</span>: ' in shown
    short, longer, name, book_name = re.findall(r'<code class="docutils.*?</code>', shown)[:4]
    assert short.startswith('<code class="docutils literal notranslate unbroken">')
    assert re.findall(r'<span class="pre unbroken">(.*?)</span>', longer)[2:] == ["--at-once", "8"]
    assert "--served-model-name-of_</span><wbr/>the=<wbr/>" in name
    assert visible(book_name) == "llm-d"
    assert book_name.count("unbroken") == 1


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("a_b,c, {d/e}= f", "a_<wbr/>b,<wbr/>c, {<wbr/>d/<wbr/>e}= f"),
        ("--for=x", '<span class="unbroken">--for=</span><wbr/>x'),
        ("https://x-y", 'https://<wbr/><span class="unbroken">x-y</span>'),
        ("&quot;a-b&quot; &lt;", '<span class="unbroken">&quot;a-b&quot;</span> &lt;'),
        ("-" * 40, "-" * 40),
    ],
)
def test_code_breaks_between_the_parts_of_a_name_and_never_in_a_flag(code: str, shown: str) -> None:
    assert breakable(code) == shown


def test_typed_words_of_a_console_are_strong_and_printed_ones_are_not() -> None:
    tokens = list(marked_lexer("console")().get_tokens("$ kubectl get pods | \\\n> wc -l\n3 pods\n…\n"))
    assert " ".join(text for kind, text in tokens if kind is Generic.Strong).split() == [
        "kubectl",
        "get",
        "pods",
        "|",
        "\\",
        "wc",
        "-l",
    ]
    assert [text.strip() for kind, text in tokens if kind is Generic.Output] == ["3 pods"]


@pytest.mark.parametrize("cell", ["<td></td>", "<td><p></p></td>", '<td class="x"><p/>\n</td>'])
def test_a_cell_with_an_empty_paragraph_is_empty(cell: str) -> None:
    found = CELL.search(cell)
    assert found
    assert found["nothing"]


def test_a_cell_with_words_is_not_empty() -> None:
    found = CELL.search("<td><p>Words</p></td>")
    assert found
    assert not found["nothing"]
