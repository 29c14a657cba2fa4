"""Wherever a page ends, what belongs together stays together.

A book of its own puts a listing, a refused listing, a transcript, an excerpt, a callout, a table
and a section at every height of a page where it can meet the end.
"""

from __future__ import annotations

import subprocess
from itertools import product
from pathlib import Path

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from tests.book.editions.printed import (
    CALLOUTS,
    LISTING,
    Sheet,
    broken,
    captions,
    captions_alone,
    continuations,
    continuations_alone,
    read_sheets,
    short_halves,
    stamps,
    stamps_alone,
    widowed_headings,
)
from tests.extensions.conftest import Site

pytestmark = pytest.mark.editions

ROOT = Path(__file__).parents[3]
#: Lines of text before the element; a page has 45.
OFFSETS = range(28, 46)
HEADINGS = ("## A section", "### A section in it")
NEW_PAGE = "```{raw} latex\n\\clearpage\n```"
LISTING_OF_TWELVE = "```{listing} 01-breaks/twelve.yaml\n:caption: Twelve lines\n:name: twelve-%s\n```"
LISTING_OF_EIGHT = "```{listing} 01-breaks/eight.yaml\n:caption: Eight lines\n:name: eight-%s\n```"
CALLOUT, SHORT_CALLOUT = (
    ":::{warning}\n" + "\n\n".join(f"Line {number} of a box." for number in range(lines)) + "\n:::"
    for lines in (14, 9)
)
TABLE = "```{list-table} Rows\n:header-rows: 1\n:widths: 30 70\n\n* - Row\n  - Text\n%s```"
ROW = "* - A row\n  - with words.\n"
TRANSCRIPT = "```{transcript} 01-breaks/commands.console\n:name: commands-%s\n```"
LONG_ANSWER = "```{transcript} 01-breaks/answer.console\n:name: answer-%s\n```"
EXCERPT = (
    "```{listing} 01-breaks/cut.yaml\n:caption: Pieces\n:lines: 1-7,9-15,17-23,25-31\n:name: cut-%s\n```"
)
LONG_TABLE, SHORT_TABLE = TABLE % (20 * ROW), TABLE % (7 * ROW)
ELEMENTS = {
    "listing": LISTING_OF_TWELVE,
    "refused": "```{listing} 01-breaks/refused/five.yaml\n:caption: Five lines\n:name: five-%s\n```",
    "transcript": TRANSCRIPT,
    "long answer": LONG_ANSWER,
    "excerpt": EXCERPT,
    "callout": CALLOUT,
    "long table": LONG_TABLE,
    "short table": SHORT_TABLE,
    "section": f"{HEADINGS[0]}\n\nOne line.\n\n{LISTING_OF_TWELVE.replace('twelve-', 'section-twelve-')}",
    "sections": f"{HEADINGS[0]}\n\nOne line.\n\n{HEADINGS[1]}\n\nOne line.\n\n{LONG_TABLE}",
    "headings": f"{HEADINGS[0]}\n\n{HEADINGS[1]}\n\n{CALLOUT}",
    "section of a long table": f"{HEADINGS[0]}\n\n{LONG_TABLE}",
    "section of a short table": f"{HEADINGS[0]}\n\nOne line.\n\n{SHORT_TABLE}",
    "section of a whole listing": f"{HEADINGS[0]}\n\nOne line.\n\n{LISTING_OF_EIGHT}",
    "section of a transcript": f"{HEADINGS[0]}\n\nOne line.\n\n{TRANSCRIPT.replace('commands-', 'section-')}",
    "section of a callout": f"{HEADINGS[0]}\n\nOne line.\n\n{CALLOUT}",
    "section of a whole callout": f"{HEADINGS[0]}\n\nOne line.\n\n{SHORT_CALLOUT}",
}


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> list[Sheet]:
    """Return the pages of the book."""
    root = tmp_path_factory.mktemp("breaks")
    _write(root)
    Site(root).prove()
    with docutils_namespace():
        folders = (root / "source", ROOT, root / "latex", root / "doctrees")
        # The stamps lead to no record: the book has no appendix.
        app = Sphinx(*folders, "latex", {"suppress_warnings": ["ref.ref"]}, status=None)
        app.build()
    command = ("lualatex", "-interaction=batchmode", "-halt-on-error", "life-with-llm-d.tex")
    subprocess.run(command, cwd=root / "latex", check=True, capture_output=True)
    return list(read_sheets(root / "latex" / "life-with-llm-d.pdf"))


