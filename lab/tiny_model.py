"""Write a language model that is small enough for a laptop's CPU and needs no download.

A Llama of 0.3 million weights drawn at random from a fixed seed, a tokenizer with one
token per byte, and a LoRA adapter, in the files of Hugging Face's formats. Everything
about it is real but its sense: its answers are random letters, the same for the same
prompt.
"""

from __future__ import annotations

import json
import random
import shutil
import string
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import prod, sqrt
from pathlib import Path
from typing import Any

from lab import archives, home

#: Names of the model's folder and of its adapters' folders.
MODEL = "tiny"
ADAPTERS = ("adapter-1", "adapter-2", "adapter-3", "adapter-4")

SEED = 2026
#: Sizes of the network; each key is one of LlamaConfig.
SHAPE = {
    "hidden_size": 128,
    "intermediate_size": 320,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
}
#: Longest context, in tokens; a token is a byte.
CONTEXT = 32_768
SPECIAL_TOKENS = ("<bos>", "<eos>", "<pad>")
VOCABULARY = 256 + len(SPECIAL_TOKENS)
BOS, EOS, PAD = range(256, VOCABULARY)
#: What the model may answer with. Other bytes would make text that is not UTF-8, and an
#: end token would make the length of answers a matter of luck.
ANSWER_BYTES = frozenset((string.ascii_lowercase + " ").encode())
#: Element 0 of every hidden state is a constant that no layer changes. The output layer
#: reads it to push all tokens but ANSWER_BYTES far below the others.
CONSTANT = 4.0
PENALTY = -8.0
ADAPTER_RANK = 8
#: How far the adapter moves the layers that it changes, as a multiple of their own size.
ADAPTER_STRENGTH = 2.0

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


@dataclass(frozen=True)
class Tensor:
    """A tensor of 32-bit floats: its shape and its values, row by row."""

    shape: tuple[int, ...]
    values: list[float]


def provide() -> Path:
    """Return the folder with the model and its adapters, written if it is not there."""
    target = home.folder("engines") / f"models-{sha256(Path(__file__).read_bytes()).hexdigest()[:12]}"
    if not target.exists() and not archives.unpack(f"{target.name}.tgz", target):
        unfinished = target.with_name("unfinished-models")
        shutil.rmtree(unfinished, ignore_errors=True)
        write_model(unfinished / MODEL)
        for seed, name in enumerate(ADAPTERS, start=SEED + 1):
            write_adapter(unfinished / name, seed)
        for old in home.folder("engines").glob("models-*"):
            shutil.rmtree(old)
        unfinished.rename(target)
    return target


def write_model(folder: Path) -> None:
    """Write the model and its tokenizer into an empty or missing folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / "model.safetensors", _weights(_chance(SEED)))
    _write_json(folder / "config.json", _config())
    _write_json(folder / "tokenizer.json", _tokenizer())
    _write_json(folder / "tokenizer_config.json", _tokenizer_config())


def write_adapter(folder: Path, seed: int) -> None:
    """Write a LoRA adapter of the model, in the format of PEFT."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / "adapter_model.safetensors", _adapter_weights(_chance(seed)))
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": MODEL,
        "r": ADAPTER_RANK,
        "lora_alpha": ADAPTER_RANK,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": ["q_proj", "v_proj"],
        "inference_mode": True,
    }
    _write_json(folder / "adapter_config.json", settings)


