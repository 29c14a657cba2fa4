"""Do four lines say how the pool is, and does the table name the pod that doesn't answer?"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from proofs.api import Mutant, Proof, proves
from tests.programs import refusal

from .steps import Answer, chapter, pretended, ran, samples

SIGNALS = chapter["signals.py"]

#: What a query begins with -> its answer: 6 requests a second, 2.0 answered with 503, 0.1 cut off.
ANSWERS = {
    "sum(rate(envoy_http_downstream_rq_completed": samples({"": 6.0}),
    "sum(rate(envoy_http_downstream_rq_xx": samples({"": 2.0}),
    "sum(rate(envoy_cluster_upstream_cx_destroy": samples({"": 0.1}),
    "histogram_quantile(0.95": samples({"": 0.25}),
    "avg(vllm:num_requests_waiting": samples({"": 1.5}),
    "avg(vllm:kv_cache_usage_perc": samples({"": 0.4}),
    "sum by (endpoint_name)": samples({"a": 2.0, "b": 2.0, "c": 2.0, "gone": 0.0}, "endpoint_name"),
    "sum by (pod)": samples({"a": 1.9, "b": 0.0}, "pod"),
}


def prometheus(queries: list[str], answers: dict[str, dict[str, object]]) -> Callable[..., Answer]:
    """Return a Prometheus that keeps its queries."""

    def answer(_method: str, path: str, _body: bytes) -> Answer:
        (query,) = parse_qs(urlsplit(path).query)["query"]
        queries.append(query)
        (found,) = (text for begin, text in answers.items() if query.startswith(begin))
        return 200, [json.dumps(found)]

    return answer


@proves(
    SIGNALS,
    evidence="computed",
    mutants=[
        Mutant(SIGNALS, '(found["failed"] + found["cut"])', 'found["failed"]', because="a cut answer is bad"),
        Mutant(SIGNALS, "if shares[pod] < ENOUGH", "if shares[pod] > ENOUGH", because="who answers is fine"),
        Mutant(SIGNALS, "        if rate > 0\n", "", because="a pod that is gone gets nothing"),
        Mutant(
            SIGNALS, "answered.get(pod, 0.0)", "answered.get(pod, rate)", because="no answer is no series"
        ),
        Mutant(SIGNALS, "return 1 if suspects(rates) else 0", "return 0", because="a script asks"),
        Mutant(SIGNALS, 'if math.isnan(found["traffic"]):', "if False:", because="no data is no silence"),
    ],
)
def test_the_pod_that_answers_less_than_it_gets_is_named(proof: Proof) -> None:
    queries: list[str] = []
    with pretended(prometheus(queries, ANSWERS)) as url:
        result = ran(proof, SIGNALS, "--namespace=elsewhere", "--window=5m", PROMETHEUS_URL=url)
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert lines[:4] == [
        "traffic      6.0 requests a second",
        "errors       35.0%",
        "first token  0.25 s for 95% of answers",
        "saturation   1.5 requests wait per pod, 40% of the caches in use",
    ]
    table = [line.split() for line in lines[5:]]
    assert table == [
        ["a", "2.0", "1.9"],
        ["b", "2.0", "0.0", "<-", "look", "here"],
        ["c", "2.0", "0.0", "<-", "look", "here"],
    ]
    assert len(queries) == len(ANSWERS)
    for query in queries:
        assert 'namespace="elsewhere"' in query
        assert "rate(" not in query or "[5m]" in query
        assert query.count("(") == query.count(")")
        assert "{{" not in query
    healthy = {**ANSWERS, "sum by (pod)": samples({"a": 2.0, "b": 1.9, "c": 2.1}, "pod")}
    with pretended(prometheus([], healthy)) as url:
        assert ran(proof, SIGNALS, PROMETHEUS_URL=url).returncode == 0
    path = proof.path(SIGNALS)
    nothing = dict.fromkeys(ANSWERS, samples({}))
    with pretended(prometheus([], nothing)) as url:
        assert "has no Envoy of llm-d" in refusal(path, PROMETHEUS_URL=url)
    for text in ("", "hello", "[]", "{}", '{"data": 1}'):
        with pretended(lambda *_, text=text: (200, [text] if text else [])) as url:
            assert "is no Prometheus" in refusal(path, PROMETHEUS_URL=url)
    assert "does port-forward run?" in refusal(path, PROMETHEUS_URL="http://127.0.0.1:9")
