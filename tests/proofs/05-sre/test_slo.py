"""Do the rules count what users lose, and fire when the sheet says so?"""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import yaml

from proofs.api import Mutant, Proof, proves

from .steps import (
    as_recorded,
    break_pod,
    chapter,
    install,
    opened,
    pods_of_the_model,
    query,
    ran,
    wait_until_scraped,
    watched,
)

RULES = chapter["slo-rules.yaml"]
TESTS = chapter["slo-rules-test.yaml"]
LOADED = chapter["rules.console"]
SIGNALS = chapter["signals.py"]
PRINTED = chapter["signals.console"]
REPAIR = chapter["repair.console"]
ROUTE = chapter["alert-route.yaml"]

CUT = (
    "envoy_cluster_upstream_cx_destroy_remote_with_active_rq{\n"
    '              namespace="llm-d", envoy_cluster_name="chosen-pod"}[5m]'
)


@proves(
    RULES,
    TESTS,
    LOADED,
    evidence="ran",
    uses=["prometheus"],
    needs=["prometheus"],
    alone=True,  # rules of the same names, of two namespaces, would be one
    mutants=[
        Mutant(RULES, CUT, CUT.replace("remote", "local"), because="the pod cuts, not Envoy"),
        Mutant(RULES, "ratio_rate1h > 14.4 * 0.005", "ratio_rate1h > 1.44 * 0.005", because="too soon"),
        Mutant(RULES, "ratio_rate5m > 14.4 * 0.005", "ratio_rate1h > 14.4 * 0.005", because="it never ends"),
        Mutant(RULES, "ratio_rate6h > 6 * 0.005", "ratio_rate6h > 60 * 0.005", because="4% is too much"),
        Mutant(RULES, "ratio_rate3d > 1 * 0.005", "ratio_rate3d > 10 * 0.005", because="1% is a ticket"),
        Mutant(RULES, "for: 2m", "for: 20m", because="an unmeasured service is reported"),
        Mutant(RULES, "late:ratio_rate1h > 0.05", "late:ratio_rate1h > 0.5", because="a tenth is too much"),
        Mutant(RULES, 'le=~"2|2[.]0"', 'le=~"3"', because="two seconds were promised"),
        Mutant(RULES, ', priority!~"-.+"', "", because="a batch may be refused"),
        Mutant(TESTS, "values: 0+24x400", "values: 0+2x400", because="0.3% fires nothing"),
        Mutant(LOADED, "SUCCESS", "FAILED", because="they pass"),
        Mutant(LOADED, "prometheus-rules=true", "prometheus-rules=no", because="Prometheus looks for it"),
    ],
)
def test_promtool_runs_the_tests_of_the_rules_and_prometheus_loads_them(proof: Proof) -> None:
    with opened(proof, 9090, "service/prometheus", proof.addon("prometheus").namespace) as url:
        proof.transcript(LOADED)
        proof.wait_until(
            lambda: alerts(url, proof.namespace) == ALERTS, 30, "Prometheus has the alerts of this namespace"
        )


