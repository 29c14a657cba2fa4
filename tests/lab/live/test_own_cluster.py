"""Do the proofs run on a cluster that the lab did not make, with a user of limited rights?

The cluster is a second one of kind, with one node. Its user may make namespaces and
what lies in them, nothing else.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lab import cluster, edition, home, host, images, programs, registry
from lab.engine import Engine, find_engine
from lab.process import run
from proofs.cluster import Cluster
from proofs.leftovers import objects
from proofs.namespaces import RUN_LABEL
from proofs.records import load_records
from proofs.waiting import wait_until
from tests.harness.conftest import SERVER, STRICT

pytestmark = [pytest.mark.cluster, pytest.mark.live]

LAB_HOME = str(home.home())
AUTHOR = "system:serviceaccount:kube-system:author"
RIGHTS = f"""\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: author}}
rules:
  - {{apiGroups: [""], resources: [namespaces], verbs: [create, get, list, delete]}}
  - apiGroups: ["", apps]
    resources: [configmaps, deployments, events, pods, pods/log, pods/portforward, serviceaccounts, services]
    verbs: ["*"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: author}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: author}}
subjects: [{{kind: User, apiGroup: rbac.authorization.k8s.io, name: "{AUTHOR}"}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: author, namespace: kube-system}}
"""
LISTINGS = {
    "server.yaml": SERVER,
    "priority.yaml": """\
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: life-with-llm-d-own}
value: 7
""",
    "pool.yaml": """\
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: {name: demo, namespace: llm-d}
""",
    "settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {model: demo}\n",
    "nodes.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nodes}\ndata: {model: demo}\n",
    "gpus.yaml": """\
apiVersion: v1
kind: Pod
metadata: {name: gpus}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: model
      image: registry.invalid/model:1
      ports: [{name: http, containerPort: 8000}]
      readinessProbe: {httpGet: {path: /health, port: http}}
      livenessProbe: {httpGet: {path: /health, port: http}}
      resources: {requests: {cpu: 20m, memory: 32Mi}, limits: {memory: 32Mi, nvidia.com/gpu: "8"}}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
""",
}
PROOFS = """
    import httpx
    from proofs.api import Mutant, proves

    def claim(listing, old, new, **more):
        mutant = Mutant(f"01-demo/{listing}", old, new, because="it is another")
        return proves(f"01-demo/{listing}", evidence="ran", mutants=[mutant], **more)

    @claim("server.yaml", "--model=demo", "--model=other")
    def test_server(proof):
        proof.apply("01-demo/server.yaml")
        proof.wait("deployment", "sim", "Available", deadline=90)
        with proof.forward("deployment/sim", 8000) as url:
            assert httpx.get(f"{url}/v1/models", timeout=5).json()["data"][0]["id"] == "demo"

    @claim("priority.yaml", "value: 7", "value: 8")
    def test_priority(proof):
        assert proof.apply("01-demo/priority.yaml")[0]["value"] == 7

    @claim("pool.yaml", "name: demo", "name: other")
    def test_pool(proof):
        proof.apply("01-demo/pool.yaml")

    @claim("settings.yaml", "model: demo", "model: other", needs=["fleet"])
    def test_addon(proof):
        proof.apply("01-demo/settings.yaml")

    @claim("nodes.yaml", "model: demo", "model: other", only_in_lab=True)
    def test_nodes(proof):
        proof.apply("01-demo/nodes.yaml")

    @claim("gpus.yaml", "gpus", "cpus")
    def test_accepted(proof):
        proof.accepted("01-demo/gpus.yaml")
        assert "name: gpus" in proof.path("01-demo/gpus.yaml").read_text()
"""


@dataclass(frozen=True)
class Own:
    """A cluster that the lab did not make: the file of its limited user, and its administrator."""

    kubeconfig: Path
    administrator: Cluster


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    """Yield a second kind cluster; it is removed afterwards."""
    engine = find_engine()
    name = f"own-{secrets.token_hex(3)}"
    folder = tmp_path_factory.mktemp("own")
    kubeconfig = folder / "administrator"
    try:
        make_cluster(engine, name, folder, kubeconfig)
        administrator = Cluster(kubeconfig)
        wait_until(lambda: node_is_ready(administrator), deadline=90, what="the node is ready")
        yield Own(limited_user(kubeconfig, folder), administrator)
    finally:
        kind(engine, "delete", "cluster", f"--name={name}", f"--kubeconfig={kubeconfig}")


def make_cluster(engine: Engine, name: str, folder: Path, kubeconfig: Path) -> None:
    """Create a cluster of one node whose images come from the lab's registry."""
    image = images.recorded()["node"]
    is_built = images.is_built(engine, image.name)
    mount = {"hostPath": str(registry.write_mirrors()), "containerPath": "/etc/containerd/certs.d"}
    settings: dict[str, Any] = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane", "extraMounts": [{**mount, "readOnly": True}]}],
        "networking": {"disableDefaultCNI": is_built},
    }
    if host.uses_cgroup_v1():
        settings["kubeadmConfigPatches"] = ["kind: KubeletConfiguration\nfailCgroupV1: false\n"]
    YAML(typ="safe").dump(settings, folder / "kind.yaml")
    words = [f"--name={name}", f"--image={image.name}", f"--config={folder / 'kind.yaml'}"]
    kind(engine, "create", "cluster", *words, f"--kubeconfig={kubeconfig}")
    if is_built:
        # A kubelet makes its Node object, and a controller gives it a range.
        for state in ("--for=create", "--for=jsonpath={.spec.podCIDR}"):
            kubectl(kubeconfig, "wait", state, f"node/{name}-control-plane")
        node = kubectl(kubeconfig, "get", "node", "-o=jsonpath={.items[0].spec.podCIDR}")
        words = ["exec", f"{name}-control-plane", "configure-pod-network", node]
        engine.run(*words, doing="Pod network of the second cluster")


