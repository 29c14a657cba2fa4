"""How long do the lab, the proofs and the editions take? `nox -s bench` prints it.

Each figure is wall time in seconds of one command on this host. Machines are shared and
noisy: compare figures of one run with each other, not with those of another day.
`--cold` also removes every image and cache first and times the lab from nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lab import edition

PYTHON = sys.executable
#: What a build of the editions reads.
READ_BY_BUILD = (
    "conf.py",
    "edition.toml",
    "_static",
    "diagrams",
    "examples",
    "extensions",
    "latex",
    "records",
    "source",
)
EDITED = "source/part-1-foundation/02-installation-and-setup.md"


def main() -> None:
    """Time everything and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cold", action="store_true", help="time the lab from nothing, too")
    cold = arguments.parse_args().cold
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for what, seconds in figures(cold=cold):
        print(f"{what:48}{seconds:9.1f} s", flush=True)


def figures(*, cold: bool) -> Iterator[tuple[str, float]]:
    """Yield what was timed and its seconds, as each is done."""
    if cold:
        yield "lab down --images", lab("down", "--images")
        yield "lab up, from nothing", lab("up")
    yield "lab up, up already", lab("up")
    yield "lab down", lab("down")
    yield "lab up, images there", lab("up")
    yield "proofs", timed(PYTHON, "-m", "pytest", "-q", "tests/examples")
    yield from editions()


def lab(*words: str) -> float:
    """Time one command of the lab."""
    return timed(PYTHON, "-m", "lab", *words)


def editions() -> Iterator[tuple[str, float]]:
    """Time each edition cold and after one edit, in a copy of the project."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in READ_BY_BUILD:
            origin = edition.PROJECT / name
            (shutil.copytree if origin.is_dir() else shutil.copy2)(origin, copy / name)
        for state in ("cold", "after one edit"):
            if state != "cold":
                with (copy / EDITED).open("a") as chapter:
                    chapter.write("\nOne more sentence.\n")
            for builder in ("html", "epub", "latex"):
                yield f"{builder}, {state}", sphinx(builder, copy)
            yield f"PDF from LaTeX, {state}", timed(*LATEXMK, cwd=copy / "build/latex")


LATEXMK = ("latexmk", "-lualatex", "-interaction=nonstopmode", "-silent", "life-with-llm-d.tex")


def sphinx(builder: str, project: Path) -> float:
    """Time one builder of Sphinx."""
    return timed(
        PYTHON,
        "-m",
        "sphinx",
        f"--builder={builder}",
        f"--doctree-dir=build/doctrees-{builder}",
        "--conf-dir=.",
        "source",
        f"build/{builder}",
        cwd=project,
    )


def timed(*command: str, cwd: Path = edition.PROJECT) -> float:
    """Run a command and return its wall time in seconds; it must succeed."""
    began = time.monotonic()
    subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
