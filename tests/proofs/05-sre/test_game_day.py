"""How long does it take from a broken pod to the alert, and from the repair to its end?"""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from proofs.api import Mutant, Proof, proves
from tests.proofs.prometheus_page import SIZE, go_to_the_graph

from .steps import (
    chapter,
    install,
    pods_of_the_model,
    pretended,
    query,
    ran,
    wait_until_scraped,
    watched,
)

GAME_DAY = chapter["game_day.py"]
PLAYED = chapter["game-day.console"]
RULES = chapter["slo-rules.yaml"]
PICTURE = chapter["burn-in-prometheus.png"]
#: Seconds until the alert fires, and until it's over, at most: with the page's windows, and with a minute's.
PATIENCE = {True: (300, 900), False: (60, 200)}
#: What the picture shows: the share of bad requests, and the threshold.
QUERY = "help_desk:errors:ratio_rate5m or label_replace(vector(0.072), 'limit', '7.2%', '', '')"
GRAPH = {"g0.expr": QUERY, "g0.tab": "0", "g0.range_input": "4m"}


def repair(proof: Proof, prometheus: str, patience: int) -> str:
    """Wait for the alert, ask for the pod as the runbook says, delete it; return its name."""
    firing = 'ALERTS{alertname="HelpDeskBurnsFast",alertstate="firing"}'
    proof.wait_until(lambda: query(prometheus, firing), patience, "the alert fires")
    seen = ran(
        proof,
        chapter["signals.py"],
        f"--namespace={proof.namespace}",
        PROMETHEUS_URL=prometheus,
    )
    (pod,) = [line.split()[0] for line in seen.stdout.splitlines() if line.endswith("<- look here")]
    time.sleep(3)  # someone reads
    proof.delete("pod", pod, deadline=120)
    return pod


@proves(
    GAME_DAY,
    PLAYED,
    PICTURE,
    RULES,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy", "prometheus"],
    needs=["prometheus"],
    alone=True,
    mutants=[
        Mutant(PLAYED, "HelpDeskBurnsFast is over", "HelpDeskBurnsFast was over", because="other words"),
        Mutant(GAME_DAY, '"failure-injection-rate": 100', '"failure-injection-rate": 1', because="no page"),
        Mutant(
            RULES,
            "help_desk:errors:ratio_rate1h > 14.4 * 0.005",
            "help_desk:errors:ratio_rate1h > 200 * 0.005",
            because="no share is above 100%",
        ),
    ],
)
def test_the_runbooks_first_command_finds_the_pod(proof: Proof) -> None:
    install(proof)
    rules = proof.path(RULES)
    text = rules.read_text().replace('namespace="llm-d"', f'namespace="{proof.namespace}"')
    # The run that is recorded waits as readers do; in others the short window is a minute.
    rules.write_text(text if proof.recording else text.replace("[5m]", "[1m]"))
    fires, ends = PATIENCE[proof.recording]
    proof.kubectl("create", "configmap", "slo-rules", f"--from-file={rules}")
    proof.kubectl("label", "configmap", "slo-rules", "prometheus-rules=true")
    before = {pod["metadata"]["name"] for pod in pods_of_the_model(proof)}
    with watched(proof) as (exchange, variables), ThreadPoolExecutor(1) as human:
        url = variables["PROMETHEUS_URL"]
        wait_until_scraped(proof, url)
        repaired = human.submit(repair, proof, url, fires)
        proof.transcript(PLAYED, exchange=exchange, environment=variables, deadline=ends)
        assert repaired.result() in before
        proof.screenshot(
            PICTURE,
            f"{url}/classic/graph?{urlencode(GRAPH)}",
            shows=["help_desk:errors:ratio_rate5m"],
            before=partial(go_to_the_graph, query=QUERY),
            size=SIZE,
        )
    assert len(pods_of_the_model(proof)) == 3


FAKE_KUBECTL = """\
#!/usr/bin/env python3
import json, pathlib, sys
state = pathlib.Path(__file__).with_name("state")
words = sys.argv[1:]
if words[0] == "config":
    print("llm-d", end="")
elif words[0] == "create":
    body = json.load(sys.stdin)
    assert body == {"failure-injection-rate": 100, "failure-types": ["server_error"]}
    state.write_text(words[1].split("/pods/")[1].split(":")[0])
elif words[0] == "get":
    calls = state.with_name("calls")
    count = len(calls.read_text()) if calls.exists() else 0
    calls.write_text("x" * (count + 1))
    broken = state.read_text() if state.exists() else ""
    names = [name for name in ("a", "b", "c") if name != broken or count < 3]
    print(json.dumps({"items": [{"metadata": {"name": name}} for name in names]}))
"""


@proves(
    GAME_DAY,
    evidence="computed",
    mutants=[
        Mutant(
            GAME_DAY, 'one["state"] == "firing"', 'one["state"] == "pending"', because="no one is called yet"
        ),
        Mutant(GAME_DAY, "if not names[1:]:", "if not names:", because="the only pod is not to be broken"),
        Mutant(GAME_DAY, "lambda: not fires(options.alert)", "lambda: True", because="it has to end"),
    ],
)
def test_each_step_is_noted_when_it_has_happened(proof: Proof, tmp_path: Path) -> None:
    program = tmp_path / "kubectl"
    program.write_text(FAKE_KUBECTL)
    program.chmod(0o755)
    states = iter(["none", "pending", "firing", "firing", "none"])

    def prometheus(*_: object) -> tuple[int, list[str]]:
        state = next(states, "none")
        alerts = [{"labels": {"alertname": "HelpDeskBurnsFast"}, "state": state}] if state != "none" else []
        return 200, [json.dumps({"data": {"alerts": alerts}})]

    log = tmp_path / "drill.json"
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    with pretended(prometheus) as url:
        result = ran(proof, GAME_DAY, f"--log={log}", PROMETHEUS_URL=url, PATH=path)
    assert result.returncode == 0, result.stderr
    events = json.loads(log.read_text())["events"]
    assert [one["what"] for one in events] == [
        "one of 3 pods is broken",
        "HelpDeskBurnsFast fires",
        "the broken pod is gone",
        "HelpDeskBurnsFast is over",
    ]
    seconds = [one["seconds"] for one in events]
    assert seconds == sorted(seconds)
    # Asked: before, at once, a second later; and twice at the end.
    assert seconds[1] >= 0.9
    assert seconds[3] >= seconds[2] + 0.9
    with pretended(lambda *_: (200, ["hello"])) as url:
        refused = ran(proof, GAME_DAY, PROMETHEUS_URL=url, PATH=path)
    assert "is no Prometheus" in refused.stderr
    firing = json.dumps(
        {"data": {"alerts": [{"labels": {"alertname": "HelpDeskBurnsFast"}, "state": "firing"}]}}
    )
    with pretended(lambda *_: (200, [firing])) as url:
        refused = ran(proof, GAME_DAY, PROMETHEUS_URL=url, PATH=path)
    assert "fires already" in refused.stderr
    program.write_text(FAKE_KUBECTL.replace('("a", "b", "c")', '("a",)'))
    (tmp_path / "state").unlink()  # it may have been this one
    refused = ran(proof, GAME_DAY, PATH=path)
    assert "no two pods" in refused.stderr
    refused = ran(proof, GAME_DAY, PATH=str(tmp_path / "nowhere"))
    assert "no kubectl" in refused.stderr
