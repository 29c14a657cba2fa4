"""Compute how much memory the keys and values of a prompt take.

Usage: python3 kv_cache.py [--tokens 1000] [--bytes 2]
The shapes of the models are in models.toml, beside this program.
"""

import argparse
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODELS = Path(__file__).with_name("models.toml")
KIB, MIB = 2**10, 2**20


@dataclass(frozen=True)
class Model:
    """What of a model decides the size of its KV cache."""

    name: str
    layers: int
    kv_heads: int = 0
    head_size: int = 0
    latent_size: int = 0
    position_size: int = 0


def numbers_per_token(model: Model) -> int:
    """Return how many numbers a token leaves in the cache."""
    if model.latent_size:
        return model.layers * (model.latent_size + model.position_size)
    keys_and_values = 2
    return keys_and_values * model.layers * model.kv_heads * model.head_size


def cache_bytes(model: Model, tokens: int, bytes_per_number: int = 2) -> int:
    """Return the bytes that `tokens` take; raise ValueError below one."""
    if tokens < 1 or bytes_per_number < 1:
        message = "tokens and bytes per number are whole numbers from 1 on"
        raise ValueError(message)
    return tokens * numbers_per_token(model) * bytes_per_number


def read_models() -> list[Model]:
    """Return the models of models.toml; raise ValueError for a bad row."""
    rows = tomllib.loads(MODELS.read_text(encoding="utf-8"))["models"]
    return [read_model(row) for row in rows]


def read_model(row: dict[str, Any]) -> Model:
    """Return the model of a row, which also notes a source and a day."""
    shape = {key: row[key] for key in row.keys() - {"source", "read"}}
    try:
        model = Model(**shape)
        if numbers_per_token(model) > 0:
            return model
    except TypeError:
        pass  # a key that no model has, or words instead of a number
    wanted = "name, layers, and kv_heads and head_size, or latent_size"
    message = f"{row.get('name', 'a model')}: wants {wanted}"
    raise ValueError(message)


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description="Size KV caches.")
    parser.add_argument("--tokens", type=int, default=1000)
    parser.add_argument("--bytes", type=int, default=2, help="per number")
    options = parser.parse_args()
    try:
        models = read_models()
    except (OSError, ValueError) as error:
        sys.exit(f"{MODELS.name}: {error}")
    except KeyError as error:
        sys.exit(f"{MODELS.name}: {error} is missing")
    try:
        sizes = {
            model.name: cache_bytes(model, options.tokens, options.bytes)
            for model in models
        }
    except ValueError as error:
        parser.error(str(error))
    print(f"{'':<16}{'one token':>12}{f'{options.tokens:,} tokens':>18}")
    for name, size in sizes.items():
        one = size / options.tokens / KIB
        print(f"{name:<16}{one:>8.1f} KiB{size / MIB:>14,.1f} MiB")


if __name__ == "__main__":
    main()
