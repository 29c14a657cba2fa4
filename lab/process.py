"""Run other programs, keep what they print, and fail with a sentence."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lab.errors import LabError
from lab.home import folder

TAIL = 15
#: Seconds that a program has to clean up after itself when its time is over.
GRACE = 10
LIBC = ctypes.CDLL(None)
#: From linux/prctl.h.
PR_SET_PDEATHSIG = 1


def run(
    command: Sequence[str | Path],
    *,
    doing: str,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    remedy: str = "",
    timeout: float | None = None,
    given: str | None = None,
) -> str:
    """Run a command to its end and return what it printed on standard output.

    `given` is what it reads on standard input.
    `doing` completes the sentence "… failed"; `remedy` is added to it. All output
    goes to a log file in the lab's folder, named in the error. `timeout` is in
    seconds. Raises LabError when the program is missing, fails or takes too long.
    """
    log = folder("logs") / f"{Path(command[0]).name}.log"
    try:
        with subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=None if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, no lock, no import
        ) as process:
            result = _finish(process, given, timeout)
    except FileNotFoundError as error:
        message = f"{doing} failed: {command[0]} is not installed. {remedy}"
        raise LabError(message.strip()) from error
    except subprocess.TimeoutExpired as error:
        message = f"{doing} failed: no end after {timeout:.0f} s. {remedy}"
        raise LabError(message.strip()) from error
    if result.returncode:
        log.write_text(result.stdout + result.stderr)
        raise LabError(_failure(doing, result, log, remedy))
    return result.stdout


def succeeds(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    timeout: float = 20,
) -> bool:
    """Tell whether a command exits with 0 within `timeout` seconds."""
    try:
        run(command, doing="probe", environment=environment, timeout=timeout)
    except LabError:
        return False
    return True


def _end_with_parent() -> None:
    """Let the kernel end this program when the lab is killed.

    Otherwise it would work on beside the next command: a kind that goes on making the
    cluster removes the next one's nodes when it fails.
    """
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _finish(
    process: subprocess.Popen[str], given: str | None, timeout: float | None
) -> subprocess.CompletedProcess[str]:
    """Wait for a program's end; one that takes too long is asked to end, then killed."""
    try:
        output, errors = process.communicate(given, timeout)
    except subprocess.TimeoutExpired:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
        process.kill()
        raise
    except BaseException:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def _failure(doing: str, result: subprocess.CompletedProcess[str], log: Path, remedy: str) -> str:
    lines = (result.stderr.strip() or result.stdout.strip()).splitlines()[-TAIL:]
    said = "\n".join(f"    {line}" for line in lines)
    advice = f"\n{remedy}" if remedy else ""
    return f"{doing} failed (exit code {result.returncode}):\n{said}\n    (all of it: {log}){advice}"
