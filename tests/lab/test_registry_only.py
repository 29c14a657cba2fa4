"""What does the lab say of images that it can neither build nor pull?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab import addons, edition, images
from lab.engine import Engine
from lab.errors import NotAvailable


def registry_only() -> list[str]:
    """Return the keys of images that have neither a build nor a fallback."""
    return [key for key, image in edition.images().items() if not (image.build or image.fallback)]


@pytest.mark.usefixtures("host_without_registries")
def test_an_image_without_a_source_says_so_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = replace(edition.images()["kueue"], build="")
    monkeypatch.setattr(edition, "images", lambda: {"kueue": image})
    assert registry_only() == ["kueue"]
    with pytest.raises(NotAvailable) as refused:
        images.provide(Engine("no-engine-is-asked"), addons.find("kueue").images)
    assert str(refused.value) == (
        f"The image {image.name} is registry only: registry.k8s.io does not answer, and "
        f"{tmp_path / 'archives'} holds no {images.archive_name(image)}. Put an archive there, or connect."
    )


def test_the_list_of_add_ons_tells_which_are_registry_only() -> None:
    known = registry_only()
    told = {name for name in addons.names() if "Registry only" in addons.find(name).about}
    assert told == {name for name in addons.names() if set(addons.find(name).images) & set(known)}
