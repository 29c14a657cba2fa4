"""Links from elsewhere into the book go on working: no anchor is lost. Other books keep none."""

from __future__ import annotations

import pytest

from tests.book.editions.anchors import anchors, kept
from tests.book.editions.conftest import Pages

pytestmark = pytest.mark.editions


def test_no_anchor_is_lost(html: Pages) -> None:
    built = {anchor for name, page in html.pages.items() for anchor in anchors(name, page)}
    lost = sorted(kept() - built)
    assert lost == [], "links to these break: bring them back, as labels if a heading was renamed"
