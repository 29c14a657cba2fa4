"""The endpoint picker's configuration: its parts, and the rules for whole blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from lab.errors import LabError
from lab.router_lines.passing import Pass
from lab.router_lines.table import Rule, other

KIND = "EndpointPickerConfig"
#: Block names of the table that mean several places.
BANDS = ("defaultPriorityBand", "defaultNegativePriorityBand", "priorityBands")

Mapping = dict[str, Any]
Applier = Callable[[Mapping, Rule, Pass], None]


# --- Parts -----------------------------------------------------------------------


def plugins(configuration: Mapping) -> list[Mapping]:
    """Return the list of plugins, in place."""
    found: list[Mapping] = configuration.get("plugins") or []
    return found


def of_type(configuration: Mapping, *types: str) -> list[Mapping]:
    """Return the plugins of some types."""
    return [plugin for plugin in plugins(configuration) if plugin["type"] in types]


def name_of(plugin: Mapping) -> str:
    """Return the name by which others refer to a plugin: its own, or its type."""
    return str(plugin.get("name") or plugin["type"])


def parameters(plugin: Mapping) -> Mapping:
    """Return a plugin's parameters; changes go through `set_parameter`."""
    found: Mapping = plugin.get("parameters") or {}
    return found


def set_parameter(plugin: Mapping, name: str, value: object) -> None:
    """Set one parameter of a plugin."""
    if not plugin.get("parameters"):
        plugin["parameters"] = {}
    plugin["parameters"][name] = value


def drop_parameter(plugin: Mapping, name: str) -> None:
    """Take one parameter away, and the block with the last one."""
    plugin["parameters"].pop(name)
    if not plugin["parameters"]:
        del plugin["parameters"]


def type_named(configuration: Mapping, name: object) -> object:
    """Return the type of the plugin of this name; anything else as it is."""
    types = {name_of(plugin): plugin["type"] for plugin in plugins(configuration)}
    return types.get(name, name) if isinstance(name, str) else name


def add_plugin(configuration: Mapping, plugin: Mapping, before: Mapping | None = None) -> None:
    """Add a plugin at the end, or before another one."""
    listed = configuration.setdefault("plugins", [])
    place = next((i for i, entry in enumerate(listed) if entry is before), len(listed))
    listed.insert(place, plugin)


def remove_plugin(configuration: Mapping, plugin: Mapping) -> None:
    """Remove a plugin and the references of profiles to it."""
    _keep(plugins(configuration), lambda entry: entry is not plugin)
    for profile in configuration.get("schedulingProfiles") or []:
        _keep(profile.get("plugins") or [], lambda entry: entry.get("pluginRef") != name_of(plugin))


def references(node: object) -> Iterator[Mapping]:
    """Yield every mapping below a node that refers to a plugin."""
    if isinstance(node, dict):
        if "pluginRef" in node:
            yield node
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def blocks(configuration: Mapping, name: str) -> list[tuple[str, Mapping]]:
    """Return the places of a block of the table that are there: (path, mapping)."""
    if not name:
        return [("", configuration)]
    if name != "bands":
        found = configuration.get(name)
        return [(name, found)] if isinstance(found, dict) else []
    flow = configuration.get("flowControl") or {}
    values = [
        (key, value if isinstance(value, list) else [value]) for key, value in flow.items() if key in BANDS
    ]
    return [(f"flowControl.{key}", band) for key, bands in values for band in bands if isinstance(band, dict)]


def gates(configuration: Mapping) -> dict[str, bool]:
    """Return the feature gates that are named: name -> on."""
    return dict(_gate(gate) for gate in configuration.get("featureGates") or [])


def _gate(text: object) -> tuple[str, bool]:
    name, _, value = str(text).partition("=")
    return name, value.strip().lower() in {"", "1", "t", "true"}


def put(configuration: Mapping, key: str, value: object, before: str = "schedulingProfiles") -> None:
    """Set a field of the configuration; a new one goes before another, if that is there."""
    if key in configuration or before not in configuration:
        configuration[key] = value
    else:
        configuration.insert(list(configuration).index(before), key, value)  # type: ignore[attr-defined]


def add_gate(configuration: Mapping, gate: str) -> bool:
    """Open a feature gate; tell whether it was closed."""
    if gates(configuration).get(gate):
        return False
    if not configuration.get("featureGates"):
        put(configuration, "featureGates", [], before="plugins")
    configuration["featureGates"].append(gate)
    return True


def _keep(sequence: list[Any], wanted: Callable[[Any], bool]) -> None:
    for position in reversed(range(len(sequence))):
        if not wanted(sequence[position]):
            del sequence[position]


def drop_accepted(
    mapping: Mapping,
    accepted: dict[str, list[Any]],
    of: str,
    rule: Rule,
    work: Pass,
    resolve: Mapping | None = None,
) -> None:
    """Drop the keys whose values ask for nothing that the line lacks; refuse the others.

    `resolve` may be the configuration: names of plugins then count as their types.
    """
    for key, values in accepted.items():
        if key not in mapping:
            continue
        value = mapping.pop(key)
        if (type_named(resolve, value) if resolve else value) in values:
            work.changed(rule, f"{key} of {of} is left out")
        else:
            work.refuse(f"{key} of {of}")


# --- Rules for blocks ------------------------------------------------------------


def _version(configuration: Mapping, rule: Rule, work: Pass) -> None:
    if configuration.get("apiVersion") == rule[other(work.to)]:
        configuration["apiVersion"] = rule[work.to]
        work.changed(rule, f"apiVersion becomes {rule[work.to]}")


