"""Are names found where the book uses them, and are the records behind an entry read rightly?"""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.reference import group_of, message_of, older_name, twins_of
from extensions.uses import fields, names, places, uses_of

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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a page and three files that it shows."""
    listings = tmp_path / "examples/01-first"
    listings.mkdir(parents=True)
    (listings / "pool.yaml").write_text(POOL)
    (listings / "config.yaml").write_text(CONFIG)
    (listings / "ask.console").write_text("$ curl -H 'x-return-error: 503'\n")
    page = tmp_path / "source/part-1/01-first.md"
    page.parent.mkdir(parents=True)
    page.write_text(PAGE)
    return tmp_path


def test_a_name_is_used_in_the_section_that_spells_it(project: Path) -> None:
    uses = uses_of(project)
    assert uses["x-llm-d-inference-objective"] == ("ch-first",)
    assert uses["queue-scorer"] == ("sec-queue",)
    assert uses["llm_d_epp_request_duration_seconds"] == ("sec-queue",)


def test_a_listing_with_a_caption_is_a_place_of_its_own(project: Path) -> None:
    uses = uses_of(project)
    assert uses["InferencePool:spec.targetPorts[].number"] == ("listing-pool",)
    assert uses["EndpointPickerConfig:plugins[].type"] == ("01-first-config-yaml",)
    assert uses["random-picker"] == ("01-first-config-yaml",)
    assert uses["x-return-error"] == ("sec-queue",)  # a transcript without a caption has no number


def test_an_edited_page_is_read_again(project: Path) -> None:
    assert "random-picker" in uses_of(project)
    page = project / "source/part-1/01-first.md"
    page.write_text("(ch-first)=\n# First\n\nNothing but `max-score-picker`.\n")
    assert "random-picker" not in uses_of(project)


def test_a_part_of_a_name_is_no_use_of_it() -> None:
    assert "queue-scorer" not in names("multicluster-queue-scorer and no-queue-scorer-at-all")
    assert "tokenizer" not in names("the tokenizer")


def test_a_file_that_is_no_yaml_has_no_fields() -> None:
    assert list(fields("{{ template }}: [")) == []
    assert list(fields("- a list\n---\njust text\n")) == []


def test_a_missing_file_is_no_place(tmp_path: Path) -> None:
    text = "(sec-a)=\n## A\n```{listing} gone.yaml\n:caption: Gone\n```\n"
    assert not [found for found, _ in places(text, tmp_path) if found]


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
