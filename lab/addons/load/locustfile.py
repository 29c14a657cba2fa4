"""Ask a model server for completions as readers of a stream do, who see every token arrive.

Two measures are events of their own beside locust's: `first token`, from the question on,
and `next token`, from one to the next. All are in milliseconds.
"""

import json
import os
import time

from locust import FastHttpUser, task


class Reader(FastHttpUser):
    """A user who reads one answer after another."""

    @task
    def read(self) -> None:
        """Ask, read to the end, and report when tokens arrived."""
        body = {
            "model": os.environ.get("MODEL", "demo-model"),
            "prompt": "Once upon a time",
            "max_tokens": 16,
            "ignore_eos": True,
            "stream": True,
        }
        name, before = "first token", time.perf_counter()
        answer = self.client.post("/v1/completions", json=body, stream=True)
        while line := answer.stream.readline(b"\n"):
            if line.startswith(b"data: {") and json.loads(line[6:])["choices"][0]["text"]:
                now = time.perf_counter()
                self.report(name, 1000 * (now - before))
                name, before = "next token", now

    def report(self, name: str, milliseconds: float) -> None:
        """Add one measure to locust's own."""
        self.environment.events.request.fire(
            request_type="stream",
            name=name,
            response_time=milliseconds,
            response_length=0,
            exception=None,
            context={},
        )
