"""Make an SVG fit for browsers, e-readers and print: its words, its face, its dark colours.

A picture cannot use the fonts or the colours of the page around it, so it carries the
glyphs of its labels, and a second set of colours for dark pages: browsers tell a picture
which of the two its page is. Print and most e-readers know only the first, on white.
"""

from __future__ import annotations

import base64
import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parents[1]
FACE = ROOT / "_static" / "fonts" / "book-sans-regular.woff2"
#: The face's names, as browsers with the glyphs in the picture and rsvg-convert know it.
FAMILIES = "Source Sans 3, Book Sans, sans-serif"
#: Each colour of a light page -> its counterpart on a dark one.
DARK = ROOT / "source" / "diagrams" / "dark.json"
COLOUR = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
RGB = re.compile(r"\brgb\((\d+), ?(\d+), ?(\d+)\)")
LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
VIEW = re.compile(r'viewBox="\S+ (?P<top>\S+) \S+ (?P<height>\S+)"')
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
ATTRIBUTE = re.compile(rf'\b(fill|stroke)="({COLOUR.pattern})"')
#: As matplotlib writes it, with a blank, and as Mermaid does, without.
DECLARATION = re.compile(rf"\b(fill|stroke)(: ?)({COLOUR.pattern})")
INLINE = re.compile(r'(?<= style=")[^"]+')
#: A capsule of Mermaid's: one path of hundreds of short curves for its ground, and one for its edge.
CAPSULE = re.compile(
    r'<g class="basic label-container outer-path">'
    r'<path d="(?P<curves>[^"]+)"[^>]* fill="(?P<fill>[^"]+)"[^>]*/>'
    r'<path [^>]*stroke="(?P<stroke>[^"]+)" stroke-width="(?P<width>[^"]+)"[^>]*/></g>'
)
POINT = re.compile(r"(-?[\d.]+) (-?[\d.]+)")


def finish(svg: str, origin: str) -> str:
    """Return an SVG that looks the same everywhere; `origin` says what drew it."""
    svg = RGB.sub(lambda found: "#{:02X}{:02X}{:02X}".format(*map(int, found.groups())), svg)
    svg = re.sub(r' data-points="[^"]*"', "", svg)
    # Else no rule wins over the colour that a diagram gives to one of its boxes or lines.
    svg = INLINE.sub(lambda colours: colours[0].replace(" !important", ""), svg)
    # Mermaid draws the lives of participants far below the picture, and a gate would find them there.
    if view := VIEW.search(svg):
        svg = svg.replace('y2="2000"', f'y2="{float(view["top"]) + float(view["height"]):g}"')
    # Mermaid numbers the messages of a sequence in whatever face the reader's system has.
    svg = svg.replace('font-family="sans-serif"', f'font-family="{FAMILIES}"')
    svg = re.sub(r'(?<= d=")[^"]+', lambda path: LONG_NUMBER.sub(_rounded, path[0]), svg)
    svg = CAPSULE.sub(_capsule, svg)
    # Else rsvg-convert drops the blanks between the words of a label.
    svg = re.sub(r"<(text|tspan)\b", r'<\1 xml:space="preserve"', svg)
    style = f"<style>svg{{background:#FFFFFF}}{face(svg)}{dark(svg)}</style>"
    svg = re.sub(r"(<svg\b[^>]*>)", lambda root: f"{root[1]}<!-- {origin} -->", svg, count=1)
    # Last, so that these rules win over those of the drawing.
    return svg.rstrip().removesuffix("</svg>") + f"{style}</svg>\n"


def _capsule(found: re.Match[str]) -> str:
    """Return a capsule as one rectangle with round ends; another figure of curves stays as it is."""
    points = [(float(x), float(y)) for x, y in POINT.findall(found["curves"])]
    right, bottom = (max(abs(point[axis]) for point in points) for axis in (0, 1))
    begins = abs(points[0][0]) + bottom  # where the straight edge ends and the round one begins
    if abs(begins - right) > 1:
        return found[0]
    return (
        f'<rect class="basic label-container" x="{-right:g}" y="{-bottom:g}" width="{2 * right:g}" '
        f'height="{2 * bottom:g}" rx="{bottom:g}" fill="{found["fill"]}" stroke="{found["stroke"]}" '
        f'stroke-width="{found["width"]}"/>'
    )


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}"


def face(svg: str) -> str:
    """Return a font rule with the glyphs of the labels."""
    labels = html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", "", svg, flags=re.DOTALL))
    font = TTFont(FACE, recalcTimestamp=False)
    subsetter = Subsetter(Options(hinting=False))
    subsetter.populate(text=labels)
    subsetter.subset(font)
    font.flavor = "woff2"
    reduced = io.BytesIO()
    font.save(reduced)
    data = base64.b64encode(reduced.getvalue()).decode()
    return f"@font-face{{font-family:'Book Sans';src:url(data:font/woff2;base64,{data})}}"


def dark(svg: str) -> str:
    """Return the coloured rules of a drawing once more, in the colours of a dark page."""
    counterparts = json.loads(DARK.read_text(encoding="utf-8"))
    rules = "".join(
        f"{selector}{{{COLOUR.sub(lambda found: counterparts.get(found[0].upper(), found[0]), colours)}}}"
        for selector, colours in _coloured(svg)
    )
    return f"@media (prefers-color-scheme:dark){{{rules}}}"


def _coloured(svg: str) -> Iterator[tuple[str, str]]:
    """Yield every selector of a drawing with what it colours; attributes get one each."""
    yield "svg", "background:#FFFFFF"
    for rules in STYLE.findall(svg):
        for selector, declarations in RULE.findall(rules):
            colours = [one for one in declarations.split(";") if COLOUR.search(one)]
            if colours:
                yield selector.strip(), ";".join(colours)
    shapes = STYLE.sub("", svg)
    for name, colour in sorted(set(ATTRIBUTE.findall(shapes))):
        yield f'[{name}="{colour}"]', f"{name}:{colour}"
    for name, between, colour in sorted(set(DECLARATION.findall(shapes))):
        yield f'[style*="{name}{between}{colour}"]', f"{name}:{colour}!important"
