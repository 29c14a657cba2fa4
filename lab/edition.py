"""The pins of the edition, read from edition.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lab.errors import LabError

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class PinnedImage:
    """An image that the lab runs, under the name that manifests use.

    `build` names its offline build in builds.toml, `fallback` the image that takes its
    place where it cannot be had, `digest` (`sha256:...`) the only content that is taken
    from its registry; all three may be empty. `component` is the key of its version.
    """

    key: str
    name: str
    build: str = ""
    fallback: str = ""
    digest: str = ""
    component: str = ""


@cache
def versions() -> dict[str, str]:
    """Return component name -> pinned version."""
    pins: dict[str, str] = _edition()["versions"]
    return pins


@cache
def images() -> dict[str, PinnedImage]:
    """Return key -> image, in the order of edition.toml."""
    return {key: _image(key, row) for key, row in _edition()["images"].items()}


def component_of(image: str) -> str:
    """Return the component whose image this is; empty for an image that is not pinned."""
    return next((one.component for one in images().values() if one.name == image), "")


def fill(template: str) -> str:
    """Replace each `{component}` by its pinned version; raises LabError for one that is not pinned."""
    try:
        return template.format_map(versions())
    except (KeyError, ValueError) as error:
        message = f"edition.toml, [versions]: {template!r} asks for {error}, which is not pinned. Add it."
        raise LabError(message) from error


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a file of the project holds; raises LabError naming file, line and remedy."""
    where = path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        message = f"{where} is not TOML: {error}. Correct it, or take it back: git checkout {where}"
    except (OSError, UnicodeDecodeError) as error:
        message = f"{where} cannot be read: {error}. Take it back: git checkout {where}"
    raise LabError(message)


def _edition() -> dict[str, Any]:
    found = read_toml(PROJECT / "edition.toml")
    for table in ("versions", "images"):
        if not isinstance(found.get(table), dict):
            message = f"edition.toml has no table [{table}]. Take it back: git checkout edition.toml"
            raise LabError(message)
    return found


def _image(key: str, row: dict[str, str]) -> PinnedImage:
    try:
        component = row["name"].partition("{")[2].partition("}")[0].removesuffix("-offline")
        return PinnedImage(key, **{"component": component, **row, "name": fill(row["name"])})
    except (KeyError, TypeError) as error:
        message = (
            f"edition.toml, [images.{key}]: give name, and at most build, fallback and digest beside it."
        )
        raise LabError(message) from error
