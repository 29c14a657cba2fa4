"""Are names found where the book uses them, and are the records behind an entry read rightly?"""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from extensions.reference import differences, group_of, message_of, older_name, twins_of
from extensions.uses import fields, names
from tests.extensions.conftest import Site, visible

BOOK = Path(__file__).parents[2]
APPENDICES = (
    "e-api-reference",
    "f-plugin-reference",
    "g-metrics-reference",
    "h-http-reference",
    "i-version-matrix",
)
#: What the pages are made of, beside themselves.
MADE_OF = ("edition.toml", "lab/router_lines/table.toml", "source/reference")
CHAPTER = "source/part-1-foundation/03-architecture.md"
INDEX = "# Small\n\n```{toctree}\n:numbered:\n\n" + "\n".join(
    (
        "part-1-foundation/03-architecture",
        *(f"appendices/{name}" for name in APPENDICES),
        "bibliography",
    )
)

PAGE = """\
(ch-first)=
# First

Ask with `X-LLM-D-Inference-Objective: premium`.

(topic-1-1)=
(sec-queue)=
## Queues

The `queue-scorer` counts; see `llm_d_epp_request_duration_seconds_bucket{priority="0"}`.

```{listing} 01-first/pool.yaml
:caption: A pool
:name: listing-pool
```

```{transcript} 01-first/ask.console
```

```{listing} 01-first/config.yaml
:caption: A configuration
```
"""
POOL = "kind: InferencePool\nspec: {targetPorts: [{number: 8000}]}\n"
CONFIG = """\
kind: ConfigMap
data:
  picker.yaml: |
    kind: EndpointPickerConfig
    plugins: [{type: random-picker}]
"""
LINES = {
    "rules": [
        {"kind": "plugin-renamed", "newer": "label-selector-filter", "older": "by-label-selector"},
        {"kind": "plugin-built-in", "plugins": {"openai-parser": {}}},
    ],
    "plugins": {"both": {"queue-scorer": []}, "older": {"by-label-selector": []}},
}


def test_a_part_of_a_name_is_no_use_of_it() -> None:
    assert "queue-scorer" not in names("multicluster-queue-scorer and no-queue-scorer-at-all")
    assert "tokenizer" not in names("the tokenizer")


def test_a_file_that_is_no_yaml_has_no_fields() -> None:
    assert list(fields("{{ template }}: [")) == []
    assert list(fields("- a list\n---\njust text\n")) == []


@pytest.mark.parametrize(
    ("plugin", "sentence"),
    [
        ("queue-scorer", ""),
        ("openai-parser", ""),
        ("label-selector-filter", "Router v1 has it as `by-label-selector`. "),
        ("topology-extractor", "Not in router v1. "),
    ],
)
def test_a_plugin_says_what_the_older_line_has(plugin: str, sentence: str) -> None:
    assert older_name(plugin, LINES, "v1") == sentence


def test_the_help_of_an_older_metric_names_the_newer() -> None:
    metrics = {
        "old_total": {"help": "[ALPHA] [Deprecated: Use new_total] Requests."},
        "kv_old": {"help": "Deprecated: use kv_new instead."},
        "new_total": {"help": "Use me."},
        "kv_new": {"help": ""},
    }
    assert dict(twins_of(metrics)) == {"new_total": "old_total", "kv_new": "kv_old"}


def test_a_metric_is_in_the_first_group_that_fits() -> None:
    groups = [{"title": "Pool", "prefixes": ["a_pool_"]}, {"title": "Rest", "prefixes": ["a_"]}]
    assert [group_of(name, groups) for name in ("a_pool_size", "a_info", "b_old")] == ["Pool", "Rest", ""]


