"""Where do the router's charts come from, and what is said when they cannot be had?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import archives, charts, home, images
from lab.archives import Entry
from lab.errors import LabError, NotAvailable

CHART = "llm-d-router-standalone"


@pytest.fixture(autouse=True)
def no_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the lab's folder be empty, and let no registry answer."""
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(images, "registry_answers", lambda server: server == "nowhere")


def given() -> Path:
    """Put a chart into the archive folder."""
    path = home.archives() / charts.file_name(CHART)
    path.write_bytes(b"a chart")
    return path


def test_a_chart_of_the_archive_folder_is_used_as_it_is() -> None:
    path = given()
    assert charts.packaged(CHART) == path


def test_a_damaged_chart_is_not_used() -> None:
    path = given()
    archives.enter(home.archives(), path.name, Entry("0" * 64, path.name))
    with pytest.raises(LabError, match="is damaged"):
        charts.packaged(CHART)


def test_a_chart_that_was_pulled_once_is_not_pulled_again() -> None:
    path = home.folder("charts") / charts.file_name(CHART)
    path.write_bytes(b"a chart")
    assert charts.packaged(CHART) == path


def test_a_chart_without_a_source_is_named_with_what_to_do() -> None:
    with pytest.raises(NotAvailable) as refused:
        charts.packaged(CHART)
    assert str(refused.value) == (
        f"The chart {CHART} is registry only: ghcr.io does not answer, and {home.archives()} "
        f"holds no {charts.file_name(CHART)}. Put it there as `helm pull` saves it, or connect."
    )
