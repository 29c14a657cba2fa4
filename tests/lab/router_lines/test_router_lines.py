"""Does the translation between router lines do what its table says, and no more?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from lab import edition, router_lines
from lab.errors import LabError
from lab.router_lines import translate, translation
from lab.router_lines.command import command
from lab.router_lines.table import Line, other, table, version
from tests.lab.router_lines.configurations import CONFIGURATIONS, HEADS, WHOLE, whole
from tests.lab.router_lines.meaning import meaning

NEWER = version("newer")
OLDER = version("older")
PAIRS = YAML(typ="safe").load(Path(__file__).with_name("pairs.yaml").read_text())
REFUSED = [("older", name) for name in CONFIGURATIONS["not-on-older"]]
REFUSED += [("newer", name) for name in CONFIGURATIONS["not-on-newer"]]


def with_versions(text: str) -> str:
    return text.replace("{newer}", NEWER).replace("{older}", OLDER)


@pytest.mark.parametrize(
    "pair", [pair for pair in PAIRS if pair.get("only") != "newer"], ids=lambda pair: pair["about"]
)
def test_each_rule_gives_the_text_for_the_older_line(pair: dict[str, Any]) -> None:
    found = translation(with_versions(pair["newer"]), OLDER)
    assert found.text == with_versions(pair["older"])
    assert {change.rule for change in found.changes} == {*pair["rules"]}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["about"])
def test_each_rule_gives_the_text_for_the_newer_line(pair: dict[str, Any]) -> None:
    found = translation(with_versions(pair["older"]), NEWER)
    if pair.get("back", True) or pair.get("only") == "newer":
        assert found.text == with_versions(pair["newer"])
    assert "inference.networking.x-k8s.io/v1alpha1" not in found.text
    assert OLDER not in found.text


def test_every_rule_of_the_table_has_a_pair() -> None:
    tested = {number for pair in PAIRS for number in pair["rules"]}
    assert {rule["number"] for rule in table()["rules"]} - tested == {17}, "what is refused has its own tests"


@pytest.mark.parametrize(("line", "name"), WHOLE)
def test_a_translated_configuration_means_the_same(line: Line, name: str) -> None:
    text = whole(line, name)
    there = translation(text, version(other(line))).text
    assert meaning(there, other(line)) == meaning(text, line)
    back = translation(there, version(line)).text
    assert meaning(back, line) == meaning(text, line)


@pytest.mark.parametrize(("line", "name"), WHOLE)
def test_what_is_written_for_a_line_keeps_its_bytes_there(line: Line, name: str) -> None:
    text = whole(line, name)
    assert translation(text, version(line)) == router_lines.Translation(text, ())
    there = translation(text, version(other(line))).text
    assert translation(there, version(other(line))) == router_lines.Translation(there, ())


@pytest.mark.parametrize(("line", "name"), REFUSED)
def test_what_a_line_lacks_is_refused_by_name(line: Line, name: str) -> None:
    case = CONFIGURATIONS[f"not-on-{line}"][name]
    with pytest.raises(LabError) as refusal:
        translation(HEADS[other(line)] + case["text"], version(line))
    lines = str(refusal.value).splitlines()
    assert len(lines) == 1, "one fault, one sentence"
    says = "needs router ≥ 0.10" if line == "older" else f"no counterpart on router {NEWER}"
    assert f"EndpointPickerConfig: {case['names']}" in lines[0]
    assert says in lines[0]


@pytest.mark.parametrize("plugin", sorted(table()["absent"]["older"]))
def test_each_plugin_that_the_older_line_lacks_is_refused(plugin: str) -> None:
    with pytest.raises(LabError, match=rf"the plugin {plugin} needs router ≥ 0\.10"):
        translation(f"{HEADS['newer']}plugins: [{{type: {plugin}}}]\n", OLDER)


def test_all_faults_are_named_at_once() -> None:
    text = f"{HEADS['newer']}plugins: [{{type: token-producer}}, {{type: utilization-filter}}]\n"
    with pytest.raises(LabError) as refusal:
        translation(text, OLDER)
    assert [line.split(" needs")[0].rsplit(" ", 1)[1] for line in str(refusal.value).splitlines()] == [
        "token-producer",
        "utilization-filter",
    ]


def test_the_old_version_name_does_not_hide_a_newer_configuration() -> None:
    body = "plugins:\n  - type: approx-prefix-cache-producer\n  - type: prefix-cache-scorer\n"
    older = translation(HEADS["older"] + body, OLDER)
    assert "approx-prefix-cache-producer" not in older.text
    newer = translation(HEADS["older"] + body, NEWER)
    assert newer.text == HEADS["newer"] + body


@pytest.mark.parametrize(
    ("program", "flag"),
    [
        ("picker", "--drain-timeout=5s"),
        ("picker", "--metrics-client-ca-file=/ca.pem"),
        ("picker", "--enable-grpc-stream-metrics"),
        ("picker", "--endpoint-selector=tier in (gold,silver)"),
        ("sidecar", "--kv-connector=mooncake"),
        ("sidecar", "--configuration-file=/etc/sidecar.yaml"),
        ("sidecar", "--prefill-max-retries=2"),
    ],
)
def test_a_flag_that_asks_for_more_is_refused_by_name(program: str, flag: str) -> None:
    image = f"ghcr.io/llm-d/{table()['programs'][program]['newer']}:{NEWER}"
    text = f'kind: Pod\nspec:\n  containers:\n    - image: {image}\n      args: ["{flag}"]\n'
    name = flag if "=" in flag else f"{flag}=true"
    with pytest.raises(LabError) as refusal:
        translation(text, OLDER)
    assert f"{name} needs router ≥ 0.10" in str(refusal.value)


@pytest.mark.parametrize("kind", ["InferencePool", "InferenceModel"])
def test_objects_that_the_newer_line_does_not_read_are_refused(kind: str) -> None:
    text = f"apiVersion: inference.networking.x-k8s.io/v1alpha2\nkind: {kind}\nmetadata: {{name: demo}}\n"
    with pytest.raises(LabError, match=rf"{kind} demo: {kind} of .* has no counterpart on router {NEWER}"):
        translation(text, NEWER)
    assert translation(text, OLDER).text == text


def test_a_parameter_that_the_older_line_ignores_is_left_out_with_a_sentence() -> None:
    text = "plugins:\n  - type: prefix-cache-scorer\n    parameters: {blockSize: 256, blockSizeTokens: 128}\n"
    found = translation(HEADS["older"] + text, NEWER)
    assert "blockSize: " not in found.text
    assert "blockSizeTokens: 128" in found.text
    assert "blockSize of prefix-cache-scorer is left out" in {change.what for change in found.changes}


def test_a_gate_named_twice_counts_once() -> None:
    text = f"{HEADS['newer']}featureGates: [flowControl, haPopulateNonLeaderDatastore, flowControl=true]\n"
    found = YAML(typ="safe").load(translation(text, OLDER).text)
    assert set(found["featureGates"]) == {"flowControl"}


def test_parameters_without_the_program_that_takes_them_are_refused() -> None:
    source = "plugins:\n  - type: metrics-data-source\n    parameters: {path: /other}\n"
    with pytest.raises(LabError, match=r"path of the metrics source: .* the text has no container of it"):
        translation(HEADS["newer"] + source, OLDER)
    image = f"ghcr.io/llm-d/llm-d-inference-scheduler:{OLDER}"
    flag = "--model-server-metrics-path=/other"
    pod = f"kind: Pod\nspec:\n  containers:\n    - image: {image}\n      args: [{flag}]\n"
    with pytest.raises(LabError, match=r"path of the metrics source: .* the text has no such configuration"):
        translation(pod, NEWER)


def test_an_image_of_another_release_is_refused() -> None:
    text = "kind: Pod\nspec:\n  containers:\n    - image: ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.9.0\n"
    with pytest.raises(LabError, match=f"no rules for the image .*v0.9.0: known are {NEWER} and {OLDER}"):
        translation(text, OLDER)


def test_image_names_are_those_of_the_edition() -> None:
    names = {image.name.rsplit("/", 1)[1] for image in edition.images().values()}
    for program, images in table()["programs"].items():
        for line in ("newer", "older"):
            assert f"{images[line]}:{version(line)}" in names, program


#: What is written for the older line says so in its name.
FOR_THE_EDITION = [
    path
    for path in sorted((edition.PROJECT / "examples").glob("*/*.yaml"))
    if not path.name.startswith("older-")
]


#: Listings that the older line can't express, with the plugin that it lacks.
ONLY_NEWER = {"headroom-config.yaml": "concurrency-detector"}


@pytest.mark.parametrize("listing", FOR_THE_EDITION, ids=lambda path: path.name)
def test_listings_keep_their_bytes_on_the_editions_line(listing: Path) -> None:
    text = listing.read_text()
    assert translate(text, NEWER) == text
    if plugin := ONLY_NEWER.get(listing.name):
        with pytest.raises(LabError, match=f"the plugin {plugin} needs router"):
            translate(text, OLDER)
        return
    back = translation(translate(text, OLDER), NEWER).text
    # What the older line merges, the way back writes out elsewhere: then only the meaning is kept.
    assert back == text or _meanings(back) == _meanings(text) != []


def _meanings(text: str) -> list[dict[str, Any]]:
    """Return what the picker's configurations in manifests mean on the edition's line."""
    documents = YAML(typ="safe").load_all(text)
    files = [file for one in documents if one["kind"] == "ConfigMap" for file in one["data"].values()]
    return [meaning(file, "newer") for file in files if "EndpointPickerConfig" in file]


def test_the_rest_of_the_lab_asks_for_lines_where_the_readme_says_and_nowhere_else() -> None:
    folder = edition.PROJECT / "lab"
    callers = {file.name for file in folder.glob("*.py") if "router_lines" in file.read_text()}
    readme = (folder / "router_lines/README.md").read_text()
    assert callers == {"__main__.py", "addons.py", "cluster.py"}
    assert all(f"| `lab/{name}` |" in readme for name in callers)


def test_an_unknown_line_is_refused() -> None:
    with pytest.raises(LabError, match=rf"No rules for router v0\.5\.0: known are {NEWER} and {OLDER}\."):
        translate("kind: Pod\n", "v0.5.0")


def test_a_text_that_is_not_yaml_is_told_apart() -> None:
    with pytest.raises(MarkedYAMLError):
        translate("a: [1\n", OLDER)


@pytest.mark.parametrize(
    "text",
    ["plugins: text", "plugins: [text]", "plugins: [{name: a}]", "plugins: [{type: a, parameters: 1}]"],
)
def test_a_configuration_of_another_shape_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(LabError, match=r"^EndpointPickerConfig: .* correct it first\.$"):
        translation(HEADS["newer"] + text + "\n", OLDER)


# --- Differences -----------------------------------------------------------------


def test_a_difference_has_one_value_on_each_line() -> None:
    assert router_lines.differs("ttl-expired-status", NEWER) == 429
    assert router_lines.differs("ttl-expired-status", OLDER) == 503
    assert router_lines.differs("dropped-reason-header", OLDER) is None
    with pytest.raises(LabError, match=r"No difference ttl .*ttl-expired-status"):
        router_lines.differs("ttl", NEWER)


def test_each_difference_says_what_it_is_about() -> None:
    for name, row in table()["differences"].items():
        assert row["about"], name
        assert "newer" in row, name


def test_metrics_are_found_by_their_name_on_the_newer_line() -> None:
    assert router_lines.metric("llm_d_epp_request_total", NEWER) == "llm_d_epp_request_total"
    assert router_lines.metric("llm_d_epp_request_total", OLDER) == "inference_objective_request_total"
    assert (
        router_lines.metric("llm_d_epp_request_duration_seconds_bucket", OLDER)
        == "inference_objective_request_duration_seconds_bucket"
    )
    assert router_lines.metric("vllm:num_requests_running", OLDER) == "vllm:num_requests_running"
    with pytest.raises(LabError, match=r"llm_d_epp_request_ttft_seconds needs router ≥ 0\.10"):
        router_lines.metric("llm_d_epp_request_ttft_seconds", OLDER)


# --- The command -----------------------------------------------------------------


def test_the_command_prints_the_text_and_says_what_changed(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"{HEADS['older']}plugins:\n  - type: by-label-selector\n")
    answer = CliRunner().invoke(command, [str(file), "--to", NEWER], catch_exceptions=False)
    assert answer.stdout == f"{HEADS['newer']}plugins:\n  - type: label-selector-filter\n"
    lines = answer.stderr.replace("\n    ", " ").splitlines()  # long sentences are wrapped
    assert max(map(len, answer.stderr.splitlines())) <= 78
    assert lines[0] == "EndpointPickerConfig"
    assert lines[1].startswith("  apiVersion becomes llm-d.ai/v1alpha1: ")
    assert lines[2].startswith("  plugin by-label-selector becomes label-selector-filter: ")
    assert lines[3] == f"2 changes for router {NEWER}."


def test_the_command_says_that_nothing_changed_and_keeps_the_bytes(tmp_path: Path) -> None:
    file, target = tmp_path / "config.yaml", tmp_path / "new.yaml"
    file.write_bytes(HEADS["newer"].encode() + b"featureGates:   [ ] # \xc3\xa9\r\n")
    answer = CliRunner().invoke(
        command, [str(file), "--to", NEWER, "--output", str(target)], catch_exceptions=False
    )
    assert answer.stderr == f"{file} needs no change for router {NEWER}.\n"
    assert target.read_bytes() == file.read_bytes()
    assert not answer.stdout


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, r"cannot be read: No such file or directory\."),
        (b"\xff\xfe", r"is not text in UTF-8\."),
        (b"a: 1\n---\n\nb: c: d\n", r"config\.yaml, line 4: mapping values are not allowed here$"),
    ],
)
def test_the_command_answers_trouble_with_a_sentence(
    content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LabError, match=sentence):
        CliRunner().invoke(command, [str(file), "--to", NEWER], catch_exceptions=False)
