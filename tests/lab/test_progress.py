"""Is a wait told once in a log, and its length at the end?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab import edition
from lab.lock import alone

WAIT = "from lab.lock import alone\nwith alone('fleet'): pass\n"


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_a_wait_for_another_command_is_told_once_and_its_length_at_the_end(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path))
    monkeypatch.setenv(variable, "1")
    with subprocess.Popen(
        [sys.executable, "-c", WAIT], cwd=edition.PROJECT, stderr=subprocess.PIPE, text=True
    ) as other:
        assert other.stderr
        with alone("fleet"):
            first = other.stderr.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                other.wait(1.5)
        last = other.stderr.read()
    assert re.fullmatch(r" +\d+\.\ds  Waiting for another command that is at work on fleet \.\.\.\n", first)
    assert re.fullmatch(r" +\d+\.\ds  Waiting for .* on fleet: done in [1-9]\d*\.\d s\n", last)
