"""What add-ons there are, by purpose, and all that is to be known of one before it is started."""

from __future__ import annotations

from collections.abc import Iterator

from lab import addons, budget, edition, images
from lab.addons import Addon


def by_purpose() -> Iterator[str]:
    """Yield lines that list all add-ons under their purposes, one line each."""
    every = [addons.find(name) for name in addons.names()]
    for purpose in addons.PURPOSES:
        found = [addon for addon in every if addon.purpose == purpose]
        if found:
            yield f"{purpose}:"
        for addon in found:
            yield f"  {addon.name:26}{addon.about.partition('. ')[0].rstrip('.')}"
    yield "Parameters, needs and sizes of one: python -m lab describe <name>"


def description(spec: str) -> Iterator[str]:
    """Yield lines that say what an add-on is, takes and needs."""
    addon = addons.find(spec)
    total = budget.cost([spec])
    yield f"{addon.name}: {addon.about}"
    yield from _row("namespace", [addon.namespace])
    yield from _row("parameters", [f"{name}={value}" for name, value in addon.parameters.items()])
    yield from _row("needs", [one.spec for one in addons.with_needs([spec]) if one != addon])
    yield from _row("takes", [f"{total.memory} MiB of memory, {total.pods} pods, needs included"])
    yield from _row("images", map(_image, addon.images))
    if addon.web:
        yield from _row("web interface", [f"python -m lab open {addon.name}"])


def _row(title: str, values: Iterator[str] | list[str]) -> Iterator[str]:
    for place, value in enumerate(values):
        yield f"  {'' if place else title:16}{value}"


def _image(key: str) -> str:
    image = edition.images()[key]
    known = images.recorded().get(key)
    return f"{image.name} ({known.source if known else images.would_come_from(image)})"


def with_web() -> list[Addon]:
    """Return the add-ons that have a web interface."""
    return [addon for addon in map(addons.find, addons.names()) if addon.web]
