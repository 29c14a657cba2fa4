"""Do ten conversations keep to a pod through the router, and not through the Service?"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from proofs.api import Mutant, Proof, chapter_of, proves
from tests.programs import refusal

from .steps import (
    FIRST_LOOK,
    PATIENCE,
    REAL_ENGINE,
    ROUTER,
    SERVICE,
    USES,
    Turn,
    cached,
    kept_to_one_pod,
    prompts,
    turns,
)

chapter = chapter_of(__file__)
#: The turns that the chapter's plots show, and its tables count.
RECORDED = chapter.root / "source/plots/conversations.json"


@proves(
    chapter["start.console"],
    evidence="ran",
    uses=USES,
    needs=FIRST_LOOK,
    only_in_lab=True,
    mutants=[
        Mutant(
            chapter["start.console"],
            "namespace first-look.",
            "namespace router.",
            because="another namespace",
        ),
    ],
)
def test_what_the_chapter_starts_is_there(proof: Proof) -> None:
    # The run begins in the folder that the reader enters.
    proof.transcript(chapter["start.console"], exchange={"cd examples/01-introduction": "cd ."})


@proves(
    chapter["conversations.py"],
    chapter["through-router.console"],
    evidence="ran",
    uses=USES,
    needs=FIRST_LOOK,
    alone=True,  # neighbors would push prompts out of the fleet's caches
    mutants=[
        Mutant(
            chapter["conversations.py"],
            "connections[url].close()  # the next request opens another",
            "pass",
            because="a kept connection hides the Service's choice",
        ),
        Mutant(
            chapter["conversations.py"],
            "beginning(case, variation)",
            'beginning(case, "clock")',
            because="no two prompts begin alike",
        ),
        Mutant(chapter["conversations.py"], "TURNS = 6", "TURNS = 1", because="a conversation has one turn"),
        Mutant(chapter["through-router.console"], "10 of 10", "9 of 10", because="all keep to one pod"),
        Mutant(chapter["through-router.console"], "pod  0 of", "pod  3 of", because="chance keeps few"),
    ],
)
def test_conversations_keep_to_a_pod_through_the_router_and_not_through_the_service(proof: Proof) -> None:
    printed = {"< conversations.py": f"< conversations.py | sed -E '{as_recorded()}'"}
    proof.transcript(chapter["through-router.console"], exchange=printed, deadline=PATIENCE)
    service, router = turns(proof, SERVICE), turns(proof, ROUTER)
    assert kept_to_one_pod(router) == 10
    # Chance keeps one of ten to one of three pods 4 times in 100 runs, three of them once in 100,000.
    assert kept_to_one_pod(service) <= 2
    assert prompts(service) == prompts(router)
    # Expected are 17 turns of more than 1,000 tokens; chance leaves less than 5 once in 10,000 runs.
    assert cached(router) - cached(service) > 5_000
    if proof.recording:
        recorded = {"service": without_names(service), "router": without_names(router)}
        RECORDED.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


def as_recorded() -> str:
    """Return a sed script that prints the Service's recorded numbers for others that chance may give."""
    found = json.loads(RECORDED.read_text(encoding="utf-8"))["service"]
    kept, tokens = kept_to_one_pod(found), f"{cached(found):,} ({cached(found) / prompts(found):.0%})"
    return (
        f"/sim.first-look/,$ {{ s/[0-2] of 10/{kept} of 10/; "
        f"s/[234][0-9],[0-9]{{3}} .[4-6][0-9]%.$/{tokens}/ }}"
    )


def without_names(found: list[Turn]) -> list[Turn]:
    """Return what the plots need of the turns, with numbers for pods in the order of their first answers."""
    numbers: dict[str, int] = {}
    kept = ("conversation", "turn", "prompt_tokens", "cached_tokens")
    return [
        {key: turn[key] for key in kept} | {"pod": numbers.setdefault(turn["pod"], len(numbers) + 1)}
        for turn in found
    ]


def test_the_page_prints_the_recorded_numbers() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    page = chapter.page.read_text(encoding="utf-8")
    table = page[page.index(":name: tab-two-ways") :]
    table = table[: table.index("```")]
    service, router = recorded["service"], recorded["router"]
    for found in (service, router):
        share = cached(found) / prompts(found)
        assert f"- {kept_to_one_pod(found)} of 10\n" in table
        assert f"- {cached(found):,} ({share:.0%})\n" in table
        counts = sorted(Counter(turn["pod"] for turn in found).values(), reverse=True)
        assert f"- {', '.join(map(str, counts))}\n" in table
    assert kept_to_one_pod(router) == 10
    assert kept_to_one_pod(service) <= 2
    assert (
        f"{cached(service):,} ("
        in (chapter.root / "examples" / chapter["through-router.console"]).read_text()
    )


@proves(
    chapter["remove.console"],
    evidence="ran",
    only_in_lab=True,
    mutants=[
        # A fault in what is printed: both are removed before it is seen.
        Mutant(chapter["remove.console"], "Removing router: done", "Removing client: done", because="not it"),
    ],
)
def test_the_commands_that_the_chapter_ends_with_remove_what_it_started(proof: Proof) -> None:
    # Others of the same kinds, since the chapter's own are in use.
    start = f"python -m lab add {FIRST_LOOK[1]} {REAL_ENGINE[1]} > added.txt 2>&1 && "
    exchange = {
        "python -m lab": f"{start}python -m lab",
        FIRST_LOOK[1]: f"{FIRST_LOOK[1]}-again",
        REAL_ENGINE[1]: "fleet:namespace=real-engine-again,replicas=1",
        "Removing vllm-router": "Removing fleet",
    }
    proof.transcript(chapter["remove.console"], exchange=exchange, deadline=PATIENCE)


@proves(
    chapter["conversations.py"],
    evidence="computed",
    mutants=[
        Mutant(chapter["conversations.py"], "or not address.hostname", "", because="an address has a host"),
        Mutant(chapter["conversations.py"], "secrets.choice(", "min(", because="a case must be new"),
        Mutant(
            chapter["conversations.py"],
            "len(found) == 1",
            "len(found) >= 1",
            because="one pod, not several",
        ),
    ],
)
def test_the_program_of_the_experiment_counts_and_refuses(proof: Proof) -> None:
    path = proof.path(chapter["conversations.py"])
    program = proof.module(chapter["conversations.py"])
    assert len({program.case_file() for _ in range(50)}) == 50
    seen = [
        program.Turn("", 1, 1, "a", 100, 0, 0.4, ""),
        program.Turn("", 1, 2, "a", 100, 80, 0.1, ""),
        program.Turn("", 2, 1, "a", 100, 0, 0.6, ""),
        program.Turn("", 2, 2, "b", 100, 0, 0.2, ""),
    ]
    assert dict(program.summary(seen)) == {
        "conversations that kept to one pod": "1 of 2",
        "prompt tokens": "400",
        "of these, found in a cache": "80 (20%)",
    }
    assert program.by_pod(seen) == "3, 1"
    assert dict(program.summary([replace(turn, pod="") for turn in seen])) == {
        "time to first token, turn 1": "0.50 s",
        "time to first token, turns 2 to 6": "0.15 s",
    }
    assert "is no address such as" in refusal(path, "router:8081")
    assert "is no address such as" in refusal(path, "http://")
    assert "Connection refused" in refusal(path, "http://127.0.0.1:9")
    assert "invalid choice" in refusal(path, "http://127.0.0.1:9", "--variation=other")
