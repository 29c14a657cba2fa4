"""The simulator's arguments, from the parameters of the add-on `fleet`."""

from __future__ import annotations

import json
from collections.abc import Mapping

#: Parameters that are the simulator's flags of the same name.
FLAGS = (
    "model",
    "mode",
    "time-to-first-token",
    "inter-token-latency",
    "max-num-seqs",
    "max-waiting-queue-length",
    "max-model-len",
)
IDLE = {"running-requests": 0, "waiting-requests": 0, "kv-cache-usage": 0}


def arguments(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return `arguments`, the simulator's command line as a JSON list.

    Latencies are durations such as `400ms`; `failure-rate` is in percent; `served-names`,
    `loras` and `failure-types` name several, separated by blanks.
    """
    words = ["--port=8000", "--force-dummy-tokenizer"]
    words += [f"--{flag}={parameters[flag]}" for flag in FLAGS]
    if parameters["served-names"]:
        words += ["--served-model-name", *parameters["served-names"].split()]
    if parameters["loras"]:
        adapters = [json.dumps({"name": name}) for name in parameters["loras"].split()]
        words += [f"--max-loras={parameters['max-loras']}", "--lora-modules", *adapters]
    if parameters["kv-cache"] == "on":
        words += ["--enable-kvcache=true", f"--kv-cache-size={parameters['kv-cache-blocks']}"]
    if parameters["failure-rate"] != "0":
        words += [f"--failure-injection-rate={parameters['failure-rate']}", "--failure-types"]
        words += parameters["failure-types"].split()
    if parameters["fake-metrics"] == "on":
        words += ["--fake-metrics", json.dumps(IDLE)]
    return {"arguments": json.dumps(words)}
