"""Save what a host without package sources needs: images, programs, upstream's files.

Everything goes into one folder, which becomes the archive folder of the other host.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab import addons, archives, home, host, images, objects, programs, upstream, vllm
from lab.addons import Addon
from lab.archives import Entry
from lab.engine import Engine, find_engine
from lab.errors import LabError
from lab.images import Provided
from lab.lock import alone
from lab.progress import say, step

#: What add-ons prepare in folders of the lab before they start, and who makes those folders.
PREPARED = {"lab.vllm:prepare": vllm.folders}


@dataclass(frozen=True)
class Part:
    """One file to save: its name, what distinguishes its content, its size (GiB), its writer."""

    name: str
    holds: str
    size: float
    write: Callable[[Path], None]


def save(folder: Path, specs: Iterable[str]) -> None:
    """Save the base and what add-ons need into a folder; what is there already is kept.

    Raises LabError when the folder cannot be made or written, the disk is too small, or a
    file of another origin is in the way.
    """
    chosen = addons.with_needs(specs)
    _make(folder)
    with alone():
        parts = list(_parts(find_engine(), chosen))
    missing = [part for part in parts if not _is_saved(folder, part)]
    host.require_space(folder, round(sum(part.size for part in missing), 1))
    for number, part in enumerate(missing, start=1):
        with step(f"Saving {part.name} ({number} of {len(missing)})"), home.workplace(folder) as work:
            for place in (work, folder):
                (place / part.name).parent.mkdir(exist_ok=True)
            part.write(work / part.name)
            entry = Entry(archives.checksum(work / part.name), part.holds)
            (work / part.name).replace(folder / part.name)
            archives.enter(folder, part.name, entry)
    say(f"{folder} holds {len(parts)} files. On the other host, it becomes the folder archives.")


def _make(folder: Path) -> None:
    """Make a folder, and prove that a file can be made in it, before hours of building."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with home.workplace(folder):
            pass
    except OSError as error:
        message = f"{folder} cannot take files: {error.strerror}. Name a folder that you may write to."
        raise LabError(message) from error


def _parts(engine: Engine, chosen: list[Addon]) -> Iterator[Part]:
    keys = dict.fromkeys([*images.BASE, *(key for addon in chosen for key in addon.images)])
    provided = images.provide(engine, keys)
    yield from (_image_part(engine, image) for image in {one.name: one for one in provided.values()}.values())
    for group in ["kind", *addons.shared_programs(chosen)]:
        yield _folder_part(programs.archive_name(group), programs.build(group))
    for place in dict.fromkeys(
        [objects.BASES, *(place for addon in chosen for place in addon.upstream_folders)]
    ):
        yield _folder_part(upstream.archive_name(*place), upstream.folder(*place))
    for folder in dict.fromkeys(folder for addon in chosen for folder in _prepared(addon)):
        yield _folder_part(f"{folder.name}.tgz", folder)
    for file in objects.given_crds():
        name = str(file.relative_to(home.archives()))
        yield Part(name, archives.checksum(file), 0, partial(shutil.copyfile, file))


def _prepared(addon: Addon) -> Iterator[Path]:
    for prepare in addon.prepare:
        if prepare in PREPARED:
            yield from PREPARED[prepare](addon.parameters)


def _image_part(engine: Engine, image: Provided) -> Part:
    size = (engine.inspect("image", image.name) or {})["Size"] / 2**30
    return Part(archives.image_file(image.name), image.identity, size, partial(engine.save, image.name))


def _folder_part(name: str, folder: Path) -> Part:
    size = sum(file.lstat().st_size for file in folder.rglob("*")) / 2**30
    return Part(name, name, size, partial(archives.pack, folder))


def _is_saved(folder: Path, part: Part) -> bool:
    """Tell whether a part is there and whole; stop when another file has its name."""
    path = folder / part.name
    if not path.exists():
        return False
    entry = archives.index(folder).get(part.name)
    if entry is None:
        message = (
            f"{path} is in the way: it is not in {archives.INDEX}, so the lab did not write it. Move it away."
        )
        raise LabError(message)
    return entry.holds == part.holds and entry.sha256 == archives.checksum(path)
