"""Is what definitions, programs and scrapes say read rightly?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tools.reference import definitions, metrics
from tools.reference.types import kind, nested

DEFINITION = """
spec:
  group: example.com
  names: {kind: Shelf, plural: shelves, shortNames: [sh]}
  scope: Namespaced
  versions:
    - name: v1alpha1
      storage: false
      schema: {openAPIV3Schema: {type: object}}
    - name: v1
      storage: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            apiVersion: {type: string}
            metadata: {type: object}
            spec:
              type: object
              required: [books]
              properties:
                mode: {type: string, default: open, enum: [open, closed]}
                books:
                  type: array
                  minItems: 1
                  maxItems: 8
                  items:
                    type: object
                    required: [title]
                    properties:
                      title: {type: string, minLength: 1, pattern: "^a$"}
                labels:
                  type: object
                  maxProperties: 3
                  additionalProperties: {type: string, maxLength: 63}
                place:
                  type: object
                  properties: {row: {type: integer, minimum: 1}}
                  x-kubernetes-validations: [{rule: "has(self.row)"}]
            status:
              type: object
              properties:
                conditions:
                  type: array
                  items:
                    type: object
                    properties:
                      lastTransitionTime: {}
                      message: {}
                      observedGeneration: {}
                      reason: {}
                      status: {}
                      type: {}
"""


def test_a_definition_is_read_with_types_defaults_and_rules() -> None:
    said = definitions.describe(DEFINITION)
    assert (said["kind"], said["version"], said["short"], said["status"]) == ("Shelf", "v1", ["sh"], True)
    assert said["fields"] == [
        {"path": "spec", "type": "object", "required": True},
        {
            "path": "spec.mode",
            "type": "string",
            "required": False,
            "default": "open",
            "rules": ["one of `open`, `closed`"],
        },
        {"path": "spec.books", "type": "list of objects", "required": True, "rules": ["1 to 8 items"]},
        {
            "path": "spec.books[].title",
            "type": "string",
            "required": True,
            "rules": ["at least 1 character", "matches `^a$`"],
        },
        {
            "path": "spec.labels",
            "type": "map of strings",
            "required": False,
            "rules": ["at most 3 entries", "each: at most 63 characters"],
        },
        {"path": "spec.place", "type": "object", "required": False, "rules": ["`has(self.row)`"]},
        {"path": "spec.place.row", "type": "integer", "required": False, "rules": ["at least 1"]},
        {"path": "status", "type": "object", "required": False},
        {"path": "status.conditions", "type": "list of conditions", "required": False},
    ]


SCRAPE = """\
# HELP vllm:wait_seconds How long.
# TYPE vllm:wait_seconds histogram
vllm:wait_seconds_bucket{model_name="a",le="1"} 1
vllm:wait_seconds_sum{model_name="a"} 0.5
vllm:wait_seconds_count{model_name="a"} 1
# HELP up Up.
# TYPE up gauge
up 1
# HELP go_threads Threads.
# TYPE go_threads gauge
go_threads 9
"""


def test_a_scrape_is_read_without_the_labels_of_histograms() -> None:
    other = 'vllm:wait_seconds_sum{engine="b"} 2\n'
    whole = metrics.merged([metrics.parse(SCRAPE), metrics.parse(SCRAPE + other)])
    assert whole == {
        "up": {"type": "gauge", "help": "Up.", "labels": []},
        "vllm:wait_seconds": {"type": "histogram", "help": "How long.", "labels": ["engine", "model_name"]},
    }


def refusing(go_type: str, takes: type) -> Callable[[Any], str]:
    """Return how a Go program refuses what is not of a field's type."""
    return lambda value: (
        ""
        if isinstance(value, takes)
        else f"json: cannot unmarshal x into Go struct field A.b of type {go_type}"
    )


@pytest.mark.parametrize(
    ("refusal_of", "word"),
    [
        (refusing("int64", int), "integer"),
        (refusing("*float64", float), "number"),
        (refusing("bool", bool), "boolean"),
        (refusing("[]string", list), "list of strings"),
        (refusing("[]v1.LabelSelectorRequirement", list), "list of objects"),
        (refusing("map[string]string", dict), "map"),
        (refusing("tokenizer.config", dict), "object"),
        (refusing("v1alpha1.FeatureGates", list), "list"),
        (refusing("time.Duration;", int), "nanoseconds"),
        (refusing("disagg.StageOrder", str), "string"),
        (lambda _: "time: invalid duration", "duration"),
        (lambda _: "quantities must match the regular expression", "quantity"),
    ],
)
def test_the_type_of_a_field_is_what_its_program_asks_for(
    refusal_of: Callable[[Any], str], word: str
) -> None:
    assert kind(refusal_of) == word


def test_a_dotted_name_leads_into_blocks_and_lists() -> None:
    assert nested("a.b[].c", 1) == {"a": {"b": [{"c": 1}]}}
