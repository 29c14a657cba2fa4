"""Check the workflows of .github/workflows with actionlint: `python -m tools.workflows`.

actionlint's package on PyPI downloads a program when it is installed. Here Go builds the
module that tools/actionlint pins by checksum, once, in the lab's caches.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lab.process import run
from lab.programs import go_environment, go_program

ROOT = Path(__file__).resolve().parent.parent
PINNED = ROOT / "tools" / "actionlint"


def actionlint(*files: str) -> int:
    """Check workflow files, or all of the repository; return actionlint's exit status."""
    where = run(
        [go_program(), "tool", "-n", "actionlint"],
        doing="Building actionlint",
        cwd=PINNED,
        environment=go_environment(),
        remedy="Its modules come from the Go module proxy (GOPROXY); run the command again.",
    )
    return subprocess.run([where.strip(), "-no-color", *files], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(actionlint(*sys.argv[1:]))