@proves(
    RULES,
    PRINTED,
    SIGNALS,
    REPAIR,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy", "prometheus"],
    needs=["prometheus"],
    alone=True,  # rules of the same names, of two namespaces, would be one
    mutants=[
        Mutant(PRINTED, "errors       0.0%", "errors       0.1%", because="nothing failed"),
        Mutant(
            RULES,
            'envoy_response_code_class="5"}[5m]',
            'envoy_response_code_class="4"}[5m]',
            because="a model server's 503 is a 5xx",
        ),
        Mutant(
            SIGNALS,
            "llm_d_epp_scheduler_attempts_total",
            "llm_d_epp_attempts_total",
            because="no such metric",
        ),
        Mutant(REPAIR, "deleted from", "removed from", because="kubectl prints other words"),
        Mutant(SIGNALS, "vllm:request_success_total", "vllm:request_total", because="no such counter"),
    ],
)
def test_envoy_counts_the_errors_that_the_epp_does_not(proof: Proof) -> None:
    install(proof)
    rules = proof.path(RULES)
    rules.write_text(rules.read_text().replace('namespace="llm-d"', f'namespace="{proof.namespace}"'))
    of = f'namespace="{proof.namespace}"'
    look = f"signals.py --namespace={proof.namespace}"
    with watched(proof) as (exchange, variables):
        url = variables["PROMETHEUS_URL"]
        wait_until_scraped(proof, url)
        proof.kubectl("create", "configmap", "slo-rules", f"--from-file={rules}")
        proof.kubectl("label", "configmap", "slo-rules", "prometheus-rules=true")
        shown = {**exchange, "signals.py": look + as_recorded(PRINTED)}
        proof.transcript(PRINTED, exchange=shown, environment=variables)
        (_, broken, _) = sorted(pod["metadata"]["name"] for pod in pods_of_the_model(proof))
        break_pod(proof, broken)
        seconds = 75 if proof.recording else 30
        load = ["4", f"--seconds={seconds}"]
        result = ran(proof, chapter["load.py"], *load, ROUTER_URL=variables["ROUTER_URL"])
        failed = re.search(r"failed +(\d+): (\d+) status 503\n", result.stdout)
        assert failed, result.stdout
        assert failed[1] == failed[2]
        # It fails at once, so it looks idle: the router sends it more than its third.
        assert int(failed[1]) > 4 * seconds / 2
        assert query(url, "help_desk:errors:ratio_rate5m")[0] > 0.05
        seen = ran(proof, SIGNALS, f"--namespace={proof.namespace}", PROMETHEUS_URL=url)
        named = [line.split()[0] for line in seen.stdout.splitlines() if line.endswith("<- look here")]
        assert named == [broken]
        # Documented / observed: the EPP's own counter of errors has none of them.
        assert sum(query(url, f"llm_d_epp_request_error_total{{{of}}}")) == 0
        # Its clock for the first token took the errors, too, as early ones.
        early = f'sum(llm_d_epp_request_ttft_seconds_bucket{{{of},streaming="true",le="0.1"}})'
        assert query(url, early)[0] > 4 * seconds / 2
        proof.transcript(
            REPAIR,
            exchange={
                **exchange,
                "signals.py": look + as_recorded(REPAIR),
                "from llm-d namespace": f"from {proof.namespace} namespace",
            },
            environment=variables,
        )
    assert broken not in {pod["metadata"]["name"] for pod in pods_of_the_model(proof)}


ALERTS = {
    f"HelpDesk{name}"
    for name in ("BurnsFast", "BurnsSteadily", "BurnsSlowly", "StartsLate", "Refuses", "Unmeasured")
}


def alerts(prometheus: str, namespace: str) -> set[str]:
    """Return the names of the alerts that Prometheus has loaded from a namespace."""
    answer = httpx.get(f"{prometheus}/api/v1/rules", params={"type": "alert"}, timeout=10)
    groups = answer.raise_for_status().json()["data"]["groups"]
    # The add-on begins the name of a rule file with the namespace that it came from: the rules of
    # another proof's namespace may be loaded for a moment after that is deleted.
    files = [group for group in groups if Path(group["file"]).name.startswith(f"{namespace}_")]
    return {rule["name"] for group in files for rule in group["rules"]}


OBJECTIVE = """\
apiVersion: llm-d.ai/v1alpha2
kind: InferenceObjective
metadata: {name: nightly}
spec: {priority: -10, poolRef: {name: demo}}
"""


