"""What a proof needs before it can run: add-ons in the lab, and a router line.

What cannot be had here skips the proof, with the reason.
"""

from __future__ import annotations

from pathlib import Path

from lab import addons
from lab.errors import LabError, NotAvailable
from proofs.claims import Claim, router_lines
from proofs.cluster import Cluster
from proofs.connection import Connection
from proofs.failures import HarnessError
from proofs.own_cluster import OwnCluster, lacks, objects_of, why_no_addon


def why_not_here(claim: Claim, connection: Connection, root: Path) -> str:
    """Start what a proof needs and return an empty text, or the reason why it cannot run.

    Raises HarnessError when an add-on does not start.
    """
    if claim.needs_cluster and claim.router and not claim.takes_router(line := connection.lab.router_line):
        wanted = next(one for one in router_lines() if claim.takes_router(one))
        place = "this cluster takes" if connection.is_own else "this lab runs"
        return f"needs router {wanted}; {place} {line}"
    if claim.needs_cluster and connection.is_own and (own := connection.own):
        return _why_not_on(own, connection.cluster, claim, root)
    for need in claim.needs:
        try:
            connection.ensure(need)
        except NotAvailable as error:
            return str(error)
        except LabError as error:
            message = f"the add-on {need} does not start. {error}"
            raise HarnessError(message) from error
    return ""


def _why_not_on(own: OwnCluster, cluster: Cluster, claim: Claim, root: Path) -> str:
    """Return what your own cluster does not have; nothing is installed there."""
    if claim.only_in_lab:
        return "is about the lab's own nodes"
    for need in claim.needs:
        if reason := why_no_addon(cluster, need):
            return reason
    for listing in claim.listings:
        if kinds := lacks(cluster, objects_of(root, listing, own.router_line)):
            return f"needs {', '.join(kinds)}, which this cluster does not offer"
    return ""


def addon_of(claim: Claim, wanted: str) -> addons.Addon:
    """Return the add-on that a claim needs, by its name or by all that the claim says of it."""
    found = [need for need in claim.needs if wanted in (need, need.partition(":")[0])]
    if len(found) != 1:
        message = f"the add-on {wanted!r} is not what needs=… of the proof names once: {claim.needs}"
        raise HarnessError(message)
    return addons.find(found[0])
