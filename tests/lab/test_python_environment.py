"""Is an image of Python packages made of what its requirements pin, and of nothing else?"""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import image_builds, programs, python_environment
from lab.engine import Engine
from lab.errors import LabError

NAME = "greeter"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a package that an image's requirements pin by place and checksum."""
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(python_environment, "REQUIREMENTS", tmp_path)
    row = {"folder": "python", "packages": ["python3"], "requirements": NAME, "program": "/greet", "user": 7}
    monkeypatch.setattr(programs, "table", lambda _name: {NAME: row})
    made = tmp_path / f"{NAME}-1.0-py3-none-any.whl"
    write(made, "hello")
    pin(made)
    return made


def write(wheel: Path, word: str) -> None:
    """Write a package with one module that says a word."""
    information = f"{NAME}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{NAME}.py", f"def greet():\n    print({word!r})\n")
        archive.writestr(f"{NAME}-1.0.data/data/share/{NAME}/words", word)
        archive.writestr(f"{information}/entry_points.txt", f"[console_scripts]\ngreet = {NAME}:greet\n")
        archive.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")


def pin(wheel: Path) -> None:
    """Pin a package as `nox -s lock` does."""
    checksum = hashlib.sha256(wheel.read_bytes()).hexdigest()
    line = f"{NAME} @ {wheel.as_uri()} --hash=sha256:{checksum}\n"
    (wheel.parent / f"{NAME}.txt").write_text(line)


def test_an_image_gets_the_pinned_packages_as_an_environment_of_its_python(
    wheel: Path, tmp_path: Path
) -> None:
    context = tmp_path / "context"
    image_builds._fill_context(Engine("none"), NAME, context)  # noqa: SLF001 - all but the engine's part
    made = context / "environment"
    (modules,) = made.glob("lib/python3.*/site-packages")
    assert (modules / f"{NAME}.py").exists()
    assert (made / f"share/{NAME}/words").read_text() == "hello"
    assert (made / "bin/greet").read_text().splitlines()[0] == "#!/opt/environment/bin/python3"
    assert (made / "bin/python3").readlink() == Path("/usr/bin/python3")
    recipe = (context / "Containerfile").read_text()
    assert f"requirements/{NAME}.txt" in recipe
    assert 'USER 7\nENTRYPOINT ["/greet"]' in recipe
    assert not (tmp_path / "home/downloads" / NAME).exists(), "what was downloaded is gone"
    assert wheel.exists()


def test_packages_that_are_not_those_that_were_pinned_are_refused(wheel: Path, tmp_path: Path) -> None:
    write(wheel, "something else")
    with pytest.raises(LabError, match=r"(?i)hash mismatch"):
        python_environment.install(NAME, tmp_path / "environment")
    assert not list(tmp_path.glob(f"environment/**/{NAME}.py"))


def test_other_requirements_make_another_image(wheel: Path) -> None:
    before = image_builds.build_key(NAME)
    assert image_builds.build_key(NAME) == before
    write(wheel, "something newer")
    pin(wheel)
    assert image_builds.build_key(NAME) != before


def test_another_processor_is_told_before_anything_is_installed(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="aarch64"))
    with pytest.raises(LabError, match=r"greeter\.txt need a processor of type x86_64; this one is aarch64"):
        python_environment.install(NAME, tmp_path / "environment")
    assert wheel.exists()
    assert not (tmp_path / "environment").exists()
