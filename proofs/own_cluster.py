"""Your own cluster instead of the lab: `--context <name>`.

The user's kubeconfig is read, never written. No add-on is installed there; what the
cluster or the user's rights do not offer skips a proof, with the reason.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from urllib3.exceptions import HTTPError

from lab import addons, edition, home
from lab.cluster import Lab
from lab.errors import LabError
from lab.process import run
from lab.router_lines import translate
from proofs.cluster import Cluster
from proofs.documents import Document, read_documents
from proofs.failures import HarnessError, ProofFailed
from proofs.listings import is_refused
from proofs.records import OWN_CLUSTER

#: What the API server says when nothing but the user's rights is in the way.
ESCALATION = "attempting to grant RBAC permissions not currently held"
UNKNOWN_KIND = re.compile(r'no matches for kind "\w+" in version "[^"]*"')


@dataclass(frozen=True)
class OwnCluster(Lab):
    """A cluster that the lab did not make: its own version, the edition's components."""

    context: str
    server: str
    user: str

    def environment(self) -> dict[str, str]:
        """Return what a record says about where a listing ran: component -> version."""
        return {**super().environment(), "cluster": OWN_CLUSTER, "kubernetes": self.server}


def connect_to(context: str, router_line: str, folder: Path) -> OwnCluster:
    """Return the cluster of a context of the user's kubeconfig, reached through a copy in `folder`.

    Raises LabError when there is no such context, or when it does not answer.
    """
    kubectl = _kubectl()
    names = run([kubectl, "config", "get-contexts", "-o=name"], doing="Reading your kubeconfig").split()
    if context not in names:
        message = f"Your kubeconfig has no context {context!r}. It has: {', '.join(names) or 'none'}."
        raise LabError(message)
    kubeconfig = folder / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    words = ["config", "view", "--raw", "--flatten", "--minify", f"--context={context}"]
    kubeconfig.write_text(run([kubectl, *words], doing=f"Reading the context {context}"))
    try:
        cluster = Cluster(kubeconfig)
        server: str = cluster.request("GET", "/version").content["gitVersion"]
        user = cluster.user()
    except (HTTPError, HarnessError, ProofFailed) as error:
        message = f"The cluster of the context {context} does not answer as it should: {error}"
        raise LabError(message) from error
    line = router_line or edition.versions()["router"]
    return OwnCluster(kubeconfig, kubectl, line, context, server, user)


def _kubectl() -> Path:
    """Return the user's kubectl, else the lab's."""
    found = shutil.which("kubectl")
    own = home.home() / "cluster" / "bin" / "kubectl"
    if not found and not own.exists():
        message = "kubectl is not installed, and no lab has brought one. Install it, or run: nox -s lab -- up"
        raise LabError(message)
    return Path(found) if found else own


def objects_of(root: Path, listing: str, router_line: str) -> list[Document]:
    """Return the objects that a listing asks for, as this router line takes them.

    None of a listing in refused/, and none of files that are no manifests.
    """
    if not listing.endswith(".yaml") or is_refused(listing):
        return []
    try:
        text = translate((root / "examples" / listing).read_text(), router_line)
    except LabError:  # the proof is skipped for it
        return []
    return [document for document in read_documents(text, f"examples/{listing}") if not document.reader]


def lacks(cluster: Cluster, documents: list[Document]) -> list[str]:
    """Return the kinds of documents that a cluster does not offer."""
    kinds = {(document.kind, document.api_version) for document in documents}
    return sorted(f"{kind} ({group})" for kind, group in kinds if not cluster.resource(group, kind))


def why_no_addon(cluster: Cluster, need: str) -> str:
    """Return why an add-on cannot be used on a cluster where none is installed; empty if it runs."""
    addon = addons.find(need)
    reason = f"needs the add-on {addon.name}, which does not run in the namespace {addon.namespace}"
    try:
        pods = cluster.request("GET", f"/api/v1/namespaces/{addon.namespace}/pods").content["items"]
    except ProofFailed:
        return reason
    running = [pod for pod in pods if pod["status"].get("phase") == "Running"]
    return "" if running else reason


def why_not_proved(user: str, failure: BaseException) -> str:
    """Return what of rights or kinds a failed proof lacked; empty when it failed for itself."""
    said = str(failure)
    refused = re.search(rf'User "{re.escape(user)}" cannot [^\n]*', said)
    if refused:
        return f"needs a right: {refused[0]}"
    if ESCALATION in said:
        return "needs a right: this user may not grant what it may not do itself"
    unknown = UNKNOWN_KIND.search(said)
    return f"needs a kind that the cluster does not offer: {unknown[0]}" if unknown else ""
