"""Which plugins an endpoint picker knows, what it takes them for, and which parameters it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.reference.picker import PROBED, Picker, spec
from tools.reference.types import kind, nested

ALPHA = "has Alpha stability level"
EXPERIMENTAL = "--allow-experimental-plugins"
DEPRECATED = "DEPRECATION warning: plugin is deprecated"
UNKNOWN_TYPE = "is not registered"
UNKNOWN_FIELD = re.compile(r'unknown field "([^"]+)"')
REF = {"pluginRef": PROBED}
#: Where a configuration may name a plugin -> the configuration that names the probed one there.
#: The program refuses it for a plugin of another kind.
PLACES: Mapping[str, Mapping[str, Any]] = {
    "parser": {"requestHandler": {"parsers": [REF]}},
    "data source": {"dataLayer": {"sources": [{**REF, "extractors": []}]}},
    "discovery": {"dataLayer": {"discovery": REF}},
    "saturation detector": {"flowControl": {"saturationDetector": REF}},
    "fairness policy": {
        "featureGates": ["flowControl"],
        "flowControl": {"priorityBands": [{"priority": 0, "fairnessPolicyRef": PROBED}]},
    },
    "ordering policy": {
        "featureGates": ["flowControl"],
        "flowControl": {"priorityBands": [{"priority": 0, "orderingPolicyRef": PROBED}]},
    },
    "usage limit policy": {
        "featureGates": ["flowControl"],
        "flowControl": {"usageLimitPolicyPluginRef": PROBED},
    },
}
#: Deciders are named by a parameter of the profile handler, for one stage or another.
DECIDED = ("prefill", "encode")


def describe(picker: Picker, words: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a program says about one plugin of the list in our words."""
    name: str = words["type"]
    beside = [{"type": other} for other in words.get("with", [])]
    start = json.loads(words.get("start", "{}"))
    plugin = {"plugins": [spec(name, start), *beside]}
    answer = picker.take(plugin, EXPERIMENTAL)
    return {
        "registered": UNKNOWN_TYPE not in picker.start(name).refusal,
        "starts": answer.refusal,
        "experimental": ALPHA in picker.take(plugin).refusal,
        "deprecated": bool(answer.value(DEPRECATED, "msg")),
        "roles": sorted(roles(picker, plugin, str(answer.value("parsed config", "scheduler-config")))),
        "parameters": {one: parameter(picker, name, one) for one in words.get("parameters", {})},
    }


def roles(picker: Picker, plugin: Mapping[str, Any], scheduler: str) -> Iterator[str]:
    """Yield what the program takes a plugin for: what its scheduler holds, and places that may name it."""
    for role, before in (("filter", "Filters: ["), ("scorer", "Scorers: ["), ("picker", "Picker: ")):
        if re.search(rf"{re.escape(before)}[^\]]*{PROBED}/", scheduler):
            yield role
    if scheduler.startswith(f"{{ProfileHandler: {PROBED}/"):
        yield "profile handler"
    for role, place in PLACES.items():
        if not picker.take({**place, **plugin}, EXPERIMENTAL).refusal:
            yield role
    if any(decides(picker, plugin, stage) for stage in DECIDED):
        yield "decider"


def decides(picker: Picker, plugin: Mapping[str, Any], stage: str) -> bool:
    """Tell whether the profile handler takes a plugin as the decider of a stage."""
    handler = {"type": "disagg-profile-handler", "parameters": {"deciders": {stage: PROBED}}}
    profiles = [{"name": name, "plugins": []} for name in (stage, "decode")]
    configuration = {"plugins": [*plugin["plugins"], handler], "schedulingProfiles": profiles}
    refusal = picker.take(configuration, EXPERIMENTAL).refusal
    return not refusal


def parameter(picker: Picker, plugin: str, name: str) -> str:
    """Return the type of a parameter as the program tells it; empty when it knows no such parameter.

    `name` leads into blocks and lists: `conditions[].metric`.
    """

    def refusal_of(value: Any) -> str:  # noqa: ANN401 - any JSON
        return picker.start(plugin, nested(name, value), EXPERIMENTAL).refusal

    last = re.split(r"\.|\[\]", name)[-1]
    unknown = last in UNKNOWN_FIELD.findall(refusal_of(None))
    return "" if unknown else kind(refusal_of)
