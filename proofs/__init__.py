"""The proofs: a test claims a listing, proves it, and a run writes that into its record.

The proofs of examples/<slug> are in tests/proofs/<slug>, where <slug> names the chapter in
source/outline.toml: test_<idea>.py holds one idea and begins with its question; steps.py
holds what several of them need (`from .steps import ...`). No test module imports another.
`nox -s new -- <slug>/<file>` begins a listing and its proof; tests/proofs/01-introduction
is the chapter to copy. A whole proof::

    import httpx
    from proofs.api import Mutant, Proof, chapter_of, proves

    chapter = chapter_of(__file__)

    @proves(
        chapter["simulator-deployment.yaml"],
        evidence="ran",
        mutants=[
            Mutant(
                chapter["simulator-deployment.yaml"],
                "--model=lab/sim-8b",
                "--model=lab/other",
                because="clients ask for lab/sim-8b",
            ),
        ],
    )
    def test_the_simulator_serves_the_model_of_the_chapter(proof: Proof) -> None:
        proof.apply(chapter["simulator-deployment.yaml"])
        proof.wait("deployment", "simulator", "Available", deadline=60)
        with proof.forward("deployment/simulator", 8000) as url:
            answer = httpx.get(f"{url}/v1/models", timeout=5).raise_for_status()
        assert answer.json()["data"][0]["id"] == "lab/sim-8b"

`chapter["simulator-deployment.yaml"]` is the listing's name, its path under examples/; a
name without a file is an error. `chapter.page` is the path of the page, `chapter.root` that
of the project. The test runs once on the files as they are, and once for each mutant on a
copy with that change. A mutant is killed when the test fails by an assertion, a refusal, a
passed deadline, a failed command or an HTTP error; anything else is an error, and so is a
failure in a fixture. So apply and assert in the test, or in functions that it calls.

Evidence, strongest first; the last three run without docker:

ran         applied to the lab, and its outcome asserted
refused     for files in examples/<slug>/refused/, and no others: `proof.refused`
accepted    strictly accepted by the API server (`proof.accepted`): nothing can run it
computed    a program of the book, tested
checked     its own tool takes it (promtool, shellcheck, ...)
captured    parsed from a committed capture of real hardware

Mutant(listing, old, new, because=...): `old` occurs exactly once in the file, and may span
lines. Write what you expect into the test: what is read from the mutated copy changes with
it, and the mutant survives. A mutant of a transcript changes its expected output; one of a
refused file repairs it; one of a program changes its text.

A kill is remembered in the record, under a key of what it depends on
(proofs/dependencies.py): the code of the test and of what it uses in tests/, without
comments; the listings that it opened; the files and images of its add-ons; the pins, and
where it ran. The code of lab/ and proofs/ does not count. Under the same key, a mutant is
not run again, except with `--all-mutants` or `--check`; in CI, which always checks, in the
tenth whose turn it is (proofs/selection.py). The unchanged listing always is.

What a claim may say besides:

uses=["router"]         narrows what the stamp names, to keys of [versions] in edition.toml.
                        Only what the run saw at work can be named: an image in a pod of its
                        namespace or of its add-ons, a program, the API of an object that was
                        applied (proofs/observed.py). Without a cluster, the stamp says
                        "for router"
needs=["prometheus", "fleet:model=chat,replicas=2"]
                        add-ons that must run; `python -m lab add` lists them. Proofs that
                        need the same ones run together, and an add-on is removed once no
                        later proof needs it. Where one cannot be had, or the host has too
                        little memory, the proof is skipped with that reason
router=">=0.10"         the router lines on which it holds; on another it is skipped
alone=True              nothing runs beside it: for proofs that change nodes, or what the
                        whole cluster shares
apart="gpus"            no other proof that says the same runs beside it: for what several
                        proofs use up or change, such as the nodes' GPUs
only_in_lab=True        it is about the lab's own nodes, so skipped on other clusters
unlike_production={listing: {"non-root": "The loader runs as root, since ..."}}
                        rules for workloads (proofs/workloads.py) that a listing breaks, each
                        with the sentence of the page that gives the reason. Every run of a
                        proof begins with these rules: security context, probes, resources

What `proof` offers, in a new namespace that is deleted afterwards:

path(listing)           the file in the run's copy of examples/<slug>, where the mutant is
                        applied; YAML there is as the lab takes it, with the run's namespace
                        for `namespace: llm-d`, and for the router line in the lab
module(listing)         a program of the book, imported from that copy
apply(*listings)        server-side apply, strict, document by document, own bytes; raises
                        Refused with the server's message
accepted(*listings)     the same as a dry run, for evidence "accepted"
wait(kind, name, condition, deadline=60)
                        until a condition holds: "Available", "Ready=False", "deleted", or a
                        function of the object; returns the object
wait_until(check, deadline, what)
                        until check() returns something true; returns it. An AssertionError
                        or httpx error in it counts as "not yet"
get(kind, name)         the object as a dict; raises Missing
objects(kind, selector="")
                        the objects of a kind
delete(kind, name)      delete and wait until gone
kubectl(*arguments)     what the lab's kubectl printed
run([program, ...], environment={})
                        the same for any program, in the copy of the chapter's folder; raises
                        CommandFailed
logs(kind_and_name, container="")
                        what a container printed
forward(target, port)   context manager: base URL on a free loopback port
addon(name)             an add-on that the claim needs: its `namespace`, `parameters`
fake_device(node, "rdma/hca", 2), node_labels(node, {"zone": "b"})
                        context managers: a node offers or carries it meanwhile (alone=True)
transcript(listing, exchange={}, environment={}, failing=())
                        re-run a .console file and compare
screenshot(listing, url, shows=["words"], before=None, size=(900, 600))
                        open a page in Chromium, check its words, keep a picture (.png)
refused(listing)        the API server must refuse the file with the text kept beside it
                        (`<fault>.refusal`)
answered(listing, message, by="Helm")
                        the same for a refusal by another program, which the page then names
namespace, lab          the namespace's name; the lab (lab.cluster)
recording               whether this run rewrites recorded data: for numbers that a plot draws

`wait`, `get`, `objects`, `logs` and `forward` take namespace=... for what lies elsewhere.
Without a cluster, files are as printed, and no namespace is made unless the test asks for it.

The namespace goes, and what `apply` made outside of it. Whatever else is in no namespace and
was not there before, or is new on a node, fails the proof and is named.

Transcripts. A .console file holds "$ command" lines ("> " continues one) and their output.
Its commands run in one bash, in the copy of examples/<slug>, with the lab's kubectl first on
PATH and `python -m lab` importable. What differs between the reader's shell and the test is
exchanged, both ways: `exchange={"http://localhost:8081": url}`. A new one begins as the
commands alone, and `--record` writes the output; give it its mutants then. Commands must
succeed, except those whose numbers (from 1) are in `failing`, which must fail.

Pictures. `screenshot` opens a page of a running program, through `forward`, and fails where
one of the words in `shows` is missing. `before(page)` gets Playwright's page to click to what
the picture shows. `--record` takes a picture that is missing, or was taken of other words;
`--refresh` takes each again. Claim the picture with the listings that it depends on: their
mutants must make its words go. The page shows it with `{screenshot}`. Without Chromium, the
proof is skipped.

Records. With `--record`, a run writes records/<listing>.json when every proof of the listing
passed with all mutants; commit it with the listing. Without, it keeps the same in the lab's
folder, and the checkout stays as it is. A record holds while the listing's bytes are the
same; a skipped proof leaves it. What stays unproven is named at the end.

CI (CI is set) checks and writes nothing. It runs the proofs that the change reaches, by
changed records or keys, and a tenth of the rest, another with each commit; the others are
taken from their records. A table at the end counts both, and what was skipped, and why.

Options, as in `nox -s examples -- tests/proofs/02-installation -k simulator --record`:

--record                write records, and transcripts, refusals and pictures that differ
--refresh               renew the dates of records that still hold, and with --record the
                        pictures, and the times and names in transcripts
--check                 write nothing, records must match (the default when CI is set)
--all, --base COMMIT    in CI: run every proof; compare with this commit
--all-mutants           run mutants whose kill is remembered, too
--mutants               list every mutant and what killed it
--random-mutants N --seed S
                        change each YAML listing N times at random, too, and report which
                        changes no proof notices; they fail nothing, but
--required-share 95     when the proofs notice less than this share of them
--overhead              list the harness's own seconds for each proof
-n 4                    in four processes; a proof and its mutants stay in one
--context NAME          on the cluster of this context of your kubeconfig, not the lab: names
                        what is missing there, skips what cannot be proved with reasons, and
                        installs no add-on
--router-line VERSION   the router on that cluster (default: the edition's)
"""
