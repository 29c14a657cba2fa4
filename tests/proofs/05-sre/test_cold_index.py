"""What does a restart of the router cost, when caches are warm and the index is cold?"""

from __future__ import annotations

import json
import re
import sys
from statistics import mean
from typing import Any

import httpx

from proofs.api import Mutant, Proof, proves

from .steps import MODEL_SERVER, chapter, install, opened

WARMTH = chapter["warmth.py"]
COLD = chapter["cold-index.console"]
#: What the transcript has of the run after the restart; chance makes it another each time.
PRINTED = re.compile(r"found in a cache  (\d+)% of the prompts\n")


def asked(proof: Proof, url: str) -> list[dict[str, Any]]:
    """Return what each of the 24 conversations found."""
    printed = proof.run([sys.executable, "warmth.py", "--json"], environment={"ROUTER_URL": url})
    found: list[dict[str, Any]] = json.loads(printed)
    return found


def share(answers: list[dict[str, Any]]) -> float:
    """Return the share of all prompts that was in a cache."""
    found = sum(one["cached_tokens"] for one in answers)
    return float(found / sum(one["prompt_tokens"] for one in answers))


def wait(answers: list[dict[str, Any]]) -> float:
    """Return the mean time to the first token."""
    return float(mean(one["first_token"] for one in answers))


@proves(
    WARMTH,
    MODEL_SERVER,
    COLD,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy"],
    mutants=[
        Mutant(MODEL_SERVER, "--enable-kvcache=true", "--enable-kvcache=false", because="no cache is warm"),
        Mutant(
            MODEL_SERVER, "--prefill-time-per-token=1ms", "--prefill-time-per-token=0ms", because="no wait"
        ),
        Mutant(WARMTH, "Case number {number}. ", "Case {time.time()}. ", because="no run has been before"),
        Mutant(COLD, "router restarted", "router changed", because="kubectl prints other words"),
    ],
)
def test_a_cold_index_finds_about_a_third(proof: Proof) -> None:
    install(proof)
    with opened(proof) as url:
        runs = {"cold": asked(proof, url), "warm": asked(proof, url)}
        assert share(runs["cold"]) < 0.2
        assert share(runs["warm"]) > 0.9
        [old] = proof.objects("pod", "app.kubernetes.io/name=router")
        proof.kubectl("rollout", "restart", "deployment/router")
        proof.kubectl("rollout", "status", "deployment/router")
        # It sleeps before it ends, and answers meanwhile, with all that it knows.
        proof.kubectl("wait", "--for=delete", f"pod/{old['metadata']['name']}", "--timeout=2m")
        proof.wait_until(lambda: asked_models(url), 90, "the router is reached again")
        runs |= {"restarted": asked(proof, url), "again": asked(proof, url)}
        # Chance finds one of three pods; two thirds of the prompts are read again.
        assert 0.05 < share(runs["restarted"]) < 0.75
        assert share(runs["again"]) > 0.9
        assert wait(runs["restarted"]) > 1.5 * wait(runs["warm"])
        shown = "warmth.py"
        if printed := PRINTED.findall((chapter.root / "examples" / COLD).read_text()):
            shown += f" | sed -E '/cache  [1-8]?[0-9]%/s/[0-9]+%/{printed[1]}%/'"
        proof.transcript(
            COLD,
            exchange={"warmth.py\n": f"{shown}\n", "http://localhost:8081": url},
            environment={"ROUTER_URL": url},
            deadline=400,
        )


def asked_models(url: str) -> bool:
    """Tell whether the model answers."""
    return httpx.get(f"{url}/v1/models", timeout=5).is_success