def _write(root: Path) -> None:
    """Write the sources of the book and its listings."""
    for folder in ("source", "records", "examples/01-breaks/refused"):
        (root / folder).mkdir(parents=True)
    code = [f"line-{number}: of a listing" for number in range(12)]
    examples = root / "examples" / "01-breaks"
    (examples / "twelve.yaml").write_text("\n".join(code) + "\n", encoding="utf-8")
    (examples / "eight.yaml").write_text("\n".join(code[:8]) + "\n", encoding="utf-8")
    (examples / "refused" / "five.yaml").write_text("\n".join(code[:5]) + "\n", encoding="utf-8")
    (examples / "refused" / "five.refusal").write_text("\n".join(code[:5]) + "\n", encoding="utf-8")
    commands = ["$ command \\", "> of two lines", *(f"printed-{number}" for number in range(5))]
    (examples / "commands.console").write_text("\n".join(4 * commands) + "\n", encoding="utf-8")
    answer = ["$ command \\", "> of \\", "> three lines", *(f"answer-{number}" for number in range(20))]
    (examples / "answer.console").write_text("\n".join(answer) + "\n", encoding="utf-8")
    pieces = [f"piece-{number}: of an excerpt" for number in range(31)]
    (examples / "cut.yaml").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    (root / "source" / "index.md").write_text(
        "# Breaks\n\n```{toctree}\n:numbered:\n\n01-breaks\n```\n", encoding="utf-8"
    )
    (root / "source" / "01-breaks.md").write_text(_chapter(), encoding="utf-8")


def _chapter() -> str:
    """Return a chapter with each element after so many lines, each time on a new page."""
    blocks = ["# Breaks"]
    for (name, element), offset in product(ELEMENTS.items(), OFFSETS):
        lines = (f"Line {number} before a {name}." for number in range(offset))
        blocks += [NEW_PAGE, *lines, element.replace("%s", str(offset)), "The end."]
    return "\n\n".join(blocks) + "\n"


def _occurrences(text: str) -> int:
    return _chapter().count(text)


def test_headings_have_text_below_them(sheets: list[Sheet]) -> None:
    found = [line for sheet in sheets for line in sheet.body if line.is_heading]
    assert len(found) == _occurrences("# A section")
    assert widowed_headings(sheets) == []


@pytest.mark.parametrize("colours", [{LISTING}, CALLOUTS], ids=["listings", "callouts"])
def test_boxes_break_only_between_three_lines(colours: set[str], sheets: list[Sheet]) -> None:
    assert any(broken(sheets, colours))
    assert short_halves(sheets) == []


def test_transcripts_break_before_a_command(sheets: list[Sheet]) -> None:
    found = [rest for rest in _second_halves(sheets) if any("printed-" in line for line in rest)]
    assert found
    assert [rest[0] for rest in found if not rest[0].startswith("$ ")] == []


def test_a_command_keeps_two_lines_of_its_answer(sheets: list[Sheet]) -> None:
    found = [rest for rest in _second_halves(sheets) if any("answer-" in line for line in rest)]
    assert found
    assert [rest[0] for rest in found if rest[0].startswith((">", "answer-0", "answer-1 "))] == []


def test_excerpts_break_after_a_cut(sheets: list[Sheet]) -> None:
    found = [rest for rest in _second_halves(sheets) if any("piece-" in line for line in rest)]
    assert found
    assert [rest[0] for rest in found if not rest[0].startswith(("piece-8", "piece-16", "piece-24"))] == []


def _second_halves(sheets: list[Sheet]) -> list[list[str]]:
    """Return the lines of every listing that goes on from the page before."""
    halves = list(broken(sheets, {LISTING}))[1::2]
    return [[line.text for line in sheet.inside(ground)] for sheet, ground in halves]


def test_captions_stay_with_what_they_name(sheets: list[Sheet]) -> None:
    assert len(list(captions(sheets))) == _occurrences(":caption:") + _occurrences("{list-table}")
    assert captions_alone(sheets) == []


def test_a_table_that_continues_does(sheets: list[Sheet]) -> None:
    assert any(continuations(sheets))
    assert continuations_alone(sheets) == []


def test_stamps_stay_with_their_listings(sheets: list[Sheet]) -> None:
    assert len(list(stamps(sheets))) == _occurrences("01-breaks/") - _occurrences("cut.yaml")
    assert stamps_alone(sheets) == []


def test_answers_stay_with_the_line_that_says_whose_they_are(sheets: list[Sheet]) -> None:
    answers = [
        (sheet, line) for sheet in sheets for line in sheet.body if line.text == "The API server answers"
    ]
    assert len(answers) == len(OFFSETS)
    assert [
        sheet.label
        for sheet, line in answers
        if not any(0 < line.bottom - one.top < 12 for one in sheet.grounds if one.colour == LISTING)
    ] == []
