"""What Kyverno leaves in the cluster outside its objects."""

from __future__ import annotations

from collections.abc import Mapping

from lab import cluster

NAMESPACE = "kyverno"
DEPLOYMENT = "kyverno-admission-controller"
#: Kyverno's label on the webhooks that it registers for policies.
OWN = "webhook.kyverno.io/managed-by=kyverno"


def take_back(_parameters: Mapping[str, str]) -> None:
    """Remove Kyverno, and then the webhooks that it would register again as long as it runs."""
    engine = ("deployment", DEPLOYMENT, f"--namespace={NAMESPACE}", "--cascade=foreground")
    kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations"
    for words in (engine, (kinds, f"--selector={OWN}")):
        cluster.kubectl("delete", "--ignore-not-found", *words, doing=f"Removing {words[0]}", timeout=120)
