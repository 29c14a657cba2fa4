"""Proofs in several processes: who runs what, and what comes back (pytest-xdist).

A proof and its mutants stay together and in order, in one worker. Each report carries
what its run came to; each worker sends at its end what it collected. Only the
controller writes records.
"""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Callable, Collection, Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from proofs.ledger import Ledger, Plan, test_of

#: --dist values under which a proof and its mutants could part.
PARTING = frozenset({"each", "loadgroup", "worksteal"})


class ProofScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Give each worker whole tests with all their parameters, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return test_of(nodeid)


def is_worker(config: pytest.Config) -> bool:
    """Tell whether this process runs tests for a controller."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Tell whether this process has workers that run the tests."""
    return bool(config.getoption("numprocesses", None)) and not is_worker(config)


def session_label(config: pytest.Config) -> str:
    """Return what marks the namespaces of a session, the same in all of its processes."""
    given: dict[str, Any] = getattr(config, "workerinput", {})
    if given:
        return str(given["testrunuid"])[:8]
    config.option.testrunuid = getattr(config.option, "testrunuid", None) or secrets.token_hex(16)
    return str(config.option.testrunuid)[:8]


def send(config: pytest.Config, plan: Plan, findings: list[str]) -> None:
    """Give the controller what a worker collected, or what is wrong with it."""
    output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]
    output["proofs"] = pickle.dumps((plan, findings))


class Workers:
    """The controller's side: collects what workers send, and remembers those that died."""

    def __init__(self, ledger: Ledger, plan: Callable[[Collection[str]], None]) -> None:
        """Start with no news; `plan` is told once which tests the workers collected."""
        self._plan: Callable[[Collection[str]], None] | None = plan
        self.findings: list[str] = []
        self.dead: list[str] = []
        self._ledger = ledger

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> ProofScheduling:  # noqa: ANN401
        """Keep proofs and mutants together."""
        config.option.loadscopereorder = False
        return ProofScheduling(config, log)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: Sequence[str]) -> None:  # noqa: ARG002
        """Plan for what the first worker collected; all have the same."""
        if self._plan:
            self._plan({test_of(one) for one in ids})
            self._plan = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ANN401
        """Take in what a worker sent at its end."""
        output = getattr(node, "workeroutput", None)
        if error or output is None:
            self.dead.append(node.gateway.id)
        elif "proofs" in output:
            plan, self.findings = pickle.loads(output["proofs"])  # noqa: S301 - our own process
            self._ledger.adopt(plan)
