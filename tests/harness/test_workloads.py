"""Is a workload that production would not take noticed, whatever its proof is about?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from proofs import namespaces
from proofs.connection import Connection
from proofs.failures import Refused
from proofs.workloads import broken_rules, documents_of, pods_of, wrong_exceptions
from tests.harness.conftest import SIM, Run

LISTING = "01-demo/sim.yaml"
OUTLINE = """\
appendices = []
requirements = []
[[parts]]
title = "A part"
chapters = [{number = "1", title = "Demo", page = "01-demo", topics = []}]
"""
#: What Pod Security refuses -> a change that breaks the rule of ours with that word.
REFUSED = [
    ("non-root", "runAsNonRoot: true", "runAsNonRoot: false"),
    ("non-root", "runAsNonRoot: true", "runAsUser: 1000"),
    ("non-root", "runAsNonRoot: true", "runAsNonRoot: true\n        runAsUser: 0"),
    ("escalation", "            allowPrivilegeEscalation: false\n", ""),
    ("capabilities", "            capabilities: {drop: [ALL]}\n", ""),
    ("capabilities", "drop: [ALL]", "drop: [ALL], add: [SYS_TIME]"),
    ("seccomp", "        seccompProfile: {type: RuntimeDefault}\n", ""),
    ("host", "      automount", "      hostNetwork: true\n      automount"),
    ("host", "      automount", "      volumes: [{name: x, hostPath: {path: /x}}]\n      automount"),
    ("host", "containerPort: 8000", "containerPort: 8000, hostPort: 8000"),
]
MORE = [
    ("read-only-root", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"),
    ("token", "      automountServiceAccountToken: false\n", ""),
    ("requests", "cpu: 20m, ", ""),
    ("limits", "            limits: {memory: 128Mi}\n", ""),
    ("readiness", "readinessProbe", "startupProbe"),
    ("readiness", "periodSeconds: 1", "periodSeconds: 0"),
    ("liveness", "livenessProbe", "startupProbe"),
    ("probed-ports", "          livenessProbe:\n            httpGet: {path: /health, port: http}",
     "          livenessProbe:\n            httpGet: {path: /health, port: 8001}"),
    ("port-names", "- {name: http, containerPort: 8000}", "- {name: web, containerPort: 8000}"),
    ("name", "- name: sim", "- name: simx"),
    ("targets", "targetPort: http", "targetPort: 8001"),
    ("service-ports", "name: http, port: 80", "name: web, port: 80"),
    ("sizes", "memory: 32Mi", "memory: 33Mi"),
    ("timing", "periodSeconds: 1", "periodSeconds: 2"),
    ("timing", "            periodSeconds: 1\n", ""),
    ("alive", "livenessProbe:\n", "livenessProbe:\n            periodSeconds: 2\n"),
]  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with a workload as production wants it, another of its image, and a page."""
    files = {
        f"examples/{LISTING}": SIM,
        "examples/02-more/other.yaml": SIM.replace("  name: sim", "  name: other-sim"),
        "source/outline.toml": OUTLINE,
        "source/01-demo.md": "It runs as root,\nfor once.\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(("word", "old", "new"), [*REFUSED, *MORE])
def test_a_broken_rule_is_named(root: Path, word: str, old: str, new: str) -> None:
    assert list(broken_rules(root, LISTING, {LISTING: SIM})) == []
    assert SIM.count(old) == 1
    broken = dict(broken_rules(root, LISTING, {LISTING: SIM.replace(old, new)}))
    assert word in broken
    assert broken[word].startswith(f"examples/{LISTING}: ")


def test_a_job_is_not_asked_whether_it_is_ready_and_a_patch_is_no_workload(root: Path) -> None:
    job = SIM.replace("readinessProbe", "startupProbe").replace(
        "  automount", "  restartPolicy: Never\n      automount"
    )
    patch = SIM.replace("          image: registry.invalid/sim:1\n", "").replace(
        "targetPort: http", "targetPort: 1"
    )
    assert "readiness" not in dict(broken_rules(root, LISTING, {LISTING: job}))
    assert list(broken_rules(root, LISTING, {LISTING: patch})) == []


@pytest.mark.parametrize(
    ("word", "sentence", "fault"),
    [
        ("non-root", "It runs as root, for once.", ""),
        ("non-root", "It runs as root.", "with words that its page lacks: 'It runs as root.'"),
        ("seccomp", "It runs as root, for once.", "which it does not break; take it out"),
        ("root", "It runs as root, for once.", "which it does not break; choose one of alive, "),
    ],
)
def test_an_exception_is_needed_and_in_the_page(root: Path, word: str, sentence: str, fault: str) -> None:
    (root / "examples" / LISTING).write_text(SIM.replace("runAsNonRoot: true", "runAsNonRoot: false"))
    found = list(wrong_exceptions(root, [LISTING], {LISTING: {word: sentence}}))
    assert (fault in found[0]) if fault else found == []


PROOF = """
    from proofs.api import Mutant, proves

    SIM = "01-demo/sim.yaml"

    @proves(SIM, evidence="checked", {more}
            mutants=[Mutant(SIM, "drop: [ALL]", "drop: []", because="it keeps its rights")])
    def test_sim(proof):
        assert "sim" in proof.path(SIM).read_text()
"""


def test_a_proof_notices_a_workload_unlike_those_of_production(run: Run, project: Path, root: Path) -> None:
    shutil.copytree(root, project, dirs_exist_ok=True)
    run(module=PROOF.replace("{more}", "")).assert_outcomes(passed=2)
    (project / "examples" / LISTING).write_text(SIM.replace("runAsNonRoot: true", "runAsNonRoot: false"))
    result = run(module=PROOF.replace("{more}", ""))
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["*examples/01-demo/sim.yaml: Deployment/sim, container sim must have runAsNonRoot: true*"]
    )
    excepted = 'unlike_production={SIM: {"non-root": "It runs as root, for once."}},'
    run(module=PROOF.replace("{more}", excepted)).assert_outcomes(passed=2)


@pytest.mark.cluster
def test_the_api_server_refuses_what_breaks_the_rules_of_pod_security(
    connection: Connection,
) -> None:
    name = namespaces.new_name()
    namespaces.create(connection.cluster, name, run="harness")
    try:
        enforce = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        connection.cluster.request(
            "PATCH", namespaces.path(name), body=enforce, content_type="application/merge-patch+json"
        )
        is_taken(connection, name, SIM)
        for _, old, new in REFUSED:
            with pytest.raises(Refused, match='violates PodSecurity "restricted'):
                is_taken(connection, name, SIM.replace(old, new))
    finally:
        connection.cluster.delete(namespaces.path(name))


def is_taken(connection: Connection, namespace: str, text: str) -> None:
    """Have the API server try the pod of a listing; raises Refused."""
    [pod] = [pod for document in documents_of(text) for pod in pods_of(document, LISTING)]
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "sim"}, "spec": dict(pod.spec)}
    pods = f"{namespaces.path(namespace)}/pods"
    connection.cluster.request("POST", pods, query={"dryRun": "All"}, body=body)
