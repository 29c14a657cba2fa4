"""Drawings look the same in browsers, e-readers and print, and have colours for dark pages."""

from __future__ import annotations

import base64
import io
import re

from fontTools.ttLib import TTFont

from extensions.vector import COLOUR, INLINE, ROOT, finish

DRAWN = """\
<svg xmlns="http://www.w3.org/2000/svg" id="my-svg" viewBox="-50 -10 840.5 643">\
<style>#my-svg .node{fill:#EEF4F7;x:1px}p{margin:0}</style>
<path d="M-3.2800750208310675e-14 16.54 L0.6365757 2" stroke="#666" data-points="W3s="/>
<path style="fill: #0072b2; stroke: rgb(20, 50, 62)"/>
<rect style="fill:#FFF0C2 !important;stroke:#B7791F !important"/>
<line y1="44" y2="2000"/><text font-family="sans-serif">1</text>
<text>to<tspan> be &amp;</tspan></text></svg>
"""
FINISHED = finish(DRAWN, "Drawn by hand.")


def test_the_words_of_a_label_keep_their_blanks() -> None:
    assert '<text xml:space="preserve">to<tspan xml:space="preserve"> be &amp;</tspan></text>' in FINISHED


def test_a_drawing_carries_just_the_letters_that_it_shows() -> None:
    data = re.search(r"font/woff2;base64,([^)]+)\)", FINISHED)
    assert data
    font = TTFont(io.BytesIO(base64.b64decode(data[1])))
    assert "".join(sorted(map(chr, font.getBestCmap()))) == " &1beot"


def test_every_label_is_set_in_the_face_of_the_book() -> None:
    assert '<text xml:space="preserve" font-family="Source Sans 3, Book Sans, sans-serif">1<' in FINISHED


def test_no_line_goes_beyond_the_picture() -> None:
    assert '<line y1="44" y2="633"/>' in FINISHED


def test_each_colour_has_a_counterpart_on_dark_pages() -> None:
    dark = FINISHED.split("@media (prefers-color-scheme:dark){")[1]
    for rule in (
        "svg{background:#1C232B}",
        "#my-svg .node{fill:#24404C}",
        '[stroke="#666"]{stroke:#A9B5BD}',
        '[style*="fill: #0072b2"]{fill:#56B4E9!important}',
        '[style*="stroke: #14323E"]{stroke:#DCE8EE!important}',
        '[style*="fill:#FFF0C2"]{fill:#4A3B14!important}',
        '[style*="stroke:#B7791F"]{stroke:#E0A84E!important}',
    ):
        assert rule in dark
    assert "margin" not in dark


def test_no_drawing_of_the_book_keeps_a_colour_of_light_pages_on_dark_ones() -> None:
    for folder in ("source", "tests/book/kitchen_sink/source"):
        for drawing in [*ROOT.glob(f"{folder}/diagrams/*.svg"), *ROOT.glob(f"{folder}/plots/*.svg")]:
            svg = drawing.read_text(encoding="utf-8")
            shapes, dark = svg.rsplit("@media (prefers-color-scheme:dark){", 1)
            for style in INLINE.findall(shapes):
                assert "important" not in style, f"{drawing.name}: run nox -s diagrams -- --all"
                for one in filter(COLOUR.search, style.split(";")):
                    if one.strip().startswith(("fill:", "stroke:")):
                        rule = f'[style*="{one.strip()}"]'
                        assert rule in dark, f"{drawing.name}: {one}"
                        assert f"{rule}{{{one.strip()}!important}}" not in dark, f"{drawing.name}: {one}"


def test_paths_are_as_exact_as_a_printer_and_no_longer() -> None:
    assert 'd="M-0.00 16.54 L0.64 2"' in FINISHED
    assert "data-points" not in FINISHED


def test_a_drawing_says_what_drew_it() -> None:
    assert "><!-- Drawn by hand. --><style>" in FINISHED


def capsule(start: int) -> str:
    """Return a figure of curves as Mermaid draws it, 100 wide and 40 high."""
    curves = f"M-{start}.0 -20.0 C-10 -20, 10 -20, {start} -20 M50.0001 0 C50 9, 41 20, {start} 20"
    ground = f'<path d="{curves}" stroke="none" stroke-width="0" fill="#EEF4F7" style=""/>'
    edge = f'<path d="{curves}" stroke="#2F6F8F" stroke-width="1.3" fill="none" style=""/>'
    return f'<svg><g class="basic label-container outer-path">{ground}{edge}</g></svg>'


def test_a_capsule_of_many_curves_becomes_one_rectangle() -> None:
    finished = finish(capsule(30), "Drawn by hand.")
    assert '<rect class="basic label-container" x="-50" y="-20" width="100" height="40" rx="20"' in finished
    assert 'fill="#EEF4F7" stroke="#2F6F8F" stroke-width="1.3"/>' in finished
    assert "<path" not in finished


def test_a_figure_that_is_no_capsule_stays_as_it_is() -> None:
    assert finish(capsule(45), "Drawn by hand.").count("<path") == len(("ground", "edge"))
