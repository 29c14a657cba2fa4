"""Send four conversations through the router and see who answers each.

The counts come twice: from the header that names the pod, and from the
metrics of the EPP.
"""

import os
import re
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

ROUTER_URL = os.environ.get("ROUTER_URL", "http://localhost:8081")
METRICS_URL = os.environ.get("METRICS_URL", "http://localhost:9090")
CONVERSATIONS = ("boats", "bread", "bridges", "butterflies")
TURNS = 12
DECISIONS = re.compile(
    r"^llm_d_epp_scheduler_attempts_total\{"
    r'endpoint_name="(.+?)",.*status="success".*\} (\S+)$',
    re.MULTILINE,
)

Counts = Counter[tuple[str, str]]


def decisions() -> Counter[str]:
    """Return how often the EPP chose each pod, by its own count."""
    text = httpx.get(f"{METRICS_URL}/metrics").raise_for_status().text
    return Counter(
        {pod: int(float(count)) for pod, count in DECISIONS.findall(text)}
    )


def ask(subject: str, turn: int) -> str:
    """Send one turn of a conversation; return the pod that answered."""
    # Everything but the last words is the same in all turns.
    rules = f"You are an expert on {subject}. " * 25
    messages = [
        {"role": "system", "content": rules},
        {"role": "user", "content": f"Question number {turn}?"},
    ]
    request = {"model": "lab/sim-8b", "messages": messages}
    url = f"{ROUTER_URL}/v1/chat/completions"
    answer = httpx.post(url, json=request, timeout=30).raise_for_status()
    return answer.headers.get("x-inference-pod", "unknown")


def converse() -> Counts:
    """Send all turns; at each, the conversations ask at the same time."""
    counts: Counts = Counter()
    with ThreadPoolExecutor(len(CONVERSATIONS)) as threads:
        for turn in range(TURNS):
            pods = threads.map(partial(ask, turn=turn), CONVERSATIONS)
            counts.update(zip(CONVERSATIONS, pods, strict=True))
    return counts


def main() -> None:
    """Print which conversations stayed together, and whether counts agree."""
    try:
        before = decisions()
        counts = converse()
        counted = decisions() - before
    except httpx.ConnectError as error:
        where = f"{ROUTER_URL} or {METRICS_URL}"
        sys.exit(f"{where}: {error}; does kubectl port-forward run?")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        sys.exit(f"{ROUTER_URL} or {METRICS_URL}: {error}")
    for subject in CONVERSATIONS:
        pods = {pod for asked, pod in counts if asked == subject}
        where = "one pod" if len(pods) == 1 else "several pods"
        print(f"{subject:12}{TURNS} turns, answered by {where}")
    answered: Counter[str] = Counter()
    for (_, pod), count in counts.items():
        answered[pod] += count
    agree = "the same" if counted == answered else "other"
    print(f"the EPP counted {counted.total()} decisions, for {agree} pods")


if __name__ == "__main__":
    main()
