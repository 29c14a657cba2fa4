"""Do the programs still say what the reference appendices hold, and do they deny what is not so?"""

from __future__ import annotations

import json

import pytest

from lab.errors import LabError
from lab.router_lines import here
from tools.reference import configuration, in_lab
from tools.reference.plugins import describe, parameter
from tools.reference.programs import Programs
from tools.reference.record import FOLDER, recorded

pytestmark = [pytest.mark.cluster, pytest.mark.live]

REMEDY = "run `nox -s reference`, look at the differences and commit source/reference/"


@pytest.fixture(scope="module")
def programs() -> Programs:
    """Return the edition's programs; skip where the newer router cannot be had."""
    try:
        return Programs.of_the_lab()
    except LabError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("part", ["api", "plugins", "metrics", "http"])
def test_the_programs_say_what_is_recorded(part: str, programs: Programs) -> None:
    file = FOLDER / f"{part}.json"
    assert json.loads(recorded(part, programs)) == json.loads(file.read_text(encoding="utf-8")), REMEDY


def test_a_cluster_shows_what_is_recorded_of_one() -> None:
    if not in_lab.is_up():
        pytest.skip("no lab is up")
    if not (FOLDER / "lab.json").exists():
        pytest.skip("nothing is recorded of a cluster: run `nox -s reference` while the lab is up")
    known = json.loads((FOLDER / "metrics.json").read_text(encoding="utf-8"))["programs"]
    recorded_there = json.loads((FOLDER / "lab.json").read_text(encoding="utf-8"))
    if (line := here.line()) != recorded_there["router"]:
        pytest.skip(f"recorded of router {recorded_there['router']}; this lab runs {line}")
    assert in_lab.record(known) == recorded_there["programs"], REMEDY


@pytest.mark.parametrize(
    ("plugin", "name"),
    [
        ("prefix-cache-scorer", "blockSizeTokens"),
        ("prefix-based-pd-decider", "prefixMatchInfoProducerName"),
        ("disagg-profile-handler", "profiles.second"),
        ("utilization-filter", "conditions[].minimum"),
    ],
)
def test_the_program_denies_a_parameter_that_it_does_not_know(
    plugin: str, name: str, programs: Programs
) -> None:
    assert parameter(programs.picker, plugin, name) == ""


def test_the_program_denies_a_plugin_that_it_does_not_know(programs: Programs) -> None:
    said = describe(programs.picker, {"type": "shortest-queue-scorer"})
    assert not said["registered"]
    assert "is not registered" in said["starts"]


def test_the_program_tells_a_scorer_from_a_picker(programs: Programs) -> None:
    roles = {
        name: describe(programs.picker, {"type": name})["roles"] for name in ("queue-scorer", "random-picker")
    }
    assert roles == {"queue-scorer": ["scorer"], "random-picker": ["picker"]}


def test_the_program_names_the_fields_of_a_block_and_no_others(programs: Programs) -> None:
    assert configuration.names(programs.picker, "schedulingProfiles[].plugins[]") == ["pluginRef", "weight"]
