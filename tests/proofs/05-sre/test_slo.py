"""Do the rules count what users lose, and fire when the sheet says so?"""

from __future__ import annotations

import re

from proofs.api import Mutant, Proof, proves

from .steps import (
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
TESTED = chapter["test-rules.console"]
LOADED = chapter["load-rules.console"]
SIGNALS = chapter["signals.py"]
PRINTED = chapter["signals.console"]
REPAIR = chapter["repair.console"]

CUT = (
    "envoy_cluster_upstream_cx_destroy_remote_with_active_rq{\n"
    '              namespace="llm-d", envoy_cluster_name="chosen-pod"}[5m]'
)


@proves(
    RULES,
    TESTS,
    TESTED,
    evidence="ran",
    uses=["prometheus"],
    needs=["prometheus"],
    mutants=[
        Mutant(RULES, CUT, CUT.replace("remote", "local"), because="the pod cuts, not Envoy"),
        Mutant(RULES, "ratio_rate1h > 14.4 * 0.005", "ratio_rate1h > 1.44 * 0.005", because="too soon"),
        Mutant(RULES, "ratio_rate5m > 14.4 * 0.005", "ratio_rate1h > 14.4 * 0.005", because="it never ends"),
        Mutant(RULES, "ratio_rate6h > 6 * 0.005", "ratio_rate6h > 60 * 0.005", because="4% is too much"),
        Mutant(RULES, "ratio_rate3d > 1 * 0.005", "ratio_rate3d > 10 * 0.005", because="1% is a ticket"),
        Mutant(RULES, "for: 2m", "for: 20m", because="an unmeasured service is reported"),
        Mutant(TESTS, "values: 0+24x400", "values: 0+2x400", because="0.3% fires nothing"),
        Mutant(TESTED, "SUCCESS", "FAILED", because="they pass"),
    ],
)
def test_promtool_runs_the_tests_of_the_rules(proof: Proof) -> None:
    proof.transcript(TESTED)


@proves(
    RULES,
    LOADED,
    PRINTED,
    SIGNALS,
    REPAIR,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy", "prometheus"],
    needs=["prometheus"],
    alone=True,  # rules of the same names, of two namespaces, would be one
    mutants=[
        Mutant(LOADED, '"name":"HelpDeskUnmeasured"', '"name":"HelpDeskSilent"', because="another name"),
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
    with watched(proof) as (exchange, variables):
        url = variables["PROMETHEUS_URL"]
        wait_until_scraped(proof, url)
        proof.transcript(LOADED, exchange=exchange, environment=variables)
        # Rates differ from run to run in their last digit; pods' names have hashes already.
        about = "s/[34]\\.[0-9] requests/4.0 requests/; s/(simulator-\\S+ +)[0-9.]+( +)[0-9.]+/\\11.3\\21.3/"
        shown = f"signals.py --namespace={proof.namespace} | sed -E '{about}'"
        proof.transcript(PRINTED, exchange={**exchange, "signals.py": shown}, environment=variables)
        (broken, *_) = pods_of_the_model(proof)
        break_pod(proof, broken["metadata"]["name"])
        result = ran(proof, chapter["load.py"], "4", "--seconds=45", ROUTER_URL=variables["ROUTER_URL"])
        failed = re.search(r"failed +(\d+): (\d+) status 503\n", result.stdout)
        assert failed, result.stdout
        assert failed[1] == failed[2]
        assert query(url, "help_desk:errors:ratio_rate5m")[0] > 0.05
        seen = ran(
            proof,
            SIGNALS,
            f"--namespace={proof.namespace}",
            PROMETHEUS_URL=url,
        )
        named = [line.split()[0] for line in seen.stdout.splitlines() if line.endswith("<- look here")]
        assert named == [broken["metadata"]["name"]]
        # Documented / observed: the EPP's own counter of errors has none of them.
        assert sum(query(url, f"llm_d_epp_request_error_total{{{of}}}")) == 0
        proof.transcript(
            REPAIR,
            exchange={**exchange, "from llm-d namespace": f"from {proof.namespace} namespace"},
            environment=variables,
        )
    assert broken["metadata"]["name"] not in {pod["metadata"]["name"] for pod in pods_of_the_model(proof)}


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
