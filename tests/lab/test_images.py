"""Which sources does the lab see for an image, and what does it tell of them?"""

from __future__ import annotations

import json
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path

import pytest

from lab import archives, edition, home, host, images
from lab.edition import PinnedImage
from lab.engine import Engine
from tests.lab.live.network import web_server


@pytest.mark.parametrize(
    ("status", "is_registry"),
    [
        (HTTPStatus.OK, True),
        (HTTPStatus.UNAUTHORIZED, True),  # as the registries of docker.io and ghcr.io
        (HTTPStatus.FORBIDDEN, False),  # as the proxy of a company
        (HTTPStatus.BAD_GATEWAY, False),
    ],
)
def test_only_a_registrys_answer_counts(status: HTTPStatus, *, is_registry: bool) -> None:
    with web_server(status) as server:
        assert images.registry_answers(server) is is_registry


def test_this_hosts_own_registry_is_asked_by_plain_http() -> None:
    assert all(map(host.is_loopback, ["127.0.0.1:5000", "localhost:5000", "[::1]:5000", "127.0.0.1"]))
    assert not any(map(host.is_loopback, ["docker.io", "10.0.0.1:5000", "registry.example:5000"]))
    podman, docker = Engine("podman"), Engine("docker")
    assert podman.plain_http("127.0.0.1:5000/thing:v1") == ["--tls-verify=false"]
    assert podman.plain_http("docker.io/library/thing:v1") == []
    assert docker.plain_http("127.0.0.1:5000/thing:v1") == []


def test_a_fallback_with_an_archive_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path))
    new = PinnedImage("new", "127.0.0.1:1/thing:v2", fallback="old")
    old = PinnedImage("old", "127.0.0.1:1/thing:v1")
    monkeypatch.setattr(edition, "images", lambda: {"new": new, "old": old})
    assert images.would_come_from(new) == "nowhere here: registry only (127.0.0.1:1 does not answer)"
    (tmp_path / "archives/127.0.0.1_1_thing_v1.tar").touch()
    assert images.best_source(new) == ("archive", old)
    assert images.would_come_from(new) == (
        "nowhere here; instead 127.0.0.1:1/thing:v1: archive 127.0.0.1_1_thing_v1.tar"
    )


def test_a_fallback_is_left_when_an_archive_gives_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path))
    new = PinnedImage("new", "127.0.0.1:1/thing:v2", fallback="old")
    old = PinnedImage("old", "127.0.0.1:1/thing:v1")
    monkeypatch.setattr(edition, "images", lambda: {"new": new, "old": old})
    monkeypatch.setattr(images, "identity", lambda *_: "1234")
    archive = home.archives() / images.archive_name(old)
    archive.touch()
    used = images.Provided("old", old.name, "1234", f"archive {archive.name}", archives.stamp(archive))
    home.write(tmp_path / "images.json", json.dumps({"new": asdict(used)}))
    monkeypatch.setattr(images, "_ledger", lambda: tmp_path / "images.json")
    assert images.current(Engine("podman"), new) == used
    (home.archives() / images.archive_name(new)).touch()
    assert images.current(Engine("podman"), new) is None
