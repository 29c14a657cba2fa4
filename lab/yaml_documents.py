"""Split a YAML text into documents that keep their own text, and read them strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError

from lab.errors import LabError

#: Where a document begins: inside a block scalar the dashes would be indented, so the text
#: can be cut there without parsing.
MARKER = re.compile(r"^---(?:[ \t]*\r?\n|(?=[ \t])|\Z)", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """One document: the marker that begins it, its text, and how many lines come before that.

    The markers and texts of all parts together are the text that was split.
    """

    marker: str
    text: str
    lines_before: int


def split(text: str) -> list[Part]:
    """Return the documents of a text, empty ones included."""
    markers = [match.span() for match in MARKER.finditer(text)]
    if not markers or markers[0][0] > 0:
        markers.insert(0, (0, 0))
    ends = [*(start for start, _ in markers[1:]), len(text)]
    return [
        Part(text[start:begin], text[begin:end], text.count("\n", 0, begin))
        for (start, begin), end in zip(markers, ends, strict=True)
    ]


def read(text: str, where: str, *, duplicates: bool = False) -> Iterator[tuple[Part, Any]]:
    """Yield each document with what is in it, None for an empty one.

    Raises LabError naming `where` and the line when the text is not YAML, or, unless
    `duplicates`, when a key occurs twice in a mapping.
    """
    for part in split(text):
        yaml = YAML(typ="safe", pure=True)
        yaml.allow_duplicate_keys = duplicates
        try:
            yield part, yaml.load(part.text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = part.lines_before + (mark.line if mark else 0) + 1
            problem = (error.problem or "not YAML").splitlines()[0]
            remedy = "; keep one of the two" if isinstance(error, DuplicateKeyError) else ""
            message = f"{where}, line {line}: {problem}{remedy}"
            raise LabError(message) from error
