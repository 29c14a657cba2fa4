"""Whether manifests keep their own text, are read strictly, and move to a namespace."""

from __future__ import annotations

import pytest

from proofs.documents import read_documents
from proofs.failures import HarnessError
from proofs.namespaces import moved


def test_documents_keep_their_own_text() -> None:
    text = "# one\nkind: A\nmetadata:\n  name: a  # kept\n--- # two\nkind: B\n---\n# none\n"
    one, two = read_documents(text, "demo.yaml")
    assert one.text == "# one\nkind: A\nmetadata:\n  name: a  # kept\n"
    assert (one.kind, one.name, one.namespace) == ("A", "a", "")
    assert two.text == " # two\nkind: B\n"


def test_a_separator_inside_a_text_separates_nothing() -> None:
    (document,) = read_documents("data:\n  text: |\n    a\n    ---\n    b\n", "demo.yaml")
    assert document.content["data"]["text"] == "a\n---\nb\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("kind: A\n---\nkind: B\nspec:\n  port: 1\n  port: 2\n", 6),
        ("kind: A\n---\nkind: [B\n", 4),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, line: int) -> None:
    with pytest.raises(HarnessError, match=rf"^demo\.yaml, line {line}: "):
        read_documents(text, "demo.yaml")


def test_duplicates_can_be_read_for_the_api_server_to_refuse() -> None:
    (document,) = read_documents("kind: A\nkind: A\n", "demo.yaml", duplicates=True)
    assert document.kind == "A"


@pytest.mark.parametrize(
    "text",
    [
        "metadata:\n  namespace: llm-d\n",
        'namespace: "llm-d"  # comment\n',
        '{"namespace": "llm-d"}',
        "- --pool-namespace=llm-d\n",
        "kubectl -n llm-d get pods\n",
        "kubectl get pods --namespace llm-d\n",
        "kubectl create namespace llm-d\n",
        "kubectl delete ns llm-d\n",
        "namespace/llm-d created\n",
        "url: http://epp.llm-d.svc.cluster.local:9002\n",
        "kind: Namespace\nmetadata:\n  name: llm-d\n",
    ],
)
def test_a_namespace_is_exchanged(text: str) -> None:
    assert moved(text, "proof-1") == text.replace("llm-d", "proof-1")


@pytest.mark.parametrize(
    "text",
    [
        "image: ghcr.io/llm-d/llm-d-inference-sim:v0.10.2\n",
        "apiVersion: llm-d.ai/v1alpha2\n",
        "app.kubernetes.io/part-of: llm-d\n",
        "kind: Service\nmetadata:\n  name: llm-d\n",
        "namespace: llm-d-monitoring\n",
        "kubectl get service llm-d\n",
    ],
)
def test_another_llm_d_stays(text: str) -> None:
    assert moved(text, "proof-1") == text


def test_only_a_namespace_document_has_its_name_exchanged() -> None:
    text = "kind: Namespace\nmetadata:\n  name: llm-d\n---\nkind: Pod\nmetadata:\n  name: llm-d\n"
    assert moved(text, "n") == text.replace("llm-d", "n", 1)
