"""How do several pods read one model that none of them may write?"""

from __future__ import annotations

import json

import pytest

from lab.edition import images
from proofs.api import CommandFailed, Mutant, Proof, proves

from .steps import chapter, held

VOLUME = chapter["model-volume.yaml"]
LOADER = chapter["model-loader.yaml"]
READERS = chapter["model-readers.yaml"]
VOLUME_USED = chapter["model-volume.console"]

PYTHON = images()["python"].name
AS_ROOT = (
    "The folder belongs to root, and so the loading Job runs as root, "
    "which the namespace of {numref}`sec-namespace` refuses."
)
ONE_GIBIBYTE = {"storage": "1Gi"}
ZONE_C = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["c"]}
EXPECTED = {
    "persistentvolume/lab-models": {
        "spec": {
            "capacity": ONE_GIBIBYTE,
            "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "lab-models",
            "hostPath": {"path": "/var/lib/lab-models", "type": "DirectoryOrCreate"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [ZONE_C]}]}},
        }
    },
    "persistentvolumeclaim/models": {
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "lab-models",
            "resources": {"requests": ONE_GIBIBYTE},
            "volumeName": "lab-models",
        }
    },
    "job/load-model": {
        "spec": {
            "backoffLimit": 2,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "securityContext": {"runAsUser": 0},
                    "containers": [
                        {"name": "load", "volumeMounts": [{"name": "models", "mountPath": "/models"}]}
                    ],
                }
            },
        }
    },
    "deployment/reader": {
        "spec": {
            "replicas": 3,
            "template": {
                "spec": {
                    "securityContext": {"runAsUser": 1000},
                    "terminationGracePeriodSeconds": 1,
                    "containers": [
                        {
                            "name": "reader",
                            "command": ["python3", "-m", "http.server", "8000", "--directory", "/models"],
                            "ports": [{"name": "http", "containerPort": 8000}],
                            "readinessProbe": {"periodSeconds": 1},
                            "livenessProbe": {"httpGet": {"path": "/", "port": "http"}},
                            "volumeMounts": [{"name": "models", "mountPath": "/models", "readOnly": True}],
                        }
                    ],
                }
            },
        }
    },
}


def empty_the_folder(proof: Proof) -> None:
    """Take away what an earlier run has left in the folder, which the volume retains."""
    mounted = {"name": "models", "mountPath": "/models"}
    command = ["rm", "-rf", "/models/lab"]
    container = {"name": "rm", "image": PYTHON, "command": command, "volumeMounts": [mounted]}
    volume = {"name": "models", "persistentVolumeClaim": {"claimName": "models"}}
    proof.kubectl(
        *("run", "rm", f"--image={PYTHON}", "--restart=Never", "--attach", "--pod-running-timeout=20s"),
        f"--overrides={json.dumps({'spec': {'containers': [container], 'volumes': [volume]}})}",
    )


def not_even_root_writes(proof: Proof) -> None:
    """Give the readers the loader's user, and try to write the file that belongs to it."""
    file = proof.path(READERS)
    text = file.read_text().replace("runAsNonRoot: true", "runAsNonRoot: false")
    file.write_text(text.replace("runAsUser: 1000", "runAsUser: 0"))
    proof.apply(READERS)
    proof.kubectl("rollout", "status", "deployment/reader")
    with pytest.raises(CommandFailed, match="Read-only file system"):
        proof.kubectl("exec", "deployment/reader", "--", "touch", "/models/lab/sim-8b/weights.bin")


@proves(
    VOLUME,
    LOADER,
    READERS,
    VOLUME_USED,
    evidence="ran",
    needs=["client"],  # for the image of Python
    alone=True,
    only_in_lab=True,
    unlike_production={LOADER: {"non-root": AS_ROOT}},
    mutants=[
        Mutant(VOLUME, "values: [c]", "values: [z]", because="no node has the folder"),
        Mutant(LOADER, "bytes(8)", "bytes(9)", because="another size"),
        Mutant(
            READERS, "mountPath: /models, readOnly: true", "mountPath: /models", because="no longer refused"
        ),
        Mutant(VOLUME_USED, "Read-only file system", "Permission denied", because="another refusal"),
    ],
)
def test_three_pods_read_a_model_and_none_writes_it(proof: Proof) -> None:
    proof.apply(VOLUME)
    try:
        empty_the_folder(proof)
        proof.apply(LOADER)
        proof.wait("job", "load-model", "Complete", deadline=120)
        proof.apply(READERS)
        proof.wait("deployment", "reader", "Available", deadline=120)
        proof.wait("deployment", "reader", lambda one: one["status"].get("readyReplicas") == 3, deadline=120)
        assert held(proof, EXPECTED) == EXPECTED
        proof.transcript(VOLUME_USED, failing={2})
        not_even_root_writes(proof)
    finally:
        proof.kubectl("delete", "deployment,job,pod", "--all", "--wait", "--grace-period=0")
        proof.kubectl("delete", "persistentvolumeclaim", "models", "--wait")
        proof.kubectl("delete", "persistentvolume", "lab-models", "--wait")
