"""Does the lab wait for objects that have no conditions yet?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import cluster
from lab.errors import LabError

PROGRAM = """\
#!/bin/sh
echo x >>{calls}
[ "$(wc -l <{calls})" -gt {failures} ] && exit 0
echo '{error}' >&2
exit 1
"""
NEW = "error: .status.conditions accessor error: <nil> is of the type <nil>, expected []interface{}"


@pytest.mark.parametrize(("error", "failures", "calls"), [(NEW, 2, 3), ("error: timed out", 1, 1)])
def test_only_an_object_without_conditions_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, failures: int, calls: int
) -> None:
    program, log = tmp_path / "kubectl", tmp_path / "calls"
    program.write_text(PROGRAM.format(calls=log, failures=failures, error=error))
    program.chmod(0o755)
    monkeypatch.setattr(cluster, "_kubectl_command", lambda *arguments: [str(program), *arguments])
    if calls == failures:
        with pytest.raises(LabError, match="timed out"):
            cluster.wait_for("Established", "crd/new")
    else:
        cluster.wait_for("Established", "crd/new")
    assert len(log.read_text().split()) == calls
