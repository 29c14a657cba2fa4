"""Does each rule of the checklist notice what it is there for, and nothing else?"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml

from proofs.api import Mutant, Proof, chapter_of, proves
from tests.proofs.installed import NAMESPACE, POOL, RIGHTS, SERVICE

chapter = chapter_of(__file__)
HARDENING = chapter["hardening.py"]
#: What the chapter has in its namespace.
MANIFESTS = (
    NAMESPACE,
    POOL,
    RIGHTS,
    SERVICE,
    chapter["model-server.yaml"],
    chapter["router.yaml"],
    chapter["network-policies.yaml"],
    chapter["quota.yaml"],
)
Object = dict[str, Any]
Objects = dict[str, Object]


def objects() -> Objects:
    """Return the chapter's objects by kind and name."""
    texts = [(chapter.root / "examples" / listing).read_text() for listing in MANIFESTS]
    documents = [one for text in texts for one in yaml.safe_load_all(text) if one]
    # yaml gives the same object for an alias; a change must not reach both.
    copies: list[Object] = [json.loads(json.dumps(one)) for one in documents]
    for one in copies:
        if one["kind"] != "Namespace":
            one["metadata"]["namespace"] = "llm-d"
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in copies}


def pod(found: Objects, name: str = "simulator") -> Object:
    """Return what the pods of a Deployment are."""
    spec: Object = found[f"Deployment/{name}"]["spec"]["template"]["spec"]
    return spec


def container(found: Objects, name: str = "simulator") -> Object:
    """Return its first container."""
    one: Object = pod(found, name)["containers"][0]
    return one


def opening(found: Objects) -> Object:
    """Return a second policy for the model servers, which lets them call anyone."""
    policy: Object = copy.deepcopy(found["NetworkPolicy/model-servers"])
    policy["metadata"]["name"] = "kv"
    policy["spec"]["egress"] = [{}]
    return policy


def label(found: Objects, labels: Object) -> Object:
    """Give the model's pods other labels, apart from the one that its budget looks for."""
    metadata = found["Deployment/simulator"]["spec"]["template"]["metadata"]
    kept = "app.kubernetes.io/name"
    metadata["labels"] = {kept: metadata["labels"][kept], **labels}
    return found


def without(mapping: Object, key: str) -> Object:
    """Remove a key that must be there."""
    del mapping[key]
    return mapping


