"""Is every cut of an excerpt marked, in each edition, and nothing else disturbed by it?"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pygments.token import Comment, Error, Generic, Name, String, _TokenType
from sphinx.config import Config

from extensions.excerpt import CUT, ExcerptReader, marked_lexer
from proofs.listings import LANGUAGES
from tests.extensions.conftest import Site, visible

FILE = "a:\n  b: 1\n\n  c:\n    d: 2\n\ne: 3\n"
CHAPTER = "source/02-first.md"
TRANSCRIPT = "```{transcript} 02-first/chat.console"
EXCERPTS: dict[str, tuple[dict[str, Any], str]] = {
    "whole": ({"lines": "1-7"}, FILE),
    "start": ({"start-at": "c:"}, "  …\n  c:\n    d: 2\n\ne: 3\n"),
    "end": ({"end-before": "c:"}, "a:\n  b: 1\n  …\n"),
    "between": ({"lines": "1,5,7"}, "a:\n…\n    d: 2\ne: 3\n"),
    "everywhere": ({"lines": "2,5"}, "  …\n  b: 1\n  …\n    d: 2\n    …\n"),
    "dedented": ({"lines": "5", "dedent": 4}, "…\nd: 2\n…\n"),
    "blank lines only": ({"lines": "1-2,4-5,7"}, "a:\n  b: 1\n  c:\n    d: 2\ne: 3\n"),
}
SAMPLES = {
    "bash": "echo 'a\n  …\nb'\n",
    "console": "$ curl \\\n  …\n  x\nyes\n…\n",
    "go": "func f() {\n\t…\n}\n",
    "json": '{\n  …\n  "a": 1\n}\n',
    "nginx": "server {\n  …\n}\n",
    "promql": "…\nup == 0\n",
    "python": "…\ndef f():\n    '''It is\n    …\n    long.'''\n",
    "text": "a\n…\n",
    "toml": "[a]\n…\nb = 1\n",
    "yaml": "…\na: |\n  text\n  …\nb: 1\n…\n",
}


@pytest.mark.parametrize("excerpt", EXCERPTS)
def test_every_cut_has_a_mark(excerpt: str, tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_text(FILE)
    options, shown = EXCERPTS[excerpt]
    assert ExcerptReader(tmp_path / "file.yaml", options, Config()).read()[0] == shown


@pytest.mark.parametrize("language", sorted({*LANGUAGES.values(), "text"}))
def test_a_mark_is_a_token_of_its_own_in_every_language(language: str) -> None:
    marked, without = SAMPLES[language], re.sub(r"(?m)^\s*…\n", "", SAMPLES[language])
    lexer = marked_lexer(language)()
    tokens = list(lexer.get_tokens(marked))
    assert "".join(text for _, text in tokens) == marked
    assert [text.strip() for kind, text in tokens if kind is CUT] == ["…"] * marked.count("…")
    assert [text for kind, text in tokens if kind is Error] == []
    kinds = [kind for kind, text in tokens if kind is not CUT]
    assert set(kinds) == {kind for kind, _ in lexer.get_tokens(without)}


def kinds_of(code: str) -> dict[str, _TokenType]:
    """Return the kind of each word of some YAML."""
    tokens = marked_lexer("yaml")().get_tokens(code)
    return {word: kind for kind, text in tokens for word in text.split()}


def test_a_value_of_yaml_ends_at_a_cut() -> None:
    below = "      # Time\n      lifecycle:\n        preStop: 5\n"
    for before in ("  grace: 60\n", "  grace: 60 s\n", '  grace: "60"\n', "  - a\n"):
        found = kinds_of(f"{before}  …\n{below}")
        assert {word: found[word] for word in ("Time", "lifecycle")} == {
            "Time": Comment.Single,
            "lifecycle": Name.Tag,
        }


def test_a_literal_block_of_yaml_goes_on_after_a_cut_and_differs_from_keys() -> None:
    found = kinds_of("expr: |\n  sum(\n  …\n  rate: x)\nfor: 1m\n")
    assert found["sum("] == found["rate:"] == found["x)"] == String.Heredoc
    assert found["for"] == Name.Tag
    assert kinds_of("expr: |\n…\n  rate: x\n")["rate:"] == String.Heredoc


@pytest.mark.parametrize("answer", ["  $ 3.60  -53%", "(0.14 GiB). Based", "# HELP up", "100% of it", "$3"])
def test_an_answer_that_begins_like_a_prompt_is_not_typed(answer: str) -> None:
    tokens = list(marked_lexer("console")().get_tokens(f"$ python cost.py\n{answer}\n"))
    assert [text.strip() for kind, text in tokens if kind is Generic.Output] == [answer.strip()]


@pytest.fixture
def book(site: Callable[[str], Site]) -> Site:
    """Return a small book with an excerpt, which is cut in the middle and at its end."""
    book = site("listings")
    book.edit(CHAPTER, ":start-at: metadata\n:end-before: spec", ":lines: 1,3-5\n:emphasize-lines: 2")
    return book


def test_each_edition_has_the_same_marks(book: Site) -> None:
    for builder in ("html", "epub", "latex", "text"):
        assert book.build(builder) == ""
    marks = {
        "html": book.output("html/02-first.html").count('<span class="c c-Cut">'),
        "epub": book.output("epub/02-first.xhtml").count('<span class="c c-Cut">'),
        "latex": book.output("latex/small.tex").count(r"\PYG{c+cCut}"),
        "twin": len(re.findall(r"(?m)^ *…$", book.output("html/02-first.md"))),
        "text": len(re.findall(r"(?m)^ *…$", book.output("text/02-first.txt"))),
    }
    assert marks == dict.fromkeys(marks, 2)


def test_the_chosen_line_is_emphasized(book: Site) -> None:
    book.build()
    emphasized = re.findall(r'<span class="hll">(.*?)\n', book.output("html/02-first.html"))
    assert [visible(line) for line in emphasized] == ["metadata:", "  name: demo"]


def test_numbers_are_those_of_the_file(book: Site) -> None:
    book.edit(CHAPTER, ":lines: 1,3-5\n", ":lines: 3-5\n:lineno-match:\n")
    book.build()
    assert re.search(r"2\s*…\s*3\s*name: demo", visible(book.output("html/02-first.html")))


@pytest.mark.parametrize("edition", ["html/02-first.html", "epub/02-first.xhtml", "latex/small.tex"])
def test_an_excerpt_says_where_the_whole_file_is(edition: str, book: Site) -> None:
    book.build(edition.split("/", 1)[0])
    page = re.sub(
        r"\\sphinxcode\{\\sphinxupquote\{|\\sphinxhyphen\{\}",
        lambda found: "-" * ("hyphen" in found[0]),
        book.output(edition),
    )
    assert visible(page).count("Excerpt of examples/02-first/pool.yaml") == 1


@pytest.mark.parametrize(("lines", "warnings"), [("2-3", 0), ("1,4-", 0), ("1,3,5-", 1)])
def test_a_transcript_is_cut_in_the_middle_at_most_once(lines: str, warnings: int, book: Site) -> None:
    (book.root / "examples/02-first/chat.console").write_text("$ a\n1\n2\n3\n4\n5\n")
    book.prove()
    book.edit(CHAPTER, TRANSCRIPT, f"{TRANSCRIPT}\n:lines: {lines}")
    found = re.findall(
        r"02-first\.md:\d+: WARNING: \{transcript\} \S+ is cut 2 times in the middle: choose",
        book.build("dummy"),
    )
    assert len(found) == warnings
