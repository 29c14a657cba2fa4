"""Ask the next question of the same 24 conversations, and see what was warm.

The conversations are the same in each run, so that caches and the EPP's index
hold them from the run before.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from statistics import mean
from typing import Any

import httpx

ROUTER_URL = os.environ.get("ROUTER_URL", "http://localhost:8081")
MODEL = os.environ.get("MODEL", "lab/sim-8b")
CONVERSATIONS = 24
SENTENCE = "The customer called again about the same fault and waits for us. "


@dataclass(frozen=True)
class Answer:
    """What one question found, and how long its first token took."""

    prompt_tokens: int
    cached_tokens: int
    first_token: float  # seconds


def ask(client: httpx.Client, number: int, sentences: int) -> Answer:
    """Ask the question of a conversation."""
    case = f"Case number {number}. " + SENTENCE * sentences
    request = {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": case},
            {"role": "user", "content": "What now?"},
        ],
        "max_tokens": 4,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    first_token, usage = 0.0, dict[str, Any]()
    begin = time.monotonic()
    path = "/v1/chat/completions"
    with client.stream("POST", path, json=request) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                first_token = first_token or time.monotonic() - begin
                usage = json.loads(line[6:]).get("usage") or usage
    found = usage["prompt_tokens_details"]["cached_tokens"]
    return Answer(usage["prompt_tokens"], found, first_token)


def main() -> None:
    """Print which share of all prompts was cached, and the mean wait."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--sentences", type=int, default=60, help="of each conversation")
    add("--json", action="store_true", help="all answers, for programs")
    options = parser.parse_args()
    if options.sentences < 1:
        parser.error("a conversation has at least one sentence")
    try:
        with httpx.Client(base_url=ROUTER_URL, timeout=60) as client:
            answers = [
                ask(client, number, options.sentences)
                for number in range(CONVERSATIONS)
            ]
    except httpx.HTTPStatusError as error:
        sys.exit(f"{ROUTER_URL}: status {error.response.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        sys.exit(f"{ROUTER_URL}: {error}; does kubectl port-forward run?")
    except (ValueError, LookupError, TypeError) as error:
        sys.exit(f"{ROUTER_URL} sent no usage with cached tokens: {error!r}")
    if options.json:
        print(json.dumps([vars(one) for one in answers]))
        return
    prompt = sum(one.prompt_tokens for one in answers)
    cached = sum(one.cached_tokens for one in answers)
    wait = mean(one.first_token for one in answers)
    print(f"found in a cache  {cached / max(prompt, 1):.0%} of the prompts")
    print(f"first token       {wait:.2f} s, the mean of {len(answers)}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped")
