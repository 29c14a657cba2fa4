"""Find names of earlier releases of llm-d, and say what replaced them.

Usage: python3 old_names.py <file or folder> [...]. The names are in
old-names.toml. The exit status is 1 when an old name was found. With --table,
the names are printed as a table of the book.
"""

import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("old-names.toml")
COLUMNS = {"old": "Then", "new": "Now", "gone": "Gone"}
WANTED = ("old", "words", "gone", "new", "source", "read")

Name = dict[str, Any]


def faults(names: list[Name]) -> Iterator[str]:
    """Yield a sentence for every row that nobody could check."""
    for row in names:
        missing = [key for key in WANTED if not row.get(key)]
        if missing:
            yield f"{row.get('old', 'a row')}: no {', '.join(missing)}"
        elif not isinstance(row["read"], date):
            yield f"{row['old']}: {row['read']!r} is no day"


def findings(text: str, names: list[Name]) -> Iterator[tuple[int, str, str]]:
    """Yield line number, old word and what replaced it."""
    for number, line in enumerate(text.splitlines(), start=1):
        for row in names:
            for word in row["words"]:
                if word in line:
                    yield number, word, row["new"].replace("`", "")


def files(places: list[str]) -> Iterator[Path]:
    """Yield the files that are named, and those in folders that are named."""
    for place in map(Path, places):
        if not place.exists():
            sys.exit(f"{place} does not exist")
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        yield from (path for path in inside if path.is_file())


def table(names: list[Name]) -> Iterator[str]:
    """Yield the rows of a list-table, the head first."""
    for head, name in zip(COLUMNS.values(), COLUMNS, strict=True):
        yield f"{'* -' if name == 'old' else '  -'} {head}"
    for row in names:
        yield f"* - {row['old']}"
        yield f"  - {row['new']} {{cite}}`{row['source']}`"
        yield f"  - {row['gone']}"


def main() -> None:
    """Search the files that the command line names."""
    try:
        names: list[Name] = tomllib.loads(DATA.read_text())["names"]
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"{DATA.name}: {error}")
    if wrong := list(faults(names)):
        sys.exit("\n".join(wrong))
    if sys.argv[1:] == ["--table"]:
        print("\n".join(table(names)))
        return
    if not sys.argv[1:]:
        sys.exit("Name the files or folders to search.")
    found = False
    for path in files(sys.argv[1:]):
        try:
            text = path.read_text(errors="replace")
        except OSError as error:
            print(f"{path}: {error.strerror}", file=sys.stderr)
            found = True
            continue
        for number, word, new in findings(text, names):
            print(f"{path}:{number}: {word.rstrip(':')} is now: {new}")
            found = True
    sys.exit(found)


if __name__ == "__main__":
    main()
