"""Do both router programs load what the translation gives them, each by its own strict rules?"""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import DEVNULL
from threading import Thread, Timer
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from lab import edition, home, programs
from lab.errors import LabError
from lab.router_lines import translation
from lab.router_lines.table import Line, other, table, version
from tests.lab.router_lines.configurations import HEADS, WHOLE, whole
from tools.reference.programs import taken

pytestmark = [pytest.mark.cluster, pytest.mark.live]

#: What both programs print once their configuration is loaded and all is made.
LOADED = "Controller manager starting"
#: Seconds that a program may take to load its configuration on a busy machine.
PATIENCE = 120
ENVOY = Path(sysconfig.get_path("purelib")) / "envoy/_bin/envoy"
#: One listener, one cluster; both ports are found out.
ENVOY_CONFIGURATION = """\
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
static_resources:
  listeners:
    - address: {socket_address: {address: 127.0.0.1, port_value: 0}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: requests
                route_config:
                  virtual_hosts:
                    - name: every-host
                      domains: ["*"]
                      routes: [{match: {prefix: /}, route: {cluster: echo}}]
                http_filters:
                  - name: envoy.filters.http.ext_proc
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
    - name: echo
      load_assignment:
        cluster_name: echo
        endpoints:
          - lb_endpoints:
              - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 1}}}
"""  # noqa: E501
UPGRADED = edition.PROJECT / "examples/15-maintenance/older-picker-config.yaml"
UPSTREAM = "github.com/llm-d/llm-d-inference-scheduler"

#: What each program must refuse, and a fragment of its reason: a test that can fail.
WRONG: list[tuple[Line, str, str]] = [
    ("older", HEADS["newer"], "no kind"),
    ("older", HEADS["older"] + "plugins: [{type: label-selector-filter}]", "is not registered"),
    ("older", HEADS["older"] + "featureGates: [flowControl=true]", "flowControl=true"),
    ("older", HEADS["older"] + "flowControl: {maxBytes: 1Gi}", "int64"),
    ("older", HEADS["older"] + "flowControl: {maxRequests: 1}", "unknown field"),
    ("older", HEADS["older"] + "dataLayer: {}", "unknown field"),
    (
        "older",
        HEADS["older"] + "plugins: [{type: prefix-cache-scorer, parameters: {blockSize: 256}}]",
        "use BlockSizeTokens instead",
    ),
    (
        "older",
        HEADS["older"] + "plugins:\n  - type: disagg-profile-handler\n    parameters: "
        "{deciders: {prefill: always-disagg-pd-decider}}\n  - type: always-disagg-pd-decider\n",
        "not found",
    ),
    ("newer", HEADS["newer"] + "featureGates: [prepareDataPlugins]", "prepareDataPlugins"),
    (
        "newer",
        HEADS["newer"] + "plugins: [{type: model-server-protocol-metrics}]",
        "model-server-protocol-metrics",
    ),
    (
        "newer",
        HEADS["newer"] + "plugins: [{type: prefix-cache-scorer, parameters: {blockSizeTokens: 64}}]",
        "blockSizeTokens",
    ),
    ("newer", HEADS["newer"] + "saturationDetector: {queueDepthThreshold: 5}", "unknown field"),
]


@cache
def picker(line: Line) -> Path:
    """Return a line's endpoint picker; skip the test where the newer one cannot be had."""
    if line == "older":
        return programs.program("router", "epp")
    try:
        return taken("router")
    except LabError as error:
        pytest.skip(str(error))