@proves(
    RULES,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy", "prometheus"],
    needs=["prometheus"],
    alone=True,
    mutants=[
        Mutant(RULES, "llm_d_epp_request_error_total", "llm_d_epp_error_total", because="no such counter"),
        Mutant(
            RULES,
            "llm_d_epp_request_ttft_seconds_count",
            "llm_d_epp_ttft_seconds_count",
            because="no such histogram",
        ),
    ],
)
def test_the_epp_counts_what_it_refuses_and_how_long_first_tokens_take(proof: Proof) -> None:
    install(proof)
    proof.run(["sh", "-c", f"printf '%s' '{OBJECTIVE}' | kubectl apply -f -"])
    of = f'namespace="{proof.namespace}"'
    rules = proof.path(RULES)
    text = rules.read_text().replace('namespace="llm-d"', f'namespace="{proof.namespace}"')
    refused = f'llm_d_epp_request_error_total{{{of},error_code="ResourceExhausted",priority="-10"}}'
    with watched(proof) as (_, variables), ThreadPoolExecutor(1) as background:
        url, front = variables["PROMETHEUS_URL"], variables["ROUTER_URL"]
        wait_until_scraped(proof, url)
        # 15 slots for ten seconds each: with 4 a second, a queue grows in all pods.
        load = background.submit(
            ran, proof, chapter["load.py"], "4", "--seconds=30", "--words=200", ROUTER_URL=front
        )
        proof.wait_until(lambda: nightly(front) == 429, 60, "the pool is saturated, and refuses a batch")
        # Rules read the counts of five minutes; a first sample needs one before it.
        time.sleep(5)
        assert nightly(front) == 429
        proof.wait_until(lambda: sum(query(url, refused)) >= 2, 30, "the refusals are counted")
        load.result()
        (late, people) = expressions(text)
        proof.wait_until(lambda: query(url, late)[0] > 0.05, 30, "late first tokens are counted")
        # The rule for people leaves the batch out, and everyone is counted without that.
        assert query(url, people) == []
        everyone = people.replace(', priority!~"-.+"', "")
        proof.wait_until(lambda: query(url, everyone)[0] > 0, 30, "the rule reads the counter")


def nightly(front: str) -> int:
    """Return the status of a question of low priority."""
    question = {"model": "lab/sim-8b", "max_tokens": 4, "messages": [{"role": "user", "content": "Now?"}]}
    headers = {"x-llm-d-inference-objective": "nightly"}
    return httpx.post(f"{front}/v1/chat/completions", json=question, headers=headers, timeout=90).status_code


def expressions(rules: str) -> tuple[str, str]:
    """Return what is recorded of late first tokens and of refusals."""
    found = {
        rule["record"]: rule["expr"]
        for group in yaml.safe_load(rules)["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    return found["help_desk:late:ratio_rate1h"], found["help_desk:refused:ratio_rate5m"]


@proves(
    ROUTE,
    evidence="ran",
    needs=["prometheus"],
    uses=["alertmanager"],
    mutants=[
        Mutant(ROUTE, 'severity="page"', 'severity="paging"', because="the rules' label is page"),
        Mutant(ROUTE, "receiver: tickets\n  routes", "receiver: phone\n  routes", because="no one is woken"),
    ],
)
def test_a_page_goes_to_the_phone_and_a_ticket_does_not(proof: Proof) -> None:
    namespace = proof.addon("prometheus").namespace
    inside = f"kubectl exec --stdin --namespace={namespace} deployment/alertmanager --"
    route = "amtool config routes test --config.file=/dev/stdin service=help-desk"
    for severity, receiver in {"page": "phone", "ticket": "tickets"}.items():
        command = f"{inside} {route} severity={severity} <{proof.path(ROUTE)}"
        assert proof.run(["sh", "-c", command]).strip() == receiver


@proves(
    chapter["ports.sh"],
    evidence="ran",
    needs=["prometheus"],
    uses=["router"],
    mutants=[Mutant(chapter["ports.sh"], "9091:9090", "9091:9093", because="Prometheus listens on 9090")],
)
def test_the_script_opens_the_chapters_ports(proof: Proof) -> None:
    install(proof)
    words = proof.path(chapter["ports.sh"]).read_text()
    found = re.search(r"forward prometheus (\S+) 9091:(\d+)", words)
    assert found
    with opened(proof, int(found[2]), found[1], proof.addon("prometheus").namespace) as url:
        assert query(url, "vector(1)") == [1]
