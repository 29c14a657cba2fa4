"""The rules for plugins and their parameters."""

from __future__ import annotations

from typing import Any

from lab.router_lines.configuration import (
    Applier,
    Mapping,
    add_plugin,
    drop_accepted,
    drop_parameter,
    name_of,
    of_type,
    parameters,
    plugins,
    references,
    remove_plugin,
    set_parameter,
    type_named,
)
from lab.router_lines.passing import Pass
from lab.router_lines.table import Rule, other


def _rename(configuration: Mapping, rule: Rule, work: Pass) -> None:
    before, after = rule[other(work.to)], rule[work.to]
    for plugin in of_type(configuration, before):
        plugin["type"] = after
        if not plugin.get("name"):
            for reference in references(configuration):
                if reference["pluginRef"] == before:
                    reference["pluginRef"] = after
        work.changed(rule, f"plugin {before} becomes {after}")


def _built_in(configuration: Mapping, rule: Rule, work: Pass) -> None:
    if work.to == "newer":
        return
    for plugin in of_type(configuration, *rule["plugins"]):
        accepted = rule["plugins"][plugin["type"]]
        for key, value in parameters(plugin).items():
            if type_named(configuration, value) not in accepted.get(key, []):
                work.refuse(f"{key} of {plugin['type']}")
        remove_plugin(configuration, plugin)
        work.changed(rule, f"plugin {name_of(plugin)} is left out")


def _drop_parameters(configuration: Mapping, rule: Rule, work: Pass) -> None:
    if work.to == "newer":
        return
    for plugin in of_type(configuration, rule["plugin"]):
        drop_accepted(parameters(plugin), rule["parameters"], name_of(plugin), rule, work, configuration)
        if "parameters" in plugin and not plugin["parameters"]:
            del plugin["parameters"]


def _default_parameter(configuration: Mapping, rule: Rule, work: Pass) -> None:
    for plugin in of_type(configuration, *rule["plugins"]):
        if parameters(plugin).get(rule["parameter"]) is None:
            value = rule[other(work.to)]
            set_parameter(plugin, rule["parameter"], value)
            work.changed(rule, f"{rule['parameter']} of {name_of(plugin)} is set to {value}")


def _headers_handler(configuration: Mapping, rule: Rule, work: Pass) -> None:
    handlers = of_type(configuration, rule["handler"])
    present = of_type(configuration, rule["plugin"], *rule["aliases"])
    if work.to == "older" and handlers and not present:
        plugin: dict[str, Any] = {"type": rule["plugin"]}
        for stage, parameter in rule["profiles"].items():
            asked = parameters(handlers[0])
            profile = asked.get("profiles", {}).get(stage) or asked.get(parameter)
            if profile and profile != stage:
                set_parameter(plugin, parameter, profile)
        add_plugin(configuration, plugin, before=handlers[0])
        work.changed(rule, f"plugin {rule['plugin']} is added")
    elif work.to == "newer" and handlers:
        for plugin in present:
            remove_plugin(configuration, plugin)
            work.changed(rule, f"plugin {name_of(plugin)} is left out")


def _last(configuration: Mapping, rule: Rule, work: Pass) -> None:
    if work.to == "newer":
        return
    listed = plugins(configuration)
    for handler in of_type(configuration, *rule["plugins"]):
        place = listed.index(handler)
        if any(plugin["type"] in rule["after"] for plugin in listed[place:]):
            listed.append(listed.pop(place))
            work.changed(rule, f"plugin {name_of(handler)} moves to the end")


# --- Prefixes: one plugin on the older line, a scorer and its producer on the newer ----


def _prefix(configuration: Mapping, rule: Rule, work: Pass) -> None:
    (_merge_producer if work.to == "older" else _split_producer)(configuration, rule, work)


