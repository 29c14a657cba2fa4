"""Split a manifest into documents that keep their own text, and read them strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError

from proofs.failures import HarnessError

# A line of its own starting with three dashes: inside a block scalar it would be
# indented, so the text can be cut there without parsing.
_SEPARATOR = re.compile(r"(?m)^---(?:[ \t]*\n|(?=[ \t])|\Z)")

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
    documents = []
    start = 0
    for separator in [*_SEPARATOR.finditer(text), None]:
        end = separator.start() if separator else len(text)
        content = _read(text[start:end], where, text[:start].count("\n"), duplicates=duplicates)
        if content is not None:
            documents.append(Document(text[start:end], content))
        start = separator.end() if separator else end
    return documents


def _read(text: str, where: str, lines_before: int, *, duplicates: bool) -> Any:  # noqa: ANN401 - as above
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = duplicates
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = lines_before + mark.line + 1 if mark else lines_before + 1
        problem = (error.problem or "not YAML").splitlines()[0]
        if isinstance(error, DuplicateKeyError):
            problem = f"{problem}; keep one of the two"
        message = f"{where}, line {line}: {problem}"
        raise HarnessError(message) from error
