"""Follow one request: sent, scored, passed on with other headers, answered.

Usage: python trace.py request.json, while this runs in another terminal:
kubectl port-forward deployment/router 8081 19000. The EPP needs --v=4.
"""

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROUTER_URL = os.environ.get("ROUTER_URL", "http://localhost:8081")
ADMIN_URL = os.environ.get("ENVOY_ADMIN_URL", "http://localhost:19000")
PATIENCE = 15  # seconds until the logs must have the request

# How the entries begin in which Envoy prints headers, at level debug.
SENT, PASSED_ON, ANSWERED = (
    "request headers complete",
    "router decoding headers",
    "encoding headers via codec",
)
HEADER = re.compile(r"^'([^']+)', '(.*)'$", re.MULTILINE)
STREAM = re.compile(r'"StreamId":"(\d+)"')

Headers = Mapping[str, str]


@dataclass
class Profile:
    """What one scheduling profile came to: scorer -> pod -> score."""

    name: str
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    totals: dict[str, float] = field(default_factory=dict)
    chosen: str = ""


def send(body: str, request_id: str) -> None:
    """Send the request while Envoy prints what it receives and sends."""
    names = {"x-request-id": request_id, "user-agent": "trace.py"}
    names |= {"content-type": "application/json", "accept-encoding": "gzip"}
    url = f"{ROUTER_URL}/v1/chat/completions"
    loud, quiet = ("http:debug,router:debug", "http:info,router:info")
    log_level(loud)
    try:
        httpx.post(url, content=body, headers=names, timeout=60)
    finally:
        log_level(quiet)


def log_level(paths: str) -> None:
    """Have Envoy print more, or less, from now on."""
    answer = httpx.post(f"{ADMIN_URL}/logging", params={"paths": paths})
    answer.raise_for_status()


def logs(container: str) -> str:
    """Return what a container of the router printed in the last minute."""
    target = ["deployment/router", f"--container={container}", "--since=1m"]
    return subprocess.run(
        ["kubectl", "logs", *target],
        check=True,
        capture_output=True,
        text=True,
        errors="replace",
    ).stdout


def headers_seen(log: str, request_id: str) -> dict[str, Headers]:
    """Return the headers of a request's three entries in Envoy's log."""
    entries = re.split(r"(?m)^(?=\[\d{4}-)", log)
    first = (one for one in entries if SENT in one and request_id in one)
    stream = STREAM.search(next(first, ""))
    return {
        kind: dict(HEADER.findall(entry))
        for entry in entries
        for kind in (SENT, PASSED_ON, ANSWERED)
        if stream and stream[0] in entry and kind in entry
    }


def profiles_run(log: str, request_id: str) -> Iterator[Profile]:
    """Yield the profiles that the EPP ran for a request, in order."""
    profile = None
    for line in log.splitlines():
        if f'"x-request-id":"{request_id}"' not in line:
            continue
        entry = json.loads(line)
        if entry["msg"] == "Running scheduler profile":
            profile = Profile(entry["profile"])
        elif entry["msg"] == "Calculated score" and profile:
            scorer = entry["plugin"].partition("/")[0]
            pods = profile.scores.setdefault(scorer, {})
            pods[entry["endpoint"]["name"]] = entry["score"]
        elif entry["msg"] == "Candidate pods for picking" and profile:
            for one in entry["endpoints-weighted-score"]:
                name = one["Endpoint"]["ID"]["Name"]
                profile.totals[name] = one["Score"]
        elif "TargetEndpoints" in (entry.get("result") or {}) and profile:
            best = entry["result"]["TargetEndpoints"][0]
            profile.chosen = best["Endpoint"]["ID"]["Name"]
            yield profile


def print_headers(headers: Headers, before: Headers | None = None) -> None:
    """Print headers; with `before`, only those that are new or have gone."""
    for name, value in sorted(headers.items()):
        new = before is not None and before.get(name) != value
        if before is None or new:
            print(f"   {'+' if new else ' '} {name}: {value}")
    for name in sorted((before or {}).keys() - headers.keys()):
        print(f"   - {name}")


def print_profile(profile: Profile) -> None:
    """Print a line for each pod, the chosen one first."""
    print(f"2  the EPP runs its profile {profile.name}")
    columns = [name.removesuffix("-scorer") for name in profile.scores]
    print("    ", *columns, "total")
    others = sorted(profile.totals.keys() - {profile.chosen})
    for pod in [profile.chosen, *others]:
        given = [pods.get(pod, 0) for pods in profile.scores.values()]
        cells = zip(columns, given, strict=True)
        row = [f"{score:{len(name)}.2f}" for name, score in cells]
        name = pod.partition("-rank-")[0]
        print("    ", *row, f"{profile.totals[pod]:5.2f} {name}")


def trace(body: str) -> None:
    """Send a request and print its way."""
    request_id = str(uuid.uuid4())
    send(body, request_id)
    end = time.monotonic() + PATIENCE
    while ANSWERED not in (seen := headers_seen(logs("envoy"), request_id)):
        if time.monotonic() > end:
            sys.exit("Envoy's log lacks the request.")
        time.sleep(0.2)
    print("1  the client sends to Envoy")
    print_headers(seen[SENT])
    profiles = list(profiles_run(logs("endpoint-picker"), request_id))
    for profile in profiles:
        print_profile(profile)
    if not profiles:
        print("2  the EPP printed no scores: is it started with --v=4?")
    if PASSED_ON in seen:
        print("3  Envoy sends to the pod")
        print_headers(seen[PASSED_ON], seen[SENT])
    print("4  the client gets")
    print_headers(seen[ANSWERED])


def main() -> None:
    """Read the request, follow it, or say in one sentence why not."""
    if not sys.argv[1:]:
        sys.exit("Usage: python trace.py request.json")
    try:
        body = Path(sys.argv[1]).read_text(encoding="utf-8")
        json.loads(body)
    except (OSError, ValueError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
    try:
        trace(body)
    except OSError as error:
        sys.exit(f"kubectl: {error}")
    except httpx.ConnectError as error:
        where = f"{ROUTER_URL} or {ADMIN_URL}"
        sys.exit(f"{where}: {error}; does kubectl port-forward run?")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        sys.exit(f"{ROUTER_URL} or {ADMIN_URL}: {error}")
    except subprocess.CalledProcessError as error:
        *_, last = ["no reason given", *error.stderr.splitlines()]
        sys.exit(f"kubectl: {last}")


if __name__ == "__main__":
    main()
