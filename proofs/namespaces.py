"""The namespace that a proof works in, and the listing's text moved into it.

Listings name the book's namespace, `llm-d`, or none. A proof runs in another one, so
that proofs do not meet; the exchange is made on the text, so that everything else in
it reaches the API server as printed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from lab import yaml_documents
from proofs.cluster import Cluster
from proofs.waiting import wait_until

BOOK_NAMESPACE = "llm-d"
#: Label on every namespace that a run of the proofs makes; its value names the run.
RUN_LABEL = "life-with-llm-d.run"

_NAME = rf"{BOOK_NAMESPACE}(?![\w.-])"
_PLACES = [
    # namespace: llm-d, "namespace": "llm-d", --namespace=llm-d, --pool-namespace llm-d
    re.compile(rf"""(namespace["']?[:=\s]\s*["']?){_NAME}"""),
    # kubectl -n llm-d; kubectl create ns llm-d; namespace/llm-d; /namespaces/llm-d/
    re.compile(rf"((?<!\S)-n[ =]|\bns[ /]|\bnamespaces?/){_NAME}"),
    # service.llm-d.svc, in a DNS name
    re.compile(rf"(\.){BOOK_NAMESPACE}(?=\.svc\b)"),
]
_NAMESPACE_OBJECT = re.compile(r"(?m)^kind:\s*Namespace\s*$")
_OBJECT_NAME = re.compile(rf"""(?m)^(\s+name:\s*["']?){_NAME}""")


def new_name() -> str:
    """Return a name for a proof's namespace that no other run uses."""
    return f"proof-{secrets.token_hex(4)}"


def named_in(text: str) -> set[str]:
    """Return the namespaces of proofs that a text names."""
    return set(re.findall(r"proof-[0-9a-f]{8}", text))


def moved(text: str, namespace: str) -> str:
    """Return a text with the book's namespace exchanged wherever it is a namespace."""
    for place in _PLACES:
        text = place.sub(rf"\g<1>{namespace}", text)
    return "".join(part.marker + _moved_object(part.text, namespace) for part in yaml_documents.split(text))


def _moved_object(text: str, namespace: str) -> str:
    """Return a document with the namespace exchanged that is the object itself."""
    return _OBJECT_NAME.sub(rf"\g<1>{namespace}", text) if _NAMESPACE_OBJECT.search(text) else text


def path(name: str) -> str:
    """Return the URL path of a namespace."""
    return f"/api/v1/namespaces/{name}"


def create(cluster: Cluster, name: str, run: str, labels: Mapping[str, str] | None = None) -> None:
    """Make a namespace, with labels, and wait until pods can be created in it."""
    body = {"metadata": {"name": name, "labels": {RUN_LABEL: run, **(labels or {})}}}
    cluster.request("POST", "/api/v1/namespaces", body=body)
    wait_until(
        lambda: cluster.request("GET", f"{path(name)}/serviceaccounts/default"),
        deadline=30,
        what=f"service account default in {name}",
        interval=0.05,
    )


def remove_all_of(cluster: Cluster, run: str) -> None:
    """Delete the namespaces that a run made and did not remove because it was killed."""
    found = cluster.request("GET", "/api/v1/namespaces", query={"labelSelector": f"{RUN_LABEL}={run}"})
    for namespace in found.content["items"]:
        cluster.delete(path(namespace["metadata"]["name"]))


def write_kubeconfig(source: Path, target: Path, namespace: str) -> None:
    """Copy a kubeconfig with `namespace` as the default of its current context."""
    yaml = YAML(typ="safe")
    content = yaml.load(source)
    for context in content["contexts"]:
        if context["name"] == content["current-context"]:
            context["context"]["namespace"] = namespace
    target.touch(mode=0o600)
    yaml.dump(content, target)
