"""Does the translation between router lines do what its table says, and no more?"""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from lab import edition
from lab.errors import LabError
from lab.router_lines import translate

NEW = edition.versions()["router"]
OLD = edition.versions()["router-offline"]

DEPLOYMENT = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: router
spec:
  template:
    spec:
      containers:
        - name: endpoint-picker
          image: ghcr.io/llm-d/llm-d-router-endpoint-picker:{NEW}
          args:
            - --pool-name=demo
            - --drain-timeout=5s
            - --v=4
        - name: proxy
          image: docker.io/envoyproxy/envoy:distroless-v1.40.0
"""

CONFIGURATION = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: endpoint-picker
data:
  config.yaml: |
    apiVersion: llm-d.ai/v1alpha1
    kind: EndpointPickerConfig
    plugins:
      - type: queue-scorer
      - type: active-request-scorer
      - type: metrics-data-source
      - type: label-selector-filter
        parameters:
          matchLabels:
            tier: gold
    dataLayer:
      sources: []
    schedulingProfiles:
      - name: default
        plugins:
          - pluginRef: queue-scorer
          - pluginRef: label-selector-filter
          - pluginRef: metrics-data-source
"""

OBJECTIVE = """\
apiVersion: llm-d.ai/v1alpha2
kind: InferenceObjective
metadata:
  name: premium
spec:
  priority: 100
"""


def test_the_editions_own_line_keeps_the_bytes() -> None:
    assert translate(DEPLOYMENT, NEW) == DEPLOYMENT


def test_image_and_flags_become_the_older_ones() -> None:
    document = YAML(typ="safe").load(translate(DEPLOYMENT, OLD))
    picker, proxy = document["spec"]["template"]["spec"]["containers"]
    assert picker["image"] == f"ghcr.io/llm-d/llm-d-inference-scheduler:{OLD}"
    assert picker["args"] == ["--pool-name=demo", "--v=4"]
    assert proxy["image"] == "docker.io/envoyproxy/envoy:distroless-v1.40.0"


def test_configuration_inside_a_config_map_is_translated() -> None:
    document = YAML(typ="safe").load(translate(CONFIGURATION, OLD))
    configuration = YAML(typ="safe").load(document["data"]["config.yaml"])
    assert configuration["apiVersion"] == "inference.networking.x-k8s.io/v1alpha1"
    assert configuration["plugins"] == [
        {"type": "queue-scorer"},
        {"type": "active-request-scorer", "parameters": {"maxBusyScore": 1.0}},
        {
            "type": "by-label-selector",
            "name": "label-selector-filter",
            "parameters": {"matchLabels": {"tier": "gold"}},
        },
    ]
    assert "dataLayer" not in configuration
    references = [entry["pluginRef"] for entry in configuration["schedulingProfiles"][0]["plugins"]]
    assert references == ["queue-scorer", "label-selector-filter"]


def test_objects_that_moved_go_back_to_the_old_group() -> None:
    document = YAML(typ="safe").load(translate(OBJECTIVE, OLD))
    assert document["apiVersion"] == "inference.networking.x-k8s.io/v1alpha2"


def test_every_document_of_a_file_is_translated() -> None:
    documents = list(YAML(typ="safe").load_all(translate(f"{OBJECTIVE}---\n{DEPLOYMENT}", OLD)))
    assert [document["kind"] for document in documents] == ["InferenceObjective", "Deployment"]
    assert documents[0]["apiVersion"].startswith("inference.networking.x-k8s.io/")


def test_a_plugin_without_counterpart_is_refused_by_name() -> None:
    text = CONFIGURATION.replace("type: queue-scorer", "type: concurrency-detector")
    with pytest.raises(LabError, match=f"concurrency-detector needs router {NEW}"):
        translate(text, OLD)


def test_an_unknown_line_is_refused() -> None:
    with pytest.raises(LabError, match=r"No rules for router v0\.5\.0"):
        translate(DEPLOYMENT, "v0.5.0")
