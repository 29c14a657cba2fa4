"""The command line of a real vLLM, from the parameters of the add-on `vllm`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from lab import packaged_models, tiny_model, vllm_environment
from lab.cluster import ENGINES
from lab.errors import LabError

#: Arguments that are named as the parameters are.
FLAGS = ("max-model-len", "max-num-seqs", "block-size", "dtype")


def folders(parameters: Mapping[str, str]) -> tuple[Path, Path]:
    """Return the folder with vLLM and the one that holds the model, made if they are not there."""
    model = parameters["model"]
    provide = tiny_model.provide if model == tiny_model.MODEL else partial(packaged_models.provide, model)
    return vllm_environment.provide(), provide()


def prepare(parameters: Mapping[str, str]) -> dict[str, str]:
    """Install vLLM, provide the model, and return where they are, and the arguments.

    `environment` is the folder of vLLM as pods see it, `arguments` a JSON list.
    """
    environment, models = (Path(ENGINES, folder.name) for folder in folders(parameters))
    return {"environment": str(environment), "arguments": json.dumps(arguments(parameters, models))}


def arguments(parameters: Mapping[str, str], models: Path) -> list[str]:
    """Return the words after `vllm`; `models` is where pods see the model and its adapters.

    `served-names` and `loras` name several, separated by blanks, and `extra` more
    arguments. These come last, so that they overrule the others.
    """
    words = ["serve", str(models / parameters["model"])]
    words += ["--served-model-name", *parameters["served-names"].split()]
    words += [f"--{flag}={parameters[flag]}" for flag in FLAGS]
    words += [f"--num-gpu-blocks-override={parameters['kv-cache-blocks']}"]
    # Without compilation, a start takes a minute less and an answer hardly longer.
    words += ["--enforce-eager", "--enable-prompt-tokens-details"]
    words += _lora_arguments(parameters, models)
    if parameters["kv-events"] == "on":
        words += ["--kv-events-config", json.dumps(_kv_events(parameters))]
    return words + parameters["extra"].split()


def _lora_arguments(parameters: Mapping[str, str], models: Path) -> list[str]:
    names = parameters["loras"].split()
    if not names:
        return []
    model = parameters["model"]
    adapters = tiny_model.ADAPTERS if model == tiny_model.MODEL else ()
    if len(names) > len(adapters):
        message = f"The model {model} has {len(adapters)} adapters; loras={' '.join(names)} asks for more."
        raise LabError(message)
    paths = dict(zip(names, adapters, strict=False))
    modules = [f"{name}={models / folder}" for name, folder in paths.items()]
    return ["--enable-lora", f"--max-loras={parameters['max-loras']}", "--lora-modules", *modules]


def _kv_events(parameters: Mapping[str, str]) -> dict[str, object]:
    """Return how the engine publishes what its cache holds, on the ports of llm-d's router.

    Kubernetes puts the pod's address in the place of $(POD_IP).
    """
    model = parameters["served-names"].split()[0]
    return {
        "enable_kv_cache_events": True,
        "publisher": "zmq",
        "endpoint": "tcp://*:5556",
        "replay_endpoint": "tcp://*:5559",
        "topic": f"kv@$(POD_IP):8000@{model}",
    }
