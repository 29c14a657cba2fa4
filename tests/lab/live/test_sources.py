"""Do images come from registries and archives whole, or not at all?"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from lab import edition, home, images
from lab.edition import PinnedImage
from lab.engine import Engine, find_engine
from lab.errors import LabError, NotAvailable
from lab.images import Provided
from tests.lab.live.network import (
    LAYER,
    Line,
    Registry,
    free_port,
    make_image,
    own_storage,
    registry,
    web_server,
)

pytestmark = [pytest.mark.cluster, pytest.mark.live]

#: A build that takes seconds: one program of a Debian package.
BUILD = "pause"
OTHER_DIGEST = f"sha256:{'0' * 64}"


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the lab's folder be empty: nothing was provided, and there are no archives."""
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path / "home"))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Return the engine, without any image."""
    return own_storage(find_engine(install=False), tmp_path)


@pytest.fixture
def upstream(engine: Engine, tmp_path: Path) -> Iterator[Registry]:
    """Return a registry that has nothing yet."""
    with registry(find_engine(install=False), engine, tmp_path) as running:
        yield running


@pytest.fixture
def provide(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Provide]:
    """Return a function that provides an image as the lab does those of edition.toml."""
    asked = Provide(engine, monkeypatch, tmp_path)
    yield asked
    for image in asked.edition.values():
        engine.succeeds("rmi", "--force", image.name)


class Provide:
    """Provide images that edition.toml does not have."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch, work: Path) -> None:
        """Let the edition have no image."""
        self.engine = engine
        self.work = work
        self.edition: dict[str, PinnedImage] = {}
        monkeypatch.setattr(edition, "images", lambda: self.edition)

    def __call__(self, server: str, *, digest: str = "", fallback: str = "") -> Provided:
        """Provide the image `thing:v1` of a registry."""
        self.edition["thing"] = PinnedImage("thing", f"{server}/thing:v1", "", fallback, digest)
        return images.provide(self.engine, ["thing"])["thing"]

    def with_archive(self, key: str) -> str:
        """Let the edition have an image that an archive gives; return its key."""
        image = PinnedImage(key, f"registry.invalid/{key}:v1")
        make_image(self.engine, image.name, self.work)
        self.engine.save(image.name, home.archives() / images.archive_name(image))
        self.engine.run("rmi", image.name, doing="Removing the local image")
        self.edition[key] = image
        return key


def is_here(engine: Engine, server: str) -> bool:
    """Tell whether the engine knows the image by its name."""
    return engine.image_labels(f"{server}/thing:v1") is not None


def test_a_registry_that_answers_gives_the_image(
    engine: Engine, upstream: Registry, provide: Provide
) -> None:
    upstream.publish("thing:v1")
    provided = provide(upstream.address, fallback=provide.with_archive("other"))
    assert provided.source == "registry"
    found = engine.inspect("image", provided.name)
    assert found
    assert found["Id"].removeprefix("sha256:") == provided.identity
    assert images.recorded()["thing"] == provided


def test_an_image_that_upstream_has_not_comes_from_the_next_source(
    upstream: Registry, provide: Provide, capsys: pytest.CaptureFixture[str]
) -> None:
    provided = provide(upstream.address, fallback=provide.with_archive("other"))
    assert (provided.key, provided.source) == ("other", "archive registry.invalid_other_v1.tar")
    name = f"{upstream.address}/thing:v1"
    assert f"{name} cannot be pulled, so the next source is used." in capsys.readouterr().err


def test_an_image_that_upstream_has_not_is_built() -> None:
    engine = find_engine(install=False)  # with the images that the build starts from
    with pytest.MonkeyPatch.context() as changed, web_server(HTTPStatus.UNAUTHORIZED) as server:
        image = PinnedImage("thing", f"{server}/thing:v1", BUILD)
        changed.setattr(edition, "images", lambda: {"thing": image})
        try:
            assert images.provide(engine, ["thing"])["thing"].source == "built"
            assert images.is_built(engine, image.name)
        finally:
            engine.succeeds("rmi", image.name)


def test_an_image_that_upstream_has_not_and_nothing_builds_is_refused(
    engine: Engine, upstream: Registry, provide: Provide, tmp_path: Path
) -> None:
    name = f"{upstream.address}/thing:v1"
    with pytest.raises(LabError) as refused:
        provide(upstream.address)
    archive = images.archive_name(PinnedImage("thing", name))
    assert str(refused.value).startswith(f"Pulling {name} failed")
    assert str(refused.value).endswith(
        f"\n{name} has no other source. Try again, or put {archive} into {tmp_path / 'home/archives'}."
    )
    assert not is_here(engine, upstream.address)


