"""Does a release hold what it says, with checksums that are right, and is it kept back with a sentence?"""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from extensions.lab_archive import ADDRESS as LAB_ARCHIVE
from tools.release import ReleaseError, assemble, notes

CHANGES = "# Changes\n\n## [Unreleased]\n\n- New.\n\n## [1.0] - 2026-12-01\n\n- First.\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository with a built book in it."""
    texts = {
        "pyproject.toml": '[project]\nversion = "1.0"\n',
        "CHANGELOG.md": CHANGES,
        f"build/html/{LAB_ARCHIVE}": "PK of the lab\n",
        "build/html/index.html": "<p>Read</p>\n",
        "build/html/part/page.html": "<p>Read on</p>\n",
        "build/pdf/life-with-llm-d.pdf": "%PDF\n",
        "build/epub/life-with-llm-d.epub": "PK\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_release_holds_editions_site_lab_notes_and_right_checksums(project: Path) -> None:
    files = assemble(project, notes(project, "v1.0"))
    assert [file.name for file in files] == [
        "NOTES.md",
        "SHA256SUMS",
        "life-with-llm-d-lab.zip",
        "life-with-llm-d-site.zip",
        "life-with-llm-d.epub",
        "life-with-llm-d.pdf",
    ]
    release = project / "build/release"
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    checked = subprocess.run(check, cwd=release, capture_output=True, text=True, check=True).stdout
    assert checked.count(": OK\n") == 4
    assert (release / "NOTES.md").read_text() == "- First.\n"
    assert zipfile.ZipFile(release / "life-with-llm-d-site.zip").namelist() == [
        LAB_ARCHIVE,
        "index.html",
        "part/page.html",
    ]
    assert (release / "life-with-llm-d-lab.zip").read_text() == "PK of the lab\n"


def test_the_same_pages_make_the_same_archives(project: Path) -> None:
    assemble(project, "x")
    before = (project / "build/release/SHA256SUMS").read_text()
    (project / "build/html/index.html").touch()
    assemble(project, "x")
    assert (project / "build/release/SHA256SUMS").read_text() == before


def test_without_a_tag_the_notes_are_of_what_is_not_released(project: Path) -> None:
    assert notes(project) == "- New.\n"


def test_a_tag_that_is_not_the_version_or_says_nothing_is_kept_back(project: Path) -> None:
    with pytest.raises(ReleaseError, match=r"the tag v1\.1 is not v1\.0, the version in pyproject\.toml"):
        notes(project, "v1.1")
    (project / "CHANGELOG.md").write_text(CHANGES.replace("- First.\n", ""))
    with pytest.raises(ReleaseError, match=r"CHANGELOG\.md says nothing under ## \[1\.0\]"):
        notes(project, "v1.0")
