"""Are words, commands, cuts, diagrams and pictures that the style does not want named with their lines?"""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from extensions.drawings import drawing_of, sources
from tools.prose import findings

GOOD = """# Setup

The router returns a status; `nobody` is a user, and {ref}`its page <sec-goes-on>` is near.
Run [the script](https://simply.example/just), as `kubectl get` and `kubectl rollout restart` do {{ v_just }}.

```{index} whoever
```

```{transcript} 02-setup/chat.console
```

`kubectl get pods` printed the pods, and `kubectl get …` prints others.

| Symptom | Look with |
|---|---|
| No answer | `kubectl logs deployment/router` |
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Return a folder with a good page and its transcript."""
    for name, text in {
        "source/02-setup.md": GOOD,
        "examples/02-setup/chat.console": "$ kubectl get pods\nNAME\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def found(book: Path, end: str = "") -> list[str]:
    """Return the findings in the page with another end, each with its line after that of the good page."""
    page = book / "source/02-setup.md"
    page.write_text(f"{GOOD}\n{end}")
    start = len(GOOD.splitlines()) + 1
    lines = [re.fullmatch(rf"{page}:(\d+): (.*)", finding) for finding in findings(page, book)]
    return [f"{int(line[1]) - start}: {line[2]}" for line in lines if line]


def test_a_good_page_has_no_finding(book: Path) -> None:
    assert found(book) == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("One.\nNobody reads it.\n", "2: “Nobody”: write no one, or name who"),
        (":::{note}\n:class: wide\n\nIt is simply\nthere.\n:::\n", "4: “simply”: write leave it out"),
        ("A behaviour.\n", "1: “behaviour”: write behavior"),
        ("# The catalogue\n", "1: “catalogue”: write catalog"),
        ("It asks `a\nb`, and\n{term}`somebody <user>`.\n", "3: “somebody”: write someone, or name who"),
        ("| a |\n|---|\n| anew |\n", "3: “anew”: write again"),
        ("```{listing} 02-setup/chat.console\n:caption: Whoever asks\n```\n", "2: “Whoever”: write you"),
        ("```{list-table}\n* - a\n  - it goes on\n```\n", "3: “goes on”: write continues"),
        ("The EPP knows it.\n", "1: “EPP knows”: write what it does"),
        ("LLM-D is fast.\n", "1: “LLM-D”: write llm-d"),
    ],
)
def test_a_word_is_named_with_its_better_version(book: Path, text: str, finding: str) -> None:
    (only,) = found(book, text)
    assert only.startswith(finding)


@pytest.mark.parametrize(
    "text", ["It stands for a pool.", "Just before that.", "A stand-in.", "It understands."]
)
def test_the_same_letters_in_another_sense_are_let_through(book: Path, text: str) -> None:
    assert found(book, text) == []


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get nodes",
        "nox -s lab -- up",
        "python -m lab up",
        "pip install httpx",
        "sudo docker ps -a",
        "kubectl rollout restart deployment/router",
    ],
)
def test_a_command_in_a_paragraph_is_named(book: Path, command: str) -> None:
    (only,) = found(book, f"- Then run\n  `{command}`, and wait.\n")
    assert only == f"2: `{command}` is to be run: show it in a block"


@pytest.mark.parametrize("text", ["`kubectl delete -f`", "`python -m lab`", "`nox -s docs`", "`kind: Pod x`"])
def test_the_name_of_a_command_is_let_through(book: Path, text: str) -> None:
    assert found(book, text) == []


@pytest.mark.parametrize("mark", ["...", "  # ...", "[...]", "…"])
def test_a_cut_by_hand_is_named(book: Path, mark: str) -> None:
    (book / "examples/02-setup/pod.yaml").write_text(f"a: 1\n{mark}\nb: ... c\n")
    (only,) = found(book, "```{listing} 02-setup/pod.yaml\n:caption: A pod\n```\n")
    assert only.startswith("1: line 2 of pod.yaml is a cut by hand")


@pytest.mark.parametrize(
    ("shows", "finding"),
    [
        ('["up"]', None),
        ("[]", "the proof of up.png asserts no words"),
        (None, "is no picture that a proof took"),
    ],
)
def test_a_picture_without_words_is_named(book: Path, shows: str | None, finding: str | None) -> None:
    texts = PngImagePlugin.PngInfo()
    if shows is not None:
        texts.add_text("Shows", shows)
    picture = io.BytesIO()
    Image.new("1", (1, 1)).save(picture, "PNG", pnginfo=texts)
    (book / "examples/02-setup/up.png").write_bytes(picture.getvalue())
    named = found(book, "```{screenshot} 02-setup/up.png\n:alt: a\n:caption: b\n```\n")
    assert [finding in one for one in named if finding] == ([True] if finding else [])
    assert len(named) == bool(finding)


@pytest.mark.parametrize(("width", "is_named"), [(672, False), (673, True)])
def test_a_diagram_in_smaller_type_is_named(book: Path, width: int, is_named: bool) -> None:  # noqa: FBT001
    end = "```{mermaid}\n:alt: a\nflowchart LR\n  a --> b\n```\n"
    (book / "source/02-setup.md").write_text(f"{GOOD}\n{end}")
    (source,) = sources(book)
    drawing = drawing_of(source, book)
    drawing.parent.mkdir()
    drawing.write_text(f'<svg viewBox="0 0 {width} 90"/>')
    named = found(book, end)
    assert [one.startswith(f"1: the diagram is {width} by 90 pixels") for one in named] == [True] * is_named
