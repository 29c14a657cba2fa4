"""Does the lab answer trouble with one sentence, a remedy and an exit code?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lab import addons, edition, host, objects, packages
from lab.errors import LabError
from tests.lab.command import run_lab

ROOT = edition.PROJECT


def test_missing_packages_are_named_with_their_command() -> None:
    answer = run_lab("no-such-program=some-package", module="lab.packages", PATH="")
    assert answer.returncode == 1
    assert "sudo apt-get install -y --no-install-recommends some-package" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_program_that_is_there_needs_no_package() -> None:
    packages.require([(sys.executable, "never-installed"), ("sh", "never-installed")])


def test_a_lab_that_is_not_up_says_how_to_start_it(tmp_path: Path) -> None:
    answer = run_lab("status", LIFE_WITH_LLMD_HOME=str(tmp_path))
    assert answer.returncode == 1
    assert answer.stderr == "Error: The lab is not up. Start it with: nox -s lab -- up\n"


def test_a_shell_never_stays_at_another_cluster(tmp_path: Path) -> None:
    answer = run_lab("env", LIFE_WITH_LLMD_HOME=str(tmp_path))
    assert answer.returncode == 1
    assert f'export KUBECONFIG="{tmp_path}/cluster/kubeconfig"' in answer.stdout.splitlines()
    assert "not up" in answer.stderr


def test_without_engine_the_remedy_is_named(tmp_path: Path) -> None:
    answer = run_lab("down", LIFE_WITH_LLMD_HOME=str(tmp_path), PATH="")
    assert answer.returncode == 1
    assert "No container engine" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_too_little_disk_stops_before_a_build(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"Too little disk: .* GiB are needed\. Free some"):
        host.require_space(tmp_path, 10**9)


def test_a_derived_crd_differs_in_group_only() -> None:
    old = """\
metadata:
  name: inferenceobjectives.inference.networking.x-k8s.io
  annotations:
    api-approved.kubernetes.io: a link
spec:
  group: inference.networking.x-k8s.io
  versions:
  - name: v1alpha2
    schema:
      openAPIV3Schema:
        properties:
          spec:
            properties:
              priority:
                type: integer
"""
    new = objects.derive_crd(old)
    assert "inferenceobjectives.llm-d.ai" in new
    assert "group: llm-d.ai" in new
    assert "x-k8s.io" not in new
    assert "format: int32" in new


def test_the_readme_names_every_addon() -> None:
    text = (ROOT / "lab/README.md").read_text()
    assert [name for name in addons.names() if f"`{name}`" not in text] == []


def test_an_unknown_addon_is_answered_with_the_known_ones() -> None:
    answer = run_lab("add", "no-such-addon")
    assert answer.returncode == 1
    assert "no-such-addon" in answer.stderr
    assert all(name in answer.stderr for name in addons.names())


def test_an_unknown_parameter_is_answered_with_the_known_ones() -> None:
    answer = run_lab("add", "fleet:colour=red")
    assert answer.returncode == 1
    assert "'colour=red'" in answer.stderr
    assert "replicas" in answer.stderr
