"""Does what is pushed arrive in the cluster, and does what is changed by hand go back?"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import addons, cluster
from proofs.forward import forwarded
from proofs.waiting import wait_until
from tests.lab.live.space import Object, Space

pytestmark = pytest.mark.addon

#: Seconds in which a commit arrives, and drift goes.
ARRIVED = 60
#: No configuration of whoever runs the tests, and no question at a terminal.
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    **{f"GIT_{who}_{what}": "reader" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


class Repository:
    """A clone of a repository of the cluster's git server, and what is in it."""

    def __init__(self, folder: Path, name: str, address: str) -> None:
        """Clone a repository from a server's address on this host."""
        self.folder = folder
        self.address = f"{address}/{name}.git"
        self._git("clone", self.address, folder, cwd=folder.parent)

    def push(self, user: str, **files: str | None) -> None:
        """Commit files (name without suffix -> text, or None to remove) and push them as a user."""
        for name, text in files.items():
            file = self.folder / f"{name}.yaml"
            file.write_text(text) if text else file.unlink()
        self._git("add", "--all")
        self._git("commit", "--message=Change", "--allow-empty")
        self._git("push", self.address.replace("http://", f"http://{user}@"), "HEAD:refs/heads/main")

    def _git(self, *words: str | Path, cwd: Path | None = None) -> None:
        subprocess.run(
            ["git", *words],
            cwd=cwd or self.folder,
            env={**os.environ, **ENVIRONMENT},
            check=True,
            timeout=120,
        )


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """Return a new repository, reached as a reader reaches it: through a forward."""
    flux = addons.ensure("gitops").namespace
    name = f"test-{secrets.token_hex(4)}"
    place = f"/srv/git/{name}.git"
    inside = ("exec", f"--namespace={flux}", "deployment/git", "--")
    make = ("git", "init", "--bare", "--initial-branch=main", place)
    cluster.kubectl(*inside, *make, doing="Making a repository")
    lab = cluster.connect()
    environment = {
        **os.environ,
        "KUBECONFIG": str(lab.kubeconfig),
        "PATH": f"{lab.kubectl.parent}:{os.environ['PATH']}",
    }
    with forwarded("service/git", "http", flux, environment, deadline=30) as address:
        yield Repository(tmp_path / name, name, address)
    cluster.kubectl(*inside, "rm", "-r", place, doing="Removing the repository")


def follow(repository: Repository, namespace: Space) -> list[Object]:
    """Return what lets Flux apply a repository to a namespace, looking every few seconds."""
    name = repository.folder.name
    source = {"kind": "GitRepository", "name": name}
    url = f"http://git.{addons.find('gitops').namespace}.svc/{name}.git"
    return [
        {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": {"name": name},
            "spec": {"interval": "5s", "url": url, "ref": {"branch": "main"}},
        },
        {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": name},
            "spec": {
                "interval": "5s",
                "retryInterval": "5s",
                "path": "./",
                "prune": True,
                "sourceRef": source,
                "targetNamespace": namespace.name,
            },
        },
    ]


def settings(**data: str) -> str:
    """Return the manifest of a ConfigMap named settings."""
    lines = "".join(f"  {key}: {value}\n" for key, value in data.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n{lines}"


def wait_for(namespace: Space, what: str, **data: str) -> None:
    """Wait until the ConfigMap has exactly these data."""

    def found() -> bool:
        maps = {one["metadata"]["name"]: one.get("data") for one in namespace.list("configmaps")}
        return bool(maps["settings"] == data)

    wait_until(found, deadline=ARRIVED, what=what)


def test_a_commit_arrives_and_what_is_changed_by_hand_goes_back(
    repository: Repository, namespace: Space
) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        repository.push("git:wrong", settings=settings(replicas="one"))
    repository.push("git:git", settings=settings(replicas="one"))
    namespace.create(*follow(repository, namespace))
    wait_for(namespace, "the first commit arrives", replicas="one")
    repository.push("git:git", settings=settings(replicas="two"))
    wait_for(namespace, "a later commit arrives", replicas="two")

    namespace.kubectl("patch", "configmap", "settings", '--patch={"data": {"replicas": "nine"}}')
    wait_for(namespace, "what was changed by hand goes back", replicas="two")
    namespace.kubectl("delete", "configmap", "settings")
    wait_for(namespace, "what was deleted by hand comes back", replicas="two")

    repository.push("git:git", settings=None)
    wait_until(
        lambda: "settings" not in [one["metadata"]["name"] for one in namespace.list("configmaps")],
        deadline=ARRIVED,
        what="what a commit removes goes",
    )
