"""Check whether a cluster can take llm-d, before anything is installed.

Reads the cluster of the current kubectl context and changes nothing there.
Prints every finding, a remedy where one is needed, and then exits with 1.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kubernetes.client import ApiException
from kubernetes.config import ConfigException, new_client_from_config
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import DynamicApiError
from kubernetes.dynamic.resource import ResourceField
from kubernetes.utils import parse_quantity
from urllib3.exceptions import HTTPError
from yaml import YAMLError

OLDEST_KUBERNETES = (1, 29)
NEEDED = {"cpu": "1", "memory": "1Gi"}  # of all Ready nodes together
CRDS = {
    "inferencepools.inference.networking.k8s.io": "v1",
    "inferenceobjectives.llm-d.ai": "v1alpha2",
    "inferencemodelrewrites.llm-d.ai": "v1alpha2",
}
TO_BE_CREATED = {
    "configmaps": "",
    "deployments": "apps",
    "inferencepools": "inference.networking.k8s.io",
    "rolebindings": "rbac.authorization.k8s.io",
    "roles": "rbac.authorization.k8s.io",
    "serviceaccounts": "",
    "services": "",
}


@dataclass(frozen=True)
class Finding:
    """What was looked at; without a remedy, it is as it should be."""

    what: str
    remedy: str = ""


Check = Callable[[DynamicClient, str], Iterator[Finding]]


def server_version(cluster: DynamicClient, _: str) -> Iterator[Finding]:
    """Compare the API server with the oldest that llm-d supports."""
    server = cluster.version["kubernetes"]
    found = (int(server["major"]), int(server["minor"].rstrip("+")))
    oldest = "upgrade to v{}.{} or newer".format(*OLDEST_KUBERNETES)
    remedy = oldest if found < OLDEST_KUBERNETES else ""
    yield Finding(f"Kubernetes {server['gitVersion']}", remedy)


def custom_resources(cluster: DynamicClient, _: str) -> Iterator[Finding]:
    """Look for each CRD, established, in the version that we use."""
    group, kind = "apiextensions.k8s.io/v1", "CustomResourceDefinition"
    served = {
        crd.metadata.name: [
            one.name for one in crd.spec.versions if one.served
        ]
        for crd in objects(cluster, group, kind)
        if condition_holds(crd, "Established")
    }
    for name, version in CRDS.items():
        there = version in served.get(name, [])
        remedy = "" if there else f"install the CRD that serves {version}"
        yield Finding(f"CRD {name} {version}", remedy)


def nodes(cluster: DynamicClient, _: str) -> Iterator[Finding]:
    """Look which nodes are Ready, and add up what those offer."""
    offered = dict.fromkeys(NEEDED, parse_quantity("0"))
    for node in objects(cluster, "v1", "Node"):
        name = node.metadata.name
        if not condition_holds(node, "Ready"):
            yield Finding(f"node {name}", f"kubectl describe node {name}")
            continue
        yield Finding(f"node {name} is Ready")
        for resource in NEEDED:
            amount = node.status.allocatable[resource]
            offered[resource] += parse_quantity(amount)
    for resource, amount in NEEDED.items():
        enough = offered[resource] >= parse_quantity(amount)
        remedy = "" if enough else "add nodes, or larger ones"
        yield Finding(f"at least {amount} {resource} to allocate", remedy)


def rights(cluster: DynamicClient, namespace: str) -> Iterator[Finding]:
    """Ask the API server whether we may create what llm-d consists of."""
    reviews = cluster.resources.get(
        api_version="authorization.k8s.io/v1",
        kind="SelfSubjectAccessReview",
    )
    for resource, group in TO_BE_CREATED.items():
        wish = {"verb": "create", "group": group, "resource": resource}
        wish["namespace"] = namespace
        review = reviews.create(body={"spec": {"resourceAttributes": wish}})
        remedy = f"ask for it, for the namespace {namespace}"
        allowed = review.status.allowed
        yield Finding(
            f"right to create {resource}", "" if allowed else remedy
        )


def objects(
    cluster: DynamicClient, group: str, kind: str
) -> list[ResourceField]:
    """Return all objects of a kind."""
    found = cluster.resources.get(api_version=group, kind=kind).get()
    return list(found.items)


def condition_holds(found: ResourceField, kind: str) -> bool:
    """Tell whether an object's status has a condition with status True."""
    conditions = found.status.conditions or []
    return any(
        one.type == kind and one.status == "True" for one in conditions
    )


def answered(
    check: Check, cluster: DynamicClient, namespace: str
) -> Iterator[Finding]:
    """Yield what a check finds; a refusal of the server is a finding too."""
    try:
        yield from check(cluster, namespace)
    except DynamicApiError as error:
        what = check.__name__.replace("_", " ")
        yield Finding(
            f"{what}: {error.reason}", "ask for the right to list them"
        )


def main() -> int:
    """Print all findings; return 1 when something is missing, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--namespace", default="llm-d")
    namespace = parser.parse_args().namespace
    cluster = DynamicClient(new_client_from_config())
    # An earlier run left the server's version in a file under /tmp.
    cluster.resources.invalidate_cache()
    findings = [
        finding
        for check in (server_version, custom_resources, nodes, rights)
        for finding in answered(check, cluster, namespace)
    ]
    for finding in findings:
        print(f"{'MISSING' if finding.remedy else 'ok':8}{finding.what}")
        if finding.remedy:
            print(f"{'':8}-> {finding.remedy}")
    missing = [finding for finding in findings if finding.remedy]
    print(f"{len(findings)} checks, {len(missing)} to do")
    return 1 if missing else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ConfigException, OSError, YAMLError) as error:
        sys.exit(f"no cluster: {' '.join(str(error).split())}")
    except HTTPError as error:
        sys.exit(f"the cluster does not answer: {error}")
    except ApiException as error:
        sys.exit(f"the API server refused to be asked: {error.reason}")
    except (AttributeError, TypeError, ValueError):
        sys.exit("what answers is no API server; see: kubectl cluster-info")
