"""The kind cluster: made, found again, repaired, removed.

Its topology is the listing that readers see, examples/02-installation/kind-cluster.yaml;
the lab adds only what this host and its registry need.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lab import checks, edition, home, host, images, programs, registry
from lab.engine import Engine
from lab.errors import LabError
from lab.images import Provided
from lab.process import run, succeeds
from lab.progress import say, step
from lab.router_lines import here

TOPOLOGY = edition.PROJECT / "examples/02-installation/kind-cluster.yaml"
#: Where nodes see the folder `engines` of the lab, with model servers and models.
ENGINES = "/opt/life-with-llm-d"
#: The label in the topology that says how many GPUs a node pretends to have.
GPU_LABEL = "nvidia.com/gpu.count"
#: containerd asks every container once a second what it uses, unless told otherwise; with
#: 40 small pods that is a fifth of a core. Nothing here reads those samples that often.
RARE_SAMPLES = """\
[plugins."io.containerd.cri.v1.runtime"]
stats_collect_period = "30s"
"""
#: There is one controller manager and one scheduler, so nothing is to be elected. On a busy host
#: they would lose their leases and restart, and all else would wait. The first argument is kind's
#: own, since a patch replaces the list.
NO_ELECTIONS = """\
kind: ClusterConfiguration
controllerManager:
  extraArgs:
    - {name: enable-hostpath-provisioner, value: "true"}
    - {name: leader-elect, value: "false"}
scheduler:
  extraArgs:
    - {name: leader-elect, value: "false"}
"""
#: Seconds that nodes and system pods have to become Ready.
READY_LIMIT = 180
#: Seconds in which a restarted API server must answer before the cluster is replaced.
REPAIR_LIMIT = 60


@dataclass(frozen=True)
class Lab:
    """A lab that is up: what proofs and readers need to reach it."""

    kubeconfig: Path
    kubectl: Path
    router_line: str

    def environment(self) -> dict[str, str]:
        """Return what a record says about where a listing ran: component -> version."""
        pins = edition.versions()
        return {
            "cluster": f"kind {pins['kind']}",
            "kubernetes": pins["kubernetes"],
            "router": here.described(self.router_line),
            "simulator": pins["simulator"],
            "envoy": pins["envoy"],
            "inference-extension": pins["inference-extension"],
        }


def find() -> Lab:
    """Return where the lab is to be reached, up or not."""
    return Lab(home.kubeconfig(), _kubectl(), here.line())


def connect() -> Lab:
    """Return the running lab; raises LabError when it is not up."""
    lab = find()
    ready = lab.kubeconfig.exists() and lab.kubectl.exists()
    # On a busy host an answer may take a while; where nothing listens, it comes at once.
    if not (ready and succeeds(_kubectl_command("get", "--raw=/readyz"), timeout=120)):
        message = "The lab is not up. Start it with: nox -s lab -- up"
        raise LabError(message)
    return lab


def ensure(engine: Engine, provided: dict[str, Provided]) -> None:
    """Make the cluster, or find and repair it; return when its API server answers."""
    require_ownership(engine)
    nodes = node_containers(engine)
    state = _state()
    _require_same_topology(nodes, state)
    stale = bool(nodes) and state.get("image") != provided["node"].identity
    if nodes and (not state.get("nodes") or stale or not _revive(engine, nodes)):
        say("The cluster cannot be used as it is, so a new one is made.")
        delete(engine)
        nodes = {}
    if not nodes:
        _create(engine, provided["node"])
    _configure_network(engine, provided["node"])


def wait_until_ready() -> None:
    """Return when every node is Ready and finds others by name."""
    with step("Waiting for nodes and system pods"):
        wait_for("Ready", "--all", "nodes", timeout=READY_LIMIT)
        wait_for("Available", "--namespace=kube-system", "deployment/coredns", timeout=READY_LIMIT)


def delete(engine: Engine) -> None:
    """Remove the cluster's nodes and all that kind made for them."""
    require_ownership(engine)
    if node_containers(engine):
        with step("Removing the cluster"):
            _kind(engine, "delete", "cluster", f"--name={home.CLUSTER}", doing="kind delete cluster")
            for name in node_containers(engine):  # kind skips what a killed run left half made
                engine.run("rm", "-f", "-v", name, doing=f"Removing {name}")
    home.kubeconfig().unlink(missing_ok=True)
    _state_file().unlink(missing_ok=True)


def require_ownership(engine: Engine) -> None:
    """Stop with a sentence when a kind cluster of another owner has the lab's name."""
    state = _state()
    nodes = node_containers(engine)
    known = state.get("nodes", {}).values()
    # A state without nodes is what a killed `up` leaves: those nodes are the lab's.
    foreign = [name for name, found in nodes.items() if not state or (known and found["Id"] not in known)]
    if foreign:
        message = (
            f"A kind cluster named {home.CLUSTER} exists that this lab did not make, so it is left "
            f"alone. Delete it ({engine.program} rm -f -v {' '.join(foreign)}), or give the lab that "
            "made it its folder back (LIFE_WITH_LLMD_HOME)."
        )
        raise LabError(message)


