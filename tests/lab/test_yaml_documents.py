"""Do documents keep their text, and is a fault told with its line in the whole text?"""

from __future__ import annotations

import pytest

from lab.errors import LabError
from lab.yaml_documents import read, split


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [("", "", 0)]),
        ("a: 1\n", [("", "a: 1\n", 0)]),
        ("---\na: 1\n", [("---\n", "a: 1\n", 1)]),
        ("# a\n--- # b\nb: 2\n---", [("", "# a\n", 0), ("---", " # b\nb: 2\n", 1), ("---", "", 3)]),
        ("a: |\n  ---\n  b\n", [("", "a: |\n  ---\n  b\n", 0)]),
        ("a: 1\r\n---\r\nb: 2\r\n", [("", "a: 1\r\n", 0), ("---\r\n", "b: 2\r\n", 2)]),
        ("a: ----\n----: 1\n", [("", "a: ----\n----: 1\n", 0)]),
    ],
)
def test_parts_are_the_text_in_pieces(text: str, parts: list[tuple[str, str, int]]) -> None:
    found = split(text)
    assert [(part.marker, part.text, part.lines_before) for part in found] == parts
    assert "".join(part.marker + part.text for part in found) == text


def test_each_part_comes_with_what_is_in_it() -> None:
    text = "a: 1\n---\n# nothing\n--- {b: 2}\n"
    assert [content for _, content in read(text, "x")] == [{"a": 1}, None, {"b": 2}]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\n---\nb: c: d\n", r"^file, line 3: mapping values are not allowed here$"),
        ("a: 1\n---\nb: 1\nb: 2\n", r'^file, line 4: found duplicate key "b".*; keep one of the two$'),
        ("---\n\n---\n[a\n", r"^file, line 5: "),
    ],
)
def test_a_fault_is_told_with_its_line_in_the_whole_text(text: str, fault: str) -> None:
    with pytest.raises(LabError, match=fault):
        list(read(text, "file"))


def test_a_key_may_occur_twice_where_a_mutant_needs_it() -> None:
    ((_, content),) = read("a: 1\na: 2\n", "file", duplicates=True)
    assert content == {"a": 1}
