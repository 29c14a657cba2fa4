"""The programs of the edition: from the images that the lab has, its builds, and its Python environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab import edition, home
from lab import programs as built
from lab.engine import find_engine
from lab.errors import LabError
from tools.reference.picker import Picker

#: Where a program lies in its image.
IN_IMAGE = {"router": "/app/epp", "sidecar": "/app/pd-sidecar"}
ENVOY = "envoy/_bin/envoy"


@dataclass(frozen=True)
class Programs:
    """What a request meets on its way."""

    picker: Picker
    sidecar: Path
    simulator: Path
    envoy: Path

    @classmethod
    def of_the_lab(cls) -> Programs:
        """Return the programs of the edition's versions; raises LabError when one cannot be had."""
        return cls._of(taken("router"), taken("sidecar"), simulator())

    @classmethod
    def in_folder(cls, folder: Path) -> Programs:
        """Return the programs of a folder; what it lacks comes from where the lab takes it."""
        names = ("epp", "pd-sidecar", "llm-d-inference-sim")
        picker, sidecar, sim = (folder / name for name in names)
        return cls._of(
            picker if picker.exists() else taken("router"),
            sidecar if sidecar.exists() else taken("sidecar"),
            sim if sim.exists() else simulator(),
        )

    @classmethod
    def _of(cls, picker: Path, sidecar: Path, sim: Path) -> Programs:
        return cls(Picker(picker), sidecar, sim, built.of_environment("purelib", ENVOY))


def simulator() -> Path:
    """Return the simulator, built if it is not there."""
    return built.program("simulator", "llm-d-inference-sim")


def taken(key: str) -> Path:
    """Return the program of a pinned image, taken out of it; raises LabError where the image is not here."""
    engine, image = find_engine(), edition.images()[key].name
    if engine.image_labels(image) is None:
        message = f"{image} is not on this host; run `nox -s lab -- up` where a registry or an archive has it"
        raise LabError(message)
    inside = IN_IMAGE[key]
    identity = engine.inspect("image", image)
    target = home.folder("programs/taken") / f"{Path(inside).name}-{str(identity and identity['Id'])[-12:]}"
    if not target.exists():
        container = engine.run("create", image, doing="Opening the image").strip().splitlines()[-1]
        try:
            engine.run("cp", f"{container}:{inside}", target, doing="Taking the program out")
        finally:
            engine.run("rm", container, doing="Closing the image")
    return target
