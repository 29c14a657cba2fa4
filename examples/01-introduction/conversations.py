"""Hold ten conversations with a model, and see what each turn found and took.

Usage: python3 conversations.py <URL> [<URL> ...], run where the URLs can be
reached, so inside the cluster. It needs nothing but Python. Several URLs take
turns, so that whatever else the machine does slows them alike.
"""

import argparse
import http.client
import json
import secrets
import string
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import mean
from typing import Any
from urllib.parse import urlsplit

CONVERSATIONS = 10
TURNS = 6
TOKENS = 8  # of an answer: its length does not change its first token
POD = "x-inference-pod"  # the simulator names itself; real engines do not
SENTENCE = "The customer called again about the same fault and waits for us. "
RULE = "Be brief, be polite, promise nothing that the contract does not say. "
VARIATIONS = ("none", "manual", "clock", "kept-connection")
QUESTION = "What should we tell the customer now, in reply number {}?"

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Turn:
    """One request: who answered it, what it found in a cache, and when."""

    url: str
    conversation: int
    turn: int
    pod: str
    prompt_tokens: int
    cached_tokens: int
    first_token: float  # seconds from the request to the first token
    said: str


def case_file() -> str:
    """Return about 1,000 tokens that no pod has seen before."""
    name = "".join(secrets.choice(string.ascii_lowercase) for _ in range(12))
    return f"Case {name}. {SENTENCE * 76}"


def beginning(case: str, variation: str) -> str:
    """Return what stands at the top of every prompt of a conversation."""
    if variation == "clock":
        return f"It is {datetime.now(UTC).isoformat()}. {case}"
    if variation == "manual":
        return f"{RULE * 76}{case}"
    return case


def ask(
    connection: http.client.HTTPConnection, model: str, messages: Messages
) -> tuple[str, str, float, dict[str, Any]]:
    """Return pod, answer, seconds to its first token, and its usage."""
    request = {
        "model": model,
        "messages": messages,
        "max_tokens": TOKENS,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    headers = {"Content-Type": "application/json"}
    said, first_token = "", 0.0
    usage: dict[str, Any] = {}
    begin = time.monotonic()
    connection.request(
        "POST", "/v1/chat/completions", json.dumps(request), headers
    )
    response = connection.getresponse()
    if response.status != http.HTTPStatus.OK:
        text = response.read().decode().strip() or "no text"
        message = f"status {response.status}: {text}"
        raise http.client.HTTPException(message)
    for line in response:
        if line.startswith(b"data: {"):
            part = json.loads(line.removeprefix(b"data: "))
            for choice in part["choices"]:
                said += choice["delta"].get("content") or ""
            if said and not first_token:
                first_token = time.monotonic() - begin
            usage = part.get("usage") or usage
    return response.headers.get(POD, ""), said, first_token, usage


def converse(
    urls: Sequence[str], model: str, variation: str
) -> Iterator[Turn]:
    """Let all conversations have their first turn, then their second, ..."""
    conversations: list[tuple[int, str, str, Messages]] = [
        (number, url, case_file(), [])
        for number in range(1, CONVERSATIONS + 1)
        for url in urls
    ]
    connections = {
        url: http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        for url in urls
    }
    for turn in range(1, TURNS + 1):
        for number, url, case, history in conversations:
            top = {"role": "system", "content": beginning(case, variation)}
            history.append({"role": "user", "content": QUESTION.format(turn)})
            pod, said, seconds, usage = ask(
                connections[url], model, [top, *history]
            )
            history.append({"role": "assistant", "content": said})
            if variation != "kept-connection":
                connections[url].close()  # the next request opens another
            prompt = usage["prompt_tokens"]
            cached = usage["prompt_tokens_details"]["cached_tokens"]
            yield Turn(url, number, turn, pod, prompt, cached, seconds, said)


def pods_of_conversations(turns: Sequence[Turn]) -> dict[int, set[str]]:
    """Return conversation -> the pods that answered its turns."""
    pods: dict[int, set[str]] = {}
    for turn in turns:
        pods.setdefault(turn.conversation, set()).add(turn.pod)
    return pods


def summary(turns: Sequence[Turn]) -> Iterator[tuple[str, str]]:
    """Yield what is printed: seconds of real engines, pods of simulators."""
    if not all(turn.pod for turn in turns):
        first = mean(turn.first_token for turn in turns if turn.turn == 1)
        later = mean(turn.first_token for turn in turns if turn.turn > 1)
        yield "time to first token, turn 1", f"{first:.2f} s"
        yield f"time to first token, turns 2 to {TURNS}", f"{later:.2f} s"
        return
    pods = pods_of_conversations(turns)
    stayed = sum(len(found) == 1 for found in pods.values())
    prompt = sum(turn.prompt_tokens for turn in turns)
    cached = sum(turn.cached_tokens for turn in turns)
    yield "conversations that kept to one pod", f"{stayed} of {len(pods)}"
    yield "prompt tokens", f"{prompt:,}"
    share = cached / prompt if prompt else 0
    yield "of these, found in a cache", f"{cached:,} ({share:.0%})"


def by_pod(turns: Sequence[Turn]) -> str:
    """Return how many requests each pod answered, the busiest first."""
    counts = Counter(turn.pod for turn in turns).most_common()
    return ", ".join(str(count) for _, count in counts)


def main() -> None:
    """Converse, and print the sums and, for programs, every turn."""
    parser = argparse.ArgumentParser(description="Hold ten conversations.")
    parser.add_argument("urls", nargs="+", help="such as http://router:8081")
    parser.add_argument("--model", default="lab/sim-8b")
    parser.add_argument("--variation", choices=VARIATIONS, default="none")
    parser.add_argument("--by-pod", action="store_true", help="count by pod")
    parser.add_argument(
        "--json", action="store_true", help="all turns on standard error"
    )
    options = parser.parse_args()
    for url in options.urls:
        address = urlsplit(url)
        if address.scheme != "http" or not address.hostname:
            parser.error(f"{url} is no address such as http://router:8081")
    where = " or ".join(options.urls)
    try:
        turns = list(converse(options.urls, options.model, options.variation))
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"{where}: {error}")
    except (ValueError, LookupError, TypeError) as error:
        sys.exit(f"{where}: no answer with cached_tokens: {error!r}")
    if options.json:
        print(json.dumps([asdict(turn) for turn in turns]), file=sys.stderr)
    for url in options.urls:
        print(url)
        mine = [turn for turn in turns if turn.url == url]
        for what, value in summary(mine):
            print(f"  {what:<36}{value}")
        if options.by_pod:
            print(f"  {'requests by pod':<36}{by_pod(mine)}")


if __name__ == "__main__":
    main()
