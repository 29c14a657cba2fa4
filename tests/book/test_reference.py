"""Are the reference appendices what the programs said, whole, and without an entry twice?

The programs themselves are asked again by tests/lab/live/test_reference.py.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from extensions.reference import all_metrics, group_of, twins_of
from tools.markdown import fences

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "source/reference"
REMEDY = "run `nox -s reference` and commit source/reference/"
VERSIONS = tomllib.loads((ROOT / "edition.toml").read_text(encoding="utf-8"))["versions"]
#: Page -> directive of it, and the groups that it must show, each once.
PAGES = {
    "e-api-reference": "api-reference",
    "f-plugin-reference": "plugin-reference",
    "g-metrics-reference": "metrics-reference",
    "h-http-reference": "http-reference",
}


def recorded(part: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{part}.json").read_text(encoding="utf-8")))


def words(part: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{part}.toml").read_text(encoding="utf-8"))


def groups() -> dict[str, set[str]]:
    return {
        "e-api-reference": {*recorded("api")["kinds"], "EndpointPickerConfig"},
        "f-plugin-reference": set(words("plugins")["groups"]),
        "g-metrics-reference": {group["title"] for group in words("metrics")["groups"]},
        "h-http-reference": {*words("http")["directions"], "statuses", "reasons"},
    }


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_a_record_is_of_the_editions_programs(file: Path) -> None:
    data = recorded(file.stem)
    pinned = {"router": VERSIONS["router"]}
    pinned |= {name: VERSIONS[name] for name in ("inference-extension", "simulator") if name in data}
    stale = {name: data[name] for name, version in pinned.items() if data[name] != version}
    assert not stale, f"source/reference/{file.name} is of {stale}, the edition has {pinned}: {REMEDY}"


@pytest.mark.parametrize("page", PAGES)
def test_every_group_is_shown_once(page: str) -> None:
    text = (ROOT / f"source/appendices/{page}.md").read_text(encoding="utf-8")
    shown = [fence.argument for fence in fences(text) if fence.directive == PAGES[page]]
    assert Counter(shown) == Counter(groups()[page])


def test_the_program_knows_every_plugin_and_parameter_and_no_plugin_stands_twice() -> None:
    named = {one["type"]: list(one.get("parameters", {})) for one in words("plugins")["plugins"]}
    said = recorded("plugins")["plugins"]
    assert len(named) == len(words("plugins")["plugins"])
    assert named == {name: list(one["parameters"]) for name, one in said.items()}, REMEDY
    wrong = {
        name
        for name, one in said.items()
        if not one["registered"] or one["starts"] or not all(one["parameters"].values())
    }
    assert not wrong, f"the endpoint picker does not know these as they are listed: {wrong}"


def test_a_plugin_stands_in_the_group_that_the_program_takes_it_for() -> None:
    roles = {
        "handlers": "profile handler",
        "filters": "filter",
        "scorers": "scorer",
        "pickers": "picker",
        "deciders": "decider",
        "saturation": "saturation detector",
        "limits": "usage limit policy",
        "parsers": "parser",
    }
    said = recorded("plugins")["plugins"]
    listed = {one["type"]: one for one in words("plugins")["plugins"]}
    wrong = {
        name: said[name]["roles"]
        for name, one in listed.items()
        if one["group"] in roles
        and roles[one["group"]] not in said[name]["roles"]
        and "replaced-by" not in one
    }
    assert not wrong


def test_the_translation_of_configurations_names_no_other_plugins() -> None:
    table = tomllib.loads((ROOT / "lab/router_lines/table.toml").read_text(encoding="utf-8"))
    known = {one["type"] for one in words("plugins")["plugins"]}
    translated = {*table["plugins"]["both"], *table["plugins"]["newer"], *table["absent"]["older"]}
    assert translated <= known


def test_every_field_of_a_definition_stands_once_and_no_words_are_without_one() -> None:
    data, ours = recorded("api"), words("api")
    fields = {kind: [one["path"] for one in held["fields"]] for kind, held in data["kinds"].items()}
    fields["EndpointPickerConfig"] = [one["path"] for one in data["EndpointPickerConfig"]]
    for kind, paths in fields.items():
        assert len(paths) == len(set(paths))
        assert set(ours[kind]) - {"about"} <= set(paths), (
            f"api.toml has words for fields of {kind} that are gone"
        )
    assert set(ours["defaults"]) <= set(fields["EndpointPickerConfig"])


def test_every_pattern_of_a_definition_has_words() -> None:
    known = {one["is"] for one in (*words("api")["patterns"], *words("api")["expressions"])}
    rules = [
        rule
        for held in recorded("api")["kinds"].values()
        for one in held["fields"]
        for rule in one.get("rules", [])
    ]
    found = {
        code
        for rule in rules
        if not rule.startswith(("one of", "unique"))
        for code in re.findall(r"`([^`]+)`", rule)
    }
    assert found <= known, f"write words for {found - known} into source/reference/api.toml"


def test_every_metric_has_a_group_and_words_or_a_newer_name() -> None:
    metrics = all_metrics(ROOT)
    ours = words("metrics")
    older = tomllib.loads((ROOT / "lab/router_lines/table.toml").read_text(encoding="utf-8"))["metrics"]
    twins = {*(name for _, name in twins_of(metrics)), *older.values()}
    listed = {name for name in metrics if group_of(name, ours["groups"])}
    assert set(metrics) - listed <= twins
    assert listed == set(ours["words"]), (
        "metrics.toml must have words for what scrapes showed, and for no more"
    )


def test_every_header_and_reason_stands_in_a_program_once() -> None:
    ours, known = words("http"), recorded("http")["known"]
    names = [one["name"] for part in ("headers", "reasons") for one in ours[part]]
    aliases = [one["alias"] for one in ours["headers"] if "alias" in one]
    assert len(names) == len(set(names))
    assert set(known) == {*names, *aliases}, REMEDY
    assert not [name for name, programs in known.items() if not programs]


def test_every_status_was_answered_in_a_live_run() -> None:
    ours, answers = words("http"), recorded("http")["answers"]
    assert sorted(one["ask"] for one in ours["statuses"]) == sorted(answers), REMEDY
    reasons = {answer["reason"] for answer in answers.values() if "reason" in answer}
    assert reasons <= {one["name"] for one in ours["reasons"]}


def test_words_about_differences_are_about_such_that_are() -> None:
    table = tomllib.loads((ROOT / "lab/router_lines/table.toml").read_text(encoding="utf-8"))
    assert set(words("versions")["differences"]) <= set(table["differences"])
