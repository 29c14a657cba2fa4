"""Are keys of the lab random, kept, and nobody else's to read?"""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import addons, keys


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the lab an empty folder."""
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path))
    return tmp_path


def test_a_key_is_made_once_and_differs_from_others(home: Path) -> None:
    with ThreadPoolExecutor(4) as commands:
        (first,) = {*commands.map(keys.key, ["writer"] * 4)}
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert keys.key("reader") != first == keys.key("writer")
    assert stat.S_IMODE((home / "cluster/keys.json").stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR


def test_an_addons_files_get_the_keys_that_it_names() -> None:
    values = addons._values(addons.find("objects"))  # noqa: SLF001 - what fills its files
    assert values["keys.objects-reader"] == keys.key("objects-reader")
    assert not any(name.startswith("keys.") for name in addons._values(addons.find("redis")))  # noqa: SLF001
