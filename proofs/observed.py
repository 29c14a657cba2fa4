"""What a run of a proof saw at work: the components that its record may name.

A component is a key of [versions] in edition.toml. It was seen when a pod ran its image,
in the run's namespace or in that of an add-on; when one of its programs was run; or when
an object of its API was sent to the server. Nothing is named because a proof says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lab import edition
from proofs.cluster import Cluster
from proofs.failures import HarnessError, ProofFailed

#: Program -> the component that it belongs to.
PROGRAMS = {"helm": "helm", "istioctl": "istio", "kind": "kind", "promtool": "prometheus"}
#: API group -> the component that defines it.
GROUPS = {
    "inference.networking.k8s.io": "inference-extension",
    "jobset.x-k8s.io": "jobset",
    "keda.sh": "keda",
    "kueue.x-k8s.io": "kueue",
    "leaderworkerset.x-k8s.io": "lws",
    "llm-d.ai": "router",
    "networking.istio.io": "istio",
    "security.istio.io": "istio",
    "telemetry.istio.io": "istio",
}
#: Where a shell begins a command: at the start, after a pipe, an operator or a bracket.
COMMAND = re.compile(r"(?:^|[|;&(]\s*|\n\s*)(?:\w+=\S+\s+)*([\w./-]+)")


class Observed:
    """The components that were seen so far."""

    def __init__(self) -> None:
        """Start with none."""
        self.components: set[str] = set()

    def command(self, text: str) -> None:
        """Note the programs that a shell line runs."""
        programs = {Path(word).name for word in COMMAND.findall(text)}
        self.components |= {PROGRAMS[name] for name in programs if name in PROGRAMS}

    def api_version(self, text: str) -> None:
        """Note the API of an object that was sent to the server."""
        self.components |= {GROUPS[group] for group in [text.partition("/")[0]] if group in GROUPS}

    def namespaces(self, cluster: Cluster, names: Iterable[str]) -> None:
        """Note what runs in namespaces now: the images of pods, and pools."""
        for name in names:
            for image in _images(cluster, f"/api/v1/namespaces/{name}/pods"):
                if component := edition.component_of(image):
                    self.components.add(component)
            pools = f"/apis/inference.networking.k8s.io/v1/namespaces/{name}/inferencepools"
            if _items(cluster, pools):
                self.components.add("inference-extension")


def _images(cluster: Cluster, path: str) -> Iterator[str]:
    for pod in _items(cluster, path):
        for container in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())):
            yield container["image"]


def _items(cluster: Cluster, path: str) -> list[dict[str, dict[str, list[dict[str, str]]]]]:
    """Return what is listed at a path; nothing where it cannot be listed."""
    try:
        found = cluster.request("GET", path).content
    except (ProofFailed, HarnessError):
        return []
    return found["items"] or []
