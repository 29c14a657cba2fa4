"""The simulator's arguments, from the parameters of the add-on `fleet`."""

from __future__ import annotations

import json
from collections.abc import Mapping


def arguments(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return `arguments`, the simulator's command line as a JSON list.

    Latencies are durations such as `400ms`; `failure-rate` is per cent; `loras` and
    `failure-types` name several, separated by blanks; `kv-cache` and `fake-metrics`
    are on or off.
    """
    words = [
        f"--model={parameters['model']}",
        "--port=8000",
        "--force-dummy-tokenizer",
        f"--mode={parameters['mode']}",
        f"--max-num-seqs={parameters['max-num-seqs']}",
        f"--time-to-first-token={parameters['time-to-first-token']}",
        f"--inter-token-latency={parameters['inter-token-latency']}",
    ]
    if parameters["loras"]:
        adapters = [json.dumps({"name": name}) for name in parameters["loras"].split()]
        words += [f"--max-loras={parameters['max-loras']}", "--lora-modules", *adapters]
    if parameters["kv-cache"] == "on":
        words += ["--enable-kvcache=true", f"--kv-cache-size={parameters['kv-cache-blocks']}"]
    if int(parameters["failure-rate"]):
        words += [f"--failure-injection-rate={parameters['failure-rate']}", "--failure-types"]
        words += parameters["failure-types"].split()
    if parameters["fake-metrics"] == "on":
        idle = {"running-requests": 0, "waiting-requests": 0, "kv-cache-usage": 0}
        words += ["--fake-metrics", json.dumps(idle)]
    return {"arguments": json.dumps(words)}
