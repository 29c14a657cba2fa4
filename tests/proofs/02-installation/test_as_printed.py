"""Chapter 2: what readers type, with the answers as printed."""

from __future__ import annotations

from proofs.api import Mutant, Proof, chapter_of, proves
from tests.proofs.installed import install, install_router, router

chapter = chapter_of(__file__)
INSTALL_ROUTER = chapter["install-router.console"]
WITHOUT_MODEL = chapter["verify-without-model.console"]
RESTART = chapter["restart-router.console"]
VERIFY = chapter["verify.sh"]
INSTALL_MODEL = chapter["install-model.console"]
CHAT = chapter["chat.py"]
ANSWERED = chapter["who-answered.console"]


@proves(
    INSTALL_ROUTER,
    VERIFY,
    WITHOUT_MODEL,
    RESTART,
    evidence="ran",
    uses=["router", "envoy", "inference-extension"],
    mutants=[
        Mutant(INSTALL_ROUTER, "/demo serverside-applied", "/demo", because="it says more"),
        Mutant(VERIFY, '== "$pods" ]]\nreport', "== 0 ]]\nreport", because="no pod would do"),
        Mutant(WITHOUT_MODEL, "FAILED  the router lists", "ok      the router lists", because="none answers"),
        Mutant(RESTART, "successfully rolled out", "exceeded its deadline", because="it starts"),
    ],
)
def test_the_router_goes_in_as_printed_and_misses_the_model(proof: Proof) -> None:
    proof.transcript(INSTALL_ROUTER)
    proof.transcript(WITHOUT_MODEL, failing={1})
    proof.transcript(RESTART)


@proves(
    INSTALL_MODEL,
    evidence="ran",
    uses=["router", "simulator", "envoy", "inference-extension"],
    mutants=[
        Mutant(INSTALL_MODEL, "simulator condition", "model condition", because="another name"),
    ],
)
def test_the_model_goes_in_as_printed_and_nothing_is_missed(proof: Proof) -> None:
    install_router(proof)
    proof.transcript(INSTALL_MODEL)
    assert "sees 3 pod(s)" in proof.run(["bash", "verify.sh"])


@proves(
    CHAT,
    ANSWERED,
    evidence="ran",
    uses=["router", "simulator", "envoy"],
    mutants=[
        Mutant(CHAT, 'get("x-inference-pod"', 'get("server"', because="no pod named"),
        Mutant(CHAT, '"content": question', '"content": "No"', because="the answer echoes the question"),
        Mutant(ANSWERED, "tokens: 15", "tokens: 16", because="it took 15"),
    ],
)
def test_the_model_answers_as_printed(proof: Proof) -> None:
    install(proof)
    with router(proof) as client:
        url = str(client.base_url).rstrip("/")
        proof.transcript(ANSWERED, environment={"ROUTER_URL": url})
        # The two marks of the page: Envoy's and the picker's.
        request = {"model": "lab/sim-8b", "messages": [{"role": "user", "content": "Who?"}]}
        headers = client.post("/v1/chat/completions", json=request).raise_for_status().headers
    assert (headers["server"], headers["x-went-into-resp-headers"]) == ("envoy", "true")
