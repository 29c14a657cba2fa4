"""What may differ between two runs of a transcript, and what may not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from proofs.failures import DeadlinePassed, HarnessError
from proofs.transcripts import (
    Step,
    difference,
    exchanged,
    normalised,
    printed_transcript,
    read_transcript,
    run_steps,
)

EQUAL = {
    "times": (
        "date: Wed, 25 Nov 2026 11:37:00 GMT\nat 2026-11-25T11:37:00.123Z\nWed Nov 25 11:37:00 2026",
        "date: Thu, 26 Nov 2026 09:01:59 GMT\nat 2026-11-26T09:01:59Z\nThu Dec  3 09:01:59 2026",
    ),
    "created": ('{"created":1795606620}', '{"created":1795609999}'),
    "ids of answers": (
        '"id":"chatcmpl-0f6b1e0c-7d39-4f9b-8e38-1a4a6b8e2f11"',
        '"id":"chatcmpl-91d0"',
    ),
    "uids": (
        "uid: 0f6b1e0c-7d39-4f9b-8e38-1a4a6b8e2f11",
        "uid: 6a0c9d5e-3b7f-4c85-9a61-c2d7f0e4b833",
    ),
    "pods": ("pod/sim-6d4cf56db6-x7k2p created", "pod/sim-7f9b8c5d4-2vwzq created"),
    "replica sets": ("replicaset.apps/sim-6d4cf56db6", "replicaset.apps/sim-7f9b8c5d4"),
    "addresses": ("listening on 10.244.1.7:8000", "listening on 10.244.3.12:8000"),
    "durations": ("answered in 1.25 s", "answered in 0.9 s"),
    "durations in a column": ("    9.8s  Removing it", "   14.3s  Removing it"),
    "restarts": ("1 (5s ago)", "1 (2m10s ago)"),
    "tables": (
        """\
NAME                   READY   STATUS    RESTARTS   AGE
sim-6d4cf56db6-x7k2p   1/1     Running   0          12s
""",
        """\
NAME                  READY   STATUS    RESTARTS   AGE
sim-7f9b8c5d4-2vwzq   1/1     Running   0          3m4s
""",
    ),
    "tables of events": (
        "LAST SEEN   TYPE     REASON    OBJECT\n5s          Normal   Started   pod/sim",
        "LAST SEEN   TYPE     REASON    OBJECT\n2m5s        Normal   Started   pod/sim",
    ),
    "described events": (
        "  Warning  FailedScheduling  5s    default-scheduler  0/4 nodes",
        "  Warning  FailedScheduling  10s (x2 over 1m5s)  default-scheduler  0/4 nodes",
    ),
    "tables with columns after the age": (
        "NAME   TYPE        AGE   SELECTOR\nsim    ClusterIP   5s    app=sim",
        "NAME   TYPE        AGE     SELECTOR\nsim    ClusterIP   10m5s   app=sim",
    ),
}
DIFFERENT = {
    "a number": ("2 pods", "3 pods"),
    "a quantity in a table": (
        "NAME   CPU    AGE\nsim    100m   5s",
        "NAME   CPU    AGE\nsim    200m   5s",
    ),
    "a reason of an event": (
        "  Warning  FailedScheduling  5s    default-scheduler  0/4 nodes",
        "  Warning  FailedMount  5s    default-scheduler  0/4 nodes",
    ),
    "an age that is none": ("timeout: 30s", "timeout: 60s"),
    "a status": ("sim   1/1   Running", "sim   0/1   Pending"),
    "a name": ("service/epp-service", "service/epp-metrics"),
    "a port": ("10.244.1.7:8000", "10.244.1.7:9002"),
    "loopback": ("on 127.0.0.1:80", "on 10.0.0.1:80"),
    "a version": ("v0.10.0", "v0.7.1"),
    "a word of safe letters": ("pod-template-hash-http", "pod-template-hash-grpc"),
    "the order": ("a\nb", "b\na"),
    "an empty line": ("data: 1\n\ndata: 2", "data: 1\ndata: 2"),
    "indentation": ("a:\n- b", "a:\n  - b"),
}


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
def test_honest_runs_are_equal(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_anything_else_is_different(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_a_transcript_is_read_and_printed_alike() -> None:
    text = "$ kubectl get pods \\\n>   --all-namespaces\nNAME   AGE\n> not a command\n$ true\n"
    steps = read_transcript(text, "demo.console")
    assert steps == [
        Step("kubectl get pods \\\n  --all-namespaces", "NAME   AGE\n> not a command\n"),
        Step("true", ""),
    ]
    assert printed_transcript(steps) == text


@pytest.mark.parametrize("text", ["", "output first\n$ true\n"])
def test_a_transcript_starts_with_a_command(text: str) -> None:
    with pytest.raises(HarnessError, match=r"demo\.console.*command"):
        read_transcript(text, "demo.console")


def test_commands_share_a_shell_and_keep_their_outputs_apart(tmp_path: Path) -> None:
    commands = ["name=sim", "printf $name", "echo out; echo err >&2; false", "exit 3", "echo"]
    assert run_steps(commands, cwd=tmp_path, environment=os.environ, deadline=10) == [
        ("", 0),
        ("sim\n", 0),
        ("out\nerr\n", 1),
        ("", 3),
    ]


def test_a_deadline_ends_what_was_started(tmp_path: Path) -> None:
    begin = time.monotonic()
    with pytest.raises(DeadlinePassed, match=r"0\.3 s"):
        run_steps(["sleep 30 | cat"], cwd=tmp_path, environment=os.environ, deadline=0.3)
    assert time.monotonic() - begin < 5


def test_a_difference_shows_the_lines() -> None:
    shown = difference([Step("status", "Running\n")], [Step("status", "Pending\n")])
    assert "-Running\n+Pending" in shown


def test_words_are_exchanged_both_ways() -> None:
    pairs = {"http://localhost:8081": "http://127.0.0.1:40000"}
    there = exchanged("curl http://localhost:8081/health", pairs)
    assert there == "curl http://127.0.0.1:40000/health"
    assert exchanged(there, pairs, back=True) == "curl http://localhost:8081/health"
