"""The configurations of configurations.yaml, which tests give to the translation and to both programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lab.router_lines.table import Line

CONFIGURATIONS: dict[str, Any] = YAML(typ="safe").load(Path(__file__).with_suffix(".yaml").read_text())
HEADS: dict[Line, str] = {
    "newer": "apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n",
    "older": "apiVersion: inference.networking.x-k8s.io/v1alpha1\nkind: EndpointPickerConfig\n",
}
WHOLE = [(line, name) for line in HEADS for name in CONFIGURATIONS[line]]


def whole(line: Line, name: str) -> str:
    """Return a configuration of a line with its head."""
    return HEADS[line] + (CONFIGURATIONS[line][name] or "")
