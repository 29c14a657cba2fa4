"""What several tests of the lab start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import images
from tests.lab.command import NOWHERE


@pytest.fixture
def host_without_registries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let the lab's folder be empty and every registry out of reach."""
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    images.registry_answers.cache_clear()
    yield
    images.registry_answers.cache_clear()
