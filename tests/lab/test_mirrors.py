"""Where do nodes look for images: always in the lab's registry, whoever publishes them?"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from lab import registry


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("ghcr.io", "http://life-with-llm-d-registry:5000/v2/ghcr.io"),
        ("localhost", "http://life-with-llm-d-registry:5000/v2/localhost"),
        ("life-with-llm-d-registry:5000", "http://life-with-llm-d-registry:5000/v2"),
    ],
)
def test_nodes_ask_the_labs_registry_for_the_images_of_a_host(
    host: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path))
    mirror = tomllib.loads((registry.write_mirrors() / host / "hosts.toml").read_text())
    assert mirror["server"] == place
    assert list(mirror["host"]) == [place]