def test_a_digest_chooses_the_content_and_the_name_stays_plain(
    engine: Engine, upstream: Registry, provide: Provide
) -> None:
    wanted = upstream.publish("thing:v1")
    assert upstream.publish("thing:v1") != wanted  # the tag has moved on
    provided = provide(upstream.address, digest=wanted)
    found = engine.inspect("image", f"{upstream.address}/thing:v1")
    assert found
    assert any(digest.endswith(wanted) for digest in found["RepoDigests"])
    assert provided.stamp == wanted


def test_a_changed_digest_is_pulled_anew(upstream: Registry, provide: Provide) -> None:
    first, second = upstream.publish("thing:v1"), upstream.publish("thing:v1")
    before = provide(upstream.address, digest=first)
    assert provide(upstream.address, digest=first) == before
    after = provide(upstream.address, digest=second)
    assert after.identity != before.identity


def test_a_digest_that_the_registry_has_not_is_refused(
    engine: Engine, upstream: Registry, provide: Provide
) -> None:
    upstream.publish("thing:v1")
    with pytest.raises(LabError, match=rf"Pulling {upstream.address}/thing@{OTHER_DIGEST} failed"):
        provide(upstream.address, digest=OTHER_DIGEST)
    assert not is_here(engine, upstream.address)


def test_content_that_is_not_what_its_digest_says_is_refused(
    engine: Engine, upstream: Registry, provide: Provide
) -> None:
    upstream.publish("thing:v1")
    upstream.damage_largest_file()
    with pytest.raises(LabError, match="has no other source"):
        provide(upstream.address)
    assert not is_here(engine, upstream.address)


def test_a_registry_that_is_late_with_its_first_answer_is_passed_over(
    upstream: Registry,
    provide: Provide,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(images, "PATIENCE", 0.5)
    upstream.publish("thing:v1")
    other = provide.with_archive("other")
    with Line(upstream.address, delay=5).open() as late:
        assert provide(late.address, fallback=other).key == other
    assert "Pulling" not in capsys.readouterr().err


def test_a_pull_that_takes_too_long_is_given_up(
    engine: Engine, upstream: Registry, provide: Provide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "PULL_LIMIT", 5)
    upstream.publish("thing:v1")
    with Line(upstream.address, rate=LAYER / 60).open() as slow:
        with pytest.raises(LabError, match=r"failed: no end after 5 s"):
            provide(slow.address)
        assert not is_here(engine, slow.address)
        other = provide.with_archive("other")
        assert provide(slow.address, fallback=other).key == other


def test_a_registry_that_dies_in_the_middle_leaves_no_image(
    engine: Engine, upstream: Registry, provide: Provide
) -> None:
    upstream.publish("thing:v1")
    with Line(upstream.address, limit=LAYER / 2).open() as line:
        with pytest.raises(LabError, match="has no other source"):
            provide(line.address)
        assert line.is_dead
        assert not is_here(engine, line.address)
    provided = provide(upstream.address)
    assert provided.source == "registry"


def test_a_registry_that_dies_in_the_middle_is_replaced_by_the_next_source(
    upstream: Registry, provide: Provide
) -> None:
    upstream.publish("thing:v1")
    other = provide.with_archive("other")
    with Line(upstream.address, limit=LAYER / 2).open() as line:
        assert provide(line.address, fallback=other).key == other
        assert line.is_dead


def test_without_registry_archive_and_build_nothing_is_tried(provide: Provide) -> None:
    server = f"127.0.0.1:{free_port()}"
    with pytest.raises(NotAvailable, match=f"is registry only: {server} does not answer"):
        provide(server)


def test_an_archive_that_was_replaced_is_loaded_anew(engine: Engine, provide: Provide) -> None:
    provide.with_archive("other")
    first = images.provide(engine, ["other"])["other"]
    assert images.provide(engine, ["other"])["other"] == first
    provide.with_archive("other")
    second = images.provide(engine, ["other"])["other"]
    assert second.identity != first.identity


def test_an_archive_that_is_cut_is_named_and_leaves_no_image(engine: Engine, provide: Provide) -> None:
    provide.with_archive("other")
    path = home.archives() / "registry.invalid_other_v1.tar"
    with path.open("r+b") as file:
        file.truncate(LAYER // 2)
    with pytest.raises(LabError) as refused:
        images.provide(engine, ["other"])
    assert f"The archive may be damaged. Copy {path} here again, or remove it." in str(refused.value)
    assert engine.image_labels("registry.invalid/other:v1") is None


def test_down_with_images_leaves_archives_alone(engine: Engine, provide: Provide) -> None:
    provide.with_archive("other")
    name = images.provide(engine, ["other"])["other"].name
    for folder in ("addons/one", "upstream/one", "engines/one", "programs/one"):
        (home.folder(folder) / "file").touch()
    images.remove_all(engine)
    assert engine.image_labels(name) is None
    assert images.recorded() == {}
    left = {path.name for path in home.home().iterdir()}
    assert left == {"archives", "cluster", "logs"}
    assert [path.name for path in home.archives().iterdir()] == ["registry.invalid_other_v1.tar"]