def kind(engine: Engine, *words: str) -> None:
    """Run kind."""
    program = programs.program("kind", "kind")
    run([program, *words], doing="kind", environment=engine.environment, timeout=300)


def kubectl(kubeconfig: Path, *words: str, given: str | None = None) -> str:
    """Run the lab's kubectl on another cluster."""
    command: list[str | Path] = [cluster.connect().kubectl, f"--kubeconfig={kubeconfig}", *words]
    return run(command, doing="kubectl", given=given, timeout=60)


def node_is_ready(administrator: Cluster) -> bool:
    """Tell whether the only node takes pods."""
    (node,) = administrator.request("GET", "/api/v1/nodes").content["items"]
    return any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"]["conditions"])


def limited_user(administrator: Path, folder: Path) -> Path:
    """Write a kubeconfig whose only context, `own`, is of a user with few rights."""
    kubectl(administrator, "apply", "--filename=-", given=RIGHTS)
    token = kubectl(administrator, "create", "token", "author", "--namespace=kube-system").strip()
    content = json.loads(kubectl(administrator, "config", "view", "--raw", "--flatten", "-o=json"))
    content["users"] = [{"name": "author", "user": {"token": token}}]
    context = {"cluster": content["clusters"][0]["name"], "user": "author"}
    content["contexts"] = [{"name": "own", "context": context}]
    content["current-context"] = ""
    file = folder / "kubeconfig"
    file.write_text(json.dumps(content))
    return file


@pytest.fixture
def prove(
    pytester: pytest.Pytester, own: Own, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pytest.RunResult]:
    """Return a function that runs the project's proofs as the limited user."""
    pytester.makeini(STRICT)
    folder = pytester.path / "examples/01-demo"
    folder.mkdir(parents=True)
    for name, text in LISTINGS.items():
        (folder / name).write_text(text)
    pytester.makepyfile(test_demo=PROOFS)
    pytester.plugins = []
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(own.kubeconfig))
    monkeypatch.setenv("PYTHONPATH", str(edition.PROJECT))
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", LAB_HOME)
    return lambda *words: pytester.runpytest_inprocess("-ra", "--record", *words)


def test_what_can_be_proved_there_is_proved_and_nothing_else_is_touched(
    prove: Callable[..., pytest.RunResult], own: Own, pytester: pytest.Pytester
) -> None:
    before = set(objects(own.administrator))
    kubeconfig = own.kubeconfig.read_bytes()
    result = prove("--context", "own")
    result.assert_outcomes(passed=4, skipped=8)
    result.stdout.fnmatch_lines(
        [
            f"*own: Kubernetes {edition.versions()['kubernetes']}, as {AUTHOR}*",
            "missing: kind InferencePool (inference.networking.k8s.io/v1), for examples/01-demo/pool.yaml",
            "missing: the right to create priorityclasses.scheduling.k8s.io, which are in no namespace",
            "missing: the right to list storage classes: *",
            "missing: the right to list nodes: *",
        ]
    )
    reasons = {
        "test_priority": f'needs a right: User "{AUTHOR}" cannot patch resource "priorityclasses"*',
        "test_pool": "needs InferencePool (*), which this cluster does not offer",
        "test_addon": "needs the add-on fleet, which does not run in the namespace *",
        "test_nodes": "is about the lab's own nodes",
    }
    for test, reason in reasons.items():
        result.stdout.fnmatch_lines([f"skipped: {reason} ({test})"])
    records = load_records(pytester.path)
    assert set(records) == {"01-demo/server.yaml", "01-demo/gpus.yaml"}
    (environment,) = records["01-demo/server.yaml"].environments
    assert environment["cluster"] == "own cluster"
    assert environment["kubernetes"] == edition.versions()["kubernetes"]
    assert own.kubeconfig.read_bytes() == kubeconfig
    assert set(objects(own.administrator)) == before
    assert_no_namespace_stays(own.administrator)


def assert_no_namespace_stays(administrator: Cluster) -> None:
    """Check that the namespaces of proofs are gone or about to go."""
    found = administrator.request("GET", "/api/v1/namespaces", query={"labelSelector": RUN_LABEL})
    assert all(one["status"]["phase"] == "Terminating" for one in found.content["items"])


def test_the_administrator_hears_what_the_nodes_lack(
    prove: Callable[..., pytest.RunResult], own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(own.kubeconfig.with_name("administrator")))
    context = kubectl(own.kubeconfig.with_name("administrator"), "config", "current-context").strip()
    result = prove(f"--context={context}", "-k", "test_nodes")
    lacking = "missing: nvidia.com/gpu: examples/01-demo/gpus.yaml asks for 8, all nodes together have 0"
    result.stdout.fnmatch_lines([lacking])
    result.stdout.no_fnmatch_line("missing: the right*")


def test_an_unknown_context_stops_with_the_known_ones(prove: Callable[..., pytest.RunResult]) -> None:
    result = prove("--context", "other")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*Your kubeconfig has no context 'other'. It has: own."])
