"""What a proof needs before it can run: add-ons in the lab, and a router line.

What cannot be had here skips the proof, with the reason.
"""

from __future__ import annotations

from lab import addons
from lab.errors import LabError, NotAvailable
from tests.harness.claims import Claim, router_lines
from tests.harness.connection import Connection
from tests.harness.failures import HarnessError


def why_not_here(claim: Claim, connection: Connection) -> str:
    """Start what a proof needs and return an empty text, or the reason why it cannot run.

    Raises HarnessError when an add-on does not start.
    """
    if claim.router and not claim.takes_router(line := connection.lab.router_line):
        wanted = next(one for one in router_lines() if claim.takes_router(one))
        return f"needs router {wanted}; this lab runs {line}"
    for need in claim.needs:
        try:
            connection.ensure(need)
        except NotAvailable as error:
            return str(error)
        except LabError as error:
            message = f"the add-on {need} does not start. {error}"
            raise HarnessError(message) from error
    return ""


def addon_of(claim: Claim, wanted: str) -> addons.Addon:
    """Return the add-on that a claim needs, by its name or by all that the claim says of it."""
    found = [need for need in claim.needs if wanted in (need, need.partition(":")[0])]
    if len(found) != 1:
        message = f"the add-on {wanted!r} is not what needs=… of the proof names once: {claim.needs}"
        raise HarnessError(message)
    return addons.find(found[0])
