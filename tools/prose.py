"""Read pages as the book's style asks: `nox -s lint -- prose`, or `python -m tools.prose <page> ...`.

Each finding is a line with file, line and remedy: words of tools/words.toml and British
spellings, commands to run in the middle of a paragraph, cuts marked by hand, diagrams that
print sets in a second size of type, screenshots whose proofs assert nothing.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from extensions.drawings import LIMITS, drawing_of, size, sources
from proofs.failures import HarnessError
from proofs.listings import is_picture
from proofs.screenshots import words_of
from tools.markdown import DIRECTIVE, HOLD_MARKDOWN, PARSER, fences

WORDS = Path(__file__).with_name("words.toml")
CODE = re.compile(r"(?<![`}])(`+)(?!`)(?P<code>.+?)(?<!`)\1(?!`)", re.DOTALL)
#: A role, such as {term}`prefill <disaggregation>`; and what else a reader does not see as words.
ROLE = re.compile(r"\{[\w:-]+\}`(?P<words>[^`<]*)[^`]*`")
UNSEEN = re.compile(r"\]\([^)]*\)|\{\{.*?\}\}|https?://\S+")
OPTION = re.compile(r":(?P<name>[\w-]+):(?P<text>.*)")
#: Options whose text is prose.
READ = {"alt", "caption"}
#: A command to run: `kubectl get`, `kubectl rollout restart` and `kubectl delete -f` are names of some.
COMMAND = re.compile(
    r"(?:sudo )?(?:nox -s|python3? -m|curl|docker|git|go|helm|istioctl|kind|kubectl|oc|pip|podman|promtool)"
    r"(?! (?:auth|config|create|rollout|set) \S+$)(?: \S+)+ (?!-f$|--$)\S+"
)
#: A line that says by hand that others are missing.
CUT = re.compile(r"\s*(?:#|//)?\s*(?:\.\.\.|\[\.\.\.\]|…)\s*")
PROVED = {"listing", "screenshot", "transcript"}


@dataclass(frozen=True)
class Passage:
    """Prose of a page: a paragraph, a heading, a caption, or a cell of a table; lines count from 1."""

    line: int
    text: str
    is_cell: bool = False


def findings(page: Path, book: Path) -> Iterator[str]:
    """Yield a sentence for everything in a page of a book that its style does not want."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".toml":  # texts of the reference appendices
        for number, row in enumerate(text.splitlines(), start=1):
            words_ = "" if row.startswith(("#", "name =")) else row
            yield from (f"{page}:{number}: {finding}" for _, finding in banned(Passage(number, words_)))
        return
    shown = [(fence.line, book / "examples" / fence.argument) for fence in fences(text) if _is_proved(fence)]
    commands = "\n".join([text_of(file) for _, file in shown] + list(typed(text)))
    for passage in passages(text):
        for line, finding in [*banned(passage), *paragraph_commands(passage, commands)]:
            yield f"{page}:{line}: {finding}"
    for line, file in shown:
        yield from (f"{page}:{line}: {finding}" for finding in of_listing(file))
    for source in sources(book):
        if source.chapter.samefile(page) and (drawing := drawing_of(source, book)).exists():
            yield from (f"{page}:{source.line}: {finding}" for finding in of_diagram(drawing))


def banned(passage: Passage) -> Iterator[tuple[int, str]]:
    """Yield line and finding of every word that this book does not write."""
    text = ROLE.sub(lambda role: _blank(role[0], role["words"]), passage.text)
    for unseen in (CODE, UNSEEN):
        text = unseen.sub(lambda found: _blank(found[0]), text)
    for word in words().finditer(text):
        yield passage.line + text.count("\n", 0, word.start()), f"“{word[0]}”: write {better(word)}"


def paragraph_commands(passage: Passage, shown: str) -> Iterator[tuple[int, str]]:
    """Yield line and finding of every command that a paragraph holds, and no block of the page shows."""
    for code in [] if passage.is_cell else CODE.finditer(passage.text):
        command = " ".join(code["code"].split())
        if COMMAND.fullmatch(command) and command not in shown and "…" not in command:
            line = passage.line + passage.text.count("\n", 0, code.start())
            yield line, f"`{command}` is to be run: show it in a block"


