"""Where each image comes from: an archive, its registry, or the lab's own build.

The order is fixed and decided per image. Whatever its source, an image ends up in the
container engine under the name that manifests use.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import httpx

from lab import archives, edition, home, host
from lab.edition import PinnedImage
from lab.engine import Engine
from lab.errors import LabError, NotAvailable
from lab.image_builds import DEBIAN, build_image, build_key
from lab.progress import say, step

#: Keys of the images that every lab has; all others come with an add-on.
BASE = ("node", "registry", "simulator", "envoy", "router")
#: Seconds that a registry has to answer before the lab goes on without it.
PATIENCE = 3
#: Seconds that one pull may take.
PULL_LIMIT = 1800
#: Docker Hub answers under another name than the one in image names.
REGISTRY_HOSTS = {"docker.io": "registry-1.docker.io"}
#: Folders of the lab's folder that can be made again.
FOLDERS = ("addons", "downloads", "engines", "go", "logs", "mirrors", "programs", "registry", "upstream")
#: Sources of images.
ARCHIVE, REGISTRY, BUILT = "archive", "registry", "built"


@dataclass(frozen=True)
class Provided:
    """An image that is in the engine: its key, name, id, and where it came from.

    `stamp` tells one state of the source from another: the archive's size and time, the
    digest that was asked for, or the hash of what was built.
    """

    key: str
    name: str
    identity: str
    source: str
    stamp: str = ""


def provide(engine: Engine, keys: Iterable[str]) -> dict[str, Provided]:
    """Bring images of the edition into the engine; return key -> what was used.

    Under the key of an image that cannot be had is its fallback. Raises
    NotAvailable when an image has no source left, LabError when a source fails.
    """
    provided: dict[str, Provided] = {}
    for key in keys:
        provided[key] = _provide(engine, edition.images()[key])
        _remember(provided)
    return provided


def recorded() -> dict[str, Provided]:
    """Return what the last run provided, by key."""
    path = _ledger()
    if not path.exists():
        return {}
    return {key: Provided(**row) for key, row in json.loads(path.read_text()).items()}


def archive_of(image: PinnedImage) -> Path | None:
    """Return the archive that the user gave for an image, or None."""
    return archives.find(archive_name(image))


def archive_name(image: PinnedImage) -> str:
    """Return the file name that the lab looks for in the archive folder."""
    return archives.image_file(image.name)


def server_of(image: PinnedImage) -> str:
    """Return the host, and port, of the registry in an image's name."""
    return image.name.split("/", maxsplit=1)[0]


@cache
def registry_answers(server: str) -> bool:
    """Tell whether a registry answers on this host as registries do."""
    own = host.is_loopback(server)  # plain HTTP, and never by way of a proxy
    url = f"{'http' if own else 'https'}://{REGISTRY_HOSTS.get(server, server)}/v2/"
    try:
        answer = httpx.get(url, timeout=PATIENCE, trust_env=not own)
    except httpx.HTTPError:
        return False
    return answer.status_code < httpx.codes.BAD_REQUEST or answer.status_code == httpx.codes.UNAUTHORIZED


def current(engine: Engine, image: PinnedImage) -> Provided | None:
    """Return what the last run provided for an image, if the engine still has it so.

    A fallback counts only as long as no archive gives the image itself.
    """
    known = recorded().get(image.key)
    if known and known.key != image.key and archive_of(image):
        return None
    used = edition.images().get(known.key) if known else None
    if known and used and known.name == used.name and _is_current(engine, used, known):
        return known
    return None


def is_built(engine: Engine, name: str) -> bool:
    """Tell whether an image was built by a lab, on this host or on the one that saved it."""
    return home.BUILD_KEY in (engine.image_labels(name) or {})


def identity(engine: Engine, name: str) -> str:
    """Return an image's id in the engine: empty when it is not there."""
    image = engine.inspect("image", name)
    return str(image["Id"]).removeprefix("sha256:") if image else ""


def would_come_from(image: PinnedImage) -> str:
    """Say where an image would come from, had it to be provided now."""
    source, used = best_source(image)
    if source is None:
        return f"nowhere here: registry only ({server_of(image)} does not answer)"
    told = {ARCHIVE: f"archive {archive_name(used)}", REGISTRY: "registry", BUILT: "offline build"}[source]
    return told if used is image else f"nowhere here; instead {used.name}: {told}"


def best_source(image: PinnedImage) -> tuple[str | None, PinnedImage]:
    """Return the source that is tried first now, and the image that it gives: a fallback maybe."""
    if archive_of(image):
        return ARCHIVE, image
    if registry_answers(server_of(image)):
        return REGISTRY, image
    if image.build:
        return BUILT, image
    if image.fallback:
        return best_source(edition.images()[image.fallback])
    return None, image


