"""Does a beginning that all share draw all to one pod, until a queue outweighs it?"""

from __future__ import annotations

import re
from collections import Counter

import httpx

from proofs.api import Mutant, Proof, chapter_of, proves

from .steps import FIRST_LOOK, PATIENCE, SERVICE, USES, turns

chapter = chapter_of(__file__)
#: Model servers that report what a test tells them to.
TOLD = "router:fake-metrics=on,mode=echo,model=lab/sim-8b,max-model-len=16384,namespace=told"


@proves(
    chapter["conversations.py"],
    chapter["shared-manual.console"],
    evidence="ran",
    uses=USES,
    needs=FIRST_LOOK,
    alone=True,  # neighbors would push prompts out of the fleet's caches
    mutants=[
        Mutant(
            chapter["conversations.py"],
            'return f"{RULE * 76}{case}"',
            'return f"{case}{RULE * 76}"',
            because="what is shared must come first",
        ),
        Mutant(
            chapter["shared-manual.console"],
            "pod                     60",
            "pod  59, 1",
            because="one pod has all",
        ),
    ],
)
def test_a_beginning_that_all_share_draws_all_conversations_to_one_pod(proof: Proof) -> None:
    proof.transcript(chapter["shared-manual.console"], deadline=PATIENCE)
    counts = Counter(turn["pod"] for turn in turns(proof, SERVICE, "manual"))
    assert max(counts.values()) < 45  # of 60; expected are 20


@proves(
    chapter["conversations.py"],
    evidence="ran",
    uses=USES,
    needs=[TOLD],
    router=">=0.10",
    mutants=[
        Mutant(
            chapter["conversations.py"],
            "SENTENCE * 76}",
            "SENTENCE * 8}",
            because="nearly all of a prompt is shared",
        ),
        Mutant(chapter["conversations.py"], "RULE = ", 'RULE = "" and ', because="nothing is shared"),
    ],
)
def test_a_queue_sends_half_a_stranger_elsewhere_and_keeps_three_quarters(proof: Proof) -> None:
    program = proof.module(chapter["conversations.py"])
    idle = dict.fromkeys((one["metadata"]["name"] for one in proof.objects("pod", "app=sim", "told")), 0)
    with (
        proof.forward("service/router", 8081, namespace="told") as url,
        httpx.Client(base_url=url, timeout=120) as router,
    ):
        for manuals, leaves in ((1, True), (3, False)):
            manual = f"{program.case_file()[:18]} {program.RULE * 76 * manuals}"
            let_wait(proof, idle)
            home = pod_that_answers(router, f"{manual}{program.case_file()}")
            # Without a queue, all who share the manual come to its pod: 5.5 points against 4.
            assert {pod_that_answers(router, f"{manual}{program.case_file()}") for _ in range(6)} == {home}
            let_wait(proof, {**idle, home: 9})
            # With one, 3.5 points against 4, or 4.25 where the manual is three quarters.
            assert (pod_that_answers(router, f"{manual}{program.case_file()}") != home) == leaves
        let_wait(proof, idle)


def pod_that_answers(router: httpx.Client, prompt: str) -> str:
    """Return the pod that answers a prompt."""
    messages = [{"role": "system", "content": prompt}, {"role": "user", "content": "And now?"}]
    answer = router.post("/v1/chat/completions", json={"model": "lab/sim-8b", "messages": messages})
    return str(answer.raise_for_status().headers["x-inference-pod"])


def let_wait(proof: Proof, waiting: dict[str, int]) -> None:
    """Have pods report numbers of waiting requests, and wait until the picker has read them."""
    for pod, count in waiting.items():
        path = f"/api/v1/namespaces/told/pods/{pod}:8000/proxy/admin/config"
        body = {"fake-metrics": {"waiting-requests": count, "running-requests": 0, "kv-cache-usage": 0}}
        proof.cluster.request("POST", path, body=body)
    with proof.forward("service/router", 9090, namespace="told") as url:

        def read() -> bool:
            text = httpx.get(f"{url}/metrics", timeout=5).text
            queues = re.findall(r"(?m)^llm_d_epp_per_endpoint_queue_size\{(.*)\} (\d+)$", text)
            return all(
                any(pod in where and int(n) == count for where, n in queues) for pod, count in waiting.items()
            )

        proof.wait_until(read, 120, "the picker has read the queues")
