"""System packages of Debian: installed when root, otherwise named with the command.

Uses the standard library alone, so that a nox session can call it before anything else
is installed: `python -m lab.packages latexmk=latexmk /path/of/a/file=package`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from lab.errors import LabError

#: Programs for administrators are not on every user's PATH.
SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def require(needs: Iterable[tuple[str, str]]) -> None:
    """Make sure that programs or files are there; each comes with its Debian package.

    Root on Debian gets what is missing installed; everyone else gets the exact command
    in a LabError.
    """
    lacking = missing(needs)
    if lacking:
        _install(lacking)


def missing(needs: Iterable[tuple[str, str]]) -> list[str]:
    """Return the Debian packages of what is not there."""
    return sorted({package for need, package in needs if not _is_there(need)})


def may_install() -> bool:
    """Tell whether this process can install Debian packages."""
    return os.geteuid() == 0 and bool(shutil.which("apt-get", path=SEARCH))


def _is_there(need: str) -> bool:
    return Path(need).exists() if need.startswith("/") else bool(shutil.which(need, path=SEARCH))


def _install(lacking: list[str]) -> None:
    command = ["apt-get", "install", "-y", "--no-install-recommends", *lacking]
    if not may_install():
        message = f"Missing system packages. Install them with: sudo {' '.join(command)}"
        raise LabError(message)
    began = time.monotonic()
    print(f"Installing system packages: {' '.join(lacking)} ...", file=sys.stderr, flush=True)
    for words in (["apt-get", "update"], command):
        result = subprocess.run(
            words,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            message = (
                f"{' '.join(words)} failed: {result.stderr.strip()[-600:]}\n"
                "Check that this host reaches its Debian mirror, then try again."
            )
            raise LabError(message)
    print(f"Installed in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def main(words: list[str]) -> int:
    """Require each `need=package` of the command line; return the exit code."""
    try:
        require(tuple(word.rsplit("=", 1)) for word in words)  # type: ignore[misc]
    except LabError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
