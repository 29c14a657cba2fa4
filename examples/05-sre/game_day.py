"""Break one pod of a model without telling which, and time the repair.

Run it while load.py sends questions. Repair the service from another
terminal; this program only watches, and keeps the log.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

PROMETHEUS_URL = os.environ.get("PROMETHEUS_URL", "http://localhost:9091")
BROKEN = {"failure-injection-rate": 100, "failure-types": ["server_error"]}


def kubectl(*words: str, given: str = "") -> str:
    """Return what kubectl prints; stop with its message if it fails."""
    done = subprocess.run(
        ["kubectl", *words],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr.strip() or f"kubectl {words[0]} failed")
    return done.stdout.strip()


def pods(selector: str) -> list[str]:
    """Return the names of the pods that are not about to end."""
    found = json.loads(kubectl("get", "pods", "-l", selector, "-o", "json"))
    return [
        one["metadata"]["name"]
        for one in found["items"]
        if "deletionTimestamp" not in one["metadata"]
    ]


def break_pod(pod: str, namespace: str) -> None:
    """Make a simulator answer each request with 503."""
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}:8000/proxy"
    kubectl(
        "create",
        f"--raw={path}/admin/config",
        "-f",
        "-",
        given=json.dumps(BROKEN),
    )


def fires(alert: str) -> bool:
    """Return whether Prometheus has the alert as firing."""
    try:
        answer = httpx.get(f"{PROMETHEUS_URL}/api/v1/alerts", timeout=10)
        found = answer.json()["data"]["alerts"]
        return any(
            one["labels"]["alertname"] == alert and one["state"] == "firing"
            for one in found
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        message = f"{PROMETHEUS_URL}: {error}; does port-forward run?"
        raise SystemExit(message) from error
    except (ValueError, LookupError, TypeError) as error:
        message = f"{PROMETHEUS_URL} is no Prometheus: {error!r}"
        raise SystemExit(message) from error


def wait_for(check: Callable[[], bool], deadline: float, what: str) -> None:
    """Wait until something is true; stop when it takes too long."""
    end = time.monotonic() + deadline
    while not check():
        if time.monotonic() > end:
            message = f"waited {deadline:.0f} s in vain until {what}"
            raise SystemExit(message)
        time.sleep(1)


def main() -> None:
    """Break a pod, and print when what follows has happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--selector", default="app.kubernetes.io/name=simulator")
    add("--alert", default="HelpDeskBurnsFast")
    add("--patience", type=float, default=900, help="seconds for each step")
    add("--log", type=Path, help="a file for the drill log")
    options = parser.parse_args()
    namespace = kubectl(
        "config", "view", "--minify", "-o", "jsonpath={..namespace}"
    )
    names = pods(options.selector)
    if not names[1:]:
        sys.exit("there are no two pods of which to break one")
    if fires(options.alert):
        sys.exit(f"{options.alert} fires already; wait until it's over")
    pod = secrets.choice(names)
    begin = time.monotonic()
    log: list[dict[str, object]] = []

    def note(what: str) -> None:
        seconds = time.monotonic() - begin
        log.append({"seconds": round(seconds, 1), "what": what})
        print(f"{seconds:>7.1f} s  {what}", flush=True)

    break_pod(pod, namespace)
    note(f"one of {len(names)} pods is broken")
    wait_for(lambda: fires(options.alert), options.patience, "it fires")
    note(f"{options.alert} fires")
    wait_for(
        lambda: pod not in pods(options.selector),
        options.patience,
        "it's gone",
    )
    note("the broken pod is gone")
    wait_for(lambda: not fires(options.alert), options.patience, "it's over")
    note(f"{options.alert} is over")
    if options.log:
        drill = {"pod": pod, "alert": options.alert, "events": log}
        options.log.write_text(json.dumps(drill, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped; a pod may still be broken: python signals.py")
    except FileNotFoundError:
        sys.exit("there is no kubectl on the path")
