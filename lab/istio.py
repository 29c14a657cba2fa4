"""What istiod puts into the cluster by itself, and who takes it out again."""

from __future__ import annotations

from collections.abc import Mapping

from lab.cluster import kubectl

NAMESPACE = "istio-system"
#: ConfigMaps that istiod writes into every namespace.
CERTIFICATES = ("istio-ca-root-cert", "istio-ca-crl")
#: GatewayClasses that istiod makes when it starts.
CLASSES = ("istio", "istio-remote")
DEFINITION = "gatewayclasses.gateway.networking.k8s.io"


def take_back(_parameters: Mapping[str, str]) -> None:
    """Stop istiod, which would write it again, and delete what it wrote outside its namespace."""
    _delete("deployment", "istiod", f"--namespace={NAMESPACE}", "--cascade=foreground")
    for name in CERTIFICATES:
        _delete("configmaps", "--all-namespaces", f"--field-selector=metadata.name={name}")
    if kubectl("get", "crd", DEFINITION, "--ignore-not-found", "-o=name", doing=f"Looking for {DEFINITION}"):
        _delete("gatewayclasses", *CLASSES)


def _delete(kind: str, *what: str) -> None:
    kubectl("delete", kind, *what, "--ignore-not-found", doing=f"Removing Istio's {kind}", timeout=120)
