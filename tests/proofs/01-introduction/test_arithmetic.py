"""Do the calculators find what the page works out by hand?"""

from __future__ import annotations

import itertools

import pytest

from proofs.api import Mutant, Proof, chapter_of, proves
from tests.programs import refusal

chapter = chapter_of(__file__)


@proves(
    chapter["expected_share.py"],
    chapter["expected-share.console"],
    evidence="computed",
    mutants=[
        Mutant(chapter["expected_share.py"], "(turn - 1)", "turn", because="the first turn always misses"),
        Mutant(
            chapter["expected_share.py"],
            "return 1 - 1 / turns",
            "return 1.0",
            because="kept or not, the first turn misses",
        ),
        Mutant(
            chapter["expected_share.py"],
            "turns < 1",
            "turns < 0",
            because="no turns have no share",
        ),
        Mutant(chapter["expected-share.console"], "54%", "64%", because="three pods find 54"),
    ],
)
def test_chance_finds_less_the_more_pods_there_are(proof: Proof) -> None:
    program = proof.module(chapter["expected_share.py"])
    by_hand = 1 - (1 + 2 / 3 + 4 / 9 + 8 / 27 + 16 / 81 + 32 / 243) / 6
    assert program.found_by_chance(3, 6) == pytest.approx(by_hand)
    for turns in (1, 2, 6, 50):
        kept = program.found_when_kept(turns)
        shares = [program.found_by_chance(pods, turns) for pods in range(1, 40)]
        assert shares[0] == pytest.approx(kept)
        assert all(0 <= later <= earlier for earlier, later in itertools.pairwise(shares))
        for pods in (2, 7):
            longer = program.found_by_chance(pods, turns + 1)
            assert program.found_by_chance(pods, turns) <= longer < program.found_when_kept(turns + 1)
    # Of every way that four turns can take over three pods, the share that chance gives.
    ways = list(itertools.product(range(3), repeat=4))
    found = sum(pod in way[:turn] for way in ways for turn, pod in enumerate(way))
    assert program.found_by_chance(3, 4) == pytest.approx(found / (4 * len(ways)))
    # The fifth exercise.
    assert program.found_by_chance(6, 23) < 0.75 <= program.found_by_chance(6, 24) < 0.755
    assert round(100 * program.found_when_kept(24)) == 96
    assert "at least one turn" in refusal(proof.path(chapter["expected_share.py"]), "0")
    proof.transcript(chapter["expected-share.console"])


@proves(
    chapter["kv_cache.py"],
    chapter["models.toml"],
    chapter["kv-cache.console"],
    evidence="computed",
    mutants=[
        Mutant(
            chapter["kv_cache.py"],
            "keys_and_values = 2",
            "keys_and_values = 1",
            because="values count too",
        ),
        Mutant(chapter["kv_cache.py"], "tokens < 1", "tokens < 0", because="no prompt has no token"),
        Mutant(chapter["models.toml"], "layers = 80", "layers = 81", because="70B has 80 layers"),
        Mutant(chapter["kv-cache.console"], "125.0 MiB", "128.0 MiB", because="it is 125"),
    ],
)
def test_a_token_takes_what_the_page_works_out_by_hand(proof: Proof) -> None:
    program = proof.module(chapter["kv_cache.py"])
    models = {model.name: model for model in program.read_models()}
    by_hand = {
        "Llama 3.1 8B": 2 * 32 * 8 * 128 * 2,
        "Llama 3.1 70B": 2 * 80 * 8 * 128 * 2,
        "DeepSeek-R1": 61 * (512 + 64) * 2,
    }
    assert {name: program.cache_bytes(model, 1) for name, model in models.items()} == by_hand
    assert list(by_hand.values()) == [131_072, 327_680, 70_272]
    for model, tokens, size in itertools.product(models.values(), (1, 2, 999, 128_000), (1, 2, 4)):
        whole = program.cache_bytes(model, tokens, size)
        assert whole == tokens * program.cache_bytes(model, 1, size)
        assert whole == size * program.cache_bytes(model, tokens, 1)
        assert program.cache_bytes(model, tokens + 1, size) > whole > 0
    for tokens, size in ((0, 2), (-1, 2), (1, 0)):
        with pytest.raises(ValueError, match="whole numbers from 1 on"):
            program.cache_bytes(models["DeepSeek-R1"], tokens, size)
    # The fourth exercise.
    prompt = program.cache_bytes(models["Llama 3.1 70B"], 8_000)
    assert (prompt, 40 * 2**30 // prompt) == (2_500 * program.MIB, 16)
    path = proof.path(chapter["kv_cache.py"])
    assert "whole numbers from 1 on" in refusal(path, "--tokens=0")
    assert "invalid int value: 'many'" in refusal(path, "--tokens=many")
    proof.transcript(chapter["kv-cache.console"], failing={2})
