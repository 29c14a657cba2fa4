"""Which fields the configuration of an endpoint picker has, and of which types, as the program says.

The program decodes its configuration strictly and lists every field that it does not
know. So it is given all names that stand in it as fields of anything: those that it does
not list are the fields of the block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tools.reference.picker import HEAD, Picker
from tools.reference.types import kind, nested

#: The program lists at most 100 fields that it does not know.
AT_ONCE = 90
UNKNOWN = re.compile(r'unknown field "([^"]+)"')
#: What may hold anything.
ANYTHING = "plugins[].parameters"


def fields(picker: Picker, block: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and type of every field of a block of the configuration, and of the blocks in it."""

    def type_of(path: str) -> str:
        return kind(lambda wrong: picker.read(nested(path, wrong)).refusal)

    for name in names(picker, block):
        path = f"{block}.{name}" if block else name
        found = "any" if path == ANYTHING else type_of(path)
        yield path, found
        if found == "object":
            yield from fields(picker, path)
        elif found == "list of objects":
            yield from fields(picker, f"{path}[]")


def names(picker: Picker, block: str) -> list[str]:
    """Return the fields of a block: the names that the program does not list as unknown."""
    known: list[str] = []
    candidates = [name for name in picker.json_fields if block or name not in HEAD]
    for begin in range(0, len(candidates), AT_ONCE):
        some: dict[str, Any] = dict.fromkeys(candidates[begin : begin + AT_ONCE])
        refusal = picker.read(nested(block, some) if block else some).refusal
        unknown = {path.rpartition(".")[2] for path in UNKNOWN.findall(refusal)}
        known += [name for name in some if name not in unknown]
    return known
