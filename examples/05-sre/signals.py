"""Print the four signals of a pool, and what became of each pod's requests.

The first command of every runbook of this chapter: a pod that answers less
than it gets is named.
"""

import argparse
import math
import os
import sys
from typing import Any

import httpx

PROMETHEUS_URL = os.environ.get("PROMETHEUS_URL", "http://localhost:9091")
#: Below this share of answers to choices, a pod is named.
ENOUGH = 0.9
SIGNALS = {
    "traffic": "sum(rate(envoy_http_downstream_rq_completed{{{of},"
    'envoy_http_conn_manager_prefix="requests"}}[{window}]))',
    "failed": "sum(rate(envoy_http_downstream_rq_xx{{{of},"
    'envoy_http_conn_manager_prefix="requests",'
    'envoy_response_code_class="5"}}[{window}]))',
    "cut": "sum(rate(envoy_cluster_upstream_cx_destroy_remote_with_active_rq"
    '{{{of},envoy_cluster_name="chosen-pod"}}[{window}]))',
    "first token": "histogram_quantile(0.95, sum by (le) (rate("
    'llm_d_epp_request_ttft_seconds_bucket{{{of},streaming="true"}}'
    "[{window}])))",
    "waiting": "avg(vllm:num_requests_waiting{{{of}}})",
    "cache": "avg(vllm:kv_cache_usage_perc{{{of}}})",
}
CHOSEN = (
    "sum by (endpoint_name) (rate(llm_d_epp_scheduler_attempts_total"
    '{{{of},status="success"}}[{window}]))'
)
#: Without what vLLM gave up, which it counts here, too.
ANSWERED = (
    "sum by (pod) (rate(vllm:request_success_total"
    '{{{of},finished_reason!~"abort|error"}}[{window}]))'
)


def ask(query: str) -> list[dict[str, Any]]:
    """Return the samples that Prometheus has now."""
    try:
        answer = httpx.get(
            f"{PROMETHEUS_URL}/api/v1/query",
            params={"query": query},
            timeout=10,
        )
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        message = f"{PROMETHEUS_URL}: {error}; does port-forward run?"
        raise SystemExit(message) from error
    except (ValueError, LookupError, TypeError) as error:
        message = f"{PROMETHEUS_URL} is no Prometheus: {error!r}"
        raise SystemExit(message) from error
    return found


def number(query: str) -> float:
    """Return the value of a query with one sample, or not a number."""
    samples = ask(query)
    return float(samples[0]["value"][1]) if samples else math.nan


def by(label: str, query: str) -> dict[str, float]:
    """Return the values of a query by a label."""
    return {
        one["metric"].get(label, ""): float(one["value"][1])
        for one in ask(query)
    }


def pods(of: str, window: str) -> dict[str, tuple[float, float]]:
    """Return pod -> how often a second it was chosen, and answered."""
    chosen = by("endpoint_name", CHOSEN.format(of=of, window=window))
    answered = by("pod", ANSWERED.format(of=of, window=window))
    return {
        pod: (rate, answered.get(pod, 0.0))
        for pod, rate in sorted(chosen.items())
        if rate > 0
    }


def suspects(rates: dict[str, tuple[float, float]]) -> list[str]:
    """Return the pods that answer less than they get, the worst first."""
    shares = {pod: had / got for pod, (got, had) in rates.items()}
    worst = sorted(shares, key=lambda pod: shares[pod])
    return [pod for pod in worst if shares[pod] < ENOUGH]


def main() -> int:
    """Print signals and pods; return 1 if a pod is a suspect."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--namespace", default="llm-d")
    parser.add_argument("--window", default="1m", help="such as 5m")
    options = parser.parse_args()
    of = f'namespace="{options.namespace}"'
    found = {
        name: number(query.format(of=of, window=options.window))
        for name, query in SIGNALS.items()
    }
    if math.isnan(found["traffic"]):
        sys.exit(f"Prometheus has no Envoy of {options.namespace}")
    traffic = found["traffic"]
    bad = (found["failed"] + found["cut"]) / traffic if traffic else math.nan
    print(f"traffic      {traffic:.1f} requests a second")
    print(f"errors       {bad:.1%}")
    print(f"first token  {found['first token']:.2f} s for 95% of answers")
    print(
        f"saturation   {found['waiting']:.1f} requests wait per pod, "
        f"{found['cache']:.0%} of the caches in use"
    )
    rates = pods(of, options.window)
    print(f"{'pod':<34}chosen  answered, a second")
    for pod, (got, had) in rates.items():
        mark = "   <- look here" if pod in suspects(rates) else ""
        print(f"{pod:<34}{got:>6.1f}{had:>10.1f}{mark}")
    return 1 if suspects(rates) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped")