#: The rule -> changes, each of which breaks it, and it alone.
BREAKS: Mapping[str, tuple[Callable[[Objects], object], ...]] = {
    "no container runs as root": (
        lambda found: without(pod(found)["securityContext"], "runAsNonRoot"),
        lambda found: container(found)["securityContext"].update(runAsNonRoot=False),
    ),
    "no container gains privileges": (
        lambda found: without(container(found)["securityContext"], "allowPrivilegeEscalation"),
        lambda found: container(found)["securityContext"].update(privileged=True),
    ),
    "no container has a capability": (
        lambda found: container(found)["securityContext"]["capabilities"].update(add=["NET_ADMIN"]),
        lambda found: without(container(found)["securityContext"], "capabilities"),
    ),
    "no container writes to its image": (
        lambda found: without(container(found)["securityContext"], "readOnlyRootFilesystem"),
    ),
    "system calls are filtered": (lambda found: without(pod(found)["securityContext"], "seccompProfile"),),
    "every image has a version": (
        lambda found: container(found).update(image="ghcr.io/llm-d/llm-d-inference-sim:latest"),
        lambda found: container(found).update(image="ghcr.io/llm-d/llm-d-inference-sim"),
        lambda found: container(found).update(image="registry:5000/llm-d-inference-sim"),
    ),
    "cpu and memory are requested, and memory limited": (
        lambda found: without(container(found)["resources"], "limits"),
        lambda found: without(container(found)["resources"]["requests"], "cpu"),
        lambda found: without(container(found), "resources"),
    ),
    "every container is probed": (
        lambda found: without(container(found), "livenessProbe"),
        lambda found: without(container(found, "router"), "readinessProbe"),
    ),
    "every container gets time to end": (
        lambda found: without(container(found), "lifecycle"),
        lambda found: pod(found).update(terminationGracePeriodSeconds=5),
        lambda found: container(found)["lifecycle"].update(preStop={"exec": {"command": ["/bin/true"]}}),
        lambda found: (
            without(pod(found), "terminationGracePeriodSeconds"),
            container(found)["lifecycle"].update(preStop={"exec": {"command": ["/bin/sleep", "30"]}}),
        ),
    ),
    "no pod uses its node's network, processes or files": (
        lambda found: pod(found).update(hostNetwork=True),
        lambda found: pod(found).update(volumes=[{"name": "node", "hostPath": {"path": "/"}}]),
    ),
    "a pod has the API's token only with a ServiceAccount of its purpose": (
        lambda found: without(pod(found), "automountServiceAccountToken"),
        lambda found: without(pod(found, "router"), "serviceAccountName"),
    ),
    "workloads with several pods have a disruption budget": (
        lambda found: without(found, "PodDisruptionBudget/simulator"),
        lambda found: found["PodDisruptionBudget/simulator"]["spec"]["selector"]["matchLabels"].update(a="b"),
    ),
    "the namespace refuses pods with more rights": (
        lambda found: found["Namespace/llm-d"]["metadata"].update(labels={}),
    ),
    "what no policy allows can't connect": (
        lambda found: without(found, "NetworkPolicy/nothing-by-default"),
        lambda found: found["NetworkPolicy/nothing-by-default"]["spec"].update(ingress=[{}]),
    ),
    "model servers open no connection": (
        lambda found: found["NetworkPolicy/model-servers"]["spec"].update(egress=[{}]),
        lambda found: found["NetworkPolicy/model-servers"]["spec"].update(policyTypes=["Ingress"]),
        lambda found: found.update({"NetworkPolicy/kv": opening(found)}),
        lambda found: found["NetworkPolicy/model-servers"]["spec"].update(
            podSelector={"matchExpressions": [{"key": "a", "operator": "Exists"}]}
        ),
        # A rule that finds nothing to look at is broken, too.
        lambda found: label(found, {}),
        lambda found: (
            label(found, {"llm-d.ai/role": "decode"}),
            without(found, "NetworkPolicy/model-servers"),
        ),
    ),
    "the namespace has a quota": (lambda found: without(found, "ResourceQuota/namespace"),),
    "no Service is open to the outside": (
        lambda found: found["Service/router"]["spec"].update(type="LoadBalancer"),
        lambda found: found["Service/router"]["spec"].update(type="NodePort"),
    ),
    "no Role allows everything of anything": (
        lambda found: found["Role/endpoint-picker"]["rules"][0].update(verbs=["*"]),
        lambda found: found["Role/endpoint-picker"]["rules"][0].update(resources=["*"]),
    ),
    "no Role reads Secrets": (
        lambda found: found["Role/endpoint-picker"]["rules"][0]["resources"].append("secrets"),
    ),
    "no right is for everyone, or for pods without an account": (
        lambda found: found["RoleBinding/endpoint-picker"]["subjects"].append(
            {"kind": "Group", "name": "system:authenticated"}
        ),
        lambda found: found["RoleBinding/endpoint-picker"]["subjects"][0].update(name="default"),
    ),
    "the pool says what happens without an EPP": (
        lambda found: without(found["InferencePool/demo"]["spec"]["endpointPickerRef"], "failureMode"),
        lambda found: without(found, "InferencePool/demo"),
    ),
    "the EPP loads no alpha plugins, and shows no profiles": (
        lambda found: pod(found, "router")["containers"][1]["args"].remove("--enable-pprof=false"),
        lambda found: pod(found, "router")["containers"][1]["args"].append("--allow-experimental-plugins"),
        lambda found: pod(found, "router")["containers"].pop(1),
    ),
}


def broken(program: Any, found: Objects) -> set[str]:  # noqa: ANN401 - a module
    """Return the rules of the checklist that objects break."""
    listed = list(found.values())
    return {sentence for sentence, _, check in program.RULES if list(check(listed))}