def _gates(configuration: Mapping, rule: Rule, work: Pass) -> None:
    listed = list(configuration.get("featureGates") or [])
    kept = []
    for gate in listed:
        name, on = _gate(gate)
        if name in rule["both"] and work.to == "older":
            kept += [name] if on else []
        elif name in [*rule["both"], *rule[work.to]]:
            kept.append(gate)
        elif name not in rule[other(work.to)]:
            work.refuse(f"the feature gate {name}")
    if kept != listed:
        configuration["featureGates"][:] = kept
        if not kept:
            del configuration["featureGates"]
        work.changed(rule, f"featureGates becomes [{', '.join(kept)}], from [{', '.join(listed)}]")


def _gate_needed(configuration: Mapping, rule: Rule, work: Pass) -> None:
    needs = work.to == "older" and of_type(configuration, rule["plugin"])
    if needs and add_gate(configuration, rule["gate"]):
        work.changed(rule, f"featureGates gets {rule['gate']}")


def _drop_fields(configuration: Mapping, rule: Rule, work: Pass) -> None:
    if work.to == "older":
        for path, block in blocks(configuration, rule["block"]):
            drop_accepted(block, rule["fields"], path, rule, work, configuration)


def _integers(configuration: Mapping, rule: Rule, work: Pass) -> None:
    if work.to == "newer":
        return
    for path, block in [*blocks(configuration, "flowControl"), *blocks(configuration, "bands")]:
        for key in rule["fields"]:
            if key in block and not isinstance(block[key], int):
                number = _whole(block[key])
                if number is None:
                    message = f"{work.where}: {key} of {path} is no quantity: {block[key]}. Correct it first."
                    raise LabError(message)
                work.changed(rule, f"{key} of {path} becomes {number}, from {block[key]}")
                block[key] = number


def _whole(quantity: object) -> int | None:
    """Return a quantity of Kubernetes, rounded up as the programs do; None if it is none."""
    from kubernetes.utils.quantity import parse_quantity  # noqa: PLC0415  (the client loads slowly)

    try:
        number: Decimal = parse_quantity(str(quantity))  # type: ignore[no-untyped-call]
    except ValueError:
        return None
    return math.ceil(number)


def _default_field(configuration: Mapping, rule: Rule, work: Pass) -> None:
    if not gates(configuration).get(rule["gate"]):
        return
    if not configuration.get(rule["block"]):
        put(configuration, rule["block"], {})
    block = configuration[rule["block"]]
    if block.get(rule["field"]) is None:
        value = rule[other(work.to)]
        block[rule["field"]] = value
        work.changed(rule, f"{rule['field']} of {rule['block']} is set to {value}")


def _parsers_built_in(configuration: Mapping, rule: Rule, work: Pass) -> None:
    if work.to == "newer":
        return
    for key in ("requestHandler", "parser"):
        if key in configuration:
            for reference in references(configuration.pop(key)):
                parser = type_named(configuration, reference["pluginRef"])
                # One that is listed among the plugins is refused there.
                if parser not in rule["parsers"] and not of_type(configuration, str(parser)):
                    work.refuse(f"the parser {parser}")
            work.changed(rule, f"{key} is left out")


def _saturation(configuration: Mapping, rule: Rule, work: Pass) -> None:
    (_inline_detector if work.to == "older" else _detector_as_plugin)(configuration, rule, work)


def _inline_detector(configuration: Mapping, rule: Rule, work: Pass) -> None:
    named = rule["plugin"]
    for holder in (configuration, configuration.get("flowControl") or {}):
        if rule["block"] in holder:
            named = (holder.pop(rule["block"]) or {}).get("pluginRef") or named
    if "flowControl" in configuration and not configuration["flowControl"]:
        del configuration["flowControl"]
    detector = next((plugin for plugin in plugins(configuration) if name_of(plugin) == named), None)
    if detector is None and named != rule["plugin"]:
        work.refuse(f"the saturation detector {named}", work.hint(named))
    if detector is None or detector["type"] != rule["plugin"]:
        return  # nothing to say, or another detector, which is refused as a plugin
    values = dict(parameters(detector))
    drop_accepted(values, rule["dropped"], rule["plugin"], rule, work)
    for key, limit in rule["below"].items():
        if _reaches(values.get(key), limit):
            work.refuse(f"{key} {values[key]} of {rule['plugin']}", "{older} takes its default instead")
    for key in values.keys() - {*rule["parameters"]}:
        work.refuse(f"{key} of {rule['plugin']}")
    remove_plugin(configuration, detector)
    if values:
        put(configuration, rule["block"], values)
    work.changed(
        rule, f"plugin {named} " + (f"becomes the block {rule['block']}" if values else "is left out")
    )


def _detector_as_plugin(configuration: Mapping, rule: Rule, work: Pass) -> None:
    block = configuration.pop(rule["block"], None)
    if block is None:
        return
    # The older program takes its defaults for values out of range; the newer one stops.
    kept = {
        key: value
        for key, value in block.items()
        if value not in (0, "0s") and not _reaches(value, rule["below"].get(key))
    }
    add_plugin(configuration, {"type": rule["plugin"], **({"parameters": kept} if kept else {})})
    if not configuration.get("flowControl"):
        put(configuration, "flowControl", {})
    configuration["flowControl"][rule["block"]] = {"pluginRef": rule["plugin"]}
    work.changed(rule, f"{rule['block']} becomes the plugin {rule['plugin']}")


def _reaches(value: object, limit: float | None) -> bool:
    return limit is not None and isinstance(value, int | float) and value >= limit


RULES: dict[str, Applier] = {
    "version": _version,
    "gates": _gates,
    "gate-needed": _gate_needed,
    "field-dropped": _drop_fields,
    "integer": _integers,
    "default-field": _default_field,
    "parsers-built-in": _parsers_built_in,
    "saturation": _saturation,
}
