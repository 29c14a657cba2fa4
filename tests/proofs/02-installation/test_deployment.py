"""Chapter 2, the ways to install: Kustomize, the router's charts, a Gateway, and old names."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from lab import charts, programs
from lab.errors import NotAvailable
from proofs.api import CommandFailed, Mutant, Proof, proves

ROOT = Path(__file__).parents[3]
CHAPTER = "02-installation"
PAGE = ROOT / "source/part-1-foundation/02-installation.md"

NAMES = f"{CHAPTER}/old-names.toml"
FIND = f"{CHAPTER}/old_names.py"
FOUND = f"{CHAPTER}/old-names.console"
OLD_VALUES = f"{CHAPTER}/refused/values-of-an-older-chart.yaml"
BASE = f"{CHAPTER}/model-server/base/kustomization.yaml"
SERVER = f"{CHAPTER}/model-server/base/deployment.yaml"
CHAT = f"{CHAPTER}/model-server/chat/kustomization.yaml"
CODE = f"{CHAPTER}/model-server/code/kustomization.yaml"
OVERLAYS = f"{CHAPTER}/kustomize.console"
VALUES = f"{CHAPTER}/router-values.yaml"
INSTALLED = f"{CHAPTER}/chart.console"
DEFAULTS = f"{CHAPTER}/chart-defaults.console"
ROUTE = f"{CHAPTER}/gateway-route.yaml"
STATUS = f"{CHAPTER}/gateway-status.console"

STANDALONE = "llm-d-router-standalone"
GATEWAY = "llm-d-router-gateway"
#: CPUs that the standalone chart's pod asks for, by default.
ASKED_BY_DEFAULT = 12
#: Listings that are about old names: the list itself, what must be refused, what is upgraded.
ABOUT_OLD_NAMES = {NAMES, OLD_VALUES, FOUND, "15-maintenance/older-picker-config.yaml"}


# What several proofs need


def chart(name: str) -> Path:
    """Return a packaged chart of the router; skip the proof where it cannot be had."""
    try:
        return charts.packaged(name)
    except NotAvailable as error:
        pytest.skip(str(error))


def with_helm(proof: Proof, *before: Path) -> dict[str, str]:
    """Return variables with which a shell finds helm, which keeps its files in the run's folder."""
    own = proof.path(VALUES).parent / ".helm"
    folders = [programs.build("helm"), *before, os.environ["PATH"]]
    homes = {f"HELM_{what}_HOME": str(own) for what in ("CACHE", "CONFIG", "DATA")}
    return {"PATH": os.pathsep.join(map(str, folders)), **homes}


def helm_transcript(proof: Proof, listing: str) -> None:
    """Run a transcript in which the standalone chart's file lies beside the listings."""
    packed = chart(STANDALONE)
    exchange = {packed.name: str(packed)}
    proof.transcript(listing, exchange=exchange, environment=with_helm(proof, proof.lab.kubectl.parent))


def rendered(proof: Proof, name: str, *options: str | Path) -> dict[str, dict[str, Any]]:
    """Return kind/name -> object of what helm makes of a chart and options, as release `chat`."""
    command = ["helm", "template", "chat", chart(name), *options]
    text = proof.run(command, environment=with_helm(proof))
    objects = [one for one in YAML(typ="safe").load_all(text) if one]
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in objects}


