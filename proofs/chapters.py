"""A chapter as its proofs see it: one slug names page, examples, proofs and records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from proofs.failures import HarnessError
from proofs.listings import is_picture
from proofs.outline import load_outline


@dataclass(frozen=True)
class Chapter:
    """A chapter of the project at `root`: `chapter["chat.py"]` names a listing of it."""

    root: Path
    slug: str

    def __getitem__(self, file: str) -> str:
        """Return the name of a listing of the chapter; raise HarnessError when there is none."""
        listing = f"{self.slug}/{file}"
        if not is_picture(listing) and not (self.root / "examples" / listing).is_file():
            message = f"examples/{listing} does not exist; correct the path, or add the file"
            raise HarnessError(message)
        return listing

    @property
    def page(self) -> Path:
        """The chapter's page."""
        return self.root / "source" / f"{load_outline(self.root / 'source').chapter(self.slug).page}.md"


def chapter_of(module: str) -> Chapter:
    """Return the chapter of a test module in tests/proofs/<slug>/, given its `__file__`.

    Raises HarnessError when the outline has no chapter with the folder's name.
    """
    folder = Path(module).resolve().parent
    root = folder.parents[2]
    try:
        load_outline(root / "source").chapter(folder.name)
    except KeyError as error:
        message = f"tests/proofs/{folder.name}: {error.args[0]}"
        raise HarnessError(message) from error
    return Chapter(root, folder.name)
