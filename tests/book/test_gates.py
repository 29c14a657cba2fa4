"""The gates of test_sources.py find what they are there for."""

from __future__ import annotations

import pytest

from proofs.outline import Chapter, Topic
from tests.book.pages import names_in_code, placeholders, shown, typed_code, typed_versions, unmet

CHAPTER = Chapter(
    "2",
    "Setup",
    "part/02-setup",
    (Topic("2.1", "Needs", "written"), Topic("2.2", "Installation", "in part", "OpenShift")),
)


@pytest.mark.parametrize(
    "text",
    [
        "```yaml\nkind: Pod\n```\n",
        "~~~\nkind: Pod\n~~~\n",
        "Text.\n\n    kind: Pod\n",
        "```{code-block} yaml\nkind: Pod\n```\n",
        "```{literalinclude} /../examples/a.yaml\n```\n",
        "::::{note}\nLook:\n\n```console\n$ ls\n```\n::::\n",
        "- item\n\n  ```sh\n  ls\n  ```\n",
        "```{raw} html\n<b>\n```\n",
    ],
)
def test_typed_code_is_found(text: str) -> None:
    assert len(typed_code("part/02-setup.md", text)) == 1


def test_the_line_of_code_in_a_box_is_told() -> None:
    text = "# Setup\n\n::::{note}\nLook:\n\n```console\n$ ls\n```\n::::\n"
    assert typed_code("a.md", text)[0].startswith("source/a.md:6: code is typed here")


@pytest.mark.parametrize(
    "text",
    [
        "```{listing} a.yaml\n:caption: A pod\n```\n",
        ":::{tip}\nUse `kubectl get pods`.\n:::\n",
        "```{mermaid}\n:alt: a\n:caption: b\nflowchart LR\n  a --> b\n```\n",
        "(topic-2-1)=\n## Needs\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    ],
)
def test_directives_of_the_book_are_let_through(text: str) -> None:
    assert typed_code("part/02-setup.md", text) == []


@pytest.mark.parametrize(
    "text", ["Take v0.10.0.", "`kind:v0.33.0`", "(v1.36.1)", "Kubernetes v1.36.1, again"]
)
def test_a_typed_version_is_found(text: str) -> None:
    assert len(typed_versions("a.md", text)) == 1


@pytest.mark.parametrize("text", ["{{ v_router }}", "v0.10.01", "before v0.4.0"])
def test_other_numbers_are_let_through(text: str) -> None:
    assert typed_versions("a.md", text) == []


def test_a_name_in_code_is_found() -> None:
    assert (
        len(names_in_code("a.md", "Say `--version {{ v_router }}`, or `a` and {{ v_router }} and `b`.")) == 1
    )
    assert names_in_code("a.md", "Say `a`, {{ v_router }}, `b`.") == []


def test_a_place_to_be_filled_in_is_found() -> None:
    assert placeholders("a.md", "It took\nXXX-COLD-XXX on a laptop.") == [
        "source/a.md:2: XXX-COLD-XXX is a place to be filled in"
    ]


def test_shown_listings_are_found_in_boxes_too() -> None:
    text = "```{listing} a.yaml\n:caption: A\n```\n\n::::{note}\n:::{transcript} b.console\n:::\n::::\n"
    assert shown(text) == {"a.yaml", "b.console"}


def test_points_without_a_section_and_debts_without_a_box_are_found() -> None:
    found = unmet(CHAPTER, "# Setup\n\n(topic-2-1)=\n## Needs\n")
    assert [("(topic-2-2)=" in sentence, "{planned} 2" in sentence) for sentence in found] == [
        (True, False),
        (False, True),
    ]


def test_a_page_that_keeps_the_outline_has_no_finding() -> None:
    text = "(topic-2-1)=\n## Needs\n\n(topic-2-2)=\n## Installation\n\n```{planned} 2\n```\n"
    assert unmet(CHAPTER, text) == []
