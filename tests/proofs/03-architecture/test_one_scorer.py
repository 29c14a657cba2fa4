"""What does a scorer do to conversations when it decides alone?"""

from __future__ import annotations

import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from proofs.api import CommandFailed, Mutant, Proof, proves
from tests.proofs.installed import SIMULATOR, ask, router

from .steps import LONG, assert_configured, chapter, counted, forwards, install_with, transcript

SPREAD = chapter["spread.py"]
ONLY_QUEUE = chapter["only-queue-config.yaml"]
ONLY_PREFIX = chapter["only-prefix-config.yaml"]
SPREAD_BY_QUEUE = chapter["spread-queue.console"]
SPREAD_BY_PREFIX = chapter["spread-prefix.console"]
INDEX = chapter["prefix-index.console"]

#: Nine of the rules in the long request; without them it is short.
MOST_RULES = """\
    {"role": "system", "content": "Quote the manual by chapter and page."},
    {"role": "system", "content": "Say first what must be switched off."},
    {"role": "system", "content": "Then say which tool is needed where."},
    {"role": "system", "content": "Give every torque in newton meters."},
    {"role": "system", "content": "Name parts by number, not by name."},
    {"role": "system", "content": "Do not guess: say what is not known."},
    {"role": "system", "content": "Warn of everything that is under load."},
    {"role": "system", "content": "Write for people who wear gloves."},
    {"role": "system", "content": "Keep sentences short, and number them."},
"""
RULES_OF_ALL = "You answer in one sentence, and politely. " * 25


def pods_by_conversation(client: httpx.Client) -> dict[str, set[str]]:
    """Send twelve turns of four conversations; return the pods that answered each."""
    pods = defaultdict(set)
    subjects = ("boats", "bread", "bridges", "butterflies")
    with ThreadPoolExecutor(len(subjects)) as threads:
        for turn in range(12):
            rules = [f"You are an expert on {subject}. " * 25 for subject in subjects]
            answers = threads.map(lambda text, turn=turn: ask(client, text, f"Question {turn}?"), rules)
            for subject, answer in zip(subjects, answers, strict=True):
                pods[subject].add(answer.headers["x-inference-pod"])
    return pods


@proves(
    ONLY_QUEUE,
    evidence="ran",
    uses=["router", "simulator"],
    mutants=[
        Mutant(
            ONLY_QUEUE,
            "- type: queue-scorer",
            "- type: prefix-cache-scorer\n        name: queue-scorer",
            because="another scorer bears the name",
        ),
    ],
)
def test_equal_queues_tear_conversations_apart(proof: Proof) -> None:
    install_with(proof, ONLY_QUEUE, SIMULATOR)
    plugins = ["queue-scorer", "max-score-picker"]
    assert_configured(proof, plugins=plugins, profiles={"default": plugins})
    with router(proof) as client:
        pods = pods_by_conversation(client)
    assert min(len(seen) for seen in pods.values()) > 1


@proves(
    ONLY_PREFIX,
    evidence="ran",
    uses=["router", "simulator"],
    mutants=[
        Mutant(
            ONLY_PREFIX,
            "- type: prefix-cache-scorer",
            "- type: queue-scorer\n        name: prefix-cache-scorer",
            because="a scorer that knows no prompts",
        ),
    ],
)
def test_known_beginnings_keep_conversations_together(proof: Proof) -> None:
    install_with(proof, ONLY_PREFIX, SIMULATOR)
    plugins = ["prefix-cache-scorer", "max-score-picker"]
    assert_configured(proof, plugins=plugins, profiles={"default": plugins})
    with router(proof) as client:
        pods = pods_by_conversation(client)
        alike = [ask(client, RULES_OF_ALL, f"Question {number}?") for number in range(12)]
    assert [len(seen) for seen in pods.values()] == [1, 1, 1, 1]
    # One beginning for all, and one pod has all the requests.
    assert len({answer.headers["x-inference-pod"] for answer in alike}) == 1


def past_the_picker(proof: Proof) -> None:
    """Send the conversations to one of the pods instead: the picker does not count them."""
    with (
        proof.forward("deployment/simulator", 8000) as url,
        forwards(proof, 9090) as (_, variables),
    ):
        said = proof.run([sys.executable, "spread.py"], environment={**variables, "ROUTER_URL": url})
    assert said.splitlines()[-1] == "the EPP counted 0 decisions, for other pods"


@proves(
    SPREAD,
    SPREAD_BY_QUEUE,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    mutants=[
        Mutant(
            SPREAD, 'answer.headers.get("x-inference-pod", "unknown")', '"any"', because="no pod is named"
        ),
        Mutant(
            SPREAD_BY_QUEUE,
            "boats       12 turns, answered by several",
            "boats 12 turns, answered by one",
            because="chance does not keep twelve turns together",
        ),
    ],
)
def test_the_picker_counts_the_spread_of_the_queue_scorer(proof: Proof) -> None:
    install_with(proof, ONLY_QUEUE, SIMULATOR)
    transcript(proof, SPREAD_BY_QUEUE, 8081, 9090)
    past_the_picker(proof)
    # What has no body is not scheduled.
    name = "llm_d_epp_scheduler_attempts_total"
    before = counted(proof, name)
    with router(proof) as client:
        for _ in range(10):
            client.get("/v1/models").raise_for_status()
    assert counted(proof, name) == before > 0


@proves(
    SPREAD,
    SPREAD_BY_PREFIX,
    INDEX,
    LONG,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    mutants=[
        Mutant(SPREAD, "* 25", "* 0", because="the turns have no beginning in common"),
        Mutant(SPREAD_BY_PREFIX, "48 decisions", "47 decisions", because="there were 48"),
        Mutant(INDEX, "hit_ratio_count", "hit_rate_count", because="another name"),
        Mutant(LONG, MOST_RULES, "", because="a prompt of one block"),
    ],
)
def test_the_picker_counts_what_the_prefix_scorer_keeps_together(proof: Proof) -> None:
    install_with(proof, ONLY_PREFIX, SIMULATOR)
    transcript(proof, INDEX, 8081, 9090)
    transcript(proof, SPREAD_BY_PREFIX, 8081, 9090)
    nowhere = {"ROUTER_URL": "http://127.0.0.1:9", "METRICS_URL": "http://127.0.0.1:9"}
    with pytest.raises(CommandFailed, match=r"http://127.0.0.1:9: .*refused"):
        proof.run([sys.executable, "spread.py"], environment=nowhere)
