"""The table of both router lines (table.toml), and the names of the lines."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

from lab import edition
from lab.errors import LabError

Line = Literal["newer", "older"]
Rule = dict[str, Any]

#: The pins of edition.toml that say which version each line has.
PINS: dict[Line, str] = {"newer": "router", "older": "router-offline"}


@cache
def table() -> dict[str, Any]:
    """Return the whole table."""
    return edition.read_toml(Path(__file__).resolve().with_name("table.toml"))


def version(line: Line) -> str:
    """Return a line's version, such as `v1.2.3`."""
    return edition.versions()[PINS[line]]


def line_of(wanted: str) -> Line:
    """Return the line of a version; raises LabError, with those that are known."""
    for line in PINS:
        if version(line) == wanted:
            return line
    message = f"No rules for router {wanted}: known are {version('newer')} and {version('older')}."
    raise LabError(message)


def other(line: Line) -> Line:
    """Return the line that this one is not."""
    return "older" if line == "newer" else "newer"


def fill(sentence: str) -> str:
    """Replace {newer} and {older} by the versions."""
    return sentence.replace("{newer}", version("newer")).replace("{older}", version("older"))


def needed() -> str:
    """Return what a thing needs that the older line lacks, such as `router ≥ 1.2`."""
    major, minor, *_ = version("newer").removeprefix("v").split(".")
    return f"router ≥ {major}.{minor}"


def known(section: str, line: Line) -> dict[str, list[str]]:
    """Return a section's lists for a line: what both lines know, and what is its own."""
    both, own = table()[section].get("both", {}), table()[section].get(line, {})
    return {name: [*both.get(name, []), *own.get(name, [])] for name in {**both, **own}}