def node_containers(engine: Engine) -> dict[str, dict[str, Any]]:
    """Return name -> what the engine knows, for every node of a cluster of our name."""
    label = f"label=io.x-k8s.kind.cluster={home.CLUSTER}"
    printed = engine.run("ps", "--all", f"--filter={label}", "--format={{.Names}}", doing="Listing the nodes")
    found = {name: engine.inspect("container", name) for name in sorted(printed.split())}
    return {name: container for name, container in found.items() if container}


def kubectl(*arguments: str, doing: str, timeout: float = 60, given: str | None = None) -> str:
    """Run the lab's kubectl on the lab and return its output; raises LabError.

    `timeout` is in seconds, `given` what kubectl reads on standard input.
    """
    return run(_kubectl_command(*arguments), doing=doing, timeout=timeout, given=given)


def wait_for(condition: str, *targets: str, timeout: float = 60) -> None:
    """Return when the targets have a condition; raises LabError after `timeout` seconds.

    kubectl ends with "accessor error" where an object is so new that its conditions are null:
    that counts as not yet.
    """
    end = time.monotonic() + timeout
    while True:
        left = max(1, round(end - time.monotonic()))
        try:
            kubectl(
                "wait",
                f"--for=condition={condition}",
                f"--timeout={left}s",
                *targets,
                doing=f"Waiting for {targets[-1]}",
                timeout=left + 10,
            )
        except LabError as error:
            if "accessor error" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.5)
        else:
            return


def listed(kinds: str, *words: str) -> list[dict[str, Any]]:
    """Return the objects of some kinds, as the API server has them; `words` choose among them."""
    found: list[dict[str, Any]] = json.loads(
        kubectl("get", kinds, *words, "-o=json", doing=f"Listing {kinds}")
    )["items"]
    return found


def topology() -> dict[str, Any]:
    """Return the kind configuration that readers see."""
    if not TOPOLOGY.exists():
        message = f"{TOPOLOGY.relative_to(edition.PROJECT)} is missing; it describes the lab's cluster."
        raise LabError(message)
    loaded: dict[str, Any] = YAML(typ="safe").load(TOPOLOGY)
    return loaded


def node_conditions() -> dict[str, tuple[bool, str]]:
    """Return node name -> whether it is Ready, and what the cluster says of that."""
    return checks.node_conditions(_nodes().values())


def silent_api_services() -> dict[str, tuple[str, str]]:
    """Return name -> namespace and reason, of what serves a part of the API and does not answer."""
    return checks.silent_api_services(listed("apiservices"))


def gpu_counts() -> dict[str, int]:
    """Return node name -> number of pretended GPUs, from the nodes' labels."""
    labels = {name: node["metadata"]["labels"] for name, node in _nodes().items()}
    return {name: int(found[GPU_LABEL]) for name, found in labels.items() if GPU_LABEL in found}


def _nodes() -> dict[str, dict[str, Any]]:
    """Return name -> Node object, as the API server has it."""
    return {node["metadata"]["name"]: node for node in listed("nodes")}


def _kubectl() -> Path:
    return home.folder("cluster") / "bin" / "kubectl"


def _kubectl_command(*arguments: str) -> list[str | Path]:
    return [_kubectl(), f"--kubeconfig={home.kubeconfig()}", *arguments]


def _kind(engine: Engine, *arguments: str, doing: str) -> str:
    program = programs.program("kind", "kind")
    environment = {**engine.environment, "KUBECONFIG": str(home.kubeconfig())}
    return run([program, *arguments], doing=doing, environment=environment, timeout=600)


def _create(engine: Engine, image: Provided) -> None:
    host.require_space(home.home(), host.CLUSTER_SPACE)
    host.require_watchers(len(topology()["nodes"]))
    _prepare_host()
    _save_state({"topology": _topology_hash()})  # what a killed run leaves is ours
    wanted = _kind_settings(own_network=images.is_built(engine, image.name))
    settings = home.folder("cluster") / "kind.yaml"
    YAML(typ="safe").dump(wanted, settings)
    with step(f"Creating the kind cluster {home.CLUSTER} ({len(wanted['nodes'])} nodes)"):
        _kind(
            engine,
            "create",
            "cluster",
            f"--name={home.CLUSTER}",
            f"--image={image.name}",
            f"--config={settings}",
            f"--kubeconfig={home.kubeconfig()}",
            doing="kind create cluster",
        )
    nodes = node_containers(engine)
    _take_kubectl(engine, next(name for name in nodes if name.endswith("control-plane")))
    identities = {name: container["Id"] for name, container in nodes.items()}
    _save_state({"topology": _topology_hash(), "image": image.identity, "nodes": identities})


def _prepare_host() -> None:
    """Make the folder that kind mounts into nodes; some kernels come without modules."""
    if host.is_root():
        Path("/lib/modules").mkdir(parents=True, exist_ok=True)


