"""Ask the model one question and print who answered.

Usage: python chat.py [question]; ROUTER_URL says where the router listens.
"""

import os
import sys

import httpx

ROUTER_URL = os.environ.get("ROUTER_URL", "http://localhost:8081")
MODEL = "lab/sim-8b"


def ask(question: str) -> httpx.Response:
    """Send a question; return the answer, raise on an error status."""
    response = httpx.post(
        f"{ROUTER_URL}/v1/chat/completions",
        json={
            "model": MODEL,
            "messages": [{"role": "user", "content": question}],
        },
        timeout=30,
    )
    return response.raise_for_status()


def main() -> None:
    """Print the answer, the pod that gave it, and the tokens it took."""
    question = " ".join(sys.argv[1:]) or "Which process did what?"
    try:
        response = ask(question)
    except httpx.HTTPError as error:
        sys.exit(f"{ROUTER_URL}: {error}")
    answer = response.json()
    print("answer:", answer["choices"][0]["message"]["content"])
    print("pod:   ", response.headers["x-inference-pod"])
    print("tokens:", answer["usage"]["total_tokens"])


if __name__ == "__main__":
    main()
