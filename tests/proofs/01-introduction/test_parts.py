"""Does the drawing of the parts show what the cluster holds, and nothing else?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from proofs.api import Mutant, Proof, chapter_of, proves

from .steps import FIRST_LOOK, USES, drawing

chapter = chapter_of(__file__)
KINDS = ("Deployment", "Service", "InferencePool", "ConfigMap", "ServiceAccount", "RoleBinding", "Role")
#: Kind and name in the drawing, in the words of the cluster.
PART = re.compile(rf"({'|'.join(KINDS)}) ([a-z0-9-]+)")
CONTAINER = re.compile(r"container ([a-z-]+)")
#: What Kubernetes puts into every namespace, and the lab's Istio while another proof has it.
ISTIO = {("ConfigMap", f"istio-ca-{name}") for name in ("root-cert", "crl")}
EVERYWHERE = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default"), *ISTIO}
#: Kustomize appends a hash of a ConfigMap's content.
HASH = re.compile(r"-[a-z0-9]{10}$")


@proves(
    chapter["parts.console"],
    evidence="ran",
    uses=USES,
    needs=FIRST_LOOK,
    mutants=[
        Mutant(chapter["parts.console"], "service/sim\n", "", because="a Service is missing"),
    ],
)
def test_the_drawing_of_the_parts_shows_what_the_cluster_holds_and_nothing_else(proof: Proof) -> None:
    proof.transcript(chapter["parts.console"])
    text = drawing("fig-parts")
    assert set(PART.findall(text)) == set(parts_of_the_namespace(proof)) - EVERYWHERE
    containers = {
        container["name"]
        for one in proof.objects("deployment", namespace="first-look")
        for container in one["spec"]["template"]["spec"]["containers"]
    }
    assert set(CONTAINER.findall(text)) == containers
    pods = proof.objects("pod", "app=sim", namespace="first-look")
    assert len(pods) == 3


def parts_of_the_namespace(proof: Proof) -> Iterator[tuple[str, str]]:
    """Yield kind and name of every object that the drawing may show."""
    for kind in KINDS:
        for one in proof.objects(kind.lower(), namespace="first-look"):
            name = one["metadata"]["name"]
            yield kind, HASH.sub("", name) if kind == "ConfigMap" else name
