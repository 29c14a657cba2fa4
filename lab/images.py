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

from lab import edition, home
from lab.edition import PinnedImage
from lab.engine import Engine
from lab.errors import LabError, NotAvailable
from lab.image_builds import DEBIAN, build_image, build_key
from lab.progress import say, step

#: Keys of the images that every lab has; all others come with an add-on.
BASE = ("node", "registry", "simulator", "envoy", "router")
#: Seconds that a public registry has to answer before the lab goes on without it.
PATIENCE = 3
#: Seconds that one pull may take.
PULL_LIMIT = 1800
#: Docker Hub answers under another name than the one in image names.
REGISTRY_HOSTS = {"docker.io": "registry-1.docker.io"}


@dataclass(frozen=True)
class Provided:
    """An image that is in the engine: its key, name, id, and where it came from."""

    key: str
    name: str
    identity: str
    source: str


def provide(engine: Engine, keys: Iterable[str]) -> dict[str, Provided]:
    """Bring images of the edition into the engine; return key -> what was used.

    An image that cannot be had stands under its key as its fallback does. Raises
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
    path = home.archives() / archive_name(image)
    return path if path.exists() else None


def archive_name(image: PinnedImage) -> str:
    """Return the file name that the lab looks for in the archive folder."""
    return image.name.replace("/", "_").replace(":", "_") + ".tar"


@cache
def registry_answers(name: str) -> bool:
    """Tell whether the registry in an image's name answers on this host."""
    server = name.split("/", maxsplit=1)[0]
    try:
        httpx.get(f"https://{REGISTRY_HOSTS.get(server, server)}/v2/", timeout=PATIENCE)
    except httpx.HTTPError:
        return False
    return True


def would_come_from(image: PinnedImage) -> str:
    """Say where an image would come from, had it to be provided now."""
    if archive_of(image):
        return f"archive {archive_name(image)}"
    if registry_answers(image.name):
        return "registry"
    if image.build:
        return "offline build"
    return f"nowhere here; {image.fallback} takes its place" if image.fallback else "nowhere here"


def remove_all(engine: Engine) -> None:
    """Remove what the lab provided and built, its caches included; archives stay."""
    labelled = engine.run(
        "images", "--quiet", f"--filter=label={home.OWNER}=lab", doing="Listing the lab's images"
    )
    names = [image.name for image in recorded().values()]
    for name in {*labelled.split(), *names, edition.fill(DEBIAN)}:
        engine.succeeds("rmi", "--force", name, timeout=60)
    for name in ("go", "programs", "registry", "mirrors", "logs"):
        _remove_folder(home.folder(name))
    _ledger().unlink(missing_ok=True)


def _remove_folder(path: Path) -> None:
    # Go makes its module cache read-only.
    for folder in [path, *(entry for entry in path.rglob("*") if entry.is_dir() and not entry.is_symlink())]:
        folder.chmod(0o755)
    shutil.rmtree(path)


def _provide(engine: Engine, image: PinnedImage) -> Provided:
    known = recorded().get(image.key)
    if known and known.name == image.name and _is_current(engine, image, known):
        return known
    archive = archive_of(image)
    if archive:
        return _load(engine, image, archive)
    if registry_answers(image.name):
        pulled = _pull(engine, image)
        if pulled:
            return pulled
    if image.build:
        build_image(engine, image)
        return _provided(engine, image, "built")
    if image.fallback:
        return _provide(engine, edition.images()[image.fallback])
    message = (
        f"The image {image.name} is registry only: {image.name.split('/')[0]} does not answer, and "
        f"{home.archives()} holds no {archive_name(image)}. Put an archive there, or connect."
    )
    raise NotAvailable(message)


def _is_current(engine: Engine, image: PinnedImage, known: Provided) -> bool:
    """Tell whether the engine still has what was provided, from the best source."""
    archive = archive_of(image)
    if (archive is not None) != (known.source.startswith("archive")):
        return False
    labels = engine.image_labels(image.name)
    if labels is None or _identity(engine, image.name) != known.identity:
        return False
    return known.source != "built" or labels.get(home.BUILD_KEY) == build_key(image.build)


def _load(engine: Engine, image: PinnedImage, archive: Path) -> Provided:
    with step(f"Loading {image.name} from {archive.name}"):
        engine.run("load", "-i", archive, doing=f"Loading {archive}")
    if engine.image_labels(image.name) is None:
        message = (
            f"{archive} does not hold {image.name}. Save the image under this name "
            f"({engine.program} save -o {archive.name} {image.name}) or remove the file."
        )
        raise LabError(message)
    return _provided(engine, image, f"archive {archive.name}")


def _pull(engine: Engine, image: PinnedImage) -> Provided | None:
    try:
        with step(f"Pulling {image.name}"):
            engine.run("pull", image.name, doing=f"Pulling {image.name}", timeout=PULL_LIMIT)
    except LabError as error:
        if not (image.build or image.fallback):
            raise
        say(f"{image.name} cannot be pulled, so the next source is used. {error}")
        return None
    return _provided(engine, image, "registry")


def _provided(engine: Engine, image: PinnedImage, source: str) -> Provided:
    return Provided(image.key, image.name, _identity(engine, image.name), source)


def _identity(engine: Engine, name: str) -> str:
    image = engine.inspect("image", name)
    return str(image["Id"]).removeprefix("sha256:") if image else ""


def _ledger() -> Path:
    return home.folder("cluster") / "images.json"


def _remember(provided: dict[str, Provided]) -> None:
    rows = {key: asdict(image) for key, image in {**recorded(), **provided}.items()}
    _ledger().write_text(json.dumps(rows, indent=2) + "\n")
