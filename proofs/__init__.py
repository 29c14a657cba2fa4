"""The proof harness: a test claims a listing, proves it, and a record says so.

A proof is a pytest test in tests/proofs, in test_02_installation.py for the listings
of examples/02-installation. It names the listings it proves (paths under examples/), the
evidence it gives, and for each listing at least one change that must make it fail. All
of the API is in this example::

    import httpx
    from proofs.api import Mutant, Proof, proves

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

Evidence, strongest first:

ran         applied to the lab, and its outcome asserted
refused     for files in examples/<chapter>/refused/, and no others: `proof.refused`
accepted    strictly accepted by the API server (`proof.accepted`): nothing can run it
computed    no cluster: a program of the book, tested
checked     no cluster: its own tool takes it (promtool, shellcheck, ...)
captured    no cluster: parsed from a committed capture of real hardware

A mutant that was killed on this machine before, on the same files, is not run again
(proofs/kills.py says what counts as the same); `--all-mutants` runs it, and so does a
session that only checks (`--check`, or CI being set). The listing as it stands is proved
in every session.

Mutant(listing, old, new, because=...): `old` occurs exactly once in the file, and may
span lines. State the expected outcome in the test: one that is read from the mutated
copy changes with it, and the mutant survives. Write `namespace: llm-d` in a listing, or
none: the test's own takes its place.

What a claim may say besides its listings, evidence and mutants:

uses=["router"]         keys of [versions] in edition.toml; the record names them
needs=["prometheus", "fleet:model=chat,replicas=2"]
                        add-ons that must run; the session starts them before its first
                        proof, and they stay. One that cannot be had on this host skips
                        the proof, with the reason. `python -m lab add` lists them
router=">=0.10"         the router lines on which it holds; on another it is skipped
alone=True              nothing runs beside it: for proofs that change nodes, or what
                        the whole cluster shares
only_in_lab=True        it is about the lab's own nodes, so skipped on other clusters

A skipped proof leaves records as they are. They hold while the listings' bytes are the
same; what stays unproven is named at the end, and fails a run with --check.

What `proof` offers:

path(listing)           the file in the test's copy of examples/<chapter>/, where a
                        mutant is applied; unless the evidence is cluster-free, YAML
                        there is as the lab takes it: the test's namespace instead
                        of llm-d, configuration for the router line in the lab
module(listing)         a program of the book, imported from that copy
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
addon(name)             an add-on that the claim needs: its `namespace`, `parameters`
fake_device(node, "rdma/hca", 2), node_labels(node, {"zone": "b"})
                        context managers: a node offers or carries it meanwhile
                        (with alone=True)
transcript(listing, exchange={}, environment={}, failing=())
                        re-run a .console file and compare (rewrite with --record)
refused(listing)        the API server must refuse the file in refused/ with the text
                        kept beside it (`<fault>.refusal`, rewritten with --record)
answered(listing, message)
                        the same for a refusal that another program gave
namespace, lab          the namespace's name; the lab (lab.cluster)
recording               whether this run rewrites recorded data (--record; never a
                        mutant's run): for numbers that a plot draws

`wait`, `get`, `objects`, `logs` and `forward` take namespace=... for what lies elsewhere::

    prometheus = proof.addon("prometheus").namespace
    with proof.forward("service/prometheus", 9090, namespace=prometheus) as url:
        ...

Evidence that needs no cluster ("computed", "checked", "captured") makes no namespace:
one is made when the test first asks for something in it.

What a proof leaves. Its namespace goes, and what `apply` made outside of it. Whatever
else is in no namespace and was not there before (made by a program, a script, the test
itself), or is new on a node, fails the proof and is named. A program that makes such
things takes them away again.

Transcripts. A .console file holds "$ command" lines ("> " continues one) and their
output. Its commands run in one bash, in a copy of examples/<chapter>/ with the files
as the lab takes them, kubectl first on PATH, `python -m lab` importable. What differs
between the reader's shell and the test is exchanged, both ways::

    with proof.forward("service/llm-d", 8081) as url:
        proof.transcript(
            "02-installation/chat.console", exchange={"http://localhost:8081": url}
        )

A new transcript starts as the commands alone; `--record` writes the output (give it its
mutants after that: they change the output). Commands must succeed, except those whose
numbers (from 1) are in `failing`, which must fail. A mutant of a transcript changes its
expected output; a mutant of a refused file repairs it; one of a program changes its text.

While you write: `nox -s examples -- tests/proofs/02-installation/test_installation.py -k pool --record`
runs one proof. Records are written at the end of a run; what is stopped with Ctrl-C
takes its namespaces away, a killed one leaves them (label life-with-llm-d.run).

Options of a run (`nox -s examples -- ...`):

--record                rewrite transcripts and refusals that differ
--refresh               renew the dates of records that still hold
--check                 write nothing, records must match (also when CI is set)
--mutants               list every mutant and what killed it
--random-mutants N --seed S
                        change each YAML listing N times at random, too, and report
                        which changes no proof notices; they fail nothing
--overhead              list what the harness itself took for each proof
-n 4                    in four processes; a proof and its mutants stay in one. The
                        records are the same
--context NAME          on the cluster of this context of your kubeconfig, not the lab:
                        says what is missing there, proves what it can in namespaces of
                        its own, skips the rest with reasons, installs no add-on
--router-line VERSION   the router on that cluster (default: the edition's)
"""