def test_an_answer_says_its_message() -> None:
    assert message_of('{"error": {"message": "no such model"}}') == "no such model"
    assert message_of("inference error: BadRequest") == "inference error: BadRequest"
    assert message_of("") == ""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a small book with the real appendices and a chapter that uses some names, built as HTML."""
    root = tmp_path_factory.mktemp("reference") / "book"
    for name in MADE_OF:
        copy = shutil.copytree if (BOOK / name).is_dir() else shutil.copy
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        copy(BOOK / name, root / name)
    for name in APPENDICES:
        target = root / f"source/appendices/{name}.md"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(BOOK / f"source/appendices/{name}.md", target)
    (root / "source/index.md").write_text(f"{INDEX}\n```\n")
    # Stamps lead to the verification record, which is not of this test.
    labels = "\n".join(f"(record-03-first-{name})=" for name in ("pool-yaml", "ask-console", "config-yaml"))
    (root / "source/bibliography.md").write_text(f"{labels}\n# Bibliography\n\n```{{bibliography}}\n```\n")
    chapter = root / CHAPTER
    chapter.parent.mkdir()
    chapter.write_text(PAGE.replace("01-first", "03-first"))
    listings = root / "examples/03-first"
    listings.mkdir(parents=True)
    (listings / "pool.yaml").write_text(POOL)
    (listings / "config.yaml").write_text(CONFIG)
    (listings / "ask.console").write_text("$ curl -H 'x-gateway-destination-endpoint: here'\n")
    versions = tomllib.loads((BOOK / "edition.toml").read_text())["versions"]
    settings = {
        "myst_enable_extensions": ["colon_fence", "substitution"],
        "myst_substitutions": {f"v_{name.replace('-', '_')}": pin for name, pin in versions.items()},
    }
    small = Site(root, settings)
    small.prove()
    assert small.build(processes=2) == ""  # so that what both have collected is put together
    return small


def entry(book: Site, page: str, anchor: str) -> str:
    """Return the text of an entry of a page."""
    html = book.output(f"html/appendices/{page}.html")
    found = re.search(rf'<dt id="{anchor}">(.*?)</dd>', html, re.DOTALL)
    assert found, anchor
    return " ".join(visible(found[1]).split())


def test_a_field_says_type_rules_words_and_where_it_is_used(book: Site) -> None:
    field = entry(book, "e-api-reference", "field-inferencepool-spec-targetports")
    assert field.startswith(
        "spec.targetPortsList of objects, required, 1 to 8 items, no number twice. Ports of"
    )
    assert field.endswith("Used in Listing 3.1.")


def test_a_plugin_says_parameters_with_types_and_defaults(book: Site) -> None:
    plugin = entry(book, "f-plugin-reference", "plugin-load-aware-scorer")
    assert "Parameters: threshold (integer, 128)." in plugin
    assert entry(book, "f-plugin-reference", "plugin-queue-scorer").endswith("Used in Section 3.1.")
    assert "Experimental." in entry(book, "f-plugin-reference", "plugin-session-affinity-filter")
    renamed = entry(book, "f-plugin-reference", "plugin-by-label-selector")
    assert "Deprecated: write label-selector-filter." in renamed


def test_a_metric_says_type_labels_and_older_name(book: Site) -> None:
    metric = entry(book, "g-metrics-reference", "metric-llm-d-epp-request-duration-seconds")
    assert "Histogram with fairness_id, model_name, priority, target_model_name." in metric
    assert "Older name: inference_objective_request_duration_seconds." in metric
    assert metric.endswith("Used in Section 3.1.")


def test_a_header_leads_to_the_section_that_spells_it_in_capitals(book: Site) -> None:
    header = entry(book, "h-http-reference", "http-x-llm-d-inference-objective")
    assert header.endswith("Used in Chapter 3.")


def test_a_listing_is_a_place_if_it_has_a_caption_else_its_section_is(book: Site) -> None:
    field = entry(book, "e-api-reference", "field-endpointpickerconfig-plugins-type")
    assert field.endswith("Used in Listing 3.2.")
    header = entry(book, "h-http-reference", "http-x-gateway-destination-endpoint")
    assert header.endswith("Used in Section 3.1.")


def test_statuses_and_versions_are_tables(book: Site) -> None:
    statuses = visible(book.output("html/appendices/h-http-reference.html"))
    assert "“inference error: ResourceExhausted - request rejected pre-queue: queue at capacity”" in statuses
    versions = visible(book.output("html/appendices/i-version-matrix.html"))
    assert re.search(r"Kubernetes\s+v1\.\d+\.\d+\s+3\s+2026-11-26", versions)
    named, others = versions.split("Pinned, and not named by a proof yet:")
    assert "Kyverno v1." in others
    assert "Kyverno" not in named


def test_no_address_is_on_a_page_twice(book: Site) -> None:
    for name in APPENDICES:
        anchors = re.findall(r' id="([^"]+)"', book.output(f"html/appendices/{name}.html"))
        assert len(anchors) == len(set(anchors))


def test_a_page_is_written_again_when_a_name_is_used_elsewhere(book: Site) -> None:
    book.edit(CHAPTER, "The `queue-scorer` counts", "The `random-picker` does not count")
    assert book.build() == ""
    assert entry(book, "f-plugin-reference", "plugin-random-picker").endswith(
        "Used in Section 3.1 and Listing 3.2."
    )
    assert "Used in" not in entry(book, "f-plugin-reference", "plugin-queue-scorer")


def test_only_what_differs_between_the_lines_is_told() -> None:
    table = {
        "same": {"about": "the same", "newer": 429, "older": 429},
        "status": {"about": "status after a wait", "newer": 429, "older": 503},
        "reason": {"about": "that header", "newer": "x-reason"},
        "labels": {"about": "labels", "newer": ["a", "b"], "older": ["a"]},
    }
    assert list(
        differences(table, {"reason": "header with a reason"}, {"router": "v2", "router-offline": "v1"})
    ) == [
        "Status after a wait: `429` on v2, `503` on v1.",
        "Header with a reason: `x-reason` on v2, nothing on v1.",
        "Labels: `a`, `b` on v2, `a` on v1.",
    ]