def tokenizer(_parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the tokenizer's two files, as values of an add-on's objects."""
    return {"tokenizer": json.dumps(_tokenizer()), "tokenizer-config": json.dumps(_tokenizer_config())}


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors in the safetensors format.

    Eight bytes with the header's length, a header in JSON that says where each tensor
    lies, then the values, little-endian.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + 4 * len(tensor.values)
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # values begin at a multiple of eight
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(struct.pack(f"<{len(tensor.values)}f", *tensor.values))


def _chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - to be repeated, not to be secret


def _weights(chance: random.Random) -> dict[str, Tensor]:
    hidden = SHAPE["hidden_size"]
    tensors = {"model.embed_tokens.weight": _random(chance, VOCABULARY, hidden, scale=sqrt(hidden))}
    for layer in range(SHAPE["num_hidden_layers"]):
        tensors |= _layer_weights(chance, f"model.layers.{layer}")
    tensors["model.norm.weight"] = _ones(hidden)
    tensors["lm_head.weight"] = _random(chance, VOCABULARY, hidden)
    _keep_to_answer_bytes(tensors)
    return tensors


def _layer_weights(chance: random.Random, layer: str) -> dict[str, Tensor]:
    hidden, inner = SHAPE["hidden_size"], SHAPE["intermediate_size"]
    queries, keys = _attention_widths()
    return {
        f"{layer}.input_layernorm.weight": _ones(hidden),
        f"{layer}.self_attn.q_proj.weight": _random(chance, queries, hidden),
        f"{layer}.self_attn.k_proj.weight": _random(chance, keys, hidden),
        f"{layer}.self_attn.v_proj.weight": _random(chance, keys, hidden),
        f"{layer}.self_attn.o_proj.weight": _random(chance, hidden, queries),
        f"{layer}.post_attention_layernorm.weight": _ones(hidden),
        f"{layer}.mlp.gate_proj.weight": _random(chance, inner, hidden),
        f"{layer}.mlp.up_proj.weight": _random(chance, inner, hidden),
        f"{layer}.mlp.down_proj.weight": _random(chance, hidden, inner),
    }


def _adapter_weights(chance: random.Random) -> dict[str, Tensor]:
    hidden = SHAPE["hidden_size"]
    queries, keys = _attention_widths()
    tensors = {}
    for layer in range(SHAPE["num_hidden_layers"]):
        for name, width in (("q_proj", queries), ("v_proj", keys)):
            place = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            tensors[f"{place}.lora_A.weight"] = _random(chance, ADAPTER_RANK, hidden)
            tensors[f"{place}.lora_B.weight"] = _random(chance, width, ADAPTER_RANK, scale=ADAPTER_STRENGTH)
    return tensors


def _keep_to_answer_bytes(tensors: Mapping[str, Tensor]) -> None:
    """Set the constant element, keep layers from changing it, and let the output use it."""
    hidden = SHAPE["hidden_size"]
    for name, tensor in tensors.items():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            tensor.values[: tensor.shape[1]] = [0.0] * tensor.shape[1]
    for token in range(VOCABULARY):
        tensors["model.embed_tokens.weight"].values[token * hidden] = CONSTANT
        penalty = 0.0 if token in ANSWER_BYTES else PENALTY
        tensors["lm_head.weight"].values[token * hidden] = penalty


def _attention_widths() -> tuple[int, int]:
    """Return how wide all queries are together, and all keys (or values)."""
    size = SHAPE["head_dim"]
    return SHAPE["num_attention_heads"] * size, SHAPE["num_key_value_heads"] * size


def _random(chance: random.Random, rows: int, columns: int, scale: float = 1.0) -> Tensor:
    """Draw a matrix that keeps the size of what it multiplies, times `scale`.

    Its elements have the variance scale²/columns. They are uniform, since Python
    promises the same `random()` for the same seed in every version.
    """
    limit = scale * sqrt(3 / columns)
    return Tensor((rows, columns), [chance.uniform(-limit, limit) for _ in range(rows * columns)])


def _ones(*shape: int) -> Tensor:
    return Tensor(shape, [1.0] * prod(shape))


def _config() -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
        "max_position_embeddings": CONTEXT,
        "vocab_size": VOCABULARY,
        "tie_word_embeddings": False,
        "dtype": "float32",
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "pad_token_id": PAD,
        **SHAPE,
    }


def _tokenizer() -> dict[str, Any]:
    """Return a tokenizer that has one token per byte and never joins two."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_special_token(256 + i, text) for i, text in enumerate(SPECIAL_TOKENS)],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {letter: byte for byte, letter in enumerate(_byte_letters())},
            "merges": [],
        },
    }


def _byte_letters() -> list[str]:
    """Return the letter of each byte in a byte-level vocabulary.

    Printable bytes of Latin-1 are their own letters, the others have those from
    U+0100 on, in order (the convention of GPT-2 that the tokenizers library keeps).
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def _special_token(number: int, text: str) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": text, "special": True, **flags}


def _tokenizer_config() -> dict[str, Any]:
    bos, eos, pad = SPECIAL_TOKENS
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": bos,
        "eos_token": eos,
        "pad_token": pad,
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
