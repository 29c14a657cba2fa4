"""What enforces NetworkPolicies? The API server takes them whether or not anything does."""

from __future__ import annotations

from collections.abc import Mapping

from lab import cluster
from lab.engine import find_engine

#: DaemonSets of networks that enforce policies themselves.
NETWORKS = ("antrea-agent", "calico-node", "cilium", "kindnet", "kube-router", "ovnkube-node")
OWN = "kube-network-policies"
#: The chain by which packets come to the lab's own engine, in every node's table `mangle`.
CHAIN = "NETWORK-POLICY"
#: Addresses of pods, in every cluster that kind makes without being told others.
PODS = "10.244.0.0/16"


def engine(_parameters: Mapping[str, str]) -> dict[str, str]:
    """Return `engine`, the DaemonSet that enforces policies, and what the lab's own one needs.

    `resources` are its files: none where the cluster's network does the work.
    """
    found = {one["metadata"]["name"] for one in cluster.listed("daemonsets", "--all-namespaces")}
    network = next((name for name in NETWORKS if name in found), "")
    resources = "[]" if network else "[engine.yaml]"
    return {"engine": network or OWN, "resources": resources, "chain": CHAIN, "pods": PODS}


def take_back(parameters: Mapping[str, str]) -> None:
    """Stop the lab's own engine, and take its chain out of every node."""
    if engine(parameters)["engine"] != OWN:
        return
    what = ("daemonset", OWN, "--namespace=network-policy", "--ignore-not-found")
    cluster.kubectl("delete", *what, doing=f"Stopping {OWN}")  # only a new pod writes the chain
    host = find_engine()
    for node in cluster.node_containers(host):
        for words in (("-D", "POSTROUTING", "-j", CHAIN), ("-F", CHAIN), ("-X", CHAIN)):
            host.succeeds("exec", node, "iptables-nft", "-t", "mangle", *words)
