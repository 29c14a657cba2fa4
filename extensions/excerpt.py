"""Mark each cut of an excerpt with a line `…`: at its start, between its lines, at its end.

The mark is a line of the text that is shown, so that every edition has it. Highlighting leaves it
out and puts it back as a token, `Comment.Cut`, which the copy button leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, ClassVar

from pygments.lexer import Lexer, do_insertions  # type: ignore[attr-defined]  # its types leave it out
from pygments.lexers import get_lexer_by_name
from pygments.lexers.shell import ShellSessionBaseLexer
from pygments.token import Comment, Generic, Name, String, _TokenType
from sphinx.directives.code import LiteralIncludeReader

MARK = "…"
MARKED = re.compile(rf"^[ \t]*{MARK}\n?", re.MULTILINE)
CUT = Comment.Cut
#: A typed line of a console, as its prompt and the rest.
PROMPTED = re.compile(r"^(\$ )(.*\n?)")
#: What is nowhere in a text.
NOTHING = re.compile(r"(?!)")
#: What of a console no reader types.
PRINTED = {CUT, Generic.Output, Generic.Prompt}
#: What YAML's lexer makes of the text of a literal block, in the color of keys, and what it is shown as.
IN_BLOCK, LITERAL = Name.Constant, String.Heredoc

Location = tuple[str, int] | None
Token = tuple[int, _TokenType, str]
Tokens = Iterator[Token]


class _Line(str):
    """A line of a file, which keeps its number when others are left out."""

    __slots__ = ("number",)
    number: int


class ExcerptReader(LiteralIncludeReader):
    """Read the chosen lines of a file, and a mark where others are missing.

    `cuts` holds, for each mark, how many of the chosen lines come before it; `shown` is the number of those.
    """

    cuts: tuple[int, ...] = ()
    shown = 0

    def read_file(self, filename: Any, location: Location = None) -> list[str]:  # noqa: ANN401 - its parent's
        """Return the lines with their numbers."""
        self._all = super().read_file(filename, location)
        lines = [_Line(line) for line in self._all]
        for number, line in enumerate(lines):
            line.number = number
        return list(lines)

    def dedent_filter(self, lines: list[str], location: Location = None) -> list[str]:
        """Return the lines that the filters before this one chose, marked and then dedented."""
        chosen = [line for line in lines if isinstance(line, _Line)]
        while chosen and not chosen[-1].strip():
            chosen.pop()
        self.shown = len(chosen)
        ends = (-1, *(line.number for line in chosen), len(self._all))
        self.cuts = tuple(
            place
            for place, (before, after) in enumerate(pairwise(ends))
            if "".join(self._all[before + 1 : after]).strip()
        )
        marked: list[str] = [*chosen]
        for place in reversed(self.cuts):
            marked.insert(place, f"{_indentation(chosen[max(place - 1, 0) : place + 1])}{MARK}\n")
        return super().dedent_filter(marked, location)

    def moved(self, line: int) -> int:
        """Return where one of the chosen lines is among the marks; both count from 1."""
        return line + sum(place < line for place in self.cuts)

    @property
    def cuts_between(self) -> int:
        """Return how often the excerpt is cut in the middle."""
        return sum(0 < place < self.shown for place in self.cuts)


class MarkedLexer(Lexer):
    """Highlight a language, with marks between its lines."""

    language: ClassVar[str]

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - its parent's
        """Keep blank lines, as Sphinx does for Python."""
        super().__init__(**{"stripnl": False, **options})
        self.unmarked = get_lexer_by_name(self.language)
        if isinstance(self.unmarked, ShellSessionBaseLexer):
            # A typed line goes on after a pipe or an open quote, too, not after backslashes only.
            self.unmarked._bare_continuation = True  # noqa: SLF001 - it has no public name
            # The lexer knows many prompts, and an answer may begin like one: "$ 3.60", "# HELP".
            self.unmarked._ps1rgx = PROMPTED  # type: ignore[attr-defined]  # noqa: SLF001
            # Nor does it begin with the name of a virtual environment where it has a bracket.
            self.unmarked._venv = NOTHING  # noqa: SLF001

    def get_tokens_unprocessed(self, text: str) -> Tokens:
        """Yield the tokens of the text without its marks, and the marks in their places."""
        marks, removed = [], 0
        for mark in MARKED.finditer(text):
            marks.append((mark.start() - removed, [(0, CUT, mark[0])]))
            removed += len(mark[0])
        tokens = [token[1:] for piece in self._pieces(text) for token in piece]
        starts = accumulate((len(value) for _, value in tokens), initial=0)
        placed = [(start, kind, value) for start, (kind, value) in zip(starts, tokens, strict=False)]
        for place, kind, value in do_insertions(marks, placed):
            is_typed = self.language == "console" and kind not in PRINTED
            shown = Generic.Strong if is_typed and value.strip() else kind
            yield place, LITERAL if shown is IN_BLOCK else shown, value

    def _pieces(self, text: str) -> Iterator[list[Token]]:
        """Yield the tokens of what is highlighted together: in YAML, a cut ends all but a literal block."""
        held = ""
        for piece in MARKED.split(text) if self.language == "yaml" else [MARKED.sub("", text)]:
            held += piece
            tokens = list(self.unmarked.get_tokens_unprocessed(held))
            if not _is_open(tokens):
                yield tokens
                held = ""
        if held:
            yield tokens


def marked_lexer(language: str) -> type[Lexer]:
    """Return the class that highlights a language with marks."""
    return type(f"Marked{language.title()}", (MarkedLexer,), {"language": language})


def _is_open(tokens: Sequence[Token]) -> bool:
    """Tell whether a literal block of YAML can go on after the tokens."""
    last = next((token[1:] for token in reversed(tokens) if token[2].strip()), None)
    return last is not None and (last[0] is IN_BLOCK or last[1] in {"|", ">", "|-", ">-"})


def _indentation(neighbors: Sequence[str]) -> str:
    """Return the smaller indentation of the lines around a mark."""
    indentations = [line[: len(line) - len(line.lstrip())] for line in neighbors if line.strip()]
    return min(indentations, key=len, default="")
