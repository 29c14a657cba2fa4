"""`python -m lab translate`: a configuration of the router for its other line."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from textwrap import fill

import click

from lab import yaml_documents
from lab.errors import LabError
from lab.router_lines import Translation, translation


@click.command("translate")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--to",
    "version",
    required=True,
    metavar="VERSION",
    help="The router's version, as edition.toml names it.",
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the text there.")
def command(file: Path, version: str, output: Path | None) -> None:
    """Turn a configuration of one router version into one of another.

    FILE holds manifests, or the endpoint picker's configuration alone; - is standard
    input. The new text goes to standard output, what changed and why to standard
    error. What the version cannot do is refused by name. No cluster is needed.
    """
    text = _read(file)
    for _ in yaml_documents.read(text, str(file)):
        pass  # what is not YAML is told with its line
    found = translation(text, version)
    for sentence in _report(found, file, version):
        click.echo(sentence, err=True)
    if output:
        output.write_bytes(found.text.encode())
    else:
        click.echo(found.text.encode(), nl=False)


def _read(file: Path) -> str:
    try:
        return (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode()
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}."
        raise LabError(message) from error
    except UnicodeDecodeError as error:
        message = f"{file} is not text in UTF-8. Give a YAML file."
        raise LabError(message) from error


def _report(found: Translation, file: Path, version: str) -> list[str]:
    if not found.changes:
        return [f"{file} needs no change for router {version}."]
    lines = []
    for where, changes in groupby(found.changes, key=lambda change: change.where):
        lines += [where, *(_wrapped(f"{change.what}: {change.why}") for change in changes)]
    count = "1 change" if len(found.changes) == 1 else f"{len(found.changes)} changes"
    return [*lines, f"{count} for router {version}."]


def _wrapped(text: str) -> str:
    # Names with dashes and dots stay whole: a reader searches for them.
    return fill(text, 78, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
