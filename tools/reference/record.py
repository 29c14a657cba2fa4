"""What the files of source/reference hold: what each part asks of which program."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from lab import edition, objects
from lab.router_lines.table import version
from tools.reference import answers, configuration, definitions, in_lab, metrics, plugins, wire
from tools.reference.programs import Programs

#: Where the files are.
FOLDER = edition.PROJECT / "source/reference"


def api(programs: Programs) -> dict[str, Any]:
    """Return what the definitions say about llm-d's kinds, and the program about its configuration."""
    texts = {name: text for name, text in objects.crds().items() if objects.OLD_GROUP not in name}
    kinds = [definitions.describe(text) for _, text in sorted(texts.items())]
    fields = configuration.fields(programs.picker)
    return {
        "inference-extension": edition.versions()["inference-extension"],
        "kinds": {kind["kind"]: kind for kind in kinds},
        "EndpointPickerConfig": [{"path": path, "type": kind} for path, kind in fields],
    }


def plugin_types(programs: Programs) -> dict[str, Any]:
    """Return what the program says about each plugin of the list."""
    words = words_of("plugins")["plugins"]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        said = list(threads.map(partial(plugins.describe, programs.picker), words))
    return {"plugins": {one["type"]: told for one, told in zip(words, said, strict=True)}}


def scrapes(programs: Programs) -> dict[str, Any]:
    """Return every metric that the endpoint picker and the simulator showed."""
    return {"simulator": edition.versions()["simulator"], "programs": metrics.record(programs)}


def headers(programs: Programs) -> dict[str, Any]:
    """Return which programs know a header or a reason of the list, and what they answered in a live run."""
    return {"known": wire.record(programs, words_of("http")), "answers": dict(answers.record(programs))}


def of_the_lab(_programs: Programs) -> dict[str, Any]:
    """Return the metrics that only a router of the lab shows."""
    known = json.loads((FOLDER / "metrics.json").read_text(encoding="utf-8"))["programs"]
    return {"programs": in_lab.record(known)}


PARTS: Mapping[str, Callable[[Programs], dict[str, Any]]] = {
    "api": api,
    "plugins": plugin_types,
    "metrics": scrapes,
    "http": headers,
    "lab": of_the_lab,
}


def words_of(part: str) -> dict[str, Any]:
    """Return the hand-kept words of a part."""
    return tomllib.loads((FOLDER / f"{part}.toml").read_text(encoding="utf-8"))


def recorded(part: str, programs: Programs) -> str:
    """Return the text of a part's file as the programs give it now."""
    return as_text({"router": version("newer"), **PARTS[part](programs)})


def as_text(data: Mapping[str, Any]) -> str:
    """Return data as it stands in a file."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
