"""Make virtual environments of pinned Python packages, for the Python that the lab's images have.

The packages are those of requirements/<name>.txt, which `nox -s lock` makes from the
group of that name in pyproject.toml, each with its checksums.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from lab import edition, home, programs
from lab.errors import NotAvailable
from lab.process import run
from lab.progress import step

REQUIREMENTS = edition.PROJECT / "requirements"
#: What packages must fit: the processor and the C library of the images.
PROCESSOR = "x86_64"
PLATFORM = f"{PROCESSOR}-manylinux_2_40"
#: Where an image has its environment, and the Python that runs it.
PLACE = Path("/opt/environment")
PYTHON = Path("/usr/bin/python3")
#: What packages put beside their modules: programs, settings, data.
BESIDE = ("bin", "etc", "share")
REMEDY = "Check that this host reaches its Python package index, then try again: what was downloaded is kept."


def key(name: str) -> str:
    """Return a hash of what an environment is made from."""
    inputs = (requirements(name).read_text(), edition.versions()["python"], PLATFORM)
    return hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:12]


def install(name: str, target: Path) -> None:
    """Make an environment in a folder, to be copied to PLACE in an image.

    Raises NotAvailable on another processor than its packages'.
    """
    require_processor(name)
    modules = target / f"lib/python{edition.versions()['python']}/site-packages"
    downloads = home.folder(f"downloads/{name}")
    with step(f"Installing the Python packages of {name}"):
        install_packages(name, modules, downloads, "--require-hashes")
    for part in BESIDE:
        if (modules / part).exists():
            shutil.move(modules / part, target)
    (target / "bin").mkdir(exist_ok=True)
    _make_virtual(target)
    shutil.rmtree(downloads)


def require_processor(name: str) -> None:
    """Raise NotAvailable on another processor than that of the packages."""
    if os.uname().machine != PROCESSOR:
        message = (
            f"The packages of requirements/{name}.txt need a processor of type {PROCESSOR}; "
            f"this one is {os.uname().machine}."
        )
        raise NotAvailable(message)


def install_packages(name: str, target: Path, downloads: Path, *options: str) -> None:
    """Put the packages of requirements/<name>.txt into a folder, for the Python of the lab's pods.

    `downloads` is uv's cache meanwhile. Raises LabError.
    """
    run(
        [
            programs.of_environment("scripts", "uv"),  # it installs for another Python than its own
            "pip",
            "install",
            f"--python={sys.executable}",  # uv wants one to run in
            f"--target={target}",
            f"--cache-dir={downloads}",
            f"--python-version={edition.versions()['python']}",
            f"--python-platform={PLATFORM}",
            "--only-binary=:all:",
            "--no-deps",  # the file names every package, and may leave some out on purpose
            *options,
            f"--requirements={requirements(name)}",
        ],
        doing=f"Installing {name}",
        environment={"UV_PYTHON_DOWNLOADS": "never"},
        remedy=REMEDY,
    )


def _make_virtual(target: Path) -> None:
    """Let the image's Python take a folder for its own, and its programs call that Python."""
    (target / "pyvenv.cfg").write_text(f"home = {PYTHON.parent}\n")
    for program in (target / "bin").iterdir():
        text = program.read_bytes()
        if text.startswith(b"#!"):
            program.write_bytes(text.replace(sys.executable.encode(), bytes(PLACE / "bin/python3")))
    (target / "bin/python3").symlink_to(PYTHON)


def requirements(name: str) -> Path:
    """Return the file that fixes the packages of an environment."""
    return REQUIREMENTS / f"{name}.txt"
