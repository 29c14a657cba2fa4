"""Where do upstream's files lie beside an add-on's own?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import addons, upstream
from lab.addons import Addon


@pytest.mark.parametrize(
    ("path", "places"),
    [
        ("example.com/one", ["upstream/config/of-one.yaml"]),
        (
            ["example.com/one", "example.com/two"],
            ["upstream/one/config/of-one.yaml", "upstream/two/config/of-two.yaml"],
        ),
    ],
)
def test_the_files_of_several_modules_are_kept_apart(
    path: str | list[str], places: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folder(_module: str, of: str, inside: str) -> Path:
        found = tmp_path / "modules" / of / inside
        found.mkdir(parents=True)
        (found / f"of-{Path(of).name}.yaml").touch()
        return found

    monkeypatch.setattr(upstream, "folder", folder)
    files = {"module": "any", "path": path, "folders": ["config"]}
    addon = Addon(name="any", about="", purpose="data", namespace="any", memory=0, pods=0, upstream=files)
    addons.copy_upstream(addon, tmp_path / "work")
    found = (tmp_path / "work").rglob("*.yaml")
    assert sorted(str(file.relative_to(tmp_path / "work")) for file in found) == places
