"""What a configuration means, said in one way for both router lines.

Two configurations are equivalent when their meanings are equal: defaults are filled
in, names that a line has for the same thing are one, and the order of plugins, which
says nothing, is gone. What the older line cannot be told apart from is one, too:
`autoTune`, and blocks of fewer than 64 tokens, which the newer line does not have;
prefixes of which the older text says nothing count as those of the newer line.
"""

from __future__ import annotations

from typing import Any

from kubernetes.utils.quantity import parse_quantity
from ruamel.yaml import YAML

TYPES = {
    "by-label-selector": "label-selector-filter",
    "model-server-protocol-metrics": "core-metrics-extractor",
    "model-server-protocol-models": "models-data-extractor",
}
BUILT_IN = {"openai-parser", "static-usage-limit-policy", "inflight-load-producer"}
SOURCE, EXTRACTOR = "metrics-data-source", "core-metrics-extractor"
DETECTOR = {"queueDepthThreshold": 5, "kvCacheUtilThreshold": 0.8, "metricsStalenessThreshold": "200ms"}
PREFIXES = {"blockSizeTokens": 64, "tokens": 131072, "lruCapacityPerServer": 31250}
#: Parameters whose value is the default: line -> type -> parameters.
DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "newer": {
        "active-request-scorer": {"maxBusyScore": 1.0, "inFlightLoadProducerName": "inflight-load-producer"},
        "core-metrics-extractor": {"engineLabelKey": "llm-d.ai/engine-type"},
        "disagg-profile-handler": {"stageOrder": "decode-first"},
        "no-hit-lru-scorer": {"prefixMatchInfoProducerName": "approx-prefix-cache-producer"},
        "pd-profile-handler": {"prefixMatchInfoProducerName": "approx-prefix-cache-producer"},
        "prefix-based-pd-decider": {"promptTokens": 0},
    },
    "older": {
        "active-request-scorer": {"maxBusyScore": 0.0},
        "core-metrics-extractor": {"engineLabelKey": "inference.networking.k8s.io/engine-type"},
    },
}
FILLED = {("active-request-scorer", "maxBusyScore"), ("core-metrics-extractor", "engineLabelKey")}


def meaning(text: str, line: str) -> dict[str, Any]:
    """Return what a configuration of a line means."""
    read = YAML(typ="safe").load(text)
    gates = [str(gate).split("=") for gate in read.get("featureGates", [])]
    on = {gate[0] for gate in gates if gate[1:] != ["false"]}
    plugins = {_name(plugin): _plugin(plugin, line) for plugin in read.get("plugins", [])}
    result = {
        "flowControl": "flowControl" in on,
        "flow": _flow(read, on, line),
        "detector": _detector(read, plugins),
        "prefixes": _prefixes(plugins, line),
        "metrics": _metrics(read, plugins, on, line),
        "profiles": [
            (profile["name"], _references(profile)) for profile in read.get("schedulingProfiles", [])
        ],
    }
    if line == "older" and any(kind == "disagg-profile-handler" for kind, _ in plugins.values()):
        plugins = {name: plugin for name, plugin in plugins.items() if plugin[0] != "disagg-headers-handler"}
    hidden = {
        *BUILT_IN,
        "approx-prefix-cache-producer",
        "prefix-cache-scorer",
        "utilization-detector",
        SOURCE,
        EXTRACTOR,
    }
    result["plugins"] = {name: plugin for name, plugin in plugins.items() if plugin[0] not in hidden}
    return result


def _name(plugin: dict[str, Any]) -> str:
    return str(plugin.get("name") or TYPES.get(plugin["type"], plugin["type"]))


def _plugin(plugin: dict[str, Any], line: str) -> tuple[str, dict[str, Any]]:
    kind = TYPES.get(plugin["type"], plugin["type"])
    usual = DEFAULTS[line].get(kind, {})
    values = {**usual, **(plugin.get("parameters") or {})}
    return kind, {
        key: value for key, value in values.items() if (kind, key) in FILLED or usual.get(key) != value
    }


