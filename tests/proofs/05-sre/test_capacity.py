"""Does the planner find what Little's law says?"""

from __future__ import annotations

import itertools
import math

import pytest

from proofs.api import Mutant, Proof, chapter_of, proves
from tests.programs import refusal

chapter = chapter_of(__file__)
PLANNER = chapter["capacity.py"]


@proves(
    PLANNER,
    evidence="computed",
    mutants=[
        Mutant(PLANNER, "(self.tokens - 1)", "self.tokens", because="the first token has its own time"),
        Mutant(PLANNER, "pods * at_once / request", "at_once / request", because="every pod has slots"),
        Mutant(PLANNER, "(1 - headroom)", "(1 + headroom)", because="what is free can't be taken"),
        Mutant(PLANNER, "+ spare", "", because="a spare pod comes on top"),
        Mutant(PLANNER, "math.ceil(round(", "math.floor(round(", because="there are no halves of pods"),
        Mutant(PLANNER, "not 0 <= options.headroom < 1", "options.headroom < 0", because="1 leaves none"),
        Mutant(PLANNER, "abs(best / limit - 1)", "(best / limit - 1)", because="too few is not near"),
        Mutant(
            PLANNER, "slots = options.pods * options.at_once", "slots = options.at_once", because="3 pods"
        ),
    ],
)
def test_a_pool_is_full_when_its_slots_are(proof: Proof) -> None:
    program = proof.module(PLANNER)
    request = program.Request(first_token=0.14, next_token=0.05, tokens=40)
    assert request.seconds == pytest.approx(0.14 + 39 * 0.05)
    assert program.most(request, 3, 5) == pytest.approx(15 / 2.09)
    assert program.in_progress(request, 10) == pytest.approx(20.9)
    assert program.pods_for(request, 10, 5, 0.3, 1) == math.ceil(20.9 / 0.7 / 5) + 1 == 7
    # At the limit itself, exactly the pods are needed that it was computed for.
    for pods, at_once, tokens in itertools.product((1, 3, 8), (1, 5, 256), (1, 40, 700)):
        one = program.Request(0.2, 0.03, tokens)
        limit = program.most(one, pods, at_once)
        assert program.in_progress(one, limit) == pytest.approx(pods * at_once)
        assert program.pods_for(one, limit, at_once, 0, 0) == pods
        assert program.pods_for(one, limit * 1.01, at_once, 0, 0) == pods + 1
        more = [program.pods_for(one, limit, at_once, headroom, 0) for headroom in (0, 0.2, 0.5, 0.9)]
        assert more == sorted(more)
        assert more[2] == 2 * pods
        assert program.pods_for(one, limit, at_once, 0, 2) == pods + 2
    path = proof.path(PLANNER)
    usual = ["--first-token=0.1", "--next-token=0.05", "--tokens=40", "--at-once=5"]
    for wrong, words in (
        ("--first-token=0", "latencies are seconds above 0"),
        ("--next-token=-1", "latencies are seconds above 0"),
        ("--tokens=0", "whole, from 1 on"),
        ("--at-once=0", "whole, from 1 on"),
        ("--pods=0", "whole, from 1 on"),
        ("--headroom=1", "a share below 1"),
        ("--spare=-1", "0 or more"),
        ("--rate=0", "above 0"),
        ("--tokens=2.5", "invalid int value"),
        ("--first-token=200ms", "invalid float value"),
    ):
        assert words in refusal(path, *usual, wrong)
    assert "required: --first-token" in refusal(path)
    steps = path.parent / "steps.json"
    for text in ("", "[]", "{}", "[1]", '[{"offered": 1}]', '[{"answered": "many"}]'):
        steps.write_text(text)
        assert "steps.json: " in refusal(path, *usual, f"--measured={steps}")
    assert "nowhere.json" in refusal(path, *usual, "--measured=nowhere.json")
    # 15 slots for 2.05 s each: 7.32 a second.
    for best, near in ((7.0, "yes"), (8.2, "no"), (6.4, "no")):
        steps.write_text(f'[{{"answered": 3.0}}, {{"answered": {best}}}]')
        assert proof.run(["python3", path.name, *usual, f"--measured={steps}"]).endswith(f" {near}\n")
    printed = proof.run(["python3", path.name, *usual, "--rate=10"])
    assert [line.split()[-1] for line in printed.splitlines()[:2]] == ["s", "15"]
    assert "10 a second keep 20.5 slots busy\nwith 30% free and 1 spare: 7 pods\n" in printed
