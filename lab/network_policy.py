"""Does anything in the cluster enforce NetworkPolicies? The API server takes them either way."""

from __future__ import annotations

from collections.abc import Mapping

from lab import cluster
from lab.errors import NotAvailable

#: DaemonSets of network engines that enforce policies.
ENGINES = ("antrea-agent", "calico-node", "cilium", "kindnet", "kube-router", "ovnkube-node")


def require_engine(_parameters: Mapping[str, str]) -> dict[str, str]:
    """Return `engine`, the DaemonSet that enforces policies here.

    Raises NotAvailable where there is none: with the node image that the lab builds.
    """
    found = {one["metadata"]["name"] for one in cluster.listed("daemonsets", "--all-namespaces")}
    engine = next((name for name in ENGINES if name in found), "")
    if not engine:
        message = (
            "Nothing enforces NetworkPolicies here: the node image that the lab builds has a plain bridge "
            "network. The official node image, which the lab takes from its registry or an archive, "
            "enforces them (kindnet); make the lab with it: nox -s lab -- down, then up."
        )
        raise NotAvailable(message)
    return {"engine": engine}
