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
ADD = re.compile(r"\bpython -m lab add ([^()&|;]+)")


def starting_addons(chapter: str) -> list[str]:
    """Return the add-ons that a chapter, by its number, starts with; none where it starts with a bare lab.

    Raises LabError, with the numbers that there are, for another chapter.
    """
    folders = {str(int(folder.name[:2])): folder for folder in sorted(EXAMPLES.glob("[0-9][0-9]-*"))}
    if chapter not in folders:
        message = f"There is no chapter {chapter!r} with listings. There are: {', '.join(folders)}."
        raise LabError(message)
    start = folders[chapter] / "start.console"
    return added(start.read_text()) if start.exists() else []


def added(transcript: str) -> list[str]:
    """Return what the commands `python -m lab add` of a transcript add, in their order."""
    commands = COMMAND.findall(CONTINUED.sub(" ", transcript))
    added_by = (words for command in commands for words in ADD.findall(command))
    return [spec for words in added_by for spec in shlex.split(words)]
