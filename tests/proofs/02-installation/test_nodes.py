"""Chapter 2: the lab's nodes are those that the topology declares."""

from __future__ import annotations

from proofs.api import Mutant, Proof, chapter_of, proves
from proofs.documents import read_documents

chapter = chapter_of(__file__)
TOPOLOGY = chapter["kind-cluster.yaml"]

ZONE, RACK, GPUS = "topology.kubernetes.io/zone", "topology.llm-d-book.example/rack", "nvidia.com/gpu.count"
#: The chapter's cluster: its API server's address on this machine, and the nodes' roles and labels.
CLUSTER = {
    "apiVersion": "kind.x-k8s.io/v1alpha4",
    "kind": "Cluster",
    "name": "life-with-llm-d",
    "networking": {"apiServerAddress": "127.0.0.1"},
    "nodes": [
        {"role": "control-plane"},
        {"role": "worker", "labels": {ZONE: "a", RACK: "1", GPUS: "8"}},
        {"role": "worker", "labels": {ZONE: "b", RACK: "2", GPUS: "4"}},
        {"role": "worker", "labels": {ZONE: "c", RACK: "3"}},
    ],
}


@proves(
    TOPOLOGY,
    evidence="ran",
    only_in_lab=True,
    mutants=[
        Mutant(TOPOLOGY, "zone: a", "zone: d", because="no node is in that zone"),
        Mutant(TOPOLOGY, 'gpu.count: "8"', 'gpu.count: "16"', because="a node has 8"),
        Mutant(TOPOLOGY, 'rack: "3"', 'rack: "4"', because="no node is in that rack"),
    ],
)
def test_the_nodes_are_those_of_the_topology(proof: Proof) -> None:
    [document] = read_documents(proof.path(TOPOLOGY).read_text(), TOPOLOGY)
    topology = document.content
    assert topology == CLUSTER
    nodes = {node["metadata"]["name"]: node for node in proof.objects("node")}
    workers = sorted(name for name in nodes if "control-plane" not in name)
    declared = [node["labels"] for node in topology["nodes"] if node["role"] == "worker"]
    assert len(nodes) == len(topology["nodes"])
    for name, labels in zip(workers, declared, strict=True):
        node = nodes[name]
        assert name.startswith(topology["name"])
        assert labels.items() <= node["metadata"]["labels"].items()
        gpus = node["status"]["allocatable"].get("nvidia.com/gpu")
        assert gpus == labels.get("nvidia.com/gpu.count")
    server = proof.kubectl("config", "view", "--minify", "--output=jsonpath={.clusters[0].cluster.server}")
    assert server.startswith(f"https://{topology['networking']['apiServerAddress']}:")
