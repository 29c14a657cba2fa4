"""Write what the reference appendices are made of: `python -m tests.reference`.

It asks the programs of the edition and writes source/reference/*.json; the words beside
them, source/reference/*.toml, are typed by hand. With `--check` it only compares. What
only a cluster shows is asked of the lab where one is up.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from lab import edition, objects
from lab.errors import LabError
from lab.router_lines.table import version
from tests.reference import answers, configuration, definitions, in_lab, metrics, plugins, wire
from tests.reference.programs import Programs

FOLDER = edition.PROJECT / "source/reference"


def api(programs: Programs) -> dict[str, Any]:
    """Return what the definitions say about llm-d's kinds, and the program about its configuration."""
    texts = {name: text for name, text in objects.crds().items() if objects.OLD_GROUP not in name}
    sources = objects.crd_sources()
    kinds = [{**definitions.describe(text), "source": sources[name]} for name, text in sorted(texts.items())]
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


def chosen() -> list[str]:
    """Return the parts that can be recorded here."""
    if in_lab.is_up():
        return list(PARTS)
    print("No lab is up: lab.json stays as it is.")
    return [part for part in PARTS if part != "lab"]


def main() -> int:
    """Write the files, or tell which are out of date."""
    parser = argparse.ArgumentParser(prog="python -m tests.reference", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which files (all)")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--programs", type=Path, help="folder with epp, pd-sidecar and llm-d-inference-sim")
    options = parser.parse_args()
    stale = []
    try:
        programs = Programs.in_folder(options.programs) if options.programs else Programs.of_the_lab()
        for part in options.parts or chosen():
            file = FOLDER / f"{part}.json"
            text = recorded(part, programs)
            if options.check and text != file.read_text(encoding="utf-8"):
                stale.append(file.name)
            elif not options.check:
                file.write_text(text, encoding="utf-8")
                print(f"{file.relative_to(edition.PROJECT)} is written.")
    except LabError as error:
        sys.exit(str(error))
    if stale:
        sys.exit(f"{', '.join(stale)}: not what the programs say; run `nox -s reference`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
