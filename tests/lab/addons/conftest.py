"""What tests of several add-ons ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.live.space import Space, space


@pytest.fixture
def namespace() -> Iterator[Space]:
    """Return a namespace of this test's own."""
    with space() as made:
        yield made
