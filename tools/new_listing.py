"""Begin a listing and its proof: `nox -s new -- 04-data-scientist/batch-job.yaml`.

Both files work as they are, but the proof fails with a sentence until it asserts what
the reader gets. What to paste into the chapter is printed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from string import Template

from proofs.listings import is_refused
from proofs.outline import Chapter, load_outline

ROOT = Path(__file__).resolve().parent.parent
SKELETONS = Path(__file__).with_name("skeletons.toml")
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: Letters of a file's name that a caption and a proof's name can hold.
LONGEST = 50


class NewListingError(Exception):
    """Say in one sentence why nothing was written, and what to do."""


def begin(root: Path, listing: str, idea: str = "") -> str:
    """Write the skeletons of a listing and its claim; return what to do next.

    `listing` is `<slug>/<file>`; `idea` names the proof's module, else the file does.
    Raises NewListingError, and writes nothing, when a name is wrong or a file exists.
    """
    path = PurePosixPath(listing.removeprefix("examples/"))
    chapter = _chapter(root, path)
    skeleton = _skeleton(path)
    idea = idea or path.stem.replace("-", "_")
    if not SNAKE.fullmatch(idea):
        message = (
            f"a proof cannot be called {idea!r}; name it in snake_case with --idea, as in --idea batch_job"
        )
        raise NewListingError(message)
    words = {
        "name": path.stem,
        "file": path.name,
        "path": str(path.relative_to(chapter.slug)),
        "title": path.stem.replace("-", " ").replace("_", " ").capitalize(),
        "idea": idea,
    }
    proof = PurePosixPath("tests/proofs", chapter.slug, f"test_{idea}.py")
    texts = {
        "examples" / path: _filled(skeleton["text"], words),
        proof: _claim(skeleton, words),
    }
    _write(root, texts)
    return _next_steps(texts, chapter, skeleton["directive"], str(path), words)


def main() -> int:
    """Begin the listing that the command line names."""
    parser = argparse.ArgumentParser(prog="nox -s new --", description="Begin a listing and its proof.")
    parser.add_argument("listing", help="<slug>/<file>, such as 04-data-scientist/batch-job.yaml")
    parser.add_argument(
        "--idea", default="", help="the proof's name in snake_case, where the file's is taken"
    )
    options = parser.parse_args()
    try:
        print(begin(ROOT, options.listing, options.idea))
    except NewListingError as error:
        sys.exit(str(error))
    return 0


def _chapter(root: Path, path: PurePosixPath) -> Chapter:
    """Return the chapter that a path begins with."""
    if path.is_absolute() or ".." in path.parts or len(path.parts) == 1:
        message = f"{path} lies in no chapter; write <slug>/<file>, such as 04-data-scientist/batch-job.yaml"
        raise NewListingError(message)
    known = {page.slug: page for page in load_outline(root / "source").pages}
    slug = path.parts[0]
    if slug not in known:
        nearest = get_close_matches(slug, known, n=1, cutoff=0.0)[0]
        choice = f"the nearest is {nearest}, and all are {', '.join(known)}"
        message = f"source/outline.toml has no chapter {slug!r}; {choice}"
        raise NewListingError(message)
    return known[slug]


def _skeleton(path: PurePosixPath) -> Mapping[str, str]:
    """Return the skeleton for a file; raise NewListingError when its name is wrong."""
    table = tomllib.loads(SKELETONS.read_text(encoding="utf-8"))
    kind = f"refused/{path.suffix}" if is_refused(str(path)) else path.suffix
    if kind not in table:
        known = ", ".join(key for key in table if key != "claim")
        message = f"{path}: there is no skeleton for {kind or 'a file without suffix'}; choose one of {known}"
        raise NewListingError(message)
    style, name = (SNAKE, "snake_case.py") if path.suffix == ".py" else (KEBAB, f"kebab-case{path.suffix}")
    if not style.fullmatch(path.stem) or len(path.stem) > LONGEST:
        message = f"{path.name} is no name for a listing; write it as {name}, of at most {LONGEST} letters"
        raise NewListingError(message)
    for folder in path.parts[1:-1]:
        if not KEBAB.fullmatch(folder):
            message = (
                f"{path}: the folder {folder!r} is no name for a folder of listings; write it in kebab-case"
            )
            raise NewListingError(message)
    skeleton: Mapping[str, str] = table[kind]
    return {**skeleton, "claim": table["claim"]["text"]}


def _claim(skeleton: Mapping[str, str], words: Mapping[str, str]) -> str:
    """Return the text of the proof's module."""
    about = {
        **{key: skeleton[key] for key in ("evidence", "because")},
        **{key: json.dumps(skeleton[key]) for key in ("old", "new")},
        "imports": f"{skeleton['imports']}\n\n" if "imports" in skeleton else "",
        "call": Template(skeleton["call"]).substitute(words),
    }
    return _filled(skeleton["claim"], {**words, **about})


def _filled(text: str, words: Mapping[str, str]) -> str:
    return Template(text.removeprefix("\n")).safe_substitute(words)  # transcripts hold dollars, too


def _write(root: Path, texts: Mapping[PurePosixPath, str]) -> None:
    """Write all files, or none when one of them exists."""
    taken = [str(path) for path in texts if (root / path).exists()]
    if taken:
        remedy = "edit it, or choose another name (--idea names the proof)"
        message = f"{' and '.join(taken)} exists already, so nothing was written; {remedy}"
        raise NewListingError(message)
    for path, text in texts.items():
        file = root / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            message = (
                f"{path} cannot be written: {error.strerror}; correct the folder's rights and run it again"
            )
            raise NewListingError(message) from error
        if path.suffix == ".sh":
            file.chmod(0o755)


def _next_steps(
    texts: Mapping[PurePosixPath, str],
    chapter: Chapter,
    directive: str,
    listing: str,
    words: Mapping[str, str],
) -> str:
    written = "\n".join(f"  {path}" for path in texts)
    return f"""\
Written:
{written}

Paste this into source/{chapter.page}.md where the reader wants it, with a caption of yours:

```{{{directive}}} {listing}
:caption: {words["title"]}
```

Fill both files in, then prove them (--record writes the record, and what programs answered):

  nox -s examples -- tests/proofs/{chapter.slug}/test_{words["idea"]}.py --record"""


if __name__ == "__main__":
    sys.exit(main())
