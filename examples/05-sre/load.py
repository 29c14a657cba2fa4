"""Send questions at a steady rate through the router, and count what fails.

The rate doesn't drop when answers are slow, as with real users. Each question
is new, also to the runs before, and comes over its own connection. Several
rates follow each other, and of each, what ended in its second half counts as
answered.
"""

import argparse
import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROUTER_URL = os.environ.get("ROUTER_URL", "http://localhost:8081")
MODEL = os.environ.get("MODEL", "lab/sim-8b")
PATH = "/v1/chat/completions"
PATIENCE = 60  # seconds until an answer counts as lost
MOST = 5000  # questions, each of which has a thread


@dataclass(frozen=True)
class Result:
    """What became of one question: empty `failure` if it was answered."""

    failure: str
    first_token: float  # seconds from when the question was due
    finished: float = math.inf  # seconds from the first question of all


def is_broken(event: dict[str, Any]) -> bool:
    """Return whether an event ends an answer before its time."""
    reasons = {one.get("finish_reason") for one in event.get("choices", [])}
    return "error" in event or not reasons.isdisjoint({"abort", "error"})


def ask(
    client: httpx.Client, number: int, start: float, rate: float, words: int
) -> Result:
    """Send a question when it's due; return what became of it."""
    due = start + number / rate
    time.sleep(max(0.0, due - time.monotonic()))
    text = f"{time.time_ns()} " + "word " * (words - 1)
    request = {
        "model": MODEL,
        "messages": [{"role": "user", "content": text.strip()}],
        "max_tokens": words,
        "stream": True,
    }
    first_token = math.inf
    try:
        with client.stream("POST", PATH, json=request) as got:
            if got.status_code != httpx.codes.OK:
                return Result(f"status {got.status_code}", first_token)
            for line in got.iter_lines():
                if line.startswith("data: {"):
                    first_token = min(first_token, time.monotonic() - due)
                    if is_broken(json.loads(line[6:])):
                        break
                elif line == "data: [DONE]":
                    finished = time.monotonic() - start
                    return Result("", first_token, finished)
    except httpx.ConnectError:
        return Result("no connection", first_token)
    except httpx.TimeoutException:
        return Result(f"no answer in {PATIENCE} s", first_token)
    except (httpx.TransportError, ValueError):
        pass  # the connection ended, maybe within a line
    return Result("cut off", first_token)


def send(rate: float, seconds: float, words: int) -> list[Result]:
    """Return what became of all questions of a steady rate."""
    start, total = time.monotonic() + 0.5, round(rate * seconds)
    limits = httpx.Limits(max_keepalive_connections=0)
    with (
        httpx.Client(
            base_url=ROUTER_URL, timeout=PATIENCE, limits=limits
        ) as client,
        ThreadPoolExecutor(max_workers=total) as threads,
    ):
        asked = [
            threads.submit(ask, client, number, start, rate, words)
            for number in range(total)
        ]
        return [one.result() for one in asked]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that this share of all doesn't exceed."""
    if not values:
        return math.nan
    return sorted(values)[math.ceil(share * len(values)) - 1]


def waits(results: Sequence[Result]) -> list[float]:
    """Return the seconds to the first token of what was answered."""
    return [one.first_token for one in results if not one.failure]


def answered(results: Sequence[Result], seconds: float) -> float:
    """Return how many answers ended a second, in the second half."""
    half = seconds / 2
    return sum(half <= one.finished < seconds for one in results) / half


def once(rate: float, seconds: float, words: int) -> int:
    """Print what became of the questions of a rate; return the failed."""
    results = send(rate, seconds, words)
    failures = Counter(one.failure for one in results if one.failure)
    first = waits(results)
    reasons = ", ".join(f"{count} {why}" for why, count in failures.items())
    print(f"sent         {len(results)}, {rate:g} a second")
    print(f"answered     {len(first)}")
    print(
        f"failed       {failures.total()}{f': {reasons}' if reasons else ''}"
    )
    median, slow = percentile(first, 0.5), percentile(first, 0.95)
    print(f"first token  p50 {median:.2f} s, p95 {slow:.2f} s")
    return failures.total()


def rising(
    rates: list[float], seconds: float, words: int
) -> list[dict[str, float]]:
    """Print a line for each rate, and the most; return steps as data."""
    steps = []
    print("offered  answered  failed  first token, p95")
    for rate in rates:
        results = send(rate, seconds, words)
        step: dict[str, float] = {
            "offered": rate,
            "answered": answered(results, seconds),
            "failed": sum(bool(one.failure) for one in results),
            "first_token": percentile(waits(results), 0.95),
        }
        steps.append(step)
        _, done, failed, wait = step.values()
        print(
            f"{rate:>7g}{done:>10.2f}{failed:>8}{wait:>10.2f} s", flush=True
        )
    return steps


def main() -> int:
    """Send as asked; return 1 if a question of a single rate failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("rates", type=float, nargs="*", default=[5], help="a second")
    add("--seconds", type=float, default=30, help="of each rate")
    add("--words", type=int, default=40, help="per question")
    add("--json", type=Path, help="a file for the steps of several rates")
    options = parser.parse_args()
    counts = [rate * options.seconds for rate in options.rates]
    if not all(1 <= count <= MOST for count in counts) or options.words < 1:
        parser.error(f"give 1 to {MOST:,} questions of at least one word")
    try:
        found = httpx.get(f"{ROUTER_URL}/v1/models", timeout=10)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        sys.exit(f"{ROUTER_URL}: {error}; does kubectl port-forward run?")
    if found.is_error:
        sys.exit(f"{ROUTER_URL}: status {found.status_code}")
    if len(options.rates) == 1:
        failed = once(options.rates[0], options.seconds, options.words)
        return 1 if failed else 0
    steps = rising(options.rates, options.seconds, options.words)
    if options.json:
        options.json.write_text(json.dumps(steps, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped")
