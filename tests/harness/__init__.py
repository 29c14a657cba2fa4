"""The proof harness: a test claims a listing, proves it, and a record says so.

A proof is a pytest test in tests/examples/test_<chapter>.py. It names the listings it
proves (paths under examples/), the evidence it gives, and for each listing at least
one change that must make it fail. All of the API is in this example::

    import httpx
    from tests.harness import Mutant, Proof, proves

    POOL = "02-installation/inferencepool-demo.yaml"

    @proves(
        POOL,
        evidence="ran",
        uses=("router", "simulator"),
        mutants=[
            Mutant(POOL, "app: sim", "app: nobody", because="the pool selects no pod"),
        ],
    )
    def test_pool_finds_the_simulators(proof: Proof) -> None:
        proof.apply("02-installation/deployment-sim.yaml", POOL)
        proof.wait("deployment", "sim", "Available", deadline=60)
        with proof.forward("service/llm-d", 8081) as url:
            answer = httpx.get(f"{url}/v1/models", timeout=5)
            assert answer.status_code == 200

`proof` works in a namespace of its own, deleted afterwards. The harness runs the test
once as it stands and once per mutant, on a copy with the one change made; a mutant
run passes when the test fails in it: by an assertion, a refusal by the API server, a
passed deadline, a failed command or an HTTP error. Anything else is an error. Apply
and assert in the test's body (helpers are fine), not in a fixture: a failure while
a fixture is set up is an error, never a kill.

What `proof` offers:

path(listing)           the file in the test's copy of examples/<chapter>/, where a
                        mutant is applied; unless the evidence is cluster-free, YAML
                        there is as the lab takes it: the test's namespace instead
                        of llm-d, configuration for the router line in the lab
apply(*listings)        server-side apply, strict, document by document, own bytes;
                        raises Refused with the server's message
accepted(*listings)     the same as a dry run, for evidence "accepted"
wait(kind, name, condition, deadline=60)
                        until a condition holds: "Available", "Ready=False",
                        "deleted", or a function of the object; returns the object
wait_until(check, deadline, what)
                        until check() returns something true; returns it. An
                        AssertionError or httpx error in it counts as "not yet"
get(kind, name)         the object as a dict; raises Missing
objects(kind, selector="")
                        the objects of a kind in the namespace
delete(kind, name)      delete and wait until gone
kubectl(*arguments)     what the lab's kubectl printed, in the namespace
run([program, ...], environment={})
                        the same for any program, in the copy of the chapter's
                        folder; raises CommandFailed
logs(kind_and_name, container="")
                        what a container printed
forward(target, port)   context manager: base URL on a free loopback port
transcript(listing, exchange={}, environment={}, failing=())
                        re-run a .console file and compare (rewrite with --record)
refused(listing)        the API server must refuse the file in refused/ with the text
                        kept beside it (`<fault>.refusal`, rewritten with --record)
answered(listing, message)
                        the same for a refusal that another program gave
namespace, lab          the namespace's name; the lab (lab.cluster)

Evidence that needs no cluster ("computed", "checked", "captured") makes no namespace:
one is made when the test first asks for something in it.

Transcripts. A .console file holds "$ command" lines ("> " continues one) and their
output. Its commands run in one bash, in a copy of examples/<chapter>/ with the files
as the lab takes them, kubectl first on PATH, `python -m lab` importable. What differs
between the reader's shell and the test is exchanged, both ways::

    with proof.forward("service/llm-d", 8081) as url:
        proof.transcript(
            "02-installation/chat.console", exchange={"http://localhost:8081": url}
        )

A new transcript starts as the commands alone; `--record` writes the output. Commands
must succeed, except those whose numbers (from 1) are in `failing`, which must fail.
A mutant of a transcript changes its expected output; a mutant of a refused file
repairs it; one of a program changes its text.

Options of a run (`nox -s examples -- ...`): --record, --refresh, --check (also when
CI is set: nothing is written, records must match).
"""

from tests.harness.claims import Mutant, proves
from tests.harness.failures import (
    CommandFailed,
    DeadlinePassed,
    HarnessError,
    Missing,
    ProofFailed,
    Refused,
)
from tests.harness.proof import Proof

__all__ = [
    "CommandFailed",
    "DeadlinePassed",
    "HarnessError",
    "Missing",
    "Mutant",
    "Proof",
    "ProofFailed",
    "Refused",
    "proves",
]
