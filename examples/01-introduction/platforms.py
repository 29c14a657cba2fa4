"""Print the comparison of platforms as tables of the book.

Usage: python3 platforms.py <question> [<question> ...]; the questions and the
answers are in platforms.toml. A cell without source or date is refused.
"""

import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("platforms.toml")


def faults(data: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for every cell that nobody could check."""
    for platform, row in data["platforms"].items():
        for question in data["questions"]:
            match row.get(question):
                case [str(text), str(source), date()] if text and source:
                    pass
                case None:
                    yield f"{platform}, {question}: no answer"
                case _:
                    yield f"{platform}, {question}: text, source, date wanted"
        for question in row.keys() - data["questions"].keys():
            yield f"{platform}, {question}: nobody asked"


def table(data: dict[str, Any], questions: list[str]) -> Iterator[str]:
    """Yield the rows of a list-table, the head first."""
    head = ["Platform", *(data["questions"][one] for one in questions)]
    yield from row(head)
    for platform, answers in data["platforms"].items():
        cells = [answers[one] for one in questions]
        sources = ",".join(sorted({source for _, source, _ in cells}))
        texts = [text for text, _, _ in cells]
        yield from row([f"{platform} {{cite}}`{sources}`", *texts])


def row(cells: list[str]) -> Iterator[str]:
    """Yield a row of a list-table, a line for each cell."""
    for number, cell in enumerate(cells):
        yield f"{'  -' if number else '* -'} {cell}"


def main() -> None:
    """Print a table, or all that is wrong with the data."""
    data = tomllib.loads(DATA.read_text())
    questions = sys.argv[1:] or list(data["questions"])
    if unknown := [one for one in questions if one not in data["questions"]]:
        known = ", ".join(data["questions"])
        sys.exit(f"{unknown[0]!r} is not asked; these are: {known}")
    if found := list(faults(data)):
        sys.exit("\n".join(found))
    print("\n".join(table(data, questions)))


if __name__ == "__main__":
    main()
