"""Chapter 2: the router's objects, its rights, and how it weighs pods."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

from proofs.api import Mutant, Proof, counterpart, proves
from tests.proofs.installed import PICKER, RIGHTS, ROUTER, SERVICE, ask, install, install_router, router

from .steps import from_field, wait_for_ready_endpoints

#: What the picker's account may do: resources by group, and verbs for each.
READS = {
    "": ["pods"],
    "inference.networking.k8s.io": ["inferencepools"],
    "llm-d.ai": ["inferenceobjectives", "inferencemodelrewrites"],
    "inference.networking.x-k8s.io": ["inferenceobjectives", "inferencemodelrewrites"],
}
VERBS = ["get", "list", "watch"]
#: The router's pods, without what proofs/workloads.py has a rule for.
DEPLOYMENT = {
    "replicas": 1,
    "selector": {"matchLabels": {"app.kubernetes.io/name": "router"}},
    "template": {
        "spec": {
            "serviceAccountName": "endpoint-picker",
            "containers": [
                {
                    "name": "envoy",
                    "args": ["--config-path", "/etc/envoy/envoy.yaml", "--concurrency", "1"],
                    "volumeMounts": [{"name": "envoy-config", "mountPath": "/etc/envoy", "readOnly": True}],
                },
                {
                    "name": "endpoint-picker",
                    "args": [
                        "--pool-name=demo",
                        "--pool-namespace=$(NAMESPACE)",
                        "--config-file=/config/endpoint-picker.yaml",
                        "--refresh-metrics-interval=500ms",
                        "--metrics-endpoint-auth=false",
                        "--tracing=false",
                    ],
                    "env": [from_field("NAMESPACE", "metadata.namespace")],
                    "volumeMounts": [{"name": "picker-config", "mountPath": "/config", "readOnly": True}],
                },
            ],
            "volumes": [
                {"name": "envoy-config", "configMap": {"name": "envoy-config"}},
                {"name": "picker-config", "configMap": {"name": "endpoint-picker-config"}},
            ],
        }
    },
}
WAYS_IN = {
    "selector": {"app.kubernetes.io/name": "router"},
    "ports": [
        {"name": "http", "port": 8081, "targetPort": "http"},
        {"name": "grpc", "port": 9002, "targetPort": "grpc"},
        {"name": "metrics", "port": 9090, "targetPort": "metrics"},
    ],
}


def rights_of(proof: Proof, account: str, file: Path) -> set[tuple[str, str, str]]:
    """Return group, resource and verb of all that an account may do in the namespace."""
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
    file.write_text(json.dumps({**review, "spec": {"namespace": proof.namespace}}))
    user = f"--as=system:serviceaccount:{proof.namespace}:{account}"
    found = json.loads(
        proof.kubectl("create", "--validate=false", f"--filename={file}", "--output=json", user)
    )
    return {
        right
        for rule in found["status"]["resourceRules"]
        for right in product(rule["apiGroups"], rule["resources"], rule["verbs"])
    }


@proves(
    RIGHTS,
    ROUTER,
    SERVICE,
    evidence="ran",
    uses=["router", "envoy", "inference-extension"],
    mutants=[
        Mutant(RIGHTS, "[inferencepools]", "[none]", because="the picker cannot see its pool"),
        Mutant(
            RIGHTS,
            "[pods]\n    verbs: [get, list, watch]",
            "[pods]\n    verbs: [get, list, watch, delete]",
            because="it only reads",
        ),
        Mutant(ROUTER, "--pool-name=demo", "--pool-name=other", because="no such pool"),
        Mutant(SERVICE, "targetPort: metrics", "targetPort: 9", because="nothing listens"),
        Mutant(SERVICE, "targetPort: grpc", "targetPort: other", because="no port has that name"),
    ],
)
def test_the_router_is_ready_before_there_is_a_model(proof: Proof, tmp_path: Path) -> None:
    install_router(proof)
    wait_for_ready_endpoints(proof, 0)
    with proof.forward("service/router", 9002):
        pass  # for gateways; a port that leads to none of the pod's is refused
    of_every_account = rights_of(proof, "default", tmp_path / "review.json")
    assert rights_of(proof, "endpoint-picker", tmp_path / "review.json") - of_every_account == {
        (group, resource, verb) for group in READS for resource, verb in product(READS[group], VERBS)
    }
    account = {"kind": "ServiceAccount", "name": "endpoint-picker", "namespace": proof.namespace}
    assert proof.get("rolebinding", "endpoint-picker")["subjects"] == [account]
    for kind, expected in (("deployment", DEPLOYMENT), ("service", WAYS_IN)):
        assert counterpart(proof.get(kind, "router")["spec"], expected) == expected


def configuration_read(proof: Proof) -> dict[str, Any]:
    """Return the configuration that the endpoint picker says it has read, from its log."""
    for line in proof.logs("deployment/router", "endpoint-picker").splitlines():
        if '"Raw config after phase one"' in line:
            config: dict[str, Any] = json.loads(line)["config"]
            return config
    message = "the endpoint picker names no configuration"
    raise AssertionError(message)


@proves(
    PICKER,
    evidence="ran",
    uses=["router"],
    router=">=0.10",  # the older line prints it in another form
    mutants=[
        Mutant(PICKER, "metricsStalenessThreshold: 5s", "metricsStalenessThreshold: 6s", because="it is 5 s"),
    ],
)
def test_the_picker_reads_its_configuration_as_written(proof: Proof) -> None:
    install_router(proof)
    scorers = [("queue-scorer", 2), ("kv-cache-utilization-scorer", 2), ("prefix-cache-scorer", 3)]
    weights = [*scorers, ("max-score-picker", None)]
    parameters = {"utilization-detector": {"metricsStalenessThreshold": "5s"}}
    names = [*(name for name, _ in weights), "utilization-detector"]
    assert configuration_read(proof) == {
        "apiVersion": "llm-d.ai/v1alpha1",
        "kind": "EndpointPickerConfig",
        "plugins": [{"type": name, "name": name, "parameters": parameters.get(name)} for name in names],
        "schedulingProfiles": [
            {
                "name": "default",
                "plugins": [{"pluginRef": name, "weight": weight} for name, weight in weights],
            }
        ],
        "flowControl": {"saturationDetector": {"pluginRef": "utilization-detector"}},
        "dataLayer": None,
    }


@proves(
    PICKER,
    evidence="ran",
    uses=["router", "simulator"],
    mutants=[
        Mutant(
            PICKER,
            "prefix-cache-scorer\n            weight: 3",
            "prefix-cache-scorer\n            weight: 0",
            because="what a pod has seen does not count",
        ),
    ],
)
def test_a_long_prompt_returns_to_the_pod_that_has_seen_it(proof: Proof) -> None:
    manual = "Answer as the manual says, and only as the manual says. " * 20
    install(proof)
    with router(proof) as client:
        pods = {ask(client, manual, f"Page {page}?").headers["x-inference-pod"] for page in range(8)}
    assert len(pods) == 1