def containers(deployment: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return name -> container of a Deployment's pods."""
    pod = deployment["spec"]["template"]["spec"]
    return {container["name"]: container for container in pod["containers"]}


def served(proof: Proof, target: str, port: int) -> list[str]:
    """Return the models that answer at a target in the namespace."""
    with proof.forward(target, port) as url, httpx.Client(base_url=url, timeout=5) as client:
        answer = proof.wait_until(
            lambda: client.get("/v1/models").raise_for_status(), 20, f"{target} answers"
        )
    return [model["id"] for model in answer.json()["data"]]


def refusal(proof: Proof, command: list[str | Path]) -> str:
    """Return what helm says when it refuses."""
    with pytest.raises(CommandFailed) as failed:
        proof.run(command, environment=with_helm(proof))
    return str(failed.value).partition(": ")[2]


# Old names


def listings() -> Iterator[tuple[str, str]]:
    """Yield path and text of every listing that is not about old names."""
    for file in sorted((ROOT / "examples").rglob("*")):
        listing = file.relative_to(ROOT / "examples").as_posix()
        hidden = any(part.startswith((".", "__")) for part in Path(listing).parts)
        if file.is_file() and not hidden and listing not in ABOUT_OLD_NAMES:
            yield listing, file.read_text(encoding="utf-8")


@proves(
    NAMES,
    FIND,
    FOUND,
    evidence="computed",
    mutants=[
        Mutant(NAMES, 'source = "llmd-blog-0.2"', 'source = "nobody"', because="no such source"),
        Mutant(NAMES, 'words = ["llm-d-infra"]', 'words = ["llm-d-"]', because="today's names have it"),
        Mutant(NAMES, 'gone = "2025-07"\nnew = "router', 'new = "router', because="a cell is empty"),
        Mutant(FIND, "if not row.get(key)", "if row.get(key)", because="full rows are refused"),
        Mutant(FIND, "start=1", "start=0", because="lines count from 1"),
        Mutant(FIND, "sys.exit(found)", "sys.exit(0)", because="a pipeline asks the status"),
        Mutant(FOUND, "yaml:7:", "yaml:8:", because="it is in line 7"),
    ],
)
def test_no_listing_uses_a_name_of_an_earlier_release(proof: Proof, tmp_path: Path) -> None:
    program, names = proof.module(FIND), tomllib.loads(proof.path(NAMES).read_text())["names"]
    assert list(program.faults(names)) == []
    used = [(listing, *one) for listing, text in listings() for one in program.findings(text, names)]
    assert used == []
    page = PAGE.read_text(encoding="utf-8")
    assert "\n".join(program.table(names)) in page, "run `python3 old_names.py --table` again"
    bibliography = (ROOT / "source/references.bib").read_text(encoding="utf-8")
    assert [row["source"] for row in names if f"{{{row['source']}," not in bibliography] == []
    proof.transcript(FOUND, failing={1})
    for arguments, said in (
        ([], "Name the files or folders to search."),
        (["nowhere"], "nowhere does not exist"),
    ):
        with pytest.raises(CommandFailed, match=said):
            proof.run(["python3", "old_names.py", *arguments])
    undated = [{**names[0], "read": "yesterday"}]
    assert list(program.faults(undated)) == [f"{names[0]['old']}: 'yesterday' is no day"]
    (tmp_path / "script.sh").write_text("git clone https://github.com/llm-d/llm-d-deployer\n")
    with pytest.raises(CommandFailed, match="exited with 1"):
        proof.run(["python3", "old_names.py", tmp_path])


# Kustomize


@proves(
    BASE,
    SERVER,
    CHAT,
    CODE,
    OVERLAYS,
    evidence="ran",
    uses=["simulator"],
    mutants=[
        Mutant(BASE, "- deployment.yaml", "- nothing.yaml", because="no such file"),
        Mutant(SERVER, "model=$(MODEL)", "model=other", because="overlays set the variable"),
        Mutant(CHAT, "count: 2", "count: 1", because="a pod is missing"),
        Mutant(CHAT, "lab/chat-8b", "lab/code-34b", because="another model"),
        Mutant(CODE, "nameSuffix: -code", "nameSuffix: -chat", because="one replaces the other"),
        Mutant(CODE, "limits: {memory: 256Mi}", "limits: {memory: 128Mi}", because="no more room"),
        Mutant(OVERLAYS, "2/2", "3/3", because="two pods"),
    ],
)
def test_two_overlays_make_two_model_servers_of_one_base(proof: Proof) -> None:
    proof.kubectl("kustomize", proof.path(CHAT).parent)
    proof.transcript(OVERLAYS)
    for name, replicas, model, memory in (
        ("chat", 2, "lab/chat-8b", "128Mi"),
        ("code", 1, "lab/code-34b", "256Mi"),
    ):
        deployment = proof.get("deployment", f"model-server-{name}")
        assert deployment["spec"]["replicas"] == replicas
        assert containers(deployment)["model-server"]["resources"]["limits"] == {"memory": memory}
        proof.kubectl("rollout", "status", f"deployment/model-server-{name}", "--timeout=30s")
        assert served(proof, f"deployment/model-server-{name}", 8000) == [model]
    overlay = proof.path(CHAT)
    overlay.write_text(
        overlay.read_text().replace("instance: chat}", "instance: chat, example.com/tier: gold}")
    )
    with pytest.raises(CommandFailed, match="field is immutable"):
        proof.kubectl("apply", "-k", overlay.parent)


# The router's charts


@proves(
    OLD_VALUES,
    evidence="refused",
    uses=["router", "helm"],
    router=">=0.10",
    mutants=[
        Mutant(OLD_VALUES, "inferenceExtension:", "other:", because="that key is not refused"),
    ],
)
def test_values_of_the_older_chart_are_refused(proof: Proof) -> None:
    values = proof.path(OLD_VALUES)
    proof.answered(
        OLD_VALUES,
        refusal(proof, ["helm", "template", "chat", chart(STANDALONE), f"--values={values}"]),
        by="The chart",
    )


@proves(
    VALUES,
    INSTALLED,
    evidence="ran",
    uses=["router", "simulator", "envoy", "helm", "inference-extension"],
    router=">=0.10",
    mutants=[
        Mutant(VALUES, "instance: chat", "instance: code", because="another model's pods"),
        Mutant(VALUES, "FailClose", "FailOpen", because="it must refuse"),
        Mutant(VALUES, "failOpen: false", "failOpen: true", because="so must the proxy"),
        Mutant(
            VALUES,
            "requests: {cpu: 50m, memory: 64Mi}\n      limits: {memory: 512Mi}",
            "requests: {memory: 64Mi}",
            because="the default stays: 8 CPUs",
        ),
        Mutant(INSTALLED, "STATUS: deployed", "STATUS: failed", because="it succeeds"),
    ],
)
def test_the_chart_with_small_values_answers(proof: Proof) -> None:
    objects = rendered(proof, STANDALONE, f"--values={proof.path(VALUES)}")
    pool = objects["InferencePool/chat"]["spec"]
    parts = containers(objects["Deployment/chat-epp"])
    labels = {"app.kubernetes.io/name": "model-server", "app.kubernetes.io/instance": "chat"}
    assert pool["selector"]["matchLabels"] == labels
    assert pool["endpointPickerRef"]["failureMode"] == "FailClose"
    assert "failure_mode_allow: false" in objects["ConfigMap/envoy"]["data"]["envoy.yaml"]
    assert {name: part["resources"]["requests"]["cpu"] for name, part in parts.items()} == {
        "envoy-proxy": "50m",
        "epp": "50m",
    }
    assert len(objects) == 10
    misspelt = rendered(proof, STANDALONE, f"--values={proof.path(VALUES)}", "--set=router.epp.replica=3")
    assert misspelt == objects
    assert misspelt["Deployment/chat-epp"]["spec"]["replicas"] == 1
    monitoring = "--set=router.monitoring.prometheus"
    opened = rendered(proof, STANDALONE, f"--values={proof.path(VALUES)}", f"{monitoring}.auth.enabled=false")
    watched = rendered(proof, STANDALONE, f"--values={proof.path(VALUES)}", f"{monitoring}.enabled=true")
    assert "--metrics-endpoint-auth=false" in containers(opened["Deployment/chat-epp"])["epp"]["args"]
    assert {name.split("/")[0] for name in watched.keys() - objects.keys()} == {
        "ClusterRole",
        "ClusterRoleBinding",
        "Secret",
        "ServiceMonitor",
    }
    baseline = "pod-security.kubernetes.io/enforce=baseline"
    proof.kubectl("label", "namespace", proof.namespace, baseline, "--overwrite")
    proof.kubectl("apply", "-k", proof.path(CHAT).parent)
    helm_transcript(proof, INSTALLED)
    second = ["helm", "install", "code", chart(STANDALONE), f"--values={proof.path(VALUES)}"]
    assert 'ConfigMap "envoy"' in refusal(proof, second)
    assert served(proof, "service/chat-epp", 8081) == ["lab/chat-8b"]
    with proof.forward("service/chat-epp", 8081) as url:
        request = {"model": "lab/chat-8b", "messages": [{"role": "user", "content": "Well?"}]}
        answer = httpx.post(f"{url}/v1/chat/completions", json=request, timeout=10).raise_for_status()
    assert answer.headers["x-inference-pod"].startswith("model-server-chat-")
    with proof.forward("service/chat-epp", 9090) as url:
        assert httpx.get(f"{url}/metrics", timeout=10).status_code == httpx.codes.UNAUTHORIZED
    proof.run(["helm", "uninstall", "chat", "--wait"], environment=with_helm(proof))
    assert proof.objects("deployment", "app.kubernetes.io/name=chat-epp") == []
    assert proof.objects("inferencepool") == []


@proves(
    DEFAULTS,
    evidence="ran",
    uses=["router", "helm"],
    router=">=0.10",
    only_in_lab=True,
    mutants=[
        Mutant(DEFAULTS, "3 Insufficient cpu", "2 Insufficient cpu", because="three workers"),
        Mutant(DEFAULTS, "STATUS: deployed", "STATUS: failed", because="helm does not look"),
        Mutant(DEFAULTS, "Pending", "Running", because="it has no node"),
    ],
)
def test_the_chart_with_its_defaults_waits_for_a_larger_node(proof: Proof) -> None:
    if max(int(node["status"]["allocatable"]["cpu"]) for node in proof.objects("node")) >= ASKED_BY_DEFAULT:
        pytest.skip(f"a node of this lab has {ASKED_BY_DEFAULT} CPUs, so the pod would run")
    option = "--set=router.modelServers.matchLabels.app=chat"
    parts = containers(rendered(proof, STANDALONE, option)["Deployment/chat-epp"])
    assert {name: part["resources"]["requests"] for name, part in parts.items()} == {
        "envoy-proxy": {"cpu": "4", "memory": "8Gi"},
        "epp": {"cpu": "8", "memory": "8Gi"},
    }
    assert "securityContext" not in parts["epp"]
    missing = refusal(proof, ["helm", "template", "chat", chart(STANDALONE)])
    assert ".Values.router.modelServers.matchLabels is required" in missing
    helm_transcript(proof, DEFAULTS)
    # The same chart in a namespace with the rule of this chapter: not even a pod.
    label = "pod-security.kubernetes.io/enforce=restricted"
    proof.kubectl("label", "namespace", proof.namespace, label, "--overwrite")
    proof.kubectl("rollout", "restart", "deployment/chat-epp")
    proof.wait_until(
        lambda: 'violates PodSecurity "restricted:latest"' in proof.kubectl("get", "events", "--output=yaml"),
        30,
        "the pod is refused",
    )


# Gateway mode


@proves(
    ROUTE,
    evidence="checked",
    uses=["router", "helm"],
    router=">=0.10",
    mutants=[
        Mutant(ROUTE, "kind: InferencePool", "kind: Service", because="it is a pool"),
        Mutant(ROUTE, "request: 300s", "request: 30s", because="the chart waits for longer"),
    ],
)
def test_the_chart_for_gateways_makes_the_same_route_and_no_proxy(proof: Proof) -> None:
    options = ["httpRoute.create=true", "router.modelServers.matchLabels.app=chat"]
    objects = rendered(proof, GATEWAY, *[f"--set={option}" for option in options])
    written = {one["kind"]: one["spec"] for one in YAML(typ="safe").load_all(proof.path(ROUTE))}
    assert objects["HTTPRoute/chat"]["spec"] == written["HTTPRoute"]
    assert list(containers(objects["Deployment/chat-epp"])) == ["epp"]
    assert [name for name in objects if name.startswith("Gateway/")] == []


@proves(
    ROUTE,
    STATUS,
    evidence="ran",
    uses=["envoy-gateway", "inference-extension"],
    needs=["envoy-gateway"],
    mutants=[
        Mutant(ROUTE, "gatewayClassName: eg", "gatewayClassName: none", because="nobody answers"),
        Mutant(ROUTE, "group: inference.networking.k8s.io", 'group: ""', because="another fault"),
        Mutant(STATUS, "reason: InvalidKind", "reason: ResolvedRefs", because="it is not resolved"),
    ],
)
def test_a_controller_without_the_extension_says_so_in_the_status(proof: Proof) -> None:
    proof.kubectl("apply", "--server-side", f"--filename={proof.path(ROUTE)}")
    proof.wait("gateway", "inference-gateway", "Programmed")
    route = proof.wait("httproute", "chat", lambda found: bool(found["status"]["parents"]), 30)
    conditions = {one["type"]: one for one in route["status"]["parents"][0]["conditions"]}
    assert conditions["Accepted"]["status"] == "True"
    assert conditions["ResolvedRefs"]["status"] == "False"
    assert "Group is invalid" in conditions["ResolvedRefs"]["message"]
    proof.transcript(STATUS)
    with proof.forward("service/inference-gateway", 80) as url:
        answer = httpx.get(f"{url}/v1/models", timeout=10)
    assert (answer.status_code, answer.content) == (500, b"")
