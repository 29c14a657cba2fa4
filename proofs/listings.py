"""Which files are listings, and what each of them is: the one answer to all such questions.

A listing is named by its path under examples/, such as `02-installation/refused/no-port.yaml`.
This module needs nothing but Python, so that the book's build can use it, too.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import ModuleType

#: What a listing is written in, by its suffix: Pygments' names.
LANGUAGES: Mapping[str, str] = {
    ".conf": "nginx",
    ".console": "console",
    ".go": "go",
    ".ipynb": "json",
    ".json": "json",
    ".promql": "promql",
    ".py": "python",
    ".sh": "bash",
    ".toml": "toml",
    ".yaml": "yaml",
}
#: Pictures that proofs take (proofs/screenshots.py): listings that hold no text.
PICTURES = frozenset({".png"})
#: Files beside listings that are none: printed answers, and what Python leaves.
NO_LISTINGS = frozenset({".refusal", ".pyc"})


def listing_files(root: Path) -> dict[str, Path]:
    """Return every listing of a project by its name; caches and hidden files are none."""
    examples = root / "examples"
    files = {path.relative_to(examples): path for path in sorted(examples.rglob("*"))}
    return {
        name.as_posix(): path
        for name, path in files.items()
        if path.is_file()
        and path.suffix not in NO_LISTINGS
        and not any(part.startswith(".") for part in name.parts)
    }


def chapter_files(root: Path, slug: str) -> list[Path]:
    """Return what readers take along of a chapter: its texts, and the answers beside refused ones."""
    every = {name: file for name, file in listing_files(root).items() if not is_picture(name)}
    files = [file for name, file in every.items() if slug_of(name) == slug]
    answers = [refusal_path(file) for file in files if is_refused(file.as_posix())]
    return sorted({*files, *filter(Path.is_file, answers)})


def slug_of(listing: str) -> str:
    """Return the slug of the chapter that a listing belongs to."""
    return PurePosixPath(listing).parts[0]


def is_picture(listing: str) -> bool:
    """Tell whether a listing is a picture of a program's page."""
    return PurePosixPath(listing).suffix in PICTURES


def is_refused(listing: str) -> bool:
    """Tell whether a listing is one that must be refused."""
    return "refused" in PurePosixPath(listing).parts[:-1]


def refusal_path(file: Path) -> Path:
    """Return where the answer to a refused listing is kept."""
    return file.with_suffix(".refusal")


def language_of(listing: str) -> str:
    """Return the language to highlight a listing in."""
    return LANGUAGES.get(PurePosixPath(listing).suffix, "text")


def label_of(listing: str) -> str:
    """Return the label of a listing in the book: its name with dashes for slashes and dots."""
    return re.sub(r"[/.]", "-", listing)


def imported(file: Path, name: str) -> ModuleType:
    """Import a program from its file, under a name in sys.modules; whatever it raises is passed on.

    It finds programs beside it, as when it is run. Raises ImportError when the file is not a
    Python program.
    """
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        message = f"{file} is not a Python program"
        raise ImportError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their own module up
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    before = set(sys.modules)
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(file.parent))
        sys.dont_write_bytecode = writes
        for beside in set(sys.modules) - before:  # each folder may have programs of that name
            if Path(getattr(sys.modules[beside], "__file__", None) or "/").parent == file.parent:
                del sys.modules[beside]
    return module
