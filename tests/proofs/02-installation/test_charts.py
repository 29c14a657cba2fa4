"""Chapter 2: the router's chart, with values of an older one, with small ones, and with its defaults."""

from __future__ import annotations

from pathlib import Path

from lab import charts
from lab.edition import images, versions
from proofs.api import Mutant, Proof, chapter_of, counterpart, proves
from proofs.transcripts import read_transcript

from .steps import STANDALONE, chart, containers, helm_transcript, refusal, rendered, served

chapter = chapter_of(__file__)
VALUES = chapter["router-values.yaml"]
INSTALLED = chapter["chart.console"]
PULLED = chapter["pull-chart.console"]
REACHED = chapter["reach-chart.console"]
ANSWERED = chapter["chart-answer.console"]
VERIFIED = chapter["verify-chart.console"]
REMOVED = chapter["remove-chart.console"]
CHAT = chapter["model-server/chat/kustomization.yaml"]

#: What the small values make of the chart, for a person who types.
AS_VALUES_SAY = {
    "envoy-proxy": {
        "image": images()["envoy"].name,
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    },
    "epp": {"resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}},
}


@proves(
    PULLED,
    evidence="checked",
    mutants=[
        Mutant(PULLED, "charts/llm-d-router", "charts/llm-d", because="no such chart"),
        Mutant(PULLED, "--version v", "--version ", because="the version has a v"),
        Mutant(PULLED, "helm-v4", "helm-4", because="so has Helm's"),
        Mutant(PULLED, "PWD/linux-amd64", "PWD/helm", because="the archive has another folder"),
    ],
)
def test_helm_and_the_chart_that_are_fetched_are_the_editions(proof: Proof) -> None:
    """Helm's file and folder are named as in scripts/get-helm-4 of Helm's repository."""
    source = f"oci://{charts.SERVER}/{charts.FOLDER}/{STANDALONE}"
    archive = f"https://get.helm.sh/helm-{versions()['helm']}-linux-amd64.tar.gz"
    fetch, path, pull = (
        step.command.replace("\\\n", "").split()
        for step in read_transcript(proof.path(PULLED).read_text(), PULLED)
    )
    assert fetch == ["curl", "--location", archive, "|", "tar", "--extract", "--gzip"]
    assert path == ["export", 'PATH="$PWD/linux-amd64:$PATH"']
    assert pull == ["helm", "pull", source, "--version", versions()["router"]]


@proves(
    VALUES,
    INSTALLED,
    REACHED,
    ANSWERED,
    VERIFIED,
    REMOVED,
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
        Mutant(REACHED, "service/chat-epp 8081", "service/chat-epp 9090", because="metrics"),
        Mutant(ANSWERED, "answer: Who passed", "answer: What passed", because="it echoes"),
        Mutant(VALUES, "auth: {enabled: false}", "auth: {enabled: true}", because="the metrics want a token"),
        Mutant(VERIFIED, "sees 2 pod(s)", "sees 3 pod(s)", because="there are two"),
        Mutant(REMOVED, "helm uninstall chat", "helm uninstall code", because="no such release"),
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
    assert counterpart(parts, AS_VALUES_SAY) == AS_VALUES_SAY
    option = "--set=router.modelServers.matchLabels.app=chat"
    by_default = containers(rendered(proof, STANDALONE, option)["Deployment/chat-epp"])
    assert {name: part["resources"]["requests"] for name, part in by_default.items()} == {
        "envoy-proxy": {"cpu": "4", "memory": "8Gi"},
        "epp": {"cpu": "8", "memory": "8Gi"},
    }
    assert "securityContext" not in by_default["epp"]
    missing = refusal(proof, ["helm", "template", "chat", chart(STANDALONE)])
    assert ".Values.router.modelServers.matchLabels is required" in missing
    assert "--refresh-metrics-interval=150ms" in parts["epp"]["args"]
    assert len(objects) == 10
    misspelt = rendered(proof, STANDALONE, f"--values={proof.path(VALUES)}", "--set=router.epp.replica=3")
    assert misspelt == objects
    assert misspelt["Deployment/chat-epp"]["spec"]["replicas"] == 1
    monitoring = "--set=router.monitoring.prometheus"
    closed = rendered(proof, STANDALONE, option)
    guarded = [f"{monitoring}.auth.enabled=true", f"{monitoring}.enabled=true"]
    watched = rendered(proof, STANDALONE, f"--values={proof.path(VALUES)}", *guarded)
    assert "--metrics-endpoint-auth=false" in parts["epp"]["args"]
    assert "--metrics-endpoint-auth=false" not in containers(closed["Deployment/chat-epp"])["epp"]["args"]
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
    second: list[str | Path] = [
        "helm",
        "install",
        "code",
        chart(STANDALONE),
        f"--values={proof.path(VALUES)}",
    ]
    assert 'ConfigMap "envoy"' in refusal(proof, second)
    assert served(proof, "service/chat-epp", 8081) == ["lab/chat-8b"]
    assert proof.path(REACHED).read_text() == "$ kubectl port-forward service/chat-epp 8081\n"
    with proof.forward("service/chat-epp", 8081) as url:
        proof.transcript(ANSWERED, environment={"ROUTER_URL": url})
    proof.transcript(VERIFIED)
    helm_transcript(proof, REMOVED)
    assert proof.objects("deployment", "app.kubernetes.io/name=chat-epp") == []
    assert proof.objects("inferencepool") == []
