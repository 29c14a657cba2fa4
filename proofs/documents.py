"""The documents of a manifest, and which program reads each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab import yaml_documents
from lab.errors import LabError
from proofs.failures import HarnessError

#: Documents that no API server takes -> the program that reads them.
FOREIGN = {
    ("kind.x-k8s.io/v1alpha4", "Cluster"): "kind",
    ("kustomize.config.k8s.io/v1beta1", "Kustomization"): "kubectl kustomize",
    ("llm-d.ai/v1alpha1", "EndpointPickerConfig"): "the endpoint picker",
    ("", ""): "the program that the proof runs",
}


@dataclass(frozen=True)
class Document:
    """One YAML document: its own text, and what is in it."""

    text: str
    content: Any

    @property
    def kind(self) -> str:
        """Return the kind of the object, empty when the document is not an object."""
        return str(self._field("kind"))

    @property
    def api_version(self) -> str:
        """Return the group and version of the object, empty when it has none."""
        return str(self._field("apiVersion"))

    @property
    def name(self) -> str:
        """Return the name in the object's metadata, empty when it has none."""
        return str((self._field("metadata") or {}).get("name", ""))

    @property
    def namespace(self) -> str:
        """Return the namespace in the object's metadata, empty when it has none."""
        return str((self._field("metadata") or {}).get("namespace", ""))

    @property
    def reader(self) -> str:
        """Return the program that reads a document which is no object of the API; else empty."""
        return FOREIGN.get((self.api_version, self.kind), "")

    def _field(self, name: str) -> Any:  # noqa: ANN401 - a document holds anything
        return self.content.get(name, "") if isinstance(self.content, dict) else ""


def read_documents(text: str, where: str, *, duplicates: bool = False) -> list[Document]:
    """Return the documents of a YAML text that hold anything.

    Raises HarnessError naming `where` and the line when the text is not YAML, or, unless
    `duplicates`, when a key occurs twice in a mapping.
    """
    try:
        parts = list(yaml_documents.read(text, where, duplicates=duplicates))
    except LabError as error:
        raise HarnessError(str(error)) from error
    return [Document(part.text, content) for part, content in parts if content is not None]
