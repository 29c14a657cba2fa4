"""Say in the README how far the book is: `python -m tools.state --write` or `--check`.

The line stands between `<!-- state -->` and `<!-- /state -->`. It is made from
source/outline.toml and records/, so that no one types how much has been verified.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from proofs.outline import Outline, load_outline
from proofs.records import Record, load_records, tally

ROOT = Path(__file__).parent.parent
BETWEEN_MARKERS = re.compile(r"(?<=<!-- state -->\n).*?(?=<!-- /state -->)", re.DOTALL)


def state_line(outline: Outline, records: Iterable[Record]) -> str:
    """Return one line: chapters by state, listings by evidence, and the last proof's date."""
    chapters = ", ".join(f"{count} {state}" for state, count in outline.chapters_by_state().items())
    return f"Chapters: {chapters}. {_listings(list(records))}"


def with_state(readme: str, line: str) -> str:
    """Return a README with its line made new; raise ValueError when it has no markers."""
    text, found = BETWEEN_MARKERS.subn(lambda _: f"{line}\n", readme)
    if found != 1:
        message = "README.md needs the lines <!-- state --> and <!-- /state --> once each; add them"
        raise ValueError(message)
    return text


def main() -> int:
    """Write the line, or tell whether it is up to date."""
    parser = argparse.ArgumentParser(description="Say in README.md how far the book is.")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="bring the line up to date")
    mode.add_argument("--check", action="store_true", help="fail when the line is out of date")
    options = parser.parse_args()

    readme = ROOT / "README.md"
    before = readme.read_text(encoding="utf-8")
    line = state_line(load_outline(ROOT / "source"), load_records(ROOT).values())
    try:
        after = with_state(before, line)
    except ValueError as error:
        sys.exit(str(error))
    if options.write:
        readme.write_text(after, encoding="utf-8")
    elif before != after:
        sys.exit("README.md is out of date: run `python -m tools.state --write`")
    return 0


def _listings(records: list[Record]) -> str:
    if not records:
        return "Listings proved: none yet."
    last = max(environment["date"] for record in records for environment in record.environments)
    return f"{tally(records)}; last proof {last}."


if __name__ == "__main__":
    sys.exit(main())