def remove_all(engine: Engine) -> None:
    """Remove what the lab provided and built, its caches included; archives stay."""
    labelled = engine.run(
        "images", "--quiet", f"--filter=label={home.OWNER}=lab", doing="Listing the lab's images"
    )
    names = [image.name for image in recorded().values()]
    for name in {*labelled.split(), *names, edition.fill(DEBIAN)}:
        engine.succeeds("rmi", "--force", name, timeout=60)
    for name in FOLDERS:
        _remove_folder(home.folder(name))
    _ledger().unlink(missing_ok=True)


def _remove_folder(path: Path) -> None:
    # Go makes its module cache read-only.
    for folder in [path, *(entry for entry in path.rglob("*") if entry.is_dir() and not entry.is_symlink())]:
        folder.chmod(0o755)
    shutil.rmtree(path)


def _provide(engine: Engine, image: PinnedImage) -> Provided:
    known = current(engine, image)
    if known and known.key == image.key:
        return known
    archive = archive_of(image)
    if archive:
        return _load(engine, image, archive)
    if registry_answers(server_of(image)):
        pulled = _pull(engine, image)
        if pulled:
            return pulled
    if image.build:
        build_image(engine, image)
        return _provided(engine, image, BUILT)
    if image.fallback:
        return _provide(engine, edition.images()[image.fallback])
    message = (
        f"The image {image.name} is registry only: {server_of(image)} does not answer, and "
        f"{home.archives()} holds no {archive_name(image)}. Put an archive there, or connect."
    )
    raise NotAvailable(message)


def _is_current(engine: Engine, image: PinnedImage, known: Provided) -> bool:
    """Tell whether the engine still has what was provided, from the best source."""
    source = known.source.partition(" ")[0]
    if (source == ARCHIVE) != (archive_of(image) is not None):
        return False
    return known.stamp == _stamp(image, source) and known.identity == identity(engine, image.name)


def _stamp(image: PinnedImage, source: str) -> str:
    if source == ARCHIVE:
        archive = archive_of(image)
        return archives.stamp(archive) if archive else ""
    return build_key(image.build) if source == BUILT else image.digest


def _load(engine: Engine, image: PinnedImage, archive: Path) -> Provided:
    host.require_space(engine.storage(), archive.stat().st_size / 2**30)
    with step(f"Loading {image.name} from {archive.name}"):
        archives.require_whole(archive)
        try:
            engine.run("load", "-i", archive, doing=f"Loading {archive}")
        except LabError as error:
            message = f"{error}\nThe archive may be damaged. Copy {archive} here again, or remove it."
            raise LabError(message) from error
    if engine.image_labels(image.name) is None:
        message = (
            f"{archive} does not hold {image.name}. Save the image under this name "
            f"({engine.program} save -o {archive.name} {image.name}) or remove the file."
        )
        raise LabError(message)
    return _provided(engine, image, f"{ARCHIVE} {archive.name}")


def _pull(engine: Engine, image: PinnedImage) -> Provided | None:
    """Pull an image; return None when that fails and another source is left."""
    try:
        with step(f"Pulling {image.name}"):
            _pull_by_digest(engine, image) if image.digest else _pull_name(engine, image.name)
    except LabError as error:
        if not (image.build or image.fallback):
            message = (
                f"{error}\n{image.name} has no other source. Try again, or put {archive_name(image)} "
                f"into {home.archives()}."
            )
            raise LabError(message) from error
        say(f"{image.name} cannot be pulled, so the next source is used. {error}")
        return None
    return _provided(engine, image, REGISTRY)


def _pull_by_digest(engine: Engine, image: PinnedImage) -> None:
    """Pull exactly the content that the edition names, and give it the image's plain name."""
    content = f"{image.name.rsplit(':', 1)[0]}@{image.digest}"
    _pull_name(engine, content)
    engine.run("tag", content, image.name, doing=f"Tagging {image.name}")


def _pull_name(engine: Engine, name: str) -> None:
    engine.run("pull", *engine.plain_http(name), name, doing=f"Pulling {name}", timeout=PULL_LIMIT)


def _provided(engine: Engine, image: PinnedImage, source: str) -> Provided:
    stamp = _stamp(image, source.partition(" ")[0])
    return Provided(image.key, image.name, identity(engine, image.name), source, stamp)


def _ledger() -> Path:
    return home.folder("cluster") / "images.json"


def _remember(provided: dict[str, Provided]) -> None:
    """Write down what was provided; a fallback also under its own key."""
    own = {image.key: image for image in provided.values()}
    rows = {key: asdict(image) for key, image in {**recorded(), **own, **provided}.items()}
    home.write(_ledger(), json.dumps(rows, indent=2) + "\n")
