"""Hold conversations with a model along two ways, and print what each turn found and took.

Runs inside the cluster, with Python alone: talk.py MODEL URL URL. The ways take turns, so
that whatever else the host does slows both. Each conversation begins with a long case
file that no other one has.
"""

from __future__ import annotations

import json
import random
import sys
import time
import uuid
from typing import Any
from urllib.request import Request, urlopen

CONVERSATIONS = 4
TURNS = 5
#: Words of a case file: about 900 tokens.
LENGTH = 700
WORDS = ("printer", "jams", "morning", "office", "cable", "email", "password", "screen", "meeting")


def case_file() -> str:
    """Return a text that nobody sent before."""
    name = str(uuid.uuid4())
    chance = random.Random(name)  # noqa: S311 - no secret
    return f"Case {name}: {' '.join(chance.choices(WORDS, k=LENGTH))}."


def ask(url: str, model: str, messages: list[dict[str, str]]) -> dict[str, Any]:
    """Return an answer's text, its usage, and the seconds to its first token."""
    body = {
        "model": model,
        "messages": messages,
        "max_tokens": 4,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    headers = {"Content-Type": "application/json"}
    request = Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), headers)  # noqa: S310
    begin, first, text = time.monotonic(), 0.0, ""
    usage: dict[str, Any] = {}
    with urlopen(request, timeout=120) as answer:  # noqa: S310 - a Service of the lab
        for line in answer:
            if line.startswith(b"data: {"):
                part = json.loads(line.removeprefix(b"data: "))
                text += "".join(choice["delta"].get("content") or "" for choice in part["choices"])
                first = first or (time.monotonic() - begin if text else 0.0)
                usage = part.get("usage") or usage
    return {"text": text, "usage": usage, "first_token": first}


def main() -> None:
    """Print one JSON object for each turn."""
    model, *ways = sys.argv[1:]
    for _ in range(CONVERSATIONS):
        spoken = {way: [{"role": "user", "content": f"{case_file()} What is it about?"}] for way in ways}
        for turn in range(1, TURNS + 1):
            for way, messages in spoken.items():
                answer = ask(way, model, messages)
                messages.append({"role": "assistant", "content": answer["text"]})
                messages.append({"role": "user", "content": f"And what should we do next, in step {turn}?"})
                details = answer["usage"].get("prompt_tokens_details") or {}
                share = details.get("cached_tokens", 0) / answer["usage"]["prompt_tokens"]
                print(json.dumps([way, turn, share, answer["first_token"]]), flush=True)


main()
