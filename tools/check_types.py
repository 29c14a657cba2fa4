"""Check the types of all Python: `nox -s lint -- mypy` runs this program.

The folders of chapters have names that are no names of packages. mypy sees each of them,
and so its relative imports, through a link in build/types whose name is one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINKS = ROOT / "build" / "types"
FOLDERS = ("examples", "tests/proofs")


def main() -> int:
    """Link the chapters' folders, and run mypy over these and all else; return its status."""
    shutil.rmtree(LINKS, ignore_errors=True)
    links = [str(link.relative_to(ROOT)) for link in _links()]
    files = [str(file.relative_to(ROOT)) for file in sorted((ROOT / "tests/proofs").glob("*.py"))]
    command = [sys.executable, "-m", "mypy", *sys.argv[1:]]
    alike = subprocess.run(command, cwd=ROOT, check=False).returncode
    return subprocess.run([*command, *links, *files], cwd=ROOT, check=False).returncode or alike


def _links() -> Iterator[Path]:
    """Make a link for each folder of a chapter that holds Python, and yield it."""
    for folder in FOLDERS:
        for chapter in sorted((ROOT / folder).glob("[0-9]*/")):
            if list(chapter.rglob("*.py")):
                link = LINKS / folder.replace("/", "_") / f"chapter_{chapter.name.replace('-', '_')}"
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(chapter)
                yield link


if __name__ == "__main__":
    sys.exit(main())
