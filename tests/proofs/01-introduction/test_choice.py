"""Does the tree lead each team to its leaf, and does the page draw this tree?"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from proofs.api import Mutant, Proof, chapter_of, proves
from tests.programs import refusal

from .steps import drawing

chapter = chapter_of(__file__)


@proves(
    chapter["choose.toml"],
    chapter["teams.toml"],
    chapter["choose.py"],
    chapter["choose.console"],
    evidence="computed",
    mutants=[
        Mutant(
            chapter["choose.toml"],
            'yes = "one-engine"\nno = "kubernetes"',
            'no = "one-engine"\nyes = "kubernetes"',
            because="one server needs no router",
        ),
        Mutant(chapter["choose.toml"], 'llm_d = "yes"', 'llm_d = "no"', because="one leaf is llm-d"),
        Mutant(
            chapter["teams.toml"],
            'leaf = "service"',
            'leaf = "llm-d"',
            because="a Service will do there",
        ),
        Mutant(chapter["choose.py"], "[answer(name)]", '["yes"]', because="answers must count"),
        Mutant(chapter["choose.console"], "-> llm-d", "-> vLLM", because="it leads to llm-d"),
    ],
)
def test_twelve_teams_reach_their_leaves_and_every_leaf_is_reached(proof: Proof) -> None:
    program = proof.module(chapter["choose.py"])
    tree = program.read_tree()
    teams = tomllib.loads(proof.path(chapter["teams.toml"]).read_text())["teams"]
    assert len({team["situation"] for team in teams}) == 12
    for team in teams:
        *asked, leaf = program.walk(tree, lambda name, answers=team["answers"]: answers.get(name, "no"))
        assert (asked, leaf) == (list(team["answers"]), team["leaf"]), team["situation"]
    assert {team["leaf"] for team in teams} == set(tree["leaves"])
    ways = list(ends(tree, tree["ask"]))
    assert {way[-1][0] for way in ways} == set(tree["leaves"])
    assert {name for way in ways for name, answer in way if answer} == set(tree["questions"])
    assert Counter(leaf["llm_d"] for leaf in tree["leaves"].values()) == {"no": 4, "part": 3, "yes": 1}
    proof.transcript(chapter["choose.console"])
    path = proof.path(chapter["choose.py"])
    assert refusal(path, "yes", "maybe").endswith("Answer yes or no, not 'maybe'.")
    assert refusal(path, "yes").endswith("Answer yes or no, not 'nothing'.")
    assert refusal(path, "no", "no") == "After 1 answers, 'no' is idle."
    assert refusal(path) == "No answer, no advice."


def ends(tree: dict[str, Any], name: str) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield every way from a name to a leaf, as steps of (name, answer), the leaf with an empty one."""
    if name in tree["leaves"]:
        yield ((name, ""),)
        return
    for answer in ("yes", "no"):
        for rest in ends(tree, tree["questions"][name][answer]):
            yield ((name, answer), *rest)


def test_the_drawing_of_the_tree_is_the_tree() -> None:
    tree = tomllib.loads((chapter.root / "examples" / chapter["choose.toml"]).read_text())
    text = drawing("fig-choose")
    spoken = {
        name: label.replace("<br/>", " ") for name, label in re.findall(r'([\w-]+)[(\[]"([^"]*)"', text)
    }
    texts = {**tree["questions"], **tree["leaves"]}
    assert spoken == {name: one["text"] for name, one in texts.items()}
    edges = {
        (start, answer, end)
        for start, answer, end in re.findall(
            r"([\w-]+) -->\|(\w+)\| ([\w-]+)", re.sub(r'[(\[]"[^"]*"[)\]]', "", text)
        )
    }
    assert edges == {
        (name, answer, one[answer]) for name, one in tree["questions"].items() for answer in ("yes", "no")
    }