def _merge_producer(configuration: Mapping, rule: Rule, work: Pass) -> None:
    producers = {name_of(plugin): plugin for plugin in of_type(configuration, rule["producer"])}
    if of_type(configuration, rule["decider"]) and not of_type(configuration, rule["scorer"]):
        add_plugin(configuration, {"type": rule["scorer"]}, of_type(configuration, rule["decider"])[0])
        work.changed(rule, f"plugin {rule['scorer']} is added", "decider")
    for scorer in of_type(configuration, rule["scorer"]):
        key = "prefixMatchInfoProducerName"
        named = parameters(scorer).get(key) or rule["producer"]
        if key in parameters(scorer):
            drop_parameter(scorer, key)
        if type_named(configuration, named) != rule["producer"]:
            if not of_type(configuration, str(type_named(configuration, named))):
                work.refuse(f"the producer {named}", work.hint(named))
            continue  # another producer in the list is refused as a plugin
        values = _merged(parameters(producers.get(named, {})), rule, work)
        for parameter, value in values.items():
            set_parameter(scorer, parameter, value)
        listed = ", ".join(f"{parameter} {str(value).lower()}" for parameter, value in values.items())
        work.changed(rule, f"{name_of(scorer)} gets {listed}")
    for producer in producers.values():
        remove_plugin(configuration, producer)
        work.changed(rule, f"plugin {name_of(producer)} is left out")


def _merged(asked: Mapping, rule: Rule, work: Pass) -> Mapping:
    """Return the older scorer's parameters that count as a producer of the newer line does."""
    values = {**rule["defaults"], **asked}
    block = max(rule["floor"], values["blockSizeTokens"])
    tokens, most = values["maxPrefixTokensToMatch"], values["maxPrefixBlocksToMatch"]
    if not tokens and not most:
        work.refuse(f"a prefix without limit (maxPrefixTokensToMatch 0) of {rule['producer']}")
    for key in asked.keys() - rule["defaults"].keys() - {*rule["copied"]}:
        work.refuse(f"{key} of {rule['producer']}")
    merged = {
        "autoTune": False,
        "blockSizeTokens": block,
        "maxPrefixBlocksToMatch": tokens // block if tokens else most,
    }
    if "lruCapacityPerServer" in asked:
        merged["lruCapacityPerServer"] = asked["lruCapacityPerServer"]
    return merged


def _split_producer(configuration: Mapping, rule: Rule, work: Pass) -> None:
    usual = _producer_parameters(_merged({}, rule, work), rule)
    scorers = of_type(configuration, rule["scorer"])
    for scorer in scorers:
        _check_ignored(scorer, rule, work)
    wanted = [_producer_parameters(parameters(scorer), rule) for scorer in scorers]
    wanted = [{} if values == usual else values for values in wanted]
    alike = all(values == wanted[0] for values in wanted)
    made: list[Mapping] = []
    for scorer, values in zip(scorers, wanted, strict=True):
        if not parameters(scorer):
            continue
        del scorer["parameters"]
        if not values:
            work.changed(rule, f"the parameters of {name_of(scorer)} are left out", "default")
            continue
        # A scorer that names none takes the producer that is named by its type.
        name = (
            rule["producer"] if alike else f"{rule['producer']}-of-{name_of(scorers[wanted.index(values)])}"
        )
        if values not in made:
            made.append(values)
            named = {} if alike else {"name": name}
            add_plugin(
                configuration, {"type": rule["producer"], **named, "parameters": values}, before=scorer
            )
        if not alike:
            set_parameter(scorer, "prefixMatchInfoProducerName", name)
        work.changed(rule, f"the parameters of {name_of(scorer)} move to the plugin {name}")


def _check_ignored(scorer: Mapping, rule: Rule, work: Pass) -> None:
    """Report a parameter that the older line reads no more, refuse it where that line does."""
    ignored, instead = rule["ignored"], rule["instead"]
    if ignored in parameters(scorer):
        what = f"{ignored} of {name_of(scorer)}"
        if parameters(scorer).get(instead):
            work.changed(rule, f"{what} is left out", "ignored")
        else:
            work.refuse(what, rule["why"]["refused"])


def _producer_parameters(asked: Mapping, rule: Rule) -> Mapping:
    """Return the producer's parameters that say what the older scorer's said."""
    values = {key: asked[key] for key in rule["copied"] if key in asked}
    size = asked.get("blockSizeTokens", rule["older-block"])
    if "blockSizeTokens" in asked:
        values["blockSizeTokens"] = max(rule["floor"], size)
    if "maxPrefixBlocksToMatch" in asked:
        values["maxPrefixTokensToMatch"] = asked["maxPrefixBlocksToMatch"] * size
    return values


RULES: dict[str, Applier] = {
    "plugin-renamed": _rename,
    "plugin-built-in": _built_in,
    "parameter-dropped": _drop_parameters,
    "default-parameter": _default_parameter,
    "headers-handler": _headers_handler,
    "last": _last,
    "prefix": _prefix,
}
