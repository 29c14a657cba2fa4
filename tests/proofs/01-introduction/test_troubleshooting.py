"""Has each cause in the troubleshooting table the symptom in its row?"""

from __future__ import annotations

import json
import sys

import pytest

from proofs.api import CommandFailed, Mutant, Proof, chapter_of, proves

from .steps import (
    FIRST_LOOK,
    PATIENCE,
    ROUTER,
    SERVICE,
    TURNS_ONLY,
    USES,
    cached,
    in_the_client,
    kept_to_one_pod,
    pods_of,
    prompts,
    turns,
)

chapter = chapter_of(__file__)
#: A model server that keeps nothing.
FORGETFUL = "fleet:mode=echo,model=lab/sim-8b,replicas=1,namespace=forgetful"
#: The router with a configuration that names no plugin.
UNSCORED = "router:config=empty,kv-cache=on,mode=echo,model=lab/sim-8b,namespace=unscored"


@proves(
    chapter["conversations.py"],
    evidence="ran",
    uses=USES,
    needs=(*FIRST_LOOK, FORGETFUL, UNSCORED),
    router=">=0.10",
    mutants=[
        Mutant(
            chapter["conversations.py"],
            "datetime.now(UTC).isoformat()",
            "datetime.now(UTC).date()",
            because="the date is the same all day",
        ),
        Mutant(
            chapter["conversations.py"],
            "if response.status != http.HTTPStatus.OK:",
            "if response.status == 0:",
            because="a refusal must be told",
        ),
    ],
)
def test_each_row_of_the_troubleshooting_table(proof: Proof) -> None:
    clock = turns(proof, ROUTER, "clock")
    assert cached(clock) < prompts(clock) / 50

    kept = turns(proof, SERVICE, "kept-connection")
    assert pods_of(kept) == 1

    with proof.forward("service/sim", 8000, namespace="first-look") as url:
        command = f"{sys.executable} conversations.py {url} --json {TURNS_ONLY}"
        forwarded = json.loads(proof.run(["bash", "-c", command], deadline=PATIENCE))
    assert pods_of(forwarded) == 1

    unscored = turns(proof, "http://router.unscored:8081")
    assert kept_to_one_pod(unscored) <= 2
    assert "Scorers: []" in proof.logs("deployment/router", "endpoint-picker", namespace="unscored")

    forgetful = turns(proof, "http://sim.forgetful:8000")
    assert cached(forgetful) == 0

    with pytest.raises(CommandFailed, match=r"status 404: .*The model `lab/nobody` does not exist"):
        in_the_client(proof, f"sed s,lab/sim-8b,lab/nobody, conversations.py | {{client}} python3 - {ROUTER}")
    with pytest.raises(CommandFailed, match=r"http://router\.nowhere:8081: \[Errno -\d\]"):
        in_the_client(proof, "{client} python3 - http://router.nowhere:8081 < conversations.py")
