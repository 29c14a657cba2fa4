"""A small project of proofs, for tests that run pytest inside pytest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.edition import PROJECT, images

LISTING = "01-demo/greet.py"
PROOF = """
    import sys
    from proofs.api import Mutant, proves

    GREET = "01-demo/greet.py"
    WORD = Mutant(GREET, "Hello", "Hullo", because="the greeting changes")

    @proves(GREET, evidence="computed", mutants=[WORD])
    def test_greets(proof):
        {body}
"""
GREETS = 'assert proof.run([sys.executable, proof.path(GREET)]) == "Hello, llm-d\\n"'

#: A workload that keeps every rule, and its Service.
SIM = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: sim
spec:
  selector:
    matchLabels: {app: sim}
  template:
    metadata:
      labels: {app: sim}
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: sim
          image: registry.invalid/sim:1
          ports:
            - {name: http, containerPort: 8000}
          readinessProbe:
            httpGet: {path: /health, port: http}
            periodSeconds: 1
          livenessProbe:
            httpGet: {path: /health, port: http}
          resources:
            requests: {cpu: 20m, memory: 32Mi}
            limits: {memory: 128Mi}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
---
apiVersion: v1
kind: Service
metadata:
  name: sim
spec:
  selector: {app: sim}
  ports:
    - {name: http, port: 80, targetPort: http}
"""

#: The same with the simulator, which runs.
SERVER = SIM.replace(
    "image: registry.invalid/sim:1\n",
    f"image: {images()['simulator'].name}\n"
    "          args: [--model=demo, --port=8000, --force-dummy-tokenizer]\n",
)

#: The settings of a project whose proofs run inside a test's own process, where what this
#: session has imported is there already.
STRICT = "[pytest]\nfilterwarnings =\n  error\n  ignore:Module already imported\n"

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with one listing and no proof yet; CI is not set, and no mutant is remembered."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(pytester.path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))  # for workers
    pytester.makeini("[pytest]\n")
    listing = pytester.path / "examples" / LISTING
    listing.parent.mkdir(parents=True)
    listing.write_text('print("Hello, llm-d")\n')
    return pytester.path


@pytest.fixture
def run(pytester: pytest.Pytester, project: Path) -> Run:  # noqa: ARG001 - makes the project
    """Return a function that runs the project's proofs with a given body or module."""

    def run_proof(*arguments: str, body: str = GREETS, module: str = PROOF) -> pytest.RunResult:
        pytester.makepyfile(test_demo=module.replace("{body}", body))
        pytester.plugins = []
        return pytester.runpytest_inprocess("-ra", *arguments, no_reraise_ctrlc=True)

    return run_proof


@pytest.fixture
def records(project: Path) -> Path:
    """Return where the project keeps the record of its listing."""
    return project / "records" / f"{LISTING}.json"
