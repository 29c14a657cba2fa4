"""Whether each check of a listing's file finds what it is there for, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.edition import images
from proofs.static_checks import findings

SIMULATOR = images()["simulator"].name
GOOD = {
    "demo/pod.yaml": f"spec:\n  containers:\n    - image: {SIMULATOR}\n",
    "demo/refused/duplicate.yaml": "spec:\n  port: 1\n  port: 2\n",
    "demo/request.json": '{"model": "demo"}\n',
    "demo/greet.sh": '#!/usr/bin/env bash\nset -eu\necho "$HOME"\n',
    "demo/greet.py": '"""Greet."""\n\nprint("Hello")\n',
    "demo/wide.console": f"$ true\n{'x' * 200}\n",
}
BAD = {
    "demo/twice.yaml": ("spec:\n  port: 1\n  port: 2\n", "line 3: found duplicate key"),
    "demo/broken.yaml": ("spec: [1\n", "line 2: "),
    "demo/broken.json": ('{"model": "demo",}\n', "line 1 column"),
    "demo/twice.json": ('{"model": "a", "model": "b"}\n', "the key 'model' occurs twice"),
    "demo/wide.yaml": (f"# {'x' * 80}\n", "line 1: 82 columns"),
    "demo/wide.console": (f"$ echo {'x' * 80}\n", "line 1: 87 columns"),
    "demo/empty.console": ("Running\n", "line 1: output before"),
    "demo/old.yaml": (
        f"spec:\n  image: {SIMULATOR.rsplit(':', 1)[0]}:v0.0.1\n",
        "line 2: ghcr.io/llm-d/llm-d-inference-sim:v0.0.1, but edition.toml pins v",
    ),
    "demo/old.sh": (
        f"#!/bin/sh\necho {SIMULATOR.rsplit(':', 1)[0]}:latest\n",
        "edition.toml pins v",
    ),
    "demo/other.yaml": ("- image: docker.io/library/nginx:1.29\n", "pins no image docker.io"),
    "demo/unquoted.sh": ("#!/bin/sh\nrm $1\n", "shellcheck complains"),
    "demo/unused.py": ('"""Greet."""\n\nimport os\n', "F401"),
    "demo/fails.py": ('"""Greet."""\n\nraise ValueError("no")\n', "import fails: ValueError"),
}


@pytest.fixture(autouse=True)
def _ruff_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the project's own ruff configuration out of files that are not in it."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("listing", GOOD)
def test_a_good_file_is_left_alone(tmp_path: Path, listing: str) -> None:
    assert list(findings(listing, _written(tmp_path, listing, GOOD[listing]))) == []


@pytest.mark.parametrize("listing", BAD)
def test_a_fault_is_found_and_named(tmp_path: Path, listing: str) -> None:
    text, sentence = BAD[listing]
    found = list(findings(listing, _written(tmp_path, listing, text)))
    assert any(sentence in one and f"examples/{listing}" in one for one in found), found


def _written(folder: Path, listing: str, text: str) -> Path:
    file = folder / listing
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file