def _references(profile: dict[str, Any]) -> list[tuple[str, float]]:
    entries = [
        (TYPES.get(entry["pluginRef"], entry["pluginRef"]), entry.get("weight", 1))
        for entry in profile["plugins"]
    ]
    return [entry for entry in entries if entry[0] not in {SOURCE, EXTRACTOR, *BUILT_IN}]


def _flow(read: dict[str, Any], on: set[str], line: str) -> dict[str, Any]:
    asked = dict(read.get("flowControl") or {})
    for key in ("saturationDetector", "maxRequests", "enableEviction", "usageLimitPolicyPluginRef"):
        asked.pop(key, None)
    bands = [
        *asked.get("priorityBands", []),
        *([asked["defaultPriorityBand"]] if "defaultPriorityBand" in asked else []),
    ]
    for holder in [asked, *bands]:
        holder.pop("maxRequests", None)
        if "maxBytes" in holder:
            holder["maxBytes"] = int(parse_quantity(str(holder["maxBytes"])))  # type: ignore[no-untyped-call]
    if "flowControl" in on:
        asked.setdefault("defaultRequestTTL", "60s" if line == "newer" else "0s")
    return asked


def _detector(read: dict[str, Any], plugins: dict[str, Any]) -> dict[str, Any]:
    block = read.get("saturationDetector") or (read.get("flowControl") or {}).get("saturationDetector") or {}
    asked = block
    if "pluginRef" in block or not block:
        asked = plugins.get(block.get("pluginRef", "utilization-detector"), ("", {}))[1]
    in_range = {key: value for key, value in asked.items() if value not in (0, 1.0) and key != "headroom"}
    return {**DETECTOR, **in_range}


def _prefixes(plugins: dict[str, Any], line: str) -> dict[str, Any]:
    scorers = {name: values for name, (kind, values) in plugins.items() if kind == "prefix-cache-scorer"}
    if not scorers and any(kind == "prefix-based-pd-decider" for kind, _ in plugins.values()):
        scorers = {"prefix-cache-scorer": {}}
    result = {}
    for name, values in scorers.items():
        asked = values
        if line == "newer":
            producer = values.get("prefixMatchInfoProducerName", "approx-prefix-cache-producer")
            asked = plugins.get(producer, ("", {}))[1]
        size = asked.get("blockSizeTokens", 16 if line == "older" else 64)
        found = {**PREFIXES, **{key: value for key, value in asked.items() if key in PREFIXES}}
        found["blockSizeTokens"] = max(64, size)
        if asked.get("maxPrefixTokensToMatch"):
            found["tokens"] = asked["maxPrefixTokensToMatch"]
        elif "maxPrefixBlocksToMatch" in asked:
            found["tokens"] = asked["maxPrefixBlocksToMatch"] * size
        result[name] = found
    return result


def _metrics(read: dict[str, Any], plugins: dict[str, Any], on: set[str], line: str) -> list[Any]:
    """Return the sources with their extractors, those of the line's own included."""
    block = read.get("dataLayer" if line == "newer" else "data") or {}
    sources = list(block.get("sources", []))
    if line == "newer":
        own = block.get("injectDefaults", True) and all(source["pluginRef"] != SOURCE for source in sources)
    else:
        own = "dataLayer" not in on
        if own:
            plugins = {
                name: plugin for name, plugin in plugins.items() if plugin[0] not in {SOURCE, EXTRACTOR}
            }
    if own:
        sources.append({"pluginRef": SOURCE, "extractors": [{"pluginRef": EXTRACTOR}]})
    default = DEFAULTS[line][EXTRACTOR]

    def found(name: str) -> tuple[str, dict[str, Any]]:
        kind = TYPES.get(name, name)
        plugin: tuple[str, dict[str, Any]] = plugins.get(kind, (kind, default if kind == EXTRACTOR else {}))
        return plugin

    result = [
        (found(source["pluginRef"]), [found(entry["pluginRef"]) for entry in source["extractors"]])
        for source in sources
    ]
    # The one that both lines have built in reads no label on the older one.
    built_in = len(result) == 1 and result[0][0][0] == SOURCE and result[0][1] == [(EXTRACTOR, default)]
    return [(result[0][0], [(EXTRACTOR, {})])] if built_in and (own or line == "newer") else result
