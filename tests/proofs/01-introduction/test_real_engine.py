"""Does a real engine answer sooner where it has read the conversation before?"""

from __future__ import annotations

import json
import re
from collections import Counter
from statistics import mean
from typing import Any

from proofs.api import Mutant, Proof, chapter_of, proves

from .steps import REAL_ENGINE, cached, prompts

chapter = chapter_of(__file__)
ROUTER = "http://router.real-engine:8081"
SERVICE = "http://vllm.real-engine:8000"
#: The turns that the chapter's plots show and its text quotes. They are seconds of a machine that
#: should have little else to do, so they are kept as they are: remove the file to record others.
RECORDED = chapter.root / "source/plots/real-engine.json"
#: Turns whose prompt begins with one that an engine has read.
LATER = range(2, 7)
ALL = range(1, 7)

Turn = dict[str, Any]


@proves(
    chapter["start-real-engine.console"],
    evidence="ran",
    uses=("router", "envoy"),
    needs=REAL_ENGINE,
    only_in_lab=True,
    mutants=[
        Mutant(
            chapter["start-real-engine.console"],
            "in the namespace real-engine.",
            "in the namespace router.",
            because="another namespace",
        ),
    ],
)
def test_the_real_engine_that_the_chapter_starts_is_there(proof: Proof) -> None:
    proof.transcript(chapter["start-real-engine.console"])


@proves(
    chapter["real-engine.console"],
    evidence="ran",
    uses=("router", "envoy"),
    needs=REAL_ENGINE,
    mutants=[
        Mutant(
            chapter["real-engine.console"],
            "--model=smollm2",
            "--model=smollm3",
            because="another model is served",
        ),
    ],
)
def test_a_real_engine_answers_sooner_where_the_conversation_is_known(proof: Proof) -> None:
    keeps_seconds = proof.recording and not RECORDED.exists()
    count = 10 if keeps_seconds else 2
    program = f"<(sed 's/CONVERSATIONS = 10/CONVERSATIONS = {count}/' conversations.py)"
    shorter = {"--model=smollm2 < conversations.py": f"--model=smollm2 --json < {program} 2> turns.json"}
    proof.transcript(chapter["real-engine.console"], exchange=shorter, deadline=1800)
    folder = proof.path(chapter["conversations.py"]).parent
    found: list[Turn] = json.loads((folder / "turns.json").read_text())
    router, service = ([turn for turn in found if turn["url"] == url] for url in (ROUTER, SERVICE))
    assert len(router) == len(service) == count * 6
    # All but the newest answer and question, and what does not fill the last block.
    assert min(share(turn) for turn in router if turn["turn"] in LATER) >= 0.9
    # Chance keeps two conversations where they began once in 59,049 runs.
    assert min(share(turn) for turn in service if turn["turn"] in LATER) < 0.5
    assert cached(router) > cached(service)
    assert cached([turn for turn in found if turn["turn"] == 1]) < 100
    if keeps_seconds:
        # Two to five times sooner where the machine has time for it, which CI may not have.
        assert first_token(router, LATER) < 0.8 * first_token(service, LATER)
        recorded = {"router": without_url(router), "service": without_url(service)}
        RECORDED.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


def share(turn: Turn) -> float:
    """Return the share of a turn's prompt that was found in a cache."""
    return float(turn["cached_tokens"] / turn["prompt_tokens"])


def first_token(found: list[Turn], turns: range) -> float:
    """Return the mean seconds to the first token in some of the turns."""
    return mean(float(turn["first_token"]) for turn in found if turn["turn"] in turns)


def computed(found: list[Turn], turns: range) -> int:
    """Return how many tokens of the prompts were not in a cache in some of the turns."""
    chosen = [turn for turn in found if turn["turn"] in turns]
    return prompts(chosen) - cached(chosen)


def without_url(found: list[Turn]) -> list[Turn]:
    """Return what the plots need of the turns; a real engine does not name its pod."""
    left_out = ("url", "pod")
    return [
        {key: round(value, 3) if key == "first_token" else value for key, value in turn.items()}
        for turn in ({key: turn[key] for key in turn if key not in left_out} for turn in found)
    ]


def test_the_page_quotes_the_recorded_seconds() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    page = chapter.page.read_text(encoding="utf-8")
    router, service = recorded["router"], recorded["service"]
    faster, slower = first_token(router, LATER), first_token(service, LATER)
    table = page[page.index(":name: tab-two-ways") :]
    table = table[: table.index("```")]
    for found in (service, router):
        assert f"- {first_token(found, LATER):.2f} s\n" in table
        assert f"- {computed(found, LATER):,}\n" in table
    assert f"{faster:.2f} seconds" in page
    assert f"{slower:.2f} seconds" in page
    printed = (chapter.root / "examples" / chapter["real-engine.console"]).read_text(encoding="utf-8")
    means = [first_token(found, turns) for found in (router, service) for turns in (range(1, 2), LATER)]
    assert re.findall(r"(?m) (\d+\.\d\d) s$", printed) == [f"{one:.2f}" for one in means]
    times = computed(service, LATER) / computed(router, LATER)
    assert f"cost {times:.0f} times as many tokens of prefill" in page
    with_first = computed(service, ALL) / computed(router, ALL)
    assert f"it's {with_first:.1f} times" in page
    least = min(share(turn) for turn in router if turn["turn"] in LATER)
    assert f"at least {int(100 * least)} percent of its prompt" in page
    answers = [turn["said"] for turn in router + service]
    ((said, times_said),) = Counter(answers).most_common(1)
    assert f"{times_said} of {len(answers)} answers of SmolLM2 began with “{said}”" in page
