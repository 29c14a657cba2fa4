"""Does a fleet's parameter become the simulator's flag?"""

from __future__ import annotations

import json

import pytest

from lab import addons, fleets
from lab.errors import LabError

ALWAYS = [
    "--port=8000",
    "--force-dummy-tokenizer",
    "--model=demo-model",
    "--mode=random",
    "--time-to-first-token=0ms",
    "--inter-token-latency=0ms",
    "--max-num-seqs=5",
    "--max-waiting-queue-length=1000",
    "--max-model-len=4096",
]


def words(chosen: str) -> list[str]:
    """Return the command line for the parameters in `fleet:<chosen>`."""
    given: list[str] = json.loads(fleets.arguments(addons.find(f"fleet:{chosen}").parameters)["arguments"])
    return given


def test_a_fleet_without_parameters_has_no_optional_flag() -> None:
    assert words("") == ALWAYS


@pytest.mark.parametrize(
    ("chosen", "added"),
    [
        ("served-names=small big", ["--served-model-name", "small", "big"]),
        (
            "loras=sql poems,max-loras=1",
            ["--max-loras=1", "--lora-modules", '{"name": "sql"}', '{"name": "poems"}'],
        ),
        ("kv-cache=on,kv-cache-blocks=64", ["--enable-kvcache=true", "--kv-cache-size=64"]),
        (
            "failure-rate=20,failure-types=rate_limit server_error",
            ["--failure-injection-rate=20", "--failure-types", "rate_limit", "server_error"],
        ),
        (
            "fake-metrics=on",
            ["--fake-metrics", '{"running-requests": 0, "waiting-requests": 0, "kv-cache-usage": 0}'],
        ),
    ],
)
def test_an_optional_parameter_adds_its_flags(chosen: str, added: list[str]) -> None:
    assert words(chosen) == [*ALWAYS, *added]


@pytest.mark.parametrize("flag", sorted({*fleets.FLAGS} - {"mode"}))
def test_a_plain_parameter_is_the_flag_of_its_name(flag: str) -> None:
    value = "7s" if flag.endswith(("-token", "-latency")) else "7"
    assert f"--{flag}={value}" in words(f"{flag}={value}")


def test_a_switch_is_on_or_off() -> None:
    with pytest.raises(LabError, match=r"takes no 'kv-cache=yes'. kv-cache is one of: on, off"):
        words("kv-cache=yes")
