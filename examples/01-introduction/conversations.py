"""Hold ten conversations with a model, and see which pod answers each turn.

Usage: python3 conversations.py <URL>, run where the URL can be reached, so
inside the cluster. It needs nothing but Python.
"""

import argparse
import http.client
import json
import secrets
import string
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

MODEL = "lab/sim-8b"
CONVERSATIONS = 10
TURNS = 6
POD = "x-inference-pod"  # the simulator names itself; real engines do not
SENTENCE = "The customer called again about the same fault and waits for us. "
RULE = "Be brief, be polite, promise nothing that the contract does not say. "
VARIATIONS = ("none", "manual", "clock", "kept-connection")
QUESTION = "What should we tell the customer now, in reply number {}?"


@dataclass(frozen=True)
class Turn:
    """One request: who answered it, and how much of it the pod knew."""

    conversation: int
    turn: int
    pod: str
    prompt_tokens: int
    cached_tokens: int


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
    connection: http.client.HTTPConnection, messages: list[dict[str, str]]
) -> tuple[str, str, dict]:
    """Return the pod that answered, what it said, and its count of tokens."""
    body = json.dumps({"model": MODEL, "messages": messages})
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    response = connection.getresponse()
    text = response.read().decode()
    if response.status != http.HTTPStatus.OK:
        message = f"status {response.status}: {text.strip() or 'no text'}"
        raise http.client.HTTPException(message)
    answer = json.loads(text)
    said = answer["choices"][0]["message"]["content"]
    return response.headers.get(POD, "unknown"), said, answer["usage"]


def converse(
    connection: http.client.HTTPConnection, variation: str
) -> Iterator[Turn]:
    """Let all conversations have their first turn, then their second, ..."""
    cases = [case_file() for _ in range(CONVERSATIONS)]
    histories: list[list[dict[str, str]]] = [[] for _ in cases]
    for turn in range(1, TURNS + 1):
        for number, (case, history) in enumerate(
            zip(cases, histories, strict=True), start=1
        ):
            top = {"role": "system", "content": beginning(case, variation)}
            history.append({"role": "user", "content": QUESTION.format(turn)})
            pod, said, usage = ask(connection, [top, *history])
            history.append({"role": "assistant", "content": said})
            cached = usage["prompt_tokens_details"]["cached_tokens"]
            yield Turn(number, turn, pod, usage["prompt_tokens"], cached)
            if variation != "kept-connection":
                connection.close()  # the next request opens another


def pods_of_conversations(turns: Sequence[Turn]) -> dict[int, set[str]]:
    """Return conversation -> the pods that answered its turns."""
    pods: dict[int, set[str]] = {}
    for turn in turns:
        pods.setdefault(turn.conversation, set()).add(turn.pod)
    return pods


def summary(turns: Sequence[Turn]) -> Iterator[tuple[str, str]]:
    """Yield what the table prints, line by line."""
    pods = pods_of_conversations(turns)
    stayed = sum(len(found) == 1 for found in pods.values())
    prompt = sum(turn.prompt_tokens for turn in turns)
    cached = sum(turn.cached_tokens for turn in turns)
    share = cached / prompt if prompt else 0
    yield "requests", str(len(turns))
    yield "conversations that kept to one pod", f"{stayed} of {len(pods)}"
    yield "prompt tokens", f"{prompt:,}"
    yield "of these, found in a cache", f"{cached:,} ({share:.0%})"


def main() -> None:
    """Converse, and print the sums or, for programs, every turn."""
    parser = argparse.ArgumentParser(description="Hold ten conversations.")
    parser.add_argument("url", help="such as http://router:8081")
    parser.add_argument("--variation", choices=VARIATIONS, default="none")
    parser.add_argument("--by-pod", action="store_true", help="count by pod")
    parser.add_argument("--json", action="store_true", help="print all turns")
    options = parser.parse_args()
    address = urlsplit(options.url)
    if address.scheme != "http" or not address.hostname:
        parser.error(
            f"{options.url} is no address such as http://router:8081"
        )
    try:
        connection = http.client.HTTPConnection(address.netloc, timeout=30)
        turns = list(converse(connection, options.variation))
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"{options.url}: {error}")
    except (ValueError, LookupError, TypeError) as error:
        sys.exit(f"{options.url}: no answer with cached_tokens: {error!r}")
    if options.json:
        print(json.dumps([asdict(turn) for turn in turns]))
        return
    for what, value in summary(turns):
        print(f"{what:<36}{value}")
    if options.by_pod:
        counts = Counter(turn.pod for turn in turns).most_common()
        numbers = ", ".join(str(count) for _, count in counts)
        print(f"{'requests by pod':<36}{numbers}")


if __name__ == "__main__":
    main()
