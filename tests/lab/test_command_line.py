"""Does the lab answer trouble with one sentence, a remedy and an exit code?"""

from __future__ import annotations

import re
import shutil
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


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("fleet:replicas=x", "replicas is a whole number."),
        ("fleet:replicas=-1", "replicas is a whole number."),
        ("fleet:replicas=٣", "replicas is a whole number."),
        ("fleet:time-to-first-token=soon", "time-to-first-token is a duration such as 400ms."),
        ("flow-control:band-bytes=much", "band-bytes is an amount such as 1Gi."),
        ("fleet:mode=loud", "mode is one of: random, echo."),
        ("fleet:namespace=My_Fleet", "A namespace has small letters, digits and - inside, 63 at most."),
        *(
            (f"fleet:model={value}", "model has letters, digits and any of . _ / : = - only; ")
            for value in ("a;rm", "$(id)", "`id`", "a: b", "a #b", "{a}", "[a", '"a', "-", "a\nb", "a|b", "é")
        ),
    ],
)
def test_a_value_that_a_parameter_does_not_take_is_refused_before_anything_is_made(
    spec: str, sentence: str
) -> None:
    with pytest.raises(LabError) as refused:
        addons.find(spec)
    name, _, part = spec.partition(":")
    assert str(refused.value).startswith(f"The add-on {name} takes no {part!r}. {sentence}")


@pytest.mark.parametrize(
    "spec",
    [
        "fleet:model=lab/sim-8b,served-names=small big,failure-types=rate_limit server_error",
        "fleet:replicas=0,time-to-first-token=1.5s,loras=",
        "devices:node=life-with-llm-d-worker,devices=nvidia.com/gpu:2 rdma/hca:3",
        "vllm:extra=--max-model-len=512 --seed 7",
        "flow-control:ttl=1m30s,band-bytes=500M",
    ],
)
def test_values_that_parameters_take_arrive_as_they_are(spec: str) -> None:
    found = addons.find(spec).parameters
    for part in spec.partition(":")[2].split(","):
        name, _, value = part.partition("=")
        assert found[name] == value


@pytest.mark.parametrize("name", addons.names())
def test_every_default_is_a_value_that_its_parameter_takes(name: str) -> None:
    for parameter, default in addons.find(name).parameters.items():
        assert addons.find(f"{name}:{parameter}={default}").parameters[parameter] == default


def test_images_are_not_saved_where_no_folder_can_be_made(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    answer = run_lab("images", "--save", str(file / "folder"), LIFE_WITH_LLMD_HOME=str(tmp_path))
    assert answer.returncode == 1
    assert answer.stderr == (
        f"Error: {file}/folder cannot take files: Not a directory. Name a folder that you may write to.\n"
    )


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            'title = "',
            "title = ",
            r"edition\.toml is not TOML: .* \(at line \d+, column \d+\)\. Correct it, ",
        ),
        ("[versions]", "[version]", r"edition\.toml has no table \[versions\]\. "),
        (
            "{simulator}",
            "{simulator2}",
            r"edition\.toml, \[versions\]: .*{simulator2}' asks for 'simulator2'",
        ),
        (
            'name = "docker.io/kindest',
            'nam = "docker.io/kindest',
            r"edition\.toml, \[images\.node\]: give name, ",
        ),
    ],
)
def test_a_broken_edition_is_told_in_one_sentence(
    before: str, after: str, sentence: str, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "lab", tmp_path / "lab", ignore=shutil.ignore_patterns("modules", "__pycache__"))
    text = (ROOT / "edition.toml").read_text()
    (tmp_path / "edition.toml").write_text(text.replace(before, after, 1))
    answer = run_lab("images", project=tmp_path, LIFE_WITH_LLMD_HOME=str(tmp_path / "home"))
    assert answer.returncode == 1
    assert re.fullmatch(f"Error: {sentence}.*\n", answer.stderr), answer.stderr


def test_an_unknown_parameter_is_answered_with_the_known_ones() -> None:
    answer = run_lab("add", "fleet:color=red")
    assert answer.returncode == 1
    assert "'color=red'" in answer.stderr
    assert "replicas" in answer.stderr
