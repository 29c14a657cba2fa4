"""Follow one request: which process listens where, and what each did with it.

Usage: python3 trace.py <router's host> <model server's host>
"""

import http.client
import json
import re
import socket
import ssl
import sys
from collections.abc import Iterator

ASKED = {"role": "user", "content": "Where did this request go?"}
BODY = json.dumps({"model": "lab/sim-8b", "messages": [ASKED]})
DECISIONS = re.compile(
    r"^llm_d_epp_scheduler_attempts_total\{(?P<labels>.*)\} (?P<count>\S+)$",
    re.MULTILINE,
)


def call(
    host: str, port: int, path: str, body: str | None = None
) -> http.client.HTTPResponse:
    """Return an answer, not yet read; raise on an error status."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    headers = {"Content-Type": "application/json"}
    connection.request("POST" if body else "GET", path, body, headers)
    response = connection.getresponse()
    if response.status != http.HTTPStatus.OK:
        message = f"{host}:{port}{path} answered {response.status}"
        raise http.client.HTTPException(message)
    return response


def decisions(router: str) -> dict[str, float]:
    """Return how often the picker chose each endpoint, by its labels."""
    text = call(router, 9090, "/metrics").read().decode()
    found = DECISIONS.finditer(text)
    return {one["labels"]: float(one["count"]) for one in found}


def spoken_over_tls(host: str, port: int) -> str | None:
    """Return the protocol that a port agrees to inside TLS."""
    context = ssl.create_default_context()
    context.check_hostname = False  # the picker signs its own certificate
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((host, port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        return secured.selected_alpn_protocol()


def stations(router: str, server: str) -> Iterator[tuple[str, int, str]]:
    """Yield process, port and what it did, in the request's order."""
    before = decisions(router)
    answer = call(router, 8081, "/v1/chat/completions", BODY)
    usage = json.load(answer)["usage"]
    pod = answer.headers.get("x-inference-pod", "unknown")
    after = decisions(router)
    added = sum(
        after[labels] - before.get(labels, 0)
        for labels in after
        if pod in labels
    )
    spoken = spoken_over_tls(router, 9002)
    call(server, 8000, "/health")
    yield "proxy", 8081, f"{answer.headers['server']} took the request"
    yield "endpoint picker", 9002, f"listens for questions, in {spoken}"
    yield "endpoint picker", 9090, f"counted {added:.0f} decision, for {pod}"
    yield "model server", 8000, f"{pod} read {usage['prompt_tokens']} tokens"


def main() -> None:
    """Print the stations of one request."""
    if len(sys.argv) != 3:  # noqa: PLR2004
        sys.exit("Two hosts, please: the router's and the model server's")
    try:
        for process, port, what in stations(*sys.argv[1:]):
            print(f"{process:<17}{port}  {what}")
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"{' or '.join(sys.argv[1:])}: {error}")
    except (ValueError, LookupError, TypeError) as error:
        sys.exit(f"{sys.argv[1]} sent no chat completion: {error!r}")


if __name__ == "__main__":
    main()
