"""Are add-ons found by their purpose, described before they start, and opened?"""

from __future__ import annotations

import socket

import pytest

from lab import addons, budget, catalogue, chapters, web
from lab.errors import LabError
from tests.lab.command import run_lab

LINE = 130


def test_every_addon_has_one_short_line_under_its_purpose() -> None:
    lines = run_lab("add").stdout.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    assert sorted(listed) == addons.names()
    assert max(map(len, lines)) <= LINE
    place = lines.index("scaling:")
    assert lines[place + 1].startswith("  keda")


def test_purposes_are_used_and_a_new_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addons, "PURPOSES", ("fishing",))
    addons.own_row.cache_clear()
    with pytest.raises(LabError, match=r"lab/addons/keda/addon.toml: purpose is one of: fishing\."):
        addons.own_row("keda")


def test_a_description_says_what_comes_with_it() -> None:
    text = run_lab("describe", "prometheus-adapter").stdout
    total = budget.cost(["prometheus-adapter"])
    assert "needs           prometheus\n" in text
    assert f"{total.memory} MiB of memory, {total.pods} pods, needs included" in text
    assert budget.cost(["prometheus"]).memory < total.memory


def test_parameters_are_described_with_what_was_chosen() -> None:
    text = run_lab("describe", "fleet:replicas=7").stdout
    assert "replicas=7" in text
    assert "  parameters" in text


def test_an_addon_without_a_web_interface_names_those_that_have_one() -> None:
    answer = run_lab("open", "keda")
    assert answer.returncode == 1
    names = ", ".join(one.name for one in catalogue.with_web())
    assert answer.stderr == f"Error: The add-on keda has no web interface. These have one: {names}.\n"
    assert "prometheus" in names


def test_a_port_in_use_is_refused_by_number() -> None:
    with socket.socket() as taken:
        taken.bind((web.ADDRESS, 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(LabError, match=f"Port {number} of 127.0.0.1 is taken by another program"):
            web.local_port(9090, number)
        assert web.local_port(number, None) != number


def test_a_chapter_starts_from_what_its_first_listing_adds() -> None:
    transcript = (
        "$ python -m lab add client\n    0.5s  client is ready.\n"
        "$ python -m lab add \\\n>   'fleet:model=a,served-names=b c'\n$ python -m lab status\n"
    )
    assert chapters.addons_named(transcript) == ["client", "fleet:model=a,served-names=b c"]
    in_one_line = "$ (cd ../.. &&\n>   python -m lab add prometheus keda)\n    0.5s  prometheus is ready.\n"
    assert chapters.addons_named(in_one_line) == ["prometheus", "keda"]


@pytest.mark.parametrize(
    ("chapter", "names"),
    [("1", ["client", "router"]), ("2", ["vllm-router"]), ("3", ["prometheus", "disaggregation"])],
)
def test_the_chapters_start_from_these(chapter: str, names: list[str]) -> None:
    assert [addons.find(spec).name for spec in chapters.starting_addons(chapter)] == names


def test_an_unknown_chapter_is_answered_with_the_known_ones() -> None:
    answer = run_lab("reset", "99")
    assert answer.returncode == 1
    assert answer.stderr.startswith("Error: There is no chapter '99' with listings. There are: 1, 2, 3")