def _kind_settings(*, own_network: bool) -> dict[str, Any]:
    """Return the readers' topology plus what this host and registry need."""
    settings = topology()
    mounts = {
        registry.write_mirrors(): "/etc/containerd/certs.d",
        home.folder("engines"): ENGINES,
    }
    for node in settings["nodes"]:
        node.setdefault("extraMounts", []).extend(
            {"hostPath": str(source), "containerPath": target, "readOnly": True}
            for source, target in mounts.items()
        )
    settings.setdefault("containerdConfigPatches", []).append(RARE_SAMPLES)
    settings.setdefault("kubeadmConfigPatches", []).append(NO_ELECTIONS)
    if own_network:  # kindnetd cannot be built offline; _configure_network
        settings.setdefault("networking", {})["disableDefaultCNI"] = True
    if host.uses_cgroup_v1():
        patch = "kind: KubeletConfiguration\nfailCgroupV1: false\n"
        settings.setdefault("kubeadmConfigPatches", []).append(patch)
    return settings


def _take_kubectl(engine: Engine, node: str) -> None:
    """Copy kubectl out of a node, so that client and server have one version."""
    _kubectl().parent.mkdir(exist_ok=True)
    engine.run("cp", f"{node}:/usr/bin/kubectl", _kubectl(), doing="Taking kubectl from a node")
    _kubectl().chmod(0o755)


def _configure_network(engine: Engine, image: Provided) -> None:
    """Give each node its pod range and the routes to the others (own node image only).

    Safe to repeat: a restarted node has lost its routes.
    """
    if not images.is_built(engine, image.name):
        return
    # From the engine, not from the nodes' status: a restart may have moved an address.
    addresses = {
        name: container["NetworkSettings"]["Networks"][home.CLUSTER]["IPAddress"]
        for name, container in node_containers(engine).items()
    }
    ranges = _ranges(addresses)

    def configure(name: str) -> None:
        routes = [f"{ranges[peer]}={addresses[peer]}" for peer in ranges if peer != name]
        command = ("exec", name, "configure-pod-network", ranges[name], *routes)
        engine.run(*command, doing=f"Pod network of {name}")

    with ThreadPoolExecutor(len(ranges)) as threads:
        list(threads.map(configure, ranges))


def _ranges(names: Collection[str]) -> dict[str, str]:
    """Return node -> pod range, once kubelets have made these nodes and a controller gave each one."""
    deadline = time.monotonic() + REPAIR_LIMIT
    while True:
        # Not of every Node object: some have no machine (the add-on kwok-nodes).
        given = {name: node["spec"].get("podCIDR", "") for name, node in _nodes().items() if name in names}
        missing = sorted(name for name in names if not given.get(name))
        if not missing:
            return given
        if time.monotonic() > deadline:
            message = f"{', '.join(missing)}: no pod range in {REPAIR_LIMIT} s. Run `python -m lab doctor`."
            raise LabError(message)
        time.sleep(0.5)


def _revive(engine: Engine, nodes: dict[str, dict[str, Any]]) -> bool:
    """Start nodes that are stopped; tell whether the whole cluster answers then."""
    still = [name for name in nodes if not engine.succeeds("exec", name, "true")]
    began = datetime.now(UTC)
    for name in still:
        say(f"{name} does not run; starting it.")
        # The engine may still believe in a process that was killed.
        engine.succeeds("stop", "--time=1", name, timeout=30)
        try:
            engine.run("start", name, doing=f"Starting {name}", timeout=60)
        except LabError as error:
            say(str(error))
            return False
    deadline = time.monotonic() + REPAIR_LIMIT
    while time.monotonic() < deadline:
        if succeeds(_kubectl_command("get", "--raw=/readyz", "--request-timeout=5s")) and _heard_from(
            still, began
        ):
            return True
    return False


def _heard_from(names: Sequence[str], moment: datetime) -> bool:
    """Tell whether the kubelets of these nodes renewed their leases after a moment.

    A node counts as Ready for 40 s after its kubelet died, so Ready alone says nothing.
    """
    if not names:
        return True
    leases = listed("leases", "--namespace=kube-node-lease")
    renewed = {lease["metadata"]["name"]: lease["spec"]["renewTime"] for lease in leases}
    return all(datetime.fromisoformat(renewed[name]) > moment for name in names)


def _require_same_topology(nodes: dict[str, Any], state: dict[str, Any]) -> None:
    if nodes and state.get("nodes") and state.get("topology") != _topology_hash():
        message = (
            f"{TOPOLOGY.relative_to(edition.PROJECT)} has changed since the cluster was made. "
            "Make a new one: nox -s lab -- down, then nox -s lab -- up."
        )
        raise LabError(message)


def _topology_hash() -> str:
    return hashlib.sha256(json.dumps(topology(), sort_keys=True).encode()).hexdigest()


def _state_file() -> Path:
    return home.folder("cluster") / "state.json"


def _state() -> dict[str, Any]:
    path = _state_file()
    state: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return state


def _save_state(state: dict[str, Any]) -> None:
    home.write(_state_file(), json.dumps(state, indent=2) + "\n")