@proves(
    HARDENING,
    evidence="computed",
    mutants=[
        Mutant(HARDENING, '"runAsNonRoot") is True', '"runAsNonRoot") is not None', because="False is root"),
        Mutant(HARDENING, 'and not secured(one, {}, "privileged")', "", because="privileged is all of it"),
        Mutant(
            HARDENING,
            '"allowPrivilegeEscalation") is False',
            '"allowPrivilegeEscalation") is not True',
            because="unset is allowed",
        ),
        Mutant(HARDENING, '== {"drop": ["ALL"]}', "is not None", because="one may be added"),
        Mutant(
            HARDENING,
            '"readOnlyRootFilesystem") is True',
            '"readOnlyRootFilesystem") is not False',
            because="unset is writable",
        ),
        Mutant(HARDENING, '== "RuntimeDefault"', '!= "Unconfined"', because="unset is unconfined"),
        Mutant(HARDENING, "(?!latest$)", "", because="latest is no version"),
        Mutant(HARDENING, 'and "memory" in resources(one, "limits")', "", because="no limit"),
        Mutant(
            HARDENING,
            "return float(found[1]) if found else math.inf",
            "return 0.0",
            because="no pause is none",
        ),
        Mutant(HARDENING, 'or "llm-d.ai/role" in labels', "", because="upstream's label, too"),
        Mutant(HARDENING, "    if not servers:", "    if False:", because="none was looked at"),
        Mutant(HARDENING, "    if not pickers:", "    if False:", because="no EPP was looked at"),
        Mutant(HARDENING, '{"cpu", "memory"} <=', '{"memory"} <=', because="cpu is requested, too"),
        Mutant(HARDENING, '{"readinessProbe", "livenessProbe"} <=', '{"readinessProbe"} <=', because="both"),
        Mutant(
            HARDENING,
            "pause(one) < pod",
            "pause(one) <= pod",
            because="the end of the wait is no time to end",
        ),
        Mutant(HARDENING, "if shared or any(", "if any(", because="the node's network is shared"),
        Mutant(HARDENING, 'if account == "default" and (', "if False and (", because="the token is there"),
        Mutant(
            HARDENING, "if several and not any(", "if not several and not any(", because="three are several"
        ),
        Mutant(HARDENING, '!= "restricted"', '== "privileged"', because="no label is privileged"),
        Mutant(HARDENING, 'and not one["spec"].get("ingress")', "", because="an empty rule allows all"),
        Mutant(HARDENING, 'or any(policy.get("egress") for policy in own)', "", because="policies add up"),
        Mutant(
            HARDENING, '"matchExpressions" not in selector and', "", because="it finds others than it says"
        ),
        Mutant(HARDENING, 'if not list(of_kind(objects, "ResourceQuota")):', "if False:", because="no quota"),
        Mutant(
            HARDENING, '"ClusterIP") != "ClusterIP"', '"ClusterIP") == "NodePort"', because="a balancer, too"
        ),
        Mutant(HARDENING, '*rule.get("resources", [])', "", because="a star of resources, too"),
        Mutant(HARDENING, 'if "secrets" in', 'if "secret" in', because="resources are plural"),
        Mutant(HARDENING, "if everyone or (", "if (", because="everyone is everyone"),
        Mutant(
            HARDENING, '"failureMode") != "FailClose"', '"failureMode") == "FailOpen"', because="written out"
        ),
        Mutant(
            HARDENING,
            '"--enable-pprof=false" not in words',
            '"--enable-pprof" in words',
            because="it is on by default",
        ),
        Mutant(HARDENING, "return 1 if broken else 0", "return 0", because="a pipeline asks for the status"),
    ],
)
def test_each_rule_notices_what_breaks_it_and_nothing_else(proof: Proof) -> None:
    program = proof.module(HARDENING)
    assert [sentence for sentence, _, _ in program.RULES] == list(BREAKS)
    assert len(BREAKS) >= 15
    assert all(remedy for _, remedy, _ in program.RULES)
    assert broken(program, objects()) == set()
    for sentence, changes in BREAKS.items():
        for change in changes:
            found = objects()
            change(found)
            assert broken(program, found) == {sentence}
    # Upstream's guides label model servers so.
    found = objects()
    label(found, {"llm-d.ai/role": "decode"})
    selector = {"matchLabels": {"llm-d.ai/role": "decode"}}
    found["NetworkPolicy/model-servers"]["spec"]["podSelector"] = selector
    assert broken(program, found) == set()
    # Namespaces of others are none of its business.
    another = {"kind": "Namespace", "metadata": {"name": "another"}}
    kept = checked(proof, [*objects().values(), another])
    assert kept.returncode == 0
    assert kept.stdout.endswith(f"{len(BREAKS)} rules, 0 broken\n")
    # What the API server would fill in may be missing in a pipeline.
    bare: Object = {
        "kind": "Deployment",
        "metadata": {"name": "bare", "namespace": "llm-d"},
        "spec": {"template": {"metadata": {}, "spec": {"containers": [{"name": "a", "image": "b"}]}}},
    }
    looked = checked(proof, [*objects().values(), bare])
    assert looked.returncode == 1, looked.stderr
    assert "      bare/a\n      remedy: resources\n" in looked.stdout
    found = objects()
    found["Service/router"]["spec"]["type"] = "LoadBalancer"
    open_one = checked(proof, list(found.values()))
    assert open_one.returncode == 1
    named = "NO  no Service is open to the outside\n      router\n      remedy: type: ClusterIP\n"
    assert named in open_one.stdout


@pytest.mark.parametrize(
    "text", ["", "hello", "[]", "{}", '{"items": []}', '{"items": [{"kind": "Namespace"}]}']
)
def test_what_is_no_list_of_objects_is_refused(text: str) -> None:
    result = asked(str(chapter.root / "examples" / HARDENING), text)
    assert result.returncode == 1
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith("standard input ")


def checked(proof: Proof, listed: list[Object]) -> subprocess.CompletedProcess[str]:
    """Run the program on objects."""
    return asked(str(proof.path(HARDENING)), json.dumps({"items": copy.deepcopy(listed)}))


def asked(program: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run a program on a text."""
    return subprocess.run(
        [sys.executable, program], input=text, capture_output=True, text=True, timeout=30, check=False
    )
