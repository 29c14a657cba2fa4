"""Does the scanner see what is in an image, and what is wrong in a manifest, without a network?"""

from __future__ import annotations

import json

import pytest

from lab import addons, cluster, registry
from lab.errors import LabError
from tests.lab.live.space import Object, image

pytestmark = pytest.mark.addon

#: Seconds for one scan on a busy host.
SCAN = 300
#: Trivy's names for what the planted manifest does.
PRIVILEGED, HOST_NETWORK = "KSV-0017", "KSV-0009"


def inside(addon: str, *command: str, given: str | None = None) -> str:
    """Return what a command prints in an add-on's pod."""
    words = ("exec", "--stdin", f"--namespace={addons.ensure(addon).namespace}", f"deployment/{addon}", "--")
    return cluster.kubectl(*words, *command, doing=" ".join(command[:2]), timeout=SCAN, given=given)


def server(*, careless: bool) -> Object:
    """Return a pod, one that takes the node over or one that asks for nothing."""
    container = {
        "name": "server",
        "image": image("simulator"),
        "securityContext": {"privileged": careless, "allowPrivilegeEscalation": careless},
    }
    spec = {"hostNetwork": careless, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "server"}, "spec": spec}


def findings(manifest: Object) -> set[str]:
    """Return the checks that a manifest fails."""
    script = "cat > /files/manifest.json && trivy config --quiet --format=json /files/manifest.json"
    printed = json.loads(inside("scanner", "sh", "-c", script, given=json.dumps(manifest)))
    return {found["ID"] for result in printed["Results"] for found in result.get("Misconfigurations", [])}


def test_the_contents_of_an_image_are_listed_with_the_versions_that_it_has() -> None:
    told = inside("client", "sh", "-c", "cat /var/lib/dpkg/status")
    entry = next(one for one in told.split("\n\n") if one.startswith("Package: libc6\n"))
    version = next(line for line in entry.splitlines() if line.startswith("Version: "))
    name = f"{registry.NAME}/{image('python')}"
    printed = inside("scanner", "trivy", "image", "--quiet", "--format=cyclonedx", name)
    listed = {one["name"]: one.get("version") for one in json.loads(printed)["components"]}
    assert listed["libc6"] == version.removeprefix("Version: ")


def test_what_is_wrong_in_a_manifest_is_found_and_nothing_where_it_is_right() -> None:
    assert {PRIVILEGED, HOST_NETWORK} <= findings(server(careless=True))
    assert not {PRIVILEGED, HOST_NETWORK} & findings(server(careless=False))


def test_vulnerabilities_are_not_looked_for_without_their_database() -> None:
    name = f"{registry.NAME}/{image('python')}"
    with pytest.raises(LabError, match=r"(?i)\bdb\b|database"):
        inside("scanner", "trivy", "image", "--quiet", "--scanners=vuln", "--skip-db-update", name)
