"""Do the labels of a drawing from top to bottom stand side by side?"""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from tools.draw import spread

LABEL = '<g class="edgeLabel" transform="translate(90, 40)"><g class="label" data-id="{}"><g><rect x="-30"/>'


def _drawing(middle: list[int]) -> str:
    """Return a drawing with a line through given points between its ends, whose label is on its way."""
    points = [{"x": x, "y": 50} for x in (100, *middle, 100)]
    data = b64encode(json.dumps(points).encode()).decode()
    line = f'<path d="M0,0" data-id="a_b" data-points="{data}"/>'
    return f'<svg viewBox="0 5 200 100">{line}{LABEL.format("a_b")}</svg>'


@pytest.mark.parametrize(("x", "view"), [(100, "0 5 200 100"), (10, "-28 5 228 100"), (190, "0 5 228 100")])
def test_a_label_stands_where_the_layout_has_room_and_the_drawing_grows_with_it(x: int, view: str) -> None:
    spread_out = spread(_drawing([x]))
    assert f'transform="translate({x}, 50)"' in spread_out
    assert f'viewBox="{view}"' in spread_out


def test_a_label_of_a_long_line_stays_in_its_middle() -> None:
    assert spread(_drawing([10, 190])) == _drawing([10, 190])
