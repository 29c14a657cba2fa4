"""Are random mutants real changes, the same for a seed, and a report instead of a failure?"""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from proofs.random_mutants import random_mutants
from tests.harness.conftest import Run

SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  model: demo
  note: nobody reads this
"""
PROOF = """
    import sys
    from proofs.api import Mutant, proves

    SETTINGS = "01-demo/settings.yaml"

    @proves(SETTINGS, evidence="computed", mutants=[Mutant(SETTINGS, "demo", "other", because="other")])
    def test_settings(proof):
        assert "model: demo" in proof.path(SETTINGS).read_text()
        assert "model: other" not in proof.path(SETTINGS).read_text()
"""


@pytest.fixture(autouse=True)
def settings(project: Path) -> None:
    """Put the listing into the project."""
    (project / "examples/01-demo/settings.yaml").write_text(SETTINGS)


def test_every_random_mutant_is_another_text() -> None:
    mutants = random_mutants("a.yaml", SETTINGS, 12, seed=3)
    changed = [YAML(typ="safe").load(one.mutate(SETTINGS)) for one in mutants]
    assert len(mutants) == len({one.change for one in mutants}) == 12
    assert all(content != YAML(typ="safe").load(SETTINGS) for content in changed)
    assert all(content["kind"] == "ConfigMap" for content in changed)


def test_a_seed_decides_the_mutants() -> None:
    first, again, other = (random_mutants("a.yaml", SETTINGS, 5, seed) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_survivors_are_reported_and_fail_nothing(run: Run, records: Path) -> None:
    result = run("--random-mutants=12", module=PROOF)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["12 random mutants: * killed (0 of them by an error), * survived"])
    result.stdout.fnmatch_lines(["survived: 01-demo/settings.yaml: data.note: nobody reads this -> *"])
    result.stdout.no_fnmatch_line("survived: 01-demo/settings.yaml: data.model: demo -> deleted")
    assert "random" not in records.read_text()


def test_the_report_lists_declared_mutants_and_their_killers(run: Run) -> None:
    result = run("--mutants", module=PROOF)
    result.stdout.fnmatch_lines(
        ["test_settings · 01-demo/settings.yaml · demo -> other (other) · assertion: *"]
    )


def test_the_report_names_survivors(run: Run) -> None:
    result = run("--mutants", module=PROOF.replace("assert ", "assert True or "))
    result.stdout.fnmatch_lines(
        ["1 mutants: 0 killed, 1 survived, 0 not run", "test_settings · * · SURVIVED"]
    )
