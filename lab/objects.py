"""What the lab puts into its cluster: the CRDs of llm-d and pretended devices."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lab import edition, home, upstream
from lab.cluster import gpu_counts, kubectl, wait_for
from lab.progress import step

EXTENSION = "sigs.k8s.io/gateway-api-inference-extension"
#: Where their CRDs are: module folder, module path, folder in it.
BASES = ("crds", EXTENSION, "config/crd/bases")
OLD_GROUP = "inference.networking.x-k8s.io"
NEW_GROUP = "llm-d.ai"
#: Kinds that moved to llm-d.ai with router v0.9. No Go module carries their CRDs, so the
#: lab derives them from the same kinds under the old group, or takes upstream's own
#: files from the archive folder (archives/crds/).
MOVED = ("inferenceobjectives", "inferencemodelrewrites")
POOL = "inference.networking.k8s.io_inferencepools.yaml"
GPU = "nvidia.com/gpu"


def install_crds() -> None:
    """Apply the CRDs that the edition pins and wait until they are served."""
    texts = crds().values()
    path = home.folder("cluster") / "crds.yaml"
    path.write_text("---\n".join(texts))
    names = [YAML(typ="safe").load(text)["metadata"]["name"] for text in texts]
    with step("Installing the CRDs of llm-d"):
        kubectl("apply", "--server-side", "--force-conflicts", f"--filename={path}", doing="Applying CRDs")
        wait_for("Established", *[f"crd/{name}" for name in names])


def crds() -> dict[str, str]:
    """Return file name -> text of every CRD that the lab installs."""
    bases = upstream.folder(*BASES)
    texts = {POOL: (bases / POOL).read_text()}
    for plural in MOVED:
        old = f"{OLD_GROUP}_{plural}.yaml"
        texts[old] = (bases / old).read_text()
        given = _given(plural)
        texts[given.name] = given.read_text() if given.exists() else derive_crd(texts[old])
    return texts


def crd_sources() -> dict[str, str]:
    """Return file name -> where that CRD comes from."""
    pinned = f"CRD of Inference Extension {edition.versions()['inference-extension']}"
    sources = {POOL: pinned}
    for plural in MOVED:
        given = _given(plural)
        sources[f"{OLD_GROUP}_{plural}.yaml"] = pinned
        sources[given.name] = (
            "CRD from the archive folder" if given.exists() else f"CRD derived from {OLD_GROUP}"
        )
    return sources


def given_crds() -> list[Path]:
    """Return the CRDs that the user put into the archive folder."""
    return [given for given in map(_given, MOVED) if given.exists()]


def _given(plural: str) -> Path:
    return home.archives() / "crds" / f"{NEW_GROUP}_{plural}.yaml"


def derive_crd(old: str) -> str:
    """Turn a CRD of the old group into the same kind's CRD under llm-d.ai.

    The two schemas are equal but for the group, one annotation and the integer format
    of an objective's priority.
    """
    yaml = YAML()
    crd: dict[str, Any] = yaml.load(old)
    crd["metadata"]["name"] = crd["metadata"]["name"].replace(OLD_GROUP, NEW_GROUP)
    crd["metadata"]["annotations"].pop("api-approved.kubernetes.io", None)
    crd["spec"]["group"] = NEW_GROUP
    for version in crd["spec"]["versions"]:
        spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
        if "priority" in spec:
            spec["priority"]["format"] = "int32"
    text = StringIO()
    yaml.dump(crd, text)
    return text.getvalue()


def pretend_gpus() -> None:
    """Let nodes offer the GPUs that their label promises (kubelet keeps the numbers)."""
    for name, count in gpu_counts().items():
        pretend(name, {GPU: count})


def pretend(node: str, devices: Mapping[str, int]) -> None:
    """Let a node offer devices that it does not have, such as `{"rdma/hca": 2}`.

    Kubelet keeps what it finds in its node's status, until it is restarted: then it
    sets the amounts to 0.
    """
    amounts = {resource: str(count) for resource, count in devices.items()}
    patch = {"status": {"capacity": amounts, "allocatable": amounts}}
    _patch_status(node, "strategic", patch, f"Giving {node} {_list(devices)}")


def stop_pretending(node: str, resources: Iterable[str]) -> None:
    """Take devices off a node's status; those that it does not offer are skipped."""
    status = _status(node)
    steps = [
        {"op": "remove", "path": f"/status/{field}/{resource.replace('/', '~1')}"}
        for resource in resources
        for field in ("capacity", "allocatable")
        if resource in status[field]
    ]
    if steps:
        _patch_status(node, "json", steps, f"Taking devices off {node}")


@contextmanager
def pretended(node: str, devices: Mapping[str, int]) -> Iterator[None]:
    """Let a node offer devices for a while; afterwards it offers what it did before."""
    capacity = _status(node)["capacity"]
    before = {resource: int(capacity[resource]) for resource in devices if resource in capacity}
    try:
        pretend(node, devices)
        yield
    finally:
        stop_pretending(node, devices.keys() - before.keys())
        if before:
            pretend(node, before)


def _list(devices: Mapping[str, int]) -> str:
    return ", ".join(f"{count} pretended {resource}" for resource, count in devices.items())


def _status(node: str) -> dict[str, Any]:
    found = json.loads(kubectl("get", "node", node, "-o=json", doing=f"Looking at {node}"))
    status: dict[str, Any] = found["status"]
    return status


def _patch_status(node: str, kind: str, patch: object, doing: str) -> None:
    kubectl(
        "patch",
        "node",
        node,
        "--subresource=status",
        f"--type={kind}",
        f"--patch={json.dumps(patch)}",
        doing=doing,
    )
