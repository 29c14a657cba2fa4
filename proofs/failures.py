"""The ways in which a proof fails, and the one way in which the harness does."""

import httpx
import pytest


class ProofFailed(AssertionError):  # noqa: N818 - an outcome, not an error
    """Say what the cluster, a program or a file did that the proof did not expect."""


class Refused(ProofFailed):
    """The API server refused a request; the message is the server's own."""


class Missing(ProofFailed):
    """The API server has no such object."""


class DeadlinePassed(ProofFailed):
    """What a proof waited for did not come."""


class CommandFailed(ProofFailed):
    """A program exited with something other than 0."""


class HarnessError(Exception):
    """Say what is wrong with a proof or the lab: never counts as a killed mutant."""


#: What kills a mutant. Any other exception in a mutant's run is an error: it would
#: show that the proof stumbled, not that it noticed.
KILLS = (AssertionError, httpx.HTTPError, pytest.fail.Exception)


def in_short(failure: BaseException, limit: int = 100) -> str:
    """Return how a proof failed in one line: the kind, and the first line of the text."""
    kinds: dict[type[BaseException], str] = {
        Refused: "refusal",
        Missing: "missing",
        DeadlinePassed: "deadline",
        CommandFailed: "command",
        httpx.HTTPError: "HTTP",
    }
    kind = next((kinds[one] for one in type(failure).mro() if one in kinds), "assertion")
    lines = str(failure).strip().splitlines()
    first = lines[0] if lines else type(failure).__name__
    return f"{kind}: {first}"[:limit]
