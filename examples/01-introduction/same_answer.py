"""Send the same requests to two addresses and compare the answers.

Usage: python3 same_answer.py <URL> <URL>
"""

import http.client
import json
import sys
from typing import Any
from urllib.parse import urlsplit

CHAT = [{"role": "user", "content": "Is this the same answer?"}]
REQUESTS = {
    "a chat": {"model": "lab/sim-8b", "messages": CHAT},
    "an unknown model": {"model": "lab/nobody", "messages": CHAT},
    "a body without a model": {"messages": CHAT},
}
OF_THE_MOMENT = {"id", "created"}  # differ between any two answers


def send(url: str, body: dict[str, Any]) -> tuple[int, str]:
    """Return the status and the text of an answer."""
    address = urlsplit(url)
    if address.scheme != "http" or not address.hostname:
        message = f"{url} is no address such as http://router:8081"
        raise http.client.InvalidURL(message)
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    headers = {"Content-Type": "application/json"}
    text = json.dumps(body)
    connection.request("POST", "/v1/chat/completions", text, headers)
    response = connection.getresponse()
    return response.status, response.read().decode(errors="replace")


def content(text: str) -> object:
    """Return an answer without what belongs to the moment."""
    try:
        answer = json.loads(text)
    except ValueError:
        return text
    if not isinstance(answer, dict):
        return answer
    return {key: answer[key] for key in answer if key not in OF_THE_MOMENT}


def form(text: str) -> str:
    """Tell whether a text is JSON."""
    return "text" if content(text) == text else "JSON"


def main() -> None:
    """Print a line for each request."""
    if len(sys.argv) != 3:  # noqa: PLR2004
        sys.exit(
            "Two addresses, please: http://server:8000 http://router:8081"
        )
    for what, body in REQUESTS.items():
        try:
            (one, first), (two, second) = (
                send(url, body) for url in sys.argv[1:]
            )
        except (OSError, http.client.HTTPException) as error:
            sys.exit(f"{' or '.join(sys.argv[1:])}: {error}")
        same = (one, content(first)) == (two, content(second))
        verdict = "the same" if same else "different"
        answers = f"{one} {form(first)}, {two} {form(second)}"
        print(f"{what:<24}{answers:<24}{verdict}")


if __name__ == "__main__":
    main()
