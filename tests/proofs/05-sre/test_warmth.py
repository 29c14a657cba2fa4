"""Does the program ask the same conversations each time, and count what was in a cache?"""

from __future__ import annotations

import json
from collections.abc import Callable

from proofs.api import Mutant, Proof, proves
from tests.programs import refusal

from .steps import Answer, chapter, pretended, ran

WARMTH = chapter["warmth.py"]


def model(prompts: list[str], cached: int) -> Callable[..., Answer]:
    """Return a model that keeps its prompts, and found so many of their 200 tokens in its cache."""

    def answer(_method: str, _path: str, body: bytes) -> Answer:
        prompts.append(json.dumps(json.loads(body)["messages"]))
        usage = {"prompt_tokens": 200, "prompt_tokens_details": {"cached_tokens": cached}}
        event = json.dumps({"choices": [], "usage": usage})
        return 200, ['data: {"choices": []}\n\n', f"data: {event}\n\n", "data: [DONE]\n\n"]

    return answer


@proves(
    WARMTH,
    evidence="computed",
    mutants=[
        Mutant(WARMTH, "range(CONVERSATIONS)", "range(CONVERSATIONS - 1)", because="24 were promised"),
        Mutant(WARMTH, 'f"Case number {number}. "', '"Case. "', because="each is another conversation"),
        Mutant(WARMTH, "{cached / max(prompt, 1):.0%}", "{prompt / max(cached, 1):.0%}", because="a share"),
    ],
)
def test_the_share_that_was_cached_is_counted(proof: Proof) -> None:
    runs: list[list[str]] = [[], []]
    for prompts, cached, share in ((runs[0], 150, "75%"), (runs[1], 0, "0%")):
        with pretended(model(prompts, cached)) as url:
            result = ran(proof, WARMTH, "--sentences=2", ROUTER_URL=url)
        assert result.returncode == 0
        assert f"found in a cache  {share} of the prompts\n" in result.stdout
        assert result.stdout.endswith("s, the mean of 24\n")
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 24
    with pretended(model([], 10)) as url:
        answers = json.loads(ran(proof, WARMTH, "--json", ROUTER_URL=url).stdout)
    assert {one["cached_tokens"] for one in answers} == {10}
    path = proof.path(WARMTH)
    assert "at least one sentence" in refusal(path, "--sentences=0")
    assert "does kubectl port-forward run?" in refusal(path, ROUTER_URL="http://127.0.0.1:9")
    for text in ("", "data: {}\n\n", 'data: {"usage": {"prompt_tokens": 1}}\n\n', "data: {no\n\n"):
        with pretended(lambda *_, text=text: (200, [text] if text else [])) as url:
            assert "sent no usage with cached tokens" in refusal(path, ROUTER_URL=url)
    with pretended(lambda *_: (503, ["busy"])) as url:
        assert "503" in refusal(path, ROUTER_URL=url)
