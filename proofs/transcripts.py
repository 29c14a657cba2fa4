"""Run the commands of a .console file again and compare what they print.

Two outputs are equal when they are the same text after the normalisers below: a list
of what differs between two honest runs, and nothing else.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import secrets
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from proofs.failures import DeadlinePassed, HarnessError

# Kubernetes draws generated names from these, so that no word can arise in them.
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_HASH = rf"(?=[a-z]*\d){_SAFE}{{8,10}}"


@dataclass(frozen=True)
class Normaliser:
    """One thing that may differ between two runs, and what replaces it."""

    what: str
    pattern: re.Pattern[str]
    mark: str

    def __call__(self, text: str) -> str:
        """Return a text with every occurrence marked."""
        return self.pattern.sub(self.mark, text)


NORMALISERS: Sequence[Normaliser] = (
    Normaliser(
        "timestamps",
        re.compile(
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
            r"|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d (?:GMT|[+-]\d{4})"
            r"|\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}"
        ),
        "<time>",
    ),
    Normaliser(
        "seconds since 1970 in an answer",
        re.compile(r'("created":\s*)\d{10}\b'),
        r"\1<time>",
    ),
    Normaliser(
        "generated ids",
        re.compile(
            r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
            r"|(?<=cmpl-)[\w-]+"
            r"|(?<=sha256:)[0-9a-f]{64}"
        ),
        "<id>",
    ),
    Normaliser(
        "hashes in the names of pods and replica sets",
        re.compile(rf"-{_HASH}(?:-{_SAFE}{{5}})?(?![\w-])"),
        "-<hash>",
    ),
    Normaliser(
        "IP addresses, except loopback and any",
        re.compile(r"\b(?!127\.0\.0\.1\b|0\.0\.0\.0\b)(?:\d{1,3}\.){3}\d{1,3}\b(?![.\w])"),
        "<address>",
    ),
    Normaliser(
        "fractions of seconds, in a column at the left too, where they are aligned to the right",
        re.compile(r"(?m)(?:^ +(?=\d)|\b)\d+\.\d+ ?(?:µs|ms|s|seconds)\b"),
        "<duration>",
    ),
    Normaliser(
        "ages of events in a description",
        re.compile(
            r"(?m)^(  (?:Normal|Warning) +\w+ +)(?:\d+[dhms])+(?: \(x\d+ over (?:\d+[dhms])+\))?(?= )"
        ),
        r"\1<age>",
    ),
    Normaliser("times ago", re.compile(r"\b(?:\d+[dhms])+ ago\b"), "<age> ago"),
    Normaliser("the width of columns", re.compile(r"(?<=\S)[ \t]{2,}"), "  "),
    Normaliser("blanks at the end of a line", re.compile(r"(?m)[ \t]+$"), ""),
)

#: The heads of kubectl's tables are in capitals; two of their columns hold ages.
_TABLE_HEAD = re.compile(r"[A-Z() -]*?\b(?P<age>AGE|LAST SEEN)\b[A-Z() -]*$")


@dataclass(frozen=True)
class Step:
    """A command of a transcript, and what it printed."""

    command: str
    output: str


def normalised(text: str) -> str:
    """Return a text in which only what must be the same in every run is left."""
    text = _without_ages(text)
    for normaliser in NORMALISERS:
        text = normaliser(text)
    return text.strip("\n")


def read_transcript(text: str, where: str) -> list[Step]:
    """Return the steps of a transcript; raise HarnessError when it starts with none."""
    steps: list[Step] = []
    continues = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("$ "):
            steps.append(Step(line[2:], ""))
        elif not steps:
            message = f"{where}, line {number}: output before a line '$ command'"
            raise HarnessError(message)
        elif continues and line.startswith("> "):
            steps[-1] = Step(f"{steps[-1].command}\n{line[2:]}", "")
        else:
            steps[-1] = Step(steps[-1].command, f"{steps[-1].output}{line}\n")
        continues = line.startswith("$ ") or (continues and line.startswith("> "))
    if not steps:
        message = f"{where}: no command; write a line that begins with '$ '"
        raise HarnessError(message)
    return steps


def printed_transcript(steps: Sequence[Step]) -> str:
    """Return steps as the text of a .console file."""
    return "".join("$ " + step.command.replace("\n", "\n> ") + "\n" + step.output for step in steps)


def run_steps(
    commands: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    deadline: float,
) -> list[tuple[str, int]]:
    """Run commands in one bash; return what each printed and its exit status.

    A command that ends the shell is the last in the list. Raises DeadlinePassed when
    all of them together take longer than `deadline` seconds.
    """
    border = secrets.token_hex(8)
    script = "".join(f"{command}\nprintf '%s %s\\n' {border} $?\n" for command in commands)
    # A file, not a pipe: a program left running would keep a pipe open.
    with (
        tempfile.TemporaryFile() as printed,
        subprocess.Popen(
            ["bash", "-c", script],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as shell,
    ):
        try:
            last_status = shell.wait(deadline)
        except subprocess.TimeoutExpired as error:
            message = f"transcript: no end within {deadline:g} s"
            raise DeadlinePassed(message) from error
        finally:
            _end_group(shell.pid)
        printed.seek(0)
        text = printed.read().decode(errors="replace")
    *parts, rest = re.split(rf"{border} (\d+)\n", text)
    results = list(zip(parts[::2], map(int, parts[1::2]), strict=True))
    if len(results) < len(commands):
        results.append((rest, last_status))
    return [(_whole_lines(output), status) for output, status in results]


def _whole_lines(output: str) -> str:
    return output if not output or output.endswith("\n") else f"{output}\n"


def _end_group(leader: int) -> None:
    """End a shell and all that it started; those that have ended are no error."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def difference(expected: Sequence[Step], found: Sequence[Step]) -> str:
    """Return a unified diff of two transcripts after normalising; empty when equal."""
    before, after = (normalised_transcript(steps).splitlines() for steps in (expected, found))
    lines = difflib.unified_diff(before, after, "recorded", "now", lineterm="", n=2)
    return "\n".join(lines)


def normalised_transcript(steps: Sequence[Step]) -> str:
    """Return a transcript with every output normalised, commands as they are."""
    return printed_transcript(
        [Step(step.command, f"{normalised(step.output)}\n" if step.output else "") for step in steps]
    )


def exchanged(text: str, pairs: Mapping[str, str], *, back: bool = False) -> str:
    """Return a text with each key exchanged for its value, or each value for its key."""
    for readers, tests in pairs.items():
        text = text.replace(tests, readers) if back else text.replace(readers, tests)
    return text


def _without_ages(text: str) -> str:
    """Mark the AGE column of kubectl's tables: numbers elsewhere are left alone."""
    lines = text.split("\n")
    column = None
    for number, line in enumerate(lines):
        if head := _TABLE_HEAD.match(line):
            column = head.start("age")
        elif not line.strip():
            column = None
        elif column is not None:
            lines[number] = _marked_age(line, column)
    return "\n".join(lines)


def _marked_age(line: str, column: int) -> str:
    age = re.compile(r"(?:\d+[ydhms])+|<unknown>|<invalid>").match(line, column)
    return f"{line[:column]}<age>{line[age.end() :]}" if age else line
