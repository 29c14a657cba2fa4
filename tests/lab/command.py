"""The lab's command line, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lab import edition

#: An address of loopback where nothing listens.
NOWHERE = "http://127.0.0.1:1"


def run_lab(
    *words: str,
    module: str = "lab",
    project: Path = edition.PROJECT,
    timeout: float = 300,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command of a project to its end, within `timeout` seconds, with some variables changed."""
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=project,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
