"""Does the load generator keep its rate, and tell what failed how?"""

from __future__ import annotations

import itertools
import json
import time
from threading import Lock

import pytest

from proofs.api import Mutant, Proof, proves
from tests.programs import refusal

from .steps import Answer, chapter, pretended, ran

LOAD = chapter["load.py"]
EVENT, DONE = 'data: {"choices": []}\n\n', "data: [DONE]\n\n"
ABORTED = 'data: {"choices": [{"finish_reason": "abort"}]}\n\n'
#: Seconds that a busy machine may be late.
LATE = 1.0


class Router:
    """Answers every fifth question with 503, and cuts every fourth answer off, each other one politely."""

    def __init__(self) -> None:
        """Begin to count."""
        self.numbers = itertools.count()
        self.arrivals: list[float] = []
        self.bodies: list[dict[str, object]] = []
        self.lock = Lock()

    def __call__(self, method: str, path: str, body: bytes) -> Answer:
        """Answer a request."""
        if method == "GET":
            return 200, ["{}"]
        assert path == "/v1/chat/completions"
        with self.lock:
            number = next(self.numbers)
            self.arrivals.append(time.monotonic())
            self.bodies.append(json.loads(body))
        if number % 5 == 4:
            return 503, ["busy"]
        time.sleep(0.05)
        if number % 8 == 7:
            return 200, [EVENT, ABORTED, DONE]
        return 200, [EVENT, None] if number % 8 == 3 else [EVENT, EVENT, DONE]


@proves(
    LOAD,
    evidence="computed",
    mutants=[
        Mutant(
            LOAD,
            "if got.status_code != httpx.codes.OK:",
            "if False:",
            because="a status is no end of a stream",
        ),
        Mutant(LOAD, 'elif line == "data: [DONE]":', "else:", because="a stream may end before its end"),
        Mutant(LOAD, "due = start + number / rate", "due = start", because="a rate is steady"),
        Mutant(
            LOAD, "half <= one.finished < seconds", "one.finished < seconds", because="warm-up is left out"
        ),
        Mutant(
            LOAD, "math.ceil(share * len(values)) - 1", "int(share * len(values)) - 1", because="95% keep it"
        ),
        Mutant(LOAD, "return 1 if failed else 0", "return 0", because="a script asks for the status"),
        Mutant(
            LOAD,
            'text = f"{time.time_ns()} "',
            'text = f"{words} "',
            because="a known question is answered sooner",
        ),
        Mutant(LOAD, "time.monotonic() - due)", "0.0)", because="a first token takes time"),
        Mutant(LOAD, '{"abort", "error"}', '{"error"}', because="vLLM ends an aborted stream with [DONE]"),
        Mutant(LOAD, '"error" in event or', "", because="a stream may report its error"),
        Mutant(LOAD, "(httpx.TransportError, ValueError)", "httpx.TransportError", because="half a line"),
    ],
)
def test_questions_come_at_their_rate_and_failures_are_told_apart(proof: Proof) -> None:
    program = proof.module(LOAD)
    # By hand: of twenty values, nineteen are at most the nineteenth.
    values = [float(one) for one in range(1, 21)]
    assert [program.percentile(values, share) for share in (0.5, 0.95, 0.96, 1.0)] == [10, 19, 20, 20]
    ended = [program.Result("", 0.1, seconds) for seconds in (1, 9, 10, 15, 19.9, 20, 25)]
    assert program.answered(ended, 20) == 3 / 10
    ends = {"stop": False, "length": False, "abort": True, "error": True}
    for reason, broken in ends.items():
        assert program.is_broken({"choices": [{"finish_reason": reason}]}) is broken
    assert program.is_broken({"error": {"message": "the engine is gone"}})
    with pretended(lambda method, *_: (200, ["{}"] if method == "GET" else ['data: {"cho'])) as url:
        result = ran(proof, LOAD, "5", "--seconds=1", ROUTER_URL=url)
    assert "failed       5: 5 cut off\n" in result.stdout
    router = Router()
    with pretended(router) as url:
        result = ran(proof, LOAD, "20", "--seconds=2", "--words=7", ROUTER_URL=url)
    # Of 40: eight are 4, 9, 14, …; ten are 3, 7, 11, …, and two of these are 503 already.
    assert "sent         40, 20 a second\nanswered     24\nfailed       16: " in result.stdout
    assert "8 status 503" in result.stdout
    assert "8 cut off" in result.stdout
    assert result.returncode == 1
    assert "first token  p50 0.00 s" not in result.stdout
    lasted = router.arrivals[-1] - router.arrivals[0]
    assert lasted > 39 / 20 - LATE
    questions = [one["messages"][0]["content"] for one in router.bodies]  # type: ignore[index]
    assert len(set(questions)) == 40
    assert {len(question.split()) for question in questions} == {7}
    with pretended(lambda method, *_: (200, ["{}"] if method == "GET" else [EVENT, DONE])) as url:
        steps = proof.path(LOAD).parent / "steps.json"
        result = ran(proof, LOAD, "5", "10", "--seconds=2", f"--json={steps}", ROUTER_URL=url)
    assert result.returncode == 0
    assert [(one["offered"], one["failed"]) for one in json.loads(steps.read_text())] == [(5, 0), (10, 0)]
    assert [one["answered"] for one in json.loads(steps.read_text())] == pytest.approx([5, 10], rel=0.6)
    path = proof.path(LOAD)
    for wrong in ("0", "-1", "1e9"):
        assert "1 to 5,000 questions" in refusal(path, "--", wrong)
    assert "at least one word" in refusal(path, "--words=0")
    assert "invalid float value" in refusal(path, "fast")
