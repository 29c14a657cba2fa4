"""The pins of the edition, read from edition.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class PinnedImage:
    """An image that the lab runs, under the name that manifests use.

    `component` is the key of its version, `build` names its offline build in builds.toml,
    `fallback` the image that takes its place where it cannot be had, `digest` (`sha256:...`)
    the only content that is taken from its registry; all but `component` may be empty.
    """

    key: str
    name: str
    component: str = ""
    build: str = ""
    fallback: str = ""
    digest: str = ""


@cache
def versions() -> dict[str, str]:
    """Return component name -> pinned version."""
    pins: dict[str, str] = _edition()["versions"]
    return pins


@cache
def images() -> dict[str, PinnedImage]:
    """Return key -> image, in the order of edition.toml."""
    return {
        key: PinnedImage(
            key=key,
            name=fill(row["name"]),
            component=row["name"].partition(":{")[2].partition("}")[0].removesuffix("-offline"),
            build=row.get("build", ""),
            fallback=row.get("fallback", ""),
            digest=row.get("digest", ""),
        )
        for key, row in _edition()["images"].items()
    }


def component_of(image: str) -> str:
    """Return the component whose image this is; empty for an image that is not pinned."""
    return next((one.component for one in images().values() if one.name == image), "")


def fill(template: str) -> str:
    """Replace each `{component}` by its pinned version."""
    return template.format_map(versions())


def _edition() -> dict[str, Any]:
    with (PROJECT / "edition.toml").open("rb") as file:
        return tomllib.load(file)
