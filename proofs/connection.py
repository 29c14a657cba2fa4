"""A session's one connection to the lab, or to your own cluster."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from lab import addons
from lab.cluster import Lab, connect
from lab.errors import LabError
from proofs.cluster import Cluster
from proofs.failures import HarnessError
from proofs.leftovers import Leftovers
from proofs.own_cluster import OwnCluster, connect_to


class Connection:
    """The lab, its API server, and what records say about it."""

    def __init__(self, context: str = "", router_line: str = "") -> None:
        """Prepare to connect to the lab, or to the cluster of a context of the user's kubeconfig."""
        self._until_closed = ExitStack()
        self._context = context
        self._router_line = router_line
        self._ensured: dict[str, LabError | None] = {}

    @property
    def is_own(self) -> bool:
        """Tell, without connecting, whether this is your own cluster."""
        return bool(self._context)

    @property
    def lab(self) -> Lab:
        """The lab; raises HarnessError, without asking again, when it was not up."""
        if isinstance(self._found, LabError):
            raise HarnessError(str(self._found))
        return self._found

    @cached_property
    def _found(self) -> Lab | LabError:
        try:
            return self._own() if self._context else connect()
        except LabError as error:
            return error

    @cached_property
    def own(self) -> OwnCluster | None:
        """Your own cluster; None for the lab."""
        return self.lab if isinstance(self.lab, OwnCluster) else None

    def _own(self) -> OwnCluster:
        folder = self._until_closed.enter_context(TemporaryDirectory(prefix="life-with-llm-d-"))
        return connect_to(self._context, self._router_line, Path(folder))

    def close(self) -> None:
        """Remove the copy of the user's kubeconfig."""
        self._until_closed.close()

    @cached_property
    def cluster(self) -> Cluster:
        """The lab's API server."""
        return Cluster(self.lab.kubeconfig)

    @cached_property
    def leftovers(self) -> Leftovers:
        """What this process has seen of the lab outside of the proofs' namespaces."""
        return Leftovers(self.cluster)

    @cached_property
    def environment(self) -> dict[str, str]:
        """Return component -> version, as the lab is now."""
        return self.lab.environment()

    def ensure(self, need: str) -> None:
        """Start an add-on, tried once in the session; raises LabError when it does not run."""
        if need not in self._ensured:
            self._ensured[need] = _failure(need)
        if error := self._ensured[need]:
            raise error


def _failure(need: str) -> LabError | None:
    """Start an add-on; return why it does not run, None when it does."""
    try:
        addons.ensure(need)
    except LabError as error:
        return error
    return None
