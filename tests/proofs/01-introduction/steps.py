"""What several proofs of the chapter need: its fleet, ten conversations with it, the page's drawings."""

from __future__ import annotations

import json
import re
from typing import Any

from proofs.api import Proof, chapter_of

chapter = chapter_of(__file__)

#: What readers start with `nox -s lab -- add`: a pod to ask from, and a fleet behind a router.
FIRST_LOOK = ("client", "router:kv-cache=on,mode=echo,model=lab/sim-8b,namespace=first-look")
#: The same with a real engine, whose pods take minutes to start.
REAL_ENGINE = ("client", "vllm-router:model=smollm2,namespace=real-engine,replicas=3")
#: What the stamps name, of all that runs there.
USES = ("router", "simulator", "envoy")
SERVICE = "http://sim.first-look:8000"
ROUTER = "http://router.first-look:8081"

Turn = dict[str, Any]
#: Seconds that sixty requests may take on a busy machine; a free one needs a few.
PATIENCE = 600
#: Of what the program prints, the turns, which it writes to standard error.
TURNS_ONLY = "2>&1 >/dev/null"


def in_the_client(proof: Proof, command: str) -> str:
    """Return what a shell prints; after `{client}` comes what is run in the client's pod."""
    client = "kubectl exec --stdin --namespace=client deployment/client --"
    script = command.replace("{client}", client)
    return proof.run(["bash", "-c", f"set -o pipefail; {script}"], deadline=PATIENCE)


def turns(proof: Proof, url: str, variation: str = "none", change: str = "") -> list[Turn]:
    """Return all turns of ten conversations with a URL; `change` is one that sed makes in the program."""
    program = f"sed '{change}' conversations.py"
    options = f"--json --variation={variation}"
    printed = in_the_client(proof, f"{program} | {{client}} python3 - {url} {options} {TURNS_ONLY}")
    found: list[Turn] = json.loads(printed)
    assert len(found) == 60, f"{len(found)} turns"
    return found


def kept_to_one_pod(found: list[Turn]) -> int:
    """Return how many conversations were answered by one pod each."""
    pods: dict[int, set[str]] = {}
    for turn in found:
        pods.setdefault(turn["conversation"], set()).add(turn["pod"])
    return sum(len(names) == 1 for names in pods.values())


def cached(found: list[Turn]) -> int:
    """Return how many tokens of all prompts were in a cache."""
    return sum(turn["cached_tokens"] for turn in found)


def prompts(found: list[Turn]) -> int:
    """Return how many tokens all prompts had."""
    return sum(turn["prompt_tokens"] for turn in found)


def pods_of(found: list[Turn]) -> int:
    """Return how many pods answered."""
    return len({turn["pod"] for turn in found})


def drawing(name: str) -> str:
    """Return the text of a Mermaid drawing of the page."""
    for block in re.findall(r"(?ms)^```\{mermaid\}\n(.*?)^```$", chapter.page.read_text(encoding="utf-8")):
        options, _, text = str(block).partition("\n\n")
        if f":name: {name}\n" in options:
            return text
    message = f"{chapter.page} has no drawing {name}"
    raise AssertionError(message)
