"""What is wrong with a cluster, the lab or another, judged from what its API server lists.

Nothing here asks the server: doctor does that with the lab's kubectl, the proofs with
their own client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

Object = Mapping[str, Any]
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
#: Where the API server says whether a user may do something.
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def node_conditions(nodes: Iterable[Object]) -> dict[str, tuple[bool, str]]:
    """Return node name -> whether it is Ready, and what the cluster says of that."""
    found = {}
    for node in nodes:
        ready = next(one for one in node["status"]["conditions"] if one["type"] == "Ready")
        found[node["metadata"]["name"]] = (ready["status"] == "True", ready["message"])
    return found


def silent_api_services(services: Iterable[Object]) -> dict[str, tuple[str, str]]:
    """Return name -> namespace and reason, of what serves a part of the API and does not answer."""
    found = {}
    for service in services:
        conditions = service.get("status", {}).get("conditions", [])
        failed = [one for one in conditions if one["type"] == "Available" and one["status"] != "True"]
        if failed and "service" in service["spec"]:
            namespace = service["spec"]["service"]["namespace"]
            found[service["metadata"]["name"]] = (namespace, failed[0]["reason"])
    return found


def has_default_storage(classes: Iterable[Object]) -> bool:
    """Tell whether one storage class serves claims that name none."""
    return any(one["metadata"].get("annotations", {}).get(DEFAULT_CLASS) == "true" for one in classes)


def access_review(verb: str, group: str, resource: str, subresource: str, namespace: str) -> dict[str, Any]:
    """Return the question to send to REVIEWS; `status.allowed` of the answer says yes or no."""
    attributes = {"verb": verb, "group": group, "resource": resource}
    attributes |= {"subresource": subresource, "namespace": namespace}
    kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    return {**kind, "spec": {"resourceAttributes": attributes}}


def over_capacity(nodes: Iterable[Object], wanted: Iterable[Object]) -> dict[str, tuple[Decimal, Decimal]]:
    """Return resource -> what objects ask for together, and what all nodes have: too little."""
    offered = _sum((1, node["status"]["allocatable"]) for node in nodes)
    needed = _sum(pair for one in wanted for pair in _requests(one))
    return {
        resource: (amount, offered.get(resource, Decimal(0)))
        for resource, amount in needed.items()
        if amount > offered.get(resource, 0)
    }


def _requests(content: Object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield how often, and what, the containers of a workload ask for."""
    spec = content.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or spec
    for container in pod.get("containers", []) if isinstance(pod, dict) else ():
        resources = container.get("resources", {})
        yield spec.get("replicas", 1), {**resources.get("limits", {}), **resources.get("requests", {})}


def _sum(amounts: Iterable[tuple[int, Mapping[str, Any]]]) -> dict[str, Decimal]:
    from kubernetes.utils.quantity import parse_quantity  # noqa: PLC0415  (the client loads slowly)

    total: dict[str, Decimal] = {}
    for times, resources in amounts:
        for name, amount in resources.items():
            total[name] = total.get(name, Decimal(0)) + times * parse_quantity(amount)  # type: ignore[no-untyped-call]
    return total