def refusal(line: Line, text: str, *flags: str) -> str:
    """Return why a program does not load a configuration; empty when it does."""
    words = ["--pool-name=lines", "--pool-namespace=default", f"--config-text={text}", *flags]
    free = ["--grpc-port=0", "--grpc-health-port=0", "--metrics-port=0", "--tracing=false"]
    with subprocess.Popen(
        [picker(line), *words, *free],
        env={**os.environ, "KUBECONFIG": str(home.kubeconfig())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        limit = Timer(PATIENCE, process.kill)
        limit.start()
        printed = []
        try:
            for said in process.stdout or []:
                printed.append(said)
                if LOADED in said:
                    return ""
        finally:
            limit.cancel()
            process.kill()
    return "".join(printed)[-2000:] or "it printed nothing"


@pytest.mark.parametrize(("line", "name"), WHOLE)
def test_the_program_of_its_line_loads_a_configuration(line: Line, name: str) -> None:
    assert not refusal(line, whole(line, name))


@pytest.mark.parametrize(("line", "name"), WHOLE)
def test_the_program_of_the_other_line_loads_its_translation(line: Line, name: str) -> None:
    text = translation(whole(line, name), version(other(line))).text
    assert not refusal(other(line), text), text


@pytest.mark.parametrize(("line", "text", "reason"), WRONG)
def test_a_wrong_configuration_is_not_loaded(line: Line, text: str, reason: str) -> None:
    assert reason in refusal(line, text)


@pytest.mark.parametrize("line", HEADS)
def test_the_upgrade_chapters_configuration_is_loaded_by_both_programs(line: Line) -> None:
    older = YAML(typ="safe").load(UPGRADED)["data"]["endpoint-picker.yaml"]
    assert not refusal(line, translation(older, version(line)).text)


def upstream_samples() -> list[Path]:
    """Return the older line's own samples, as its module carries them."""
    return sorted((programs.module_folder("router", UPSTREAM) / "deploy/config").glob("*.yaml"))


def test_upstreams_samples_go_up_or_are_refused_by_name() -> None:
    outcomes = {}
    for sample in upstream_samples():
        try:
            text = translation(sample.read_text(), version("newer")).text
        except LabError as error:
            outcomes[sample.name] = str(error)
            assert "has no counterpart" in outcomes[sample.name]
        else:
            outcomes[sample.name] = refusal("newer", text)
            assert not outcomes[sample.name], text
    assert len([name for name, outcome in outcomes.items() if not outcome]) > len(outcomes) / 2


@pytest.fixture(scope="module")
def flags() -> dict[Line, str]:
    """Return what each program says of its flags."""
    return {
        line: subprocess.run([picker(line), "--help"], capture_output=True, text=True, check=False).stderr
        for line in HEADS
    }


def test_each_flag_of_the_table_is_known_to_one_line_only(flags: dict[Line, str]) -> None:
    rows = [
        rule for rule in table()["rules"] if rule["kind"] == "flag-dropped" and rule["program"] == "picker"
    ]
    assert rows
    for rule in rows:
        for flag in rule["flags"]:
            assert f" --{flag} " in flags[rule["only"]]
            assert f" --{flag} " not in flags[other(rule["only"])]


def test_each_flag_of_the_newer_line_is_known_to_the_older_or_in_the_table(flags: dict[Line, str]) -> None:
    names = {line: {word for word in flags[line].split() if word.startswith("--")} for line in HEADS}
    rows = [rule["flags"] for rule in table()["rules"] if rule["kind"] == "flag-dropped"]
    dropped = {f"--{flag}" for row in rows for flag in row}
    assert names["newer"] - names["older"] - dropped == set()
    moved = {
        f"--{row['flag']}"
        for rule in table()["rules"]
        if rule["kind"] == "data-layer"
        for row in rule["flags"].values()
    }
    assert names["older"] - names["newer"] - moved == set()


def test_the_older_program_takes_the_flags_of_the_metrics_source() -> None:
    rule = next(rule for rule in table()["rules"] if rule["kind"] == "data-layer")
    values = {"scheme": "https", "path": "/other", "insecureSkipVerify": "false", "port": "9400"}
    words = [f"--{row['flag']}={values[key]}" for key, row in rule["flags"].items()]
    assert not refusal("older", whole("older", "one-scorer"), *words)


def test_each_plugin_of_the_table_is_one_of_the_programs() -> None:
    carried = {line: picker(line).read_bytes() for line in HEADS}
    own = table()["plugins"]
    for line in HEADS:
        for plugin in [*own["both"], *own[line]]:
            assert plugin.encode() in carried[line], (line, plugin)
    for plugin in table()["absent"]["older"]:
        assert plugin.encode() in carried["newer"], plugin


@pytest.mark.parametrize("plugin", ["concurrency-detector", "session-affinity-filter", "passthrough-parser"])
def test_a_plugin_that_the_table_calls_absent_is_unknown_to_the_older_program(plugin: str) -> None:
    assert f"'{plugin}' is not registered" in refusal(
        "older", HEADS["older"] + f"plugins: [{{type: {plugin}}}]"
    )


def test_metric_names_and_messages_are_those_of_the_programs() -> None:
    carried = {line: picker(line).read_bytes() for line in HEADS}
    prefixes = ["llm_d_epp_", "llm_d_router_epp_", "llm_d_inference_scheduler_", "kvcache_index_"]
    prefixes += ["inference_objective_", "inference_pool_", "inference_extension_"]
    for newer, older in table()["metrics"].items():
        names: dict[Line, str] = {"newer": newer, "older": older}
        for line, name in names.items():
            prefix = next(prefix for prefix in prefixes if name.startswith(prefix))
            assert prefix.rstrip("_").split("_")[0].encode() in carried[line]
            assert name.removeprefix(prefix).encode() in carried[line], (line, name)
    for name in ("no-pod-after-filters-message", "empty-pool-message", "error-prefix", "sheddable-code"):
        row = table()["differences"][name]
        assert row["older"].strip(": ").encode() in carried["older"], name
        assert row["newer"].strip(": ").encode() in carried["newer"], name


def test_the_sidecar_of_the_older_line_knows_its_flags_and_not_those_of_the_newer() -> None:
    sidecar = programs.program("router", "pd-sidecar")
    said = subprocess.run([sidecar, "--help"], capture_output=True, text=True, check=False)
    known = {word for word in (said.stdout + said.stderr).split() if word.startswith("--")}
    rules = [rule for rule in table()["rules"] if rule.get("program") == "sidecar"]
    renamed = next(rule for rule in rules if rule["kind"] == "flag-renamed")
    assert f"--{renamed['older']['flag']}" in known
    assert f"--{renamed['newer']['flag']}" not in known
    dropped = next(rule for rule in rules if rule["kind"] == "flag-dropped" and rule["only"] == "newer")
    assert {f"--{flag}" for flag in dropped["flags"]} & known == set()


def test_envoy_accepts_its_configuration_with_the_headers_filter(tmp_path: Path) -> None:
    listing = edition.PROJECT / "examples/02-installation/envoy-config.yaml"
    config_map = YAML(typ="safe").load(translation(listing.read_text(), version("older")).text)
    file = tmp_path / "envoy.yaml"
    file.write_text(config_map["data"]["envoy.yaml"])
    assert "header_mutation" in file.read_text()
    answer = subprocess.run(
        [ENVOY, "--mode", "validate", "--config-path", file], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


class Echo(BaseHTTPRequestHandler):
    """Answer with the headers of the request."""

    def do_GET(self) -> None:
        """Answer one request."""
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def through_envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of an Envoy that has the headers filter and no endpoint picker."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    read = YAML(typ="safe").load(translation(ENVOY_CONFIGURATION, version("older")).text)
    [listener], [cluster] = read["static_resources"]["listeners"], read["static_resources"]["clusters"]
    filters = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    filters[:] = [entry for entry in filters if "ext_proc" not in entry["name"]]
    endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    endpoint["address"]["socket_address"]["port_value"] = server.server_port
    folder = tmp_path_factory.mktemp("envoy")
    (folder / "envoy.yaml").write_text(json.dumps(read))
    words = f"--config-path {folder}/envoy.yaml --admin-address-path {folder}/admin --concurrency 1"
    with subprocess.Popen([ENVOY, *words.split()], stdout=DEVNULL, stderr=DEVNULL) as process:
        try:
            admin = eventually((folder / "admin").read_text)
            listeners = eventually(lambda: httpx.get(f"http://{admin}/listeners?format=json").json())
            socket = listeners["listener_statuses"][0]["local_address"]["socket_address"]
            yield f"http://127.0.0.1:{socket['port_value']}"
        finally:
            process.kill()
            server.shutdown()
            server.server_close()


def eventually(asked: Callable[[], Any]) -> Any:  # noqa: ANN401  (whatever is asked for)
    """Return what is asked for as soon as it is there."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if found := asked():
                return found
        except (OSError, httpx.HTTPError):
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        ({"x-llm-d-inference-objective": "premium"}, {"x-gateway-inference-objective": "premium"}),
        ({"x-llm-d-slo-ttft-ms": "200"}, {"x-slo-ttft-ms": "200"}),
        ({"x-gateway-inference-objective": "old"}, {"x-gateway-inference-objective": "old"}),
        (
            {"x-llm-d-inference-fairness-id": "new", "x-gateway-inference-fairness-id": "old"},
            {"x-gateway-inference-fairness-id": "new"},
        ),
        ({}, {}),
    ],
)
def test_envoy_gives_requests_the_old_names(
    through_envoy: str, sent: dict[str, str], arrives: dict[str, str]
) -> None:
    found = httpx.get(through_envoy, headers=sent, timeout=PATIENCE).json()
    assert {name: found[name] for name in found if name.startswith(("x-gateway-", "x-slo-"))} == arrives
