"""Examine the host and the lab without changing them: what a command would stumble over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lab import (
    addons,
    archives,
    budget,
    cluster,
    edition,
    home,
    host,
    image_builds,
    images,
    packages,
    programs,
    registry,
)
from lab.edition import PinnedImage
from lab.engine import PODMAN_NEEDS, Engine, find_engine
from lab.errors import LabError
from lab.images import Provided

UP = "nox -s lab -- up"
#: GiB that a lab needs that is up, for what its pods and nodes write.
RUNNING_SPACE = 1


@dataclass(frozen=True)
class Finding:
    """One thing examined: whether it is good, and a sentence with the remedy if not."""

    good: bool
    text: str


def examine() -> list[Finding]:
    """Return findings on the engine, names, sources, disk, and the lab that is there."""
    try:
        engine = find_engine(install=False)
    except LabError as error:
        return [Finding(good=False, text=str(error)), _disk(home.home(), host.BUILD_SPACE)]
    findings = [Finding(good=True, text=f"container engine: {engine.program}")]
    if engine.program == "podman":
        findings += _packages()
    names = list(_names(engine))
    findings += names
    here = {key: images.current(engine, edition.images()[key]) for key in images.BASE}
    builds = _to_build(here)
    findings += [*of_images(here), *_addons(engine), *building(builds)]
    running = False
    if all(finding.good for finding in names):
        running = bool(cluster.node_containers(engine))
        findings += _lab(engine) if running else [*no_lab(), _watchers()]
    needed = host.BUILD_SPACE if builds else RUNNING_SPACE if running else host.CLUSTER_SPACE
    disks = {place.stat().st_dev: place for place in (home.home(), engine.storage())}
    return [*findings, *(_disk(place, needed) for place in disks.values())]


def _disk(place: Path, needed: float) -> Finding:
    text = f"disk: {host.free_space(place):.0f} GiB free at {place}, {needed} needed"
    return _judged(lambda: host.require_space(place, needed), text)


def _watchers() -> Finding:
    nodes = len(cluster.topology()["nodes"])
    text = f"inotify instances: enough for {nodes} nodes"
    return _judged(lambda: host.require_watchers(nodes), text)


def _judged(requirement: Callable[[], None], text: str) -> Finding:
    """Return the text when a requirement of the host is met, else what it says."""
    try:
        requirement()
    except LabError as error:
        return Finding(good=False, text=str(error))
    return Finding(good=True, text=text)


def _packages() -> Iterator[Finding]:
    lacking = packages.missing(PODMAN_NEEDS)
    if lacking:
        command = f"apt-get install --no-install-recommends {' '.join(lacking)}"
        text = f"podman lacks the packages {', '.join(lacking)}; "
        text += "the lab installs them" if packages.may_install() else f"install them: sudo {command}"
        yield Finding(good=packages.may_install(), text=text)


def _names(engine: Engine) -> Iterator[Finding]:
    good = True
    for owner in (registry, cluster):
        try:
            owner.require_ownership(engine)
        except LabError as error:
            good = False
            yield Finding(good=False, text=str(error))
    if good:
        yield Finding(good=True, text=f"names: {home.CLUSTER} is free, or the lab's own")


def _to_build(here: Mapping[str, Provided | None]) -> list[str]:
    """Return the builds that `up` would make now; `here` has what is there of the base."""
    lacking = [edition.images()[key] for key, known in here.items() if known is None]
    sources = [images.best_source(image) for image in lacking]
    return [used.build for source, used in sources if source == images.BUILT]


def of_images(here: Mapping[str, Provided | None]) -> Iterator[Finding]:
    """Tell where each image is, or would come from."""
    for key, known in here.items():
        image = edition.images()[key]
        if known is None:
            yield _source(image)
        else:
            place = "" if known.name == image.name else f"instead {known.name}, "
            yield Finding(good=True, text=f"image {image.name}: here, {place}{known.source}")


def _addons(engine: Engine) -> Iterator[Finding]:
    """Tell which add-ons cannot be had here; the lab is good without them."""
    memory = budget.host_memory_mib()
    for name in addons.names():
        if reason := budget.over_budget(name, memory):
            yield Finding(good=True, text=f"add-on {name}: not to be had here. {reason}")
        for key in addons.find(name).images:
            image = edition.images()[key]
            if images.best_source(image)[0] is None and not images.current(engine, image):
                yield Finding(good=True, text=f"add-on {name}: not to be had here. {_no_source(image)}")


def together(specs: Sequence[str]) -> list[Finding]:
    """Return findings on add-ons that are to run at once: memory, pods, and where their images are."""
    engine = find_engine(install=False)
    memory, cost = budget.host_memory_mib(), budget.cost(specs)
    excess = budget.too_much(specs, memory)
    room = (
        f"memory: {budget.gib(cost.memory)} with {cost.pods} pods, needs included; "
        f"this host has {budget.gib(budget.for_addons(memory))} for add-ons"
    )
    keys = dict.fromkeys(key for addon in addons.with_needs(specs) for key in addon.images)
    here = {key: images.current(engine, edition.images()[key]) for key in keys}
    builds = _to_build(here)
    needed = host.NEXT_BUILD_SPACE if builds else RUNNING_SPACE
    disks = {place.stat().st_dev: place for place in (home.home(), engine.storage())}
    return [
        Finding(good=not excess, text=excess or room),
        *of_images(here),
        *building(builds),
        *(_disk(place, needed) for place in disks.values()),
    ]


def _source(image: PinnedImage) -> Finding:
    """Judge where an image would come from."""
    source, used = images.best_source(image)
    if source is None:
        return Finding(good=False, text=f"image {image.name}: {_no_source(image)}")
    if source == images.ARCHIVE:
        try:
            archives.require_whole(home.archives() / images.archive_name(used))
        except LabError as error:
            return Finding(good=False, text=str(error))
    will = {
        images.ARCHIVE: f"will be loaded from {images.archive_name(used)}",
        images.REGISTRY: "will be pulled from its registry",
        images.BUILT: "will be built",
    }[source]
    if used is not image:
        will = f"no source here; {used.name.rsplit(':', 1)[1]} {will} instead"
    return Finding(good=True, text=f"image {image.name}: {will}")


def _no_source(image: PinnedImage) -> str:
    return (
        f"{images.server_of(image)} does not answer, and nothing builds {image.name}. Connect, or put "
        f"{images.archive_name(image)} into {home.archives()}."
    )


def building(builds: list[str]) -> Iterator[Finding]:
    """Judge whether builds, named as in builds.toml, can be made here."""
    needs_debian = any(image_builds.needs_debian(build) for build in builds)
    if needs_debian and not packages.may_install():
        text = (
            f"building images from Debian packages needs root on Debian. Put archives into {home.archives()}."
        )
        yield Finding(good=False, text=text)
    if (builds or not programs.is_built("kind")) and not programs.proxy_answers():
        text = "the Go module proxy does not answer, and programs must be built. Check GOPROXY, or connect."
        yield Finding(good=False, text=text)


def no_lab() -> Iterator[Finding]:
    """Judge what is left where the lab has no nodes."""
    if home.kubeconfig().exists():
        text = f"{home.kubeconfig()} is left of a cluster that is gone. {UP} makes a new one."
        yield Finding(good=False, text=text)
    else:
        yield Finding(good=True, text=f"cluster: not up. Start it with: {UP}")


def _lab(engine: Engine) -> Iterator[Finding]:
    """Judge a lab whose nodes are there: whether they, its registry and its API server work."""
    if not registry.answers(engine):
        yield Finding(good=False, text=f"the lab's registry does not answer. {UP} restarts it.")
    nodes = cluster.node_containers(engine)
    still = {name: found for name, found in nodes.items() if not engine.succeeds("exec", name, "true")}
    for name, found in still.items():
        yield Finding(good=False, text=f"node {name} is stopped. {UP} starts it.")
        yield from taken_ports(name, found)
    if still:
        return
    stale = stale_kubeconfig(nodes)
    if stale:
        yield Finding(good=False, text=stale)
        return
    try:
        conditions = cluster.node_conditions()
    except LabError as error:
        yield Finding(good=False, text=f"the API server does not answer. {UP} repairs it. {error}")
        return
    for name, (ready, reason) in conditions.items():
        if not ready:
            remedy = f"Restart it: {engine.program} restart {name}, then {UP}."
            text = f"node {name} is NotReady: {reason}. {remedy}"
            yield Finding(good=False, text=text)
    yield from _api_services()
    if all(ready for ready, _ in conditions.values()):
        yield Finding(good=True, text=f"cluster: up, {len(conditions)} nodes Ready")


def _api_services() -> Iterator[Finding]:
    """Find parts of the API that an add-on serves and that do not answer: kubectl fails with them."""
    owners = addons.installed()
    for name, (namespace, reason) in cluster.silent_api_services().items():
        addon = owners.get(namespace, "")
        again = (
            f"nox -s lab -- remove {addon}, then add {addon}"
            if addon
            else f"kubectl delete apiservice {name}"
        )
        yield Finding(good=False, text=f"the API service {name} does not answer ({reason}): {again}.")


def _published(container: dict[str, Any]) -> list[tuple[str, int]]:
    """Return address and port of what a container publishes, running or not."""
    bound = (container["HostConfig"].get("PortBindings") or {}).values()
    return [(one["HostIp"], int(one["HostPort"])) for ports in bound for one in ports or []]


def taken_ports(name: str, container: dict[str, Any]) -> Iterator[Finding]:
    """Find ports that a container publishes when it runs, and another program has meanwhile."""
    for address, port in _published(container):
        if not host.port_is_free(address, port):
            text = (
                f"port {port} of {address}, which {name} publishes, is taken by another program. End that "
                f"program, or let {UP} make a new cluster."
            )
            yield Finding(good=False, text=text)


def stale_kubeconfig(nodes: dict[str, dict[str, Any]]) -> str:
    """Return what is wrong with the lab's kubeconfig: empty if nothing is."""
    path = home.kubeconfig()
    if not path.exists():
        return f"{path} is missing. {UP} makes a new cluster."
    server = YAML(typ="safe").load(path)["clusters"][0]["cluster"]["server"]
    known = {f"https://{address}:{port}" for found in nodes.values() for address, port in _published(found)}
    if server not in known:
        return f"{path} names {server}, where no node of the lab listens. {UP} makes a new cluster."
    return ""
