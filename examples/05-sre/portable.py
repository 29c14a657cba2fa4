"""Take from `kubectl get -o json` what a restored namespace needs.

Reads a list of objects from standard input, and writes one to standard
output: without status, server metadata and what controllers make, and
without Secrets, which come back from where you keep secrets.
"""

import json
import sys
from typing import Any

Object = dict[str, Any]

#: In the order in which a restore needs them; all others come last.
ORDER = (
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "Role",
    "RoleBinding",
    "NetworkPolicy",
    "InferencePool",
    "InferenceObjective",
    "InferenceModelRewrite",
    "Service",
)
#: Written by the API server, and refused or ignored when given back.
SERVERS_OWN = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
#: What every namespace gets by itself.
GIVEN = {
    ("ServiceAccount", "default"),
    ("ConfigMap", "kube-root-ca.crt"),
    ("ConfigMap", "openshift-service-ca.crt"),
}
#: Annotations that hold a copy of an older state.
COPIES = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
)
ADDRESSES = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def is_wanted(one: Object) -> bool:
    """Return whether a restore has to bring an object."""
    name = (one["kind"], one["metadata"]["name"])
    return not (
        name in GIVEN
        or one["metadata"].get("ownerReferences")
        or one["kind"] in {"Event", "Lease", "Endpoints", "EndpointSlice"}
        or one["kind"] == "Secret"
    )


def portable(one: Object) -> Object:
    """Return an object without status and server metadata."""
    kept = {key: value for key, value in one.items() if key != "status"}
    metadata = {
        key: value
        for key, value in one["metadata"].items()
        if key not in SERVERS_OWN
    }
    annotations = {
        key: value
        for key, value in metadata.pop("annotations", {}).items()
        if key not in COPIES
    }
    if annotations:
        metadata["annotations"] = annotations
    kept["metadata"] = metadata
    if one["kind"] == "Service":
        spec = {
            key: value
            for key, value in one["spec"].items()
            if key not in ADDRESSES or one["spec"].get("clusterIP") == "None"
        }
        kept["spec"] = spec
    if one["kind"] == "Namespace":
        kept.pop("spec", None)
    return kept


def place(one: Object) -> tuple[int, str, str]:
    """Return where in a restore an object comes."""
    kind = one["kind"]
    rank = ORDER.index(kind) if kind in ORDER else len(ORDER)
    return rank, kind, one["metadata"]["name"]


def backup(objects: list[Object]) -> Object:
    """Return the list to keep; of all Namespaces, that of the others."""
    homes = {one["metadata"].get("namespace") for one in objects}
    kept = [
        portable(one)
        for one in objects
        if is_wanted(one)
        and (one["kind"] != "Namespace" or one["metadata"]["name"] in homes)
    ]
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": sorted(kept, key=place),
    }


def main() -> None:
    """Copy standard input to standard output, and count on standard error."""
    if sys.stdin.isatty():
        sys.exit("usage: kubectl get <kinds> -o json | python portable.py")
    try:
        objects = json.load(sys.stdin)["items"]
        kept = backup(objects)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        sys.exit(f"standard input is no list of objects: {error!r}")
    if not kept["items"]:
        sys.exit("there is nothing to keep: is it the right namespace?")
    print(json.dumps(kept, indent=1))
    secrets = sorted(
        one["metadata"]["name"] for one in objects if one["kind"] == "Secret"
    )
    print(f"kept {len(kept['items'])} objects", file=sys.stderr)
    if secrets:
        print(f"bring back yourself: {', '.join(secrets)}", file=sys.stderr)


if __name__ == "__main__":
    main()
