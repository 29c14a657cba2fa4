"""The line under a listing: its path, what was proved, when, and which versions were not the edition's."""

from __future__ import annotations

import re
from collections.abc import Mapping

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator
from sphinx.writers.latex import LaTeXTranslator
from sphinx.writers.text import TextTranslator

from lab import edition
from proofs.listings import label_of
from proofs.records import EVIDENCE, OWN_CLUSTER, Record

#: What the verification record names after the date, in this order, spelled as it spells
#: itself; other components follow.
NAMES = {
    "kubernetes": "Kubernetes",
    "router": "router",
    "simulator": "simulator",
    "envoy": "Envoy",
    "inference-extension": "Inference Extension",
    "alertmanager": "Alertmanager",
    "envoy-gateway": "Envoy Gateway",
    "gatekeeper": "Gatekeeper",
    "gateway-api": "Gateway API",
    "helm": "Helm",
    "hydra": "Hydra",
    "istio": "Istio",
    "jaeger": "Jaeger",
    "jobset": "JobSet",
    "jupyterlab": "JupyterLab",
    "keda": "KEDA",
    "kueue": "Kueue",
    "kyverno": "Kyverno",
    "lws": "LeaderWorkerSet",
    "mlflow": "MLflow",
    "opentelemetry-collector": "OpenTelemetry Collector",
    "postgres": "PostgreSQL",
    "prometheus": "Prometheus",
    "prometheus-adapter": "Prometheus Adapter",
    "python": "Python",
    "redis": "Redis",
    "seaweedfs": "SeaweedFS",
    "trivy": "Trivy",
    "victoria-logs": "VictoriaLogs",
    "victoria-metrics": "VictoriaMetrics",
    "vllm": "vLLM",
}
SEPARATOR = " · "
#: What only the record names: on the stamp it would take a line of its own.
IN_RECORD = {"python"}
#: How a component's name begins for which a listing is written, though nothing of it ran.
FOR = "for "
EXCERPT = "Excerpt of "


class stamp(nodes.General, nodes.TextElement):  # noqa: N801 - docutils writes node names small
    """The line itself; HTML, LaTeX and plain text each set it apart."""


def record_label(listing: str) -> str:
    """Return the label of a listing's entry in the verification record."""
    return f"record-{label_of(listing)}"


def claim(record: Record, environment: Mapping[str, str]) -> str:
    """Return what was proved in one environment, in the words readers see."""
    keys = environment.keys() - {"cluster", "date"}
    named = [name for name in NAMES if name in keys]
    others = sorted(keys - NAMES.keys(), key=lambda name: (name.startswith(FOR), name))
    versions = [f"{_spelled(name)} {environment[name]}" for name in (*named, *others)]
    return SEPARATOR.join([_words(record, environment), environment["date"], *versions])


def unusual(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the versions that edition.toml pins."""
    pins = edition.versions()
    return {name: text for name, text in environment.items() if pins.get(name.removeprefix(FOR)) != text}


def newest(record: Record) -> Mapping[str, str]:
    """Return the environment that a stamp names: the newest router's, there the lab, there the last."""
    return max(
        record.environments,
        key=lambda one: (_version(one.get("router", "")), one.get("cluster") != OWN_CLUSTER, one["date"]),
    )


def make_stamp(listing: str, record: Record, *, is_excerpt: bool = False) -> stamp:
    """Return the line under a listing; that of an excerpt says where the whole file is."""
    path = f"examples/{listing}"
    environment = {name: text for name, text in newest(record).items() if name not in IN_RECORD}
    download = addnodes.download_reference(
        "", "", nodes.literal(path, path), reftarget=f"/../{path}", refdoc="", refexplicit=True
    )
    proof = addnodes.pending_xref(
        "",
        nodes.inline("", claim(record, unusual(environment)), classes=["claim"]),
        refdomain="std",
        reftype="ref",
        reftarget=record_label(listing),
        refexplicit=True,
        refwarn=True,
    )
    excerpt = [nodes.Text(EXCERPT)] if is_excerpt else []
    return stamp("", "", *excerpt, download, nodes.Text(SEPARATOR), proof, classes=[record.evidence])


def visit_html(translator: HTML5Translator, node: stamp) -> None:
    """Open a paragraph with the stamp's class."""
    translator.body.append(translator.starttag(node, "p", CLASS="stamp"))


def depart_html(translator: HTML5Translator, node: stamp) -> None:  # noqa: ARG001 - Sphinx fixes the parameters
    """Close the paragraph."""
    translator.body.append("</p>\n")


def visit_latex(translator: LaTeXTranslator, node: stamp) -> None:  # noqa: ARG001
    """Open the command that latex/lwbook.sty defines."""
    translator.body.append("\n\\bookstamp{")


def depart_latex(translator: LaTeXTranslator, node: stamp) -> None:  # noqa: ARG001
    """Close the command."""
    translator.body.append("}\n")


def visit_text(translator: TextTranslator, node: stamp) -> None:
    """Write the line as a paragraph."""
    translator.visit_paragraph(node)


def depart_text(translator: TextTranslator, node: stamp) -> None:
    """End the paragraph."""
    translator.depart_paragraph(node)


def _words(record: Record, environment: Mapping[str, str]) -> str:
    """Return the evidence; what ran on another cluster than kind's names that cluster."""
    cluster = environment.get("cluster", "kind")
    name = "another cluster" if cluster == OWN_CLUSTER else cluster.split()[0]
    return EVIDENCE[record.evidence].replace("on kind", f"on {name}")


def _spelled(name: str) -> str:
    component = name.removeprefix(FOR)
    return name.removesuffix(component) + NAMES.get(component, component)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the node."""
    app.add_node(
        stamp,
        html=(visit_html, depart_html),
        latex=(visit_latex, depart_latex),
        text=(visit_text, depart_text),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
