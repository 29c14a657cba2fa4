"""Where do answers stop following the rate, and is that where Little's law says?"""

from __future__ import annotations

import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from proofs.api import Mutant, Proof, proves

from .steps import MODEL_SERVER, chapter, install, opened, ran

LOAD = chapter["load.py"]
SATURATED = chapter["saturation.console"]
#: The steps that the chapter's plot shows.
RECORDED = chapter.root / "source/plots/saturation.json"
#: The real engine, and rates around what two cores can do with it.
ENGINE = "vllm-router:model=smollm2,namespace=help-desk"
RATES = ("0.25", "0.5", "1", "2", "4")
#: What the transcript has of the recorded run.
MEASURED = re.compile(r"measured +([0-9.]+) requests")
PREDICTED = 15 / (0.14 + 39 * 0.05)


@proves(
    SATURATED,
    MODEL_SERVER,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy"],
    alone=True,  # a busy machine answers later
    mutants=[
        Mutant(MODEL_SERVER, "--max-num-seqs=5", "--max-num-seqs=4", because="a fifth of the slots is gone"),
        Mutant(
            MODEL_SERVER,
            "--inter-token-latency=50ms",
            "--inter-token-latency=70ms",
            because="answers take longer",
        ),
        Mutant(SATURATED, "each other    yes", "each other    no", because="they agree"),
        Mutant(SATURATED, "7 pods", "6 pods", because="20.9 / 0.7 / 5, and one spare"),
    ],
)
def test_a_pool_is_full_where_littles_law_says(proof: Proof) -> None:
    install(proof)
    folder = proof.path(SATURATED).parent
    exchange: dict[str, str] = {}
    if not proof.recording:  # three rates show the corner, and six its shape
        exchange["3 5 6 7 8 9 --seconds 40"] = "3 5 9 --seconds 20"
        if recorded := MEASURED.search((chapter.root / "examples" / SATURATED).read_text()):
            # How near it comes differs from run to run.
            shown = f"--measured steps.json | sed -E '/measured/s/[0-9.]+ req/{recorded[1]} req/'"
            exchange["--measured steps.json"] = shown
    with opened(proof) as url:
        proof.transcript(
            SATURATED,
            exchange=exchange,
            environment={"ROUTER_URL": url},
            deadline=600,
        )
    steps = json.loads((folder / "steps.json").read_text())
    assert all(step["failed"] == 0 for step in steps)
    below = [step for step in steps if step["offered"] < 0.85 * PREDICTED]
    above = [step for step in steps if step["offered"] > 1.1 * PREDICTED]
    assert len(below) >= 2
    assert len(above) >= 1
    for step in below:
        assert abs(step["answered"] - step["offered"]) < 0.1 * step["offered"]
    for step in above:
        assert abs(step["answered"] - PREDICTED) < 0.1 * PREDICTED
        assert step["first_token"] > 3 * below[0]["first_token"]
    if proof.recording:
        record({"predicted": PREDICTED, "steps": steps})


def record(found: dict[str, Any]) -> None:
    """Put what a run found into the plot's data, beside what the other found."""
    before = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    RECORDED.write_text(json.dumps({**before, **found}, indent=1) + "\n")


@proves(
    LOAD,
    evidence="ran",
    router=">=0.10",
    uses=["router", "envoy"],
    needs=[ENGINE],
    alone=True,
    only_in_lab=True,
    mutants=[
        Mutant(
            LOAD,
            'MODEL = os.environ.get("MODEL", "lab/sim-8b")',
            'MODEL = "lab/sim-8b"',
            because="another model",
        ),
    ],
)
def test_a_real_engine_slows_down_before_it_is_full(proof: Proof) -> None:
    steps_file = proof.path(LOAD).parent / "engine.json"
    with opened(proof, 8081, "service/router", proof.addon(ENGINE).namespace) as url:
        proof.run(
            [sys.executable, "load.py", *RATES, "--seconds=40", f"--json={steps_file}"],
            environment={"ROUTER_URL": url, "MODEL": "smollm2"},
            deadline=600,
        )
    steps = json.loads(steps_file.read_text())
    assert steps[0]["failed"] == 0
    assert steps[0]["answered"] > 0.7 * steps[0]["offered"]
    assert steps[-1]["answered"] < 0.9 * steps[-1]["offered"]
    assert steps[-1]["first_token"] > 2 * steps[0]["first_token"]
    if proof.recording:
        record({"engine": steps})


@proves(
    LOAD,
    evidence="ran",
    router=">=0.10",
    uses=["router", "envoy"],
    needs=[ENGINE],
    alone=True,
    only_in_lab=True,
    mutants=[
        Mutant(
            LOAD,
            'return Result("cut off", first_token)',
            'return Result("", first_token, 1.0)',
            because="an answer without its end is none",
        ),
    ],
)
def test_what_vllm_ends_with_its_pod_has_no_end(proof: Proof) -> None:
    space = proof.addon(ENGINE).namespace
    with opened(proof, 8081, "service/router", space) as url, ThreadPoolExecutor(1) as background:
        answer = background.submit(
            ran, proof, LOAD, "4", "--seconds=1", "--words=400", ROUTER_URL=url, MODEL="smollm2"
        )
        time.sleep(3)  # some tokens have come, and four answers take longer than one
        name = "--selector=app=vllm"
        proof.kubectl("delete", "pod", name, f"--namespace={space}", "--wait=false")
        assert re.search(r"failed +\d: \d cut off\n", answer.result().stdout)
    proof.wait("deployment", "vllm", "Available", deadline=300, namespace=space)
