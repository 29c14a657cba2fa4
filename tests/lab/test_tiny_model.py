"""Is the tiny model what its files say, and the same on every host?"""

from __future__ import annotations

import json
import struct
from math import prod
from pathlib import Path
from typing import Any

import pytest

from lab import tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the model, just written."""
    folder = tmp_path_factory.mktemp("model")
    tiny_model.write_model(folder)
    return folder


def settings(folder: Path, name: str) -> dict[str, Any]:
    """Return one of a model's JSON files."""
    found: dict[str, Any] = json.loads((folder / name).read_text())
    return found


def header_and_values(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return what a safetensors file says of its tensors, and their bytes."""
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8 : 8 + length])
    del header["__metadata__"]
    return header, whole[8 + length :]


def rows(path: Path, name: str) -> list[tuple[float, ...]]:
    """Return a matrix of a safetensors file, row by row."""
    header, values = header_and_values(path)
    begin, end = header[name]["data_offsets"]
    return list(struct.iter_unpack(f"<{header[name]['shape'][1]}f", values[begin:end]))


def test_the_model_is_the_same_each_time(model: Path, tmp_path: Path) -> None:
    tiny_model.write_model(tmp_path / "again")
    for file in model.iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes(), file.name


def test_the_tensors_fill_their_file_without_a_gap(model: Path) -> None:
    header, values = header_and_values(model / "model.safetensors")
    place = 0
    for tensor in header.values():
        assert tensor["data_offsets"] == [place, place + 4 * prod(tensor["shape"])]
        place = tensor["data_offsets"][1]
    assert place == len(values)


def test_the_tensors_have_the_shapes_of_the_configuration(model: Path) -> None:
    header, _ = header_and_values(model / "model.safetensors")
    config = settings(model, "config.json")
    keys = config["num_key_value_heads"] * config["head_dim"]
    assert header["model.embed_tokens.weight"]["shape"] == [config["vocab_size"], config["hidden_size"]]
    assert header["model.layers.1.self_attn.k_proj.weight"]["shape"] == [keys, config["hidden_size"]]
    layers = {name.split(".")[2] for name in header if name.startswith("model.layers.")}
    assert len(layers) == config["num_hidden_layers"]


def test_every_byte_has_a_token_and_every_token_a_number(model: Path) -> None:
    tokenizer = settings(model, "tokenizer.json")
    numbers = [*tokenizer["model"]["vocab"].values(), *(one["id"] for one in tokenizer["added_tokens"])]
    assert numbers == list(range(settings(model, "config.json")["vocab_size"]))
    assert tokenizer["model"]["vocab"]["a"] == ord("a")
    assert tokenizer["model"]["vocab"]["Ġ"] == ord(" ")  # as GPT-2 writes a blank


def test_only_letters_and_blanks_escape_the_penalty(model: Path) -> None:
    output = rows(model / "model.safetensors", "lm_head.weight")
    spared = bytes(token for token, row in enumerate(output) if row[0] == 0)
    assert spared == b" abcdefghijklmnopqrstuvwxyz"
    assert {row[0] for row in output} == {0, tiny_model.PENALTY}


def test_no_layer_changes_the_constant_element(model: Path) -> None:
    path = model / "model.safetensors"
    writers = [name for name in header_and_values(path)[0] if "o_proj" in name or "down_proj" in name]
    assert len(writers) == 2 * tiny_model.SHAPE["num_hidden_layers"]
    for name in writers:
        first, second = rows(path, name)[:2]
        assert not any(first), name
        assert any(second), name


def test_adapters_fit_the_model_and_differ(model: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        tiny_model.write_adapter(tmp_path / str(seed), seed)
    header, one = header_and_values(tmp_path / "1/adapter_model.safetensors")
    _, other = header_and_values(tmp_path / "2/adapter_model.safetensors")
    assert one != other
    base, _ = header_and_values(model / "model.safetensors")
    for name, tensor in header.items():
        place, side = name.removeprefix("base_model.model.").split(".lora_")
        outputs, inputs = base[f"{place}.weight"]["shape"]
        rank = settings(tmp_path / "1", "adapter_config.json")["r"]
        assert tensor["shape"] == ([rank, inputs] if side == "A.weight" else [outputs, rank])
