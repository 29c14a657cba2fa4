"""Does a record name what was at work, and only that?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.edition import images
from proofs.cluster import Cluster
from proofs.failures import Refused
from proofs.observed import Observed


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        ("helm install chat ./chart", {"helm"}),
        ("A=b /opt/bin/promtool check rules a.yaml | tee helm", {"prometheus"}),
        ("true && kind get clusters; helm list", {"kind", "helm"}),
        ("echo helm\nkubectl get helmreleases", set()),
    ],
)
def test_programs_that_a_command_runs_are_seen(command: str, seen: set[str]) -> None:
    observed = Observed()
    observed.command(command)
    assert observed.components == seen


def test_the_api_of_an_object_is_seen() -> None:
    observed = Observed()
    for api_version in ("apps/v1", "v1", "leaderworkerset.x-k8s.io/v1"):
        observed.api_version(api_version)
    assert observed.components == {"lws"}


def test_what_runs_in_a_namespace_is_seen_and_what_cannot_be_listed_is_not() -> None:
    def request(_: str, path: str) -> SimpleNamespace:
        if not path.endswith("/pods"):
            raise Refused(path)
        names = (images()["simulator"].name, "registry.invalid/any:1")
        pods: list[dict[str, Any]] = [{"spec": {"containers": [{"image": name}]}} for name in names]
        return SimpleNamespace(content={"items": pods})

    observed = Observed()
    observed.namespaces(cast("Cluster", SimpleNamespace(request=request)), ["proof-1"])
    assert observed.components == {"simulator"}
