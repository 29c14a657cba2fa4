"""The lab and the listings in one file that works by itself, and the directive `{start-here}`.

HTML serves the archive, the PDF carries it as an attachment, a release publishes the same bytes.
The directive shows, in each edition's own words, where it is and the five lines that start it.
"""

from __future__ import annotations

import os
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from proofs.listings import listing_files, refusal_path

NAME = "life-with-llm-d-lab"
ADDRESS = f"_downloads/{NAME}.zip"
#: What a reader needs to run the lab and the listings, without the book; and listing_files.
FILES = ("LICENSE", "NOTICE", "edition.toml", "lab", "noxfile.py", "pyproject.toml", "requirements")
#: Where the answers to a chapter's exercises are.
ANSWERS = "tests/proofs/*/answers.md"
#: What Python and its tools leave in folders.
LEFT_OVER = {"__pycache__", ".pyc"}
#: What a reader types, in the folder that holds the archive.
START = (
    f"unzip {NAME}.zip && cd {NAME}",
    "python3 -m venv .venv && . .venv/bin/activate",
    "pip install -r requirements/lab.txt",
    "python -m lab doctor",
    'python -m lab up && eval "$(python -m lab env)"',
)
README = """# The lab of "Life with llm-d", and its listings

{start}
`doctor` says what your machine lacks, and `up` takes a while the first time.
In every other terminal, run the `eval` line that `up` prints: it points kubectl at the lab.
[lab/README.md](lab/README.md) says more. The listings are in examples/, a folder per chapter.
"""
#: Where the archive is, in each edition.
WHERE = {
    "html": "Download the lab and all listings: ",
    "latex": "This file carries the lab and all listings as an attachment. Save it from your reader's list "
    "of attachments, or with “pdfdetach -saveall life-with-llm-d.pdf” of poppler: ",
    "epub": "The lab and all listings are beside the HTML edition: ",
}


def write(root: Path, target: Path) -> None:
    """Write the archive of a project: the same files make the same bytes."""
    tops = [root / name for name in FILES]
    found = {file for top in tops for file in (top.rglob("*") if top.is_dir() else [top])}
    found |= {*listing_files(root).values(), *map(refusal_path, listing_files(root).values())}
    found |= set(root.glob(ANSWERS))
    kept = [file for file in found if file.is_file() and not LEFT_OVER & {*file.parts, file.suffix}]
    target.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(target, "w") as archive:
        _add(archive, "README.md", README.format(start=_typed("$ ")).encode())
        for file in sorted(kept):
            name = file.relative_to(root).as_posix()
            _add(archive, name, file.read_bytes(), is_program=bool(file.stat().st_mode & 0o100))


def _typed(prompt: str) -> str:
    lines = "".join(f"{prompt}{line}\n" for line in START)
    return f"```console\n{lines}```\n"


def _add(archive: ZipFile, name: str, content: bytes, *, is_program: bool = False) -> None:
    entry = ZipInfo(f"{NAME}/{name}")  # with the date of all archives, 1980: no checkout's
    entry.external_attr = (0o755 if is_program else 0o644) << 16
    archive.writestr(entry, content, ZIP_DEFLATED)


class StartHere(SphinxDirective):
    """Where the lab is, and the lines that start it."""

    def run(self) -> list[nodes.Node]:
        """Return a sentence in the words of the edition, and the lines."""
        builder = self.env.app.builder.name
        where = nodes.paragraph(
            "", WHERE.get(builder, WHERE["html"]), _place(builder, self.config.html_baseurl)
        )
        where += nodes.Text(".")
        lines = "".join(f"$ {line}\n" for line in START).rstrip()
        then = nodes.paragraph(
            "",
            "It needs Debian or a relative, Python 3.11, docker or podman, 14 GiB, and 15 to 30 minutes:",
        )
        block = nodes.literal_block(lines, lines, language="console", classes=["start-here"])
        return [where, then, block]


def _place(builder: str, site: str) -> nodes.Node:
    """Return the name of the archive: in HTML and EPUB, it leads there."""
    name = ADDRESS.rsplit("/", 1)[1]
    if builder == "latex":
        return nodes.literal(name, name)
    target = ADDRESS if builder == "html" else f"{site}{ADDRESS}"
    return nodes.reference("", "", nodes.literal(name, name), refuri=target, internal=builder == "html")


def _write_for(app: Sphinx) -> None:
    """Put the archive where the edition looks for it, with the edition's date."""
    name = {"html": ADDRESS, "latex": Path(ADDRESS).name}.get(app.builder.name)
    if name:
        target = Path(app.outdir) / name
        write(Path(__file__).parents[1], target)
        date = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
        os.utime(target, (date, date))  # the PDF notes it


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive, and write the archive before the pages."""
    app.add_directive("start-here", StartHere)
    app.connect("builder-inited", _write_for)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
