"""YAML text with its comments: read, and written back alike."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.tokens import ScalarToken

from lab.yaml_documents import MARKER

#: A key, its first list entry, and between them how much deeper the dash is.
SEQUENCE = re.compile(r"^( *)(?:- )?[^\s#-][^\n]*:[ \t]*\n(?:[ \t]*#[^\n]*\n)*\1( *)- ", re.MULTILINE)


def load(text: str) -> Any:  # noqa: ANN401  (a YAML document is anything)
    """Read one document; raises ruamel's MarkedYAMLError if it is not YAML."""
    return _yaml(text).load(text)


def dump(document: Any, like: str) -> str:  # noqa: ANN401
    """Write a document as the text that it was read from is written.

    Comment lines stay above the line that they were above; a comment whose line is
    gone goes with it.
    """
    head = MARKER.match(like)
    out = StringIO()
    if head:
        out.write(like.splitlines(keepends=True)[0])
    _yaml(like).dump(document, out)
    return _with_comments(like, out.getvalue())


def _yaml(like: str) -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    found = SEQUENCE.search(like)
    offset = len(found[2]) if found else 2
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml


def _with_comments(before: str, after: str) -> str:
    """Return the text `after` with the comment lines of `before` at their places.

    The library ties a comment to the line above it, and loses it with that line;
    readers take it for the line below.
    """
    comments, old = _apart(before)
    _, new = _apart(after)
    lines: list[str] = []
    matcher = SequenceMatcher(
        None, [line.strip() for line in old], [line.strip() for line in new], autojunk=False
    )
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        for position in range(j1, j2):
            # A line that is new, or longer than what it replaces, has no comment yet.
            if kind in {"equal", "replace"} and position - j1 < i2 - i1:
                lines += comments.get(i1 + position - j1, [])
            lines.append(new[position])
    lines += comments.get(len(old), [])
    return "".join(lines)


def _apart(text: str) -> tuple[dict[int, list[str]], list[str]]:
    """Take a text apart: comment lines by the number of the line below, other lines.

    Lines inside a scalar of several lines are content, whatever they begin with.
    """
    content: set[int] = set()
    for token in YAML().scan(text):
        if isinstance(token, ScalarToken) and token.end_mark.line > token.start_mark.line:
            content |= set(range(token.start_mark.line + 1, token.end_mark.line))
    comments: dict[int, list[str]] = {}
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(keepends=True)):
        if line.lstrip().startswith("#") and number not in content:
            comments.setdefault(len(lines), []).append(line)
        else:
            lines.append(line)
    return comments, lines
