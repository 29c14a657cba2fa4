"""How a program that the book hands to its readers refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def refusal(program: Path, *arguments: str, **variables: str) -> str:
    """Return the one sentence with which a program refuses, with an exit status other than zero.

    Only lines that say how it is used may come before; `variables` are added to its environment.
    """
    result = subprocess.run(
        [sys.executable, program.name, *arguments],
        cwd=program.parent,
        env={**os.environ, **variables},
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode != 0
    *usage, sentence = result.stderr.strip().splitlines()
    assert not usage or usage[0].startswith("usage:"), result.stderr
    return sentence
