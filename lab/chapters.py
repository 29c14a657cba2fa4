"""What a chapter starts from: the add-ons that its listing start.console begins with."""

from __future__ import annotations

import re
import shlex

from lab import edition
from lab.errors import LabError

EXAMPLES = edition.PROJECT / "examples"
#: The commands of a transcript, how one goes on in the next line, and what each of them adds.
COMMAND = re.compile(r"^\$ (.*)$", re.MULTILINE)
CONTINUED = re.compile(r"\\?\n> *")
ADDONS = r"\bpython -m lab {verb} ([^()&|;]+)"


def starting_addons(chapter: str) -> list[str]:
    """Return the add-ons that a chapter, by its number, starts with; none where it starts with a bare lab.

    Raises LabError, with the numbers that there are, for another chapter.
    """
    folders = {str(int(folder.name[:2])): folder for folder in sorted(EXAMPLES.glob("[0-9][0-9]-*"))}
    if chapter not in folders:
        message = f"There is no chapter {chapter!r} with listings. There are: {', '.join(folders)}."
        raise LabError(message)
    start = folders[chapter] / "start.console"
    return addons_named(start.read_text()) if start.exists() else []


def addons_named(transcript: str, verb: str = "add") -> list[str]:
    """Return the add-ons that the commands `python -m lab add` of a transcript name, or `remove`."""
    commands = COMMAND.findall(CONTINUED.sub(" ", transcript))
    of_verb = re.compile(ADDONS.format(verb=verb))
    named = (words for command in commands for words in of_verb.findall(command))
    return [spec for words in named for spec in shlex.split(words)]
