"""Check the types of all Python: `nox -s lint -- mypy` runs this program.

The folders of chapters have names that are no names of packages. mypy sees each of them,
and so its relative imports, through a link in build/types whose name is one. A chapter's
listings import each other by their bare names, so each folder of them is looked at alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINKS = ROOT / "build" / "types"
#: Listings are for readers: they carry no comment for a checker where a library has no types.
LENIENT = [
    f"--disable-error-code={code}"
    for code in ("arg-type", "misc", "no-any-return", "no-untyped-call", "type-arg", "union-attr")
]


def main() -> int:
    """Link the chapters' folders, and run mypy over these and all else; return its status."""
    shutil.rmtree(LINKS, ignore_errors=True)
    files = [str(file.relative_to(ROOT)) for file in sorted((ROOT / "tests/proofs").glob("*.py"))]
    proofs = [str(link.relative_to(ROOT)) for link in _links("tests/proofs")]
    statuses = [_mypy(), _mypy(*proofs, *files)]
    for link in _links("examples"):
        statuses += [_mypy(*LENIENT, *map(str, sorted(link.rglob("*.py"))), path=link)]
    return max(statuses)


def _mypy(*files: str, path: Path | None = None) -> int:
    """Run mypy, which looks for imported modules in a folder, too; return its status."""
    environment = os.environ | ({"MYPYPATH": str(path)} if path else {})
    command = [sys.executable, "-m", "mypy", *sys.argv[1:], *files]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _links(folder: str) -> Iterator[Path]:
    """Make a link for each chapter of a folder that holds Python, and yield it."""
    for chapter in sorted((ROOT / folder).glob("[0-9]*/")):
        if list(chapter.rglob("*.py")):
            link = LINKS / folder.replace("/", "_") / f"chapter_{chapter.name.replace('-', '_')}"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(chapter)
            yield link


if __name__ == "__main__":
    sys.exit(main())
