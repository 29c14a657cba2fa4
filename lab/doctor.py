"""Examine the host without changing it: one finding per thing that the lab needs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from lab import cluster, edition, home, host, images, registry
from lab.engine import Engine, find_engine
from lab.errors import LabError


@dataclass(frozen=True)
class Finding:
    """One thing examined: whether it is good, and a sentence with the remedy if not."""

    good: bool
    text: str


def examine() -> list[Finding]:
    """Return a finding for space, rights, engine, image sources, names and the cluster."""
    findings = [_space(), _sources()]
    try:
        engine = find_engine(install=False)
    except LabError as error:
        return [*findings, Finding(good=False, text=str(error))]
    findings.append(Finding(good=True, text=f"container engine: {engine.program}"))
    return [*findings, _names(engine), _cluster()]


def _space() -> Finding:
    free = host.free_space(home.home())
    text = f"disk: {free:.0f} GiB free at {home.home()}, {host.BUILD_SPACE} wanted for a first build"
    return Finding(good=free >= host.BUILD_SPACE, text=text)


def _sources() -> Finding:
    """Judge whether every image has a source here."""
    lacking = [
        image.name
        for image in edition.images().values()
        if not (images.archive_of(image) or images.registry_answers(image.name))
    ]
    if not lacking:
        return Finding(good=True, text="images: all from archives or registries")
    if host.is_root() and shutil.which("apt-get"):
        text = f"images: {len(lacking)} will be built here from Go, Debian and Python packages"
        return Finding(good=True, text=text)
    text = f"images: no source for {', '.join(lacking)}; put archives into {home.archives()}"
    return Finding(good=False, text=text)


def _names(engine: Engine) -> Finding:
    try:
        registry.require_ownership(engine)
        cluster.require_ownership(engine)
    except LabError as error:
        return Finding(good=False, text=str(error))
    return Finding(good=True, text=f"names: {home.CLUSTER} is free, or the lab's own")


def _cluster() -> Finding:
    try:
        cluster.connect()
    except LabError as error:
        return Finding(good=True, text=f"cluster: {error}")
    return Finding(good=True, text="cluster: up")
