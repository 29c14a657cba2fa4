"""Of which type a field is: what a program says when it is given values of the wrong one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

OF_TYPE = re.compile(r"Go struct field \S+ of type ([^\s;]+)")
#: What a program says about a text that is no value of a type with rules of its own.
OWN_RULES = {"quantities must match": "quantity", "invalid duration": "duration"}
#: What Go calls a type -> what readers call it.
WORDS = {"bool": "boolean", "float64": "number", "string": "string", "time.Duration": "nanoseconds"}


def kind(refusal_of: Callable[[Any], str]) -> str:
    """Return what readers call the type of a field, from why its program refuses values for it."""
    refusal = refusal_of("?")
    for said, word in OWN_RULES.items():
        if said in refusal:
            return word
    found = OF_TYPE.search(refusal)
    if not found:
        return "string"
    if word := reader_word(found[1]):
        return word
    # A type with a name of its own: which kind of JSON does it take?
    if not OF_TYPE.search(refusal_of({})):
        return "object"
    return "list" if not OF_TYPE.search(refusal_of([])) else "number"


def reader_word(go_type: str) -> str:
    """Return what readers call a Go type; nothing for one with a name of its own."""
    bare = go_type.lstrip("*")
    if bare.startswith("[]"):
        return f"list of {reader_word(bare[2:]) or 'object'}s"
    if bare.startswith("map["):
        return "map"
    if bare.startswith(("int", "uint")):
        return "integer"
    return WORDS.get(bare, "")


def nested(name: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return the block that holds a value under a dotted name; [] leads into a list."""
    first, _, rest = name.partition(".")
    inner = nested(rest, value) if rest else value
    return {first.removesuffix("[]"): [inner] if first.endswith("[]") else inner}
