"""Ask the model one question and print each piece of the answer as it comes.

Usage: python stream.py [question]; ROUTER_URL says where the router listens.
"""

import json
import os
import sys
import time
from collections.abc import Iterator

import httpx

ROUTER_URL = os.environ.get("ROUTER_URL", "http://localhost:8081")
MODEL = "lab/sim-8b"


def stream(question: str) -> Iterator[str]:
    """Yield what stands behind "data: " in the lines of the answer."""
    request = {
        "model": MODEL,
        "messages": [{"role": "user", "content": question}],
        "stream": True,
    }
    url = f"{ROUTER_URL}/v1/chat/completions"
    with httpx.stream("POST", url, json=request, timeout=30) as response:
        response.raise_for_status()
        print("pod:", response.headers.get("x-inference-pod", "unknown"))
        for line in response.iter_lines():
            if line.startswith("data: "):
                yield line.removeprefix("data: ")


def main() -> None:
    """Print each piece of the answer, and the seconds since the question."""
    begin = time.monotonic()
    for data in stream(" ".join(sys.argv[1:]) or "Which process did what?"):
        elapsed = time.monotonic() - begin
        if data == "[DONE]":
            print(f"{elapsed:.2f} s  {data}")
            return
        for choice in json.loads(data)["choices"]:
            if text := choice["delta"].get("content"):
                print(f"{elapsed:.2f} s  {text!r}")
    sys.exit(f"{ROUTER_URL}: the answer ended before its last line, [DONE]")


if __name__ == "__main__":
    try:
        main()
    except httpx.ConnectError as error:
        sys.exit(f"{ROUTER_URL}: {error}; does kubectl port-forward run?")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        sys.exit(f"{ROUTER_URL}: {error}")
    except (ValueError, LookupError, TypeError) as error:
        sys.exit(f"{ROUTER_URL} sent no chat completion: {error!r}")
