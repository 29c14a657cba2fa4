"""Ask the model one question and print who answered.

Usage: python chat.py [question]; ROUTER_URL says where the router listens,
MODEL which model to ask.
"""

import os
import sys
import textwrap

import httpx

ROUTER_URL = os.environ.get("ROUTER_URL", "http://localhost:8081")
MODEL = os.environ.get("MODEL", "lab/sim-8b")


def ask(question: str) -> httpx.Response:
    """Send a question; return the answer, raise on an error status."""
    response = httpx.post(
        f"{ROUTER_URL}/v1/chat/completions",
        json={
            "model": MODEL,
            "messages": [{"role": "user", "content": question}],
            "temperature": 0,  # the likeliest token, every time
        },
        timeout=60,
    )
    return response.raise_for_status()


def main() -> None:
    """Print the answer, the pod that gave it, and the tokens it took."""
    question = " ".join(sys.argv[1:]) or "Which process did what?"
    try:
        response = ask(question)
        answer = response.json()
        said = answer["choices"][0]["message"]["content"]
        tokens = answer["usage"]["total_tokens"]
    except httpx.ConnectError as error:
        sys.exit(f"{ROUTER_URL}: {error}; does kubectl port-forward run?")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        sys.exit(f"{ROUTER_URL}: {error}")
    except (ValueError, LookupError, TypeError) as error:
        sys.exit(f"{ROUTER_URL} sent no chat completion: {error!r}")
    print(textwrap.fill(f"answer: {said}", 76, subsequent_indent=" " * 8))
    print("pod:   ", response.headers.get("x-inference-pod", "not named"))
    print("tokens:", tokens)


if __name__ == "__main__":
    main()