def of_listing(file: Path) -> Iterator[str]:
    """Yield what is wrong with a file that a page shows."""
    if is_picture(file.name) and file.is_file():
        try:
            if not words_of(file):
                yield f"the proof of {file.name} asserts no words: give `shows=`, and take it again"
        except HarnessError as error:
            yield str(error)
    for number, line in enumerate(text_of(file).splitlines(), start=1):
        if CUT.fullmatch(line):
            yield f"line {number} of {file.name} is a cut by hand: keep the file whole, and choose `:lines:`"


def of_diagram(drawing: Path) -> Iterator[str]:
    """Yield whether print would set a drawing in smaller type than all others."""
    width, height = size(drawing.read_text(encoding="utf-8"))
    if width > LIMITS[0] or height > LIMITS[1]:
        yield (
            f"the diagram is {width} by {height} pixels large, and is set in a second size of type "
            f"beyond {LIMITS[0]} by {LIMITS[1]}: shorten its labels, or turn it (TB, LR)"
        )


def passages(text: str, first_line: int = 1, *, is_cell: bool = False) -> Iterator[Passage]:
    """Yield the prose of a page, that in directives included."""
    in_table = is_cell
    for token in PARSER.parse(text):
        if token.type in {"table_open", "table_close"}:
            in_table = is_cell or token.type == "table_open"
        if not token.map:
            continue
        line = first_line + token.map[0]
        if token.type == "inline":
            yield Passage(line, token.content, in_table)
        elif directive := DIRECTIVE.fullmatch(token.info.strip()):
            holds, name = directive["name"] in HOLD_MARKDOWN, directive["name"]
            if holds or name == "rubric":
                yield Passage(line, directive["argument"], is_cell)
            content = "\n".join(_visible(one, holds=holds) for one in token.content.splitlines())
            yield from passages(content, line + 1, is_cell=in_table or name in {"list-table", "table"})


def typed(text: str) -> Iterator[str]:
    """Yield the blocks of code that a page types, as README and CONTRIBUTING do."""
    for token in PARSER.parse(text):
        if token.type == "fence" and not DIRECTIVE.fullmatch(token.info.strip()):
            yield token.content


def text_of(file: Path) -> str:
    """Return the text of a listing; empty for a picture, and for a file that is not there."""
    return file.read_text(encoding="utf-8") if file.is_file() and not is_picture(file.name) else ""


@cache
def spellings() -> dict[str, str]:
    """Return British -> American spelling."""
    known = files("codespell_lib") / "data" / "dictionary_en-GB_to_en-US.txt"
    return dict(line.split("->") for line in known.read_text(encoding="utf-8").splitlines())


@cache
def phrases() -> dict[str, str]:
    """Return pattern -> better version."""
    found: dict[str, str] = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return found


@cache
def words() -> re.Pattern[str]:
    """Return what finds all words that are not written."""
    return re.compile(rf"\b(?:{'|'.join([*phrases(), *spellings()])})\b", re.IGNORECASE)


def better(word: re.Match[str]) -> str:
    """Return what to write for a word that was found."""
    by_pattern = (
        remedy
        for pattern, remedy in phrases().items()
        if re.match(pattern, word.string[word.start() :], re.IGNORECASE)
    )
    return spellings().get(word[0].lower()) or next(by_pattern)


def main() -> int:
    """Print the findings in the pages that the command line names, or in all of the book."""
    book = Path()
    pages = [Path(name) for name in sys.argv[1:]] or sorted(
        [*(book / "source").rglob("*.md"), *(book / "source" / "reference").glob("*.toml")]
    )
    found = [finding for page in pages for finding in findings(page, book)]
    print(*found, sep="\n", end="\n" if found else "")
    return bool(found)


def _is_proved(fence: object) -> bool:
    return getattr(fence, "directive", "") in PROVED


def _visible(line: str, *, holds: bool) -> str:
    """Return a line of a directive as a reader sees it; of those that hold no text, captions alone."""
    if option := OPTION.fullmatch(line):
        return option["text"].strip() if option["name"] in READ else ""
    return line if holds else ""


def _blank(text: str, words_: str = "") -> str:
    """Return words, and lines enough that what follows keeps its place."""
    return (words_ or "·") + "\n" * (text.count("\n") - words_.count("\n"))


if __name__ == "__main__":
    sys.exit(main())
