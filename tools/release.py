"""Put a release together: `nox -s release -- v1.0`, or without a tag to see what it would hold.

From the built book, build/release gets the PDF, the EPUB, the site and the lab with its
examples, each as one file, the notes of this version, and the checksums of all.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import sys
import tomllib
import zipfile
from pathlib import Path

from extensions.lab_archive import ADDRESS as LAB_ARCHIVE

ROOT = Path(__file__).resolve().parent.parent
BOOK = "life-with-llm-d"
NOTES = "NOTES.md"
#: The date of files in the site's archive: the same pages make the same bytes.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


class ReleaseError(Exception):
    """Say in one sentence what keeps a release back, and what to do."""


def notes(root: Path, tag: str = "") -> str:
    """Return what CHANGELOG.md says of a version; without a tag, of what is not yet released.

    Raises ReleaseError when the tag is not the version of pyproject.toml, or says nothing.
    """
    version = tag.removeprefix("v") or "Unreleased"
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if tag and version != project:
        message = f"the tag {tag} is not v{project}, the version in pyproject.toml; correct one of the two"
        raise ReleaseError(message)
    log = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = {part.split("]")[0]: part.partition("\n")[2] for part in re.split(r"(?m)^## \[", log)[1:]}
    if not (text := sections.get(version, "").strip()):
        message = f"CHANGELOG.md says nothing under ## [{version}]; write there what readers will notice"
        raise ReleaseError(message)
    return f"{text}\n"


def assemble(root: Path, text: str) -> list[Path]:
    """Fill build/release with a release and its notes; return its files."""
    build = root / "build"
    target = build / "release"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for edition in ("pdf", "epub"):
        shutil.copy2(build / edition / f"{BOOK}.{edition}", target)
    _pack(build / "html", target / f"{BOOK}-site.zip")
    shutil.copy2(build / "html" / LAB_ARCHIVE, target)
    files = sorted(target.iterdir())
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (target / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    (target / NOTES).write_text(text, encoding="utf-8")
    return sorted(target.iterdir())


def main() -> int:
    """Check what is said about a release, or put it together."""
    parser = argparse.ArgumentParser(description="Put a release together from the built book.")
    parser.add_argument("tag", nargs="?", default="", help="the release's tag, such as v1.0")
    parser.add_argument("--check", action="store_true", help="only see whether tag and change log agree")
    options = parser.parse_args()
    try:
        text = notes(ROOT, options.tag)
    except ReleaseError as error:
        sys.exit(str(error))
    for file in [] if options.check else assemble(ROOT, text):
        print(f"{file.stat().st_size:>12,}  {file.relative_to(ROOT)}")
    return 0


def _pack(folder: Path, archive: Path) -> None:
    """Pack all files of a folder, in order and with one date."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), LONG_AGO)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    sys.exit(main())
