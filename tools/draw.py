"""Draw the Mermaid diagrams of a book: `nox -s diagrams` runs this program.

It draws what has no drawing yet and removes drawings that no chapter uses: each diagram as
its chapter has it, and for narrow screens from top to bottom. The drawing itself is
mermaid-cli's, in Chromium; extensions/vector.py makes it fit for the editions.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

from extensions.drawings import (
    FONTS,
    LIMITS,
    MERMAID,
    MERMAID_CLI,
    SETTINGS,
    Source,
    drawings_below,
    drawings_of,
    size,
    sources,
)
from extensions.vector import finish

PACKAGES = (f"@mermaid-js/mermaid-cli@{MERMAID_CLI}", f"mermaid@{MERMAID}")
#: What a narrow drawing has in place of some of the settings.
NARROW = {"flowchart": {"padding": 5, "rankSpacing": 90}, "sequence": {"width": 80, "actorMargin": 10}}
#: Width and height in pixels beyond which a phone shows words in less than nine pixels, about.
NARROW_LIMITS = (580, 1000)
#: The view of a drawing, its lines, and the label of one.
VIEW = re.compile(r'viewBox="(\S+) (\S+) (\S+) ([^"]+)"')
LINE = re.compile(r'<path [^>]*data-id="(?P<name>[^"]+)"[^>]*data-points="(?P<points>[^"]+)"')
LABEL = (
    r'translate\((?P<place>[^)]*)\)"><g class="label" data-id="{line}"[^>]*>'
    r'<g><rect [^>]*?x="(?P<left>[^"]+)"'
)
#: A line between neighbors has a point at each end and one for its label; a label keeps this from the edge.
POINTS, MARGIN = 3, 8
SIDEWAYS = re.compile(r"\b(flowchart|graph|direction) (?:LR|RL)\b")
ORIGIN = f"Drawn by Mermaid {MERMAID}, mermaid-cli {MERMAID_CLI}; see tools/draw.py."


class DrawingError(Exception):
    """Say which diagram cannot be drawn, where it stands, and why."""


def main() -> None:
    """Draw the diagrams of the books that the command line names; tell all that cannot be drawn."""
    parser = argparse.ArgumentParser(description="Draw the diagrams whose source has changed.")
    parser.add_argument("tools", type=Path, help="a folder for mermaid-cli")
    parser.add_argument("books", type=Path, nargs="+", help="folders that hold a source/")
    parser.add_argument("--all", action="store_true", help="draw what has not changed, too")
    options = parser.parse_args()
    program = mermaid_cli(options.tools)
    faults = [fault for book in options.books for fault in draw_all(book, program, again=options.all)]
    if faults:
        sys.exit("\n".join(faults))


def mermaid_cli(tools: Path) -> Path:
    """Return the program mermaid-cli, installed if it is not there."""
    tools /= f"mermaid-cli-{MERMAID_CLI}-{MERMAID}"
    program = tools / "node_modules" / ".bin" / "mmdc"
    if not program.exists():
        download = os.environ | {"PUPPETEER_SKIP_DOWNLOAD": "1"}  # Chromium is the system's
        install = ("npm", "install", "--no-fund", "--no-audit", "--prefix", str(tools), *PACKAGES)
        subprocess.run(install, check=True, env=download)
    return program


def draw_all(book: Path, program: Path, *, again: bool) -> list[str]:
    """Bring the drawings of a book in line with its chapters; return what cannot be drawn."""
    faults, used = [], set()
    for source in sources(book):
        for drawing, is_narrow in zip(drawings_of(source, book), (False, True), strict=True):
            used.add(drawing)
            if again or not drawing.exists():
                print(f"drawing {drawing}", flush=True)
                try:
                    svg = draw(source, program, is_narrow=is_narrow)
                except DrawingError as fault:
                    faults.append(str(fault))
                else:
                    drawing.parent.mkdir(exist_ok=True)
                    drawing.write_text(svg, encoding="utf-8")
    for drawing in drawings_below(book) - used:
        print(f"removing {drawing}, which no chapter uses", flush=True)
        drawing.unlink()
    return faults


def draw(source: Source, program: Path, *, is_narrow: bool) -> str:
    """Return the finished drawing of a diagram; raise DrawingError where there can be none."""
    svg = drawn(source, program, is_narrow=is_narrow)
    if is_narrow:
        svg = spread(svg)
    width, height = size(svg)
    reader, limits = ("a phone", NARROW_LIMITS) if is_narrow else ("print", LIMITS)
    if width > limits[0] or height > limits[1]:
        measured = f"is {width} by {height} pixels large, and {reader} shows {limits[0]} by {limits[1]}"
        message = f"{source.place}: the drawing {measured}: take parts out, or turn it (TB, LR)"
        raise DrawingError(message)
    svg = svg.replace('width="100%"', f'width="{width}" height="{height}"', 1)
    svg = re.sub(r'(<svg\b[^>]*) style="[^"]*"', r"\1", svg, count=1)  # a width and a ground of its own
    return finish(svg, ORIGIN)


def drawn(source: Source, program: Path, *, is_narrow: bool) -> str:
    """Return the SVG that mermaid-cli makes of a diagram."""
    work = program.parents[2]
    names = ("look.json", "browser.json", "diagram.mmd", "diagram.svg")
    look, browser, diagram, svg = (work / name for name in names)
    flags = {"executablePath": shutil.which("chromium"), "args": ["--headless=new", "--no-sandbox"]}
    browser.write_text(json.dumps(flags), encoding="utf-8")
    look.write_text(json.dumps(settings(is_narrow=is_narrow)), encoding="utf-8")
    text = SIDEWAYS.sub(r"\1 TB", source.text) if is_narrow else source.text
    diagram.write_text(text, encoding="utf-8")
    files = ("--configFile", str(look), "--puppeteerConfigFile", str(browser))
    command = (str(program), "--quiet", *files, "--input", str(diagram), "--output", str(svg))
    fonts = os.environ | {"FONTCONFIG_FILE": str(FONTS)}
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=fonts)
    if result.returncode:
        message = f"{source.place}: mermaid-cli cannot draw this diagram: {complaint(result.stderr)}"
        raise DrawingError(message)
    return svg.read_text(encoding="utf-8")


def settings(*, is_narrow: bool) -> dict[str, Any]:
    """Return the settings of mermaid-cli."""
    wide: dict[str, Any] = json.loads(SETTINGS.read_text(encoding="utf-8"))
    changed = {name: {**wide[name], **changes} for name, changes in NARROW.items()}
    return {**wide, **changed} if is_narrow else wide


def spread(svg: str) -> str:
    """Return a drawing from top to bottom whose labels are side by side, where its layout has room for them.

    Mermaid moves each to the middle of its line, and labels of lines that bend would meet.
    """
    box = VIEW.search(svg)
    left, top, width, height = map(float, box.groups()) if box else (0.0, 0.0, 0.0, 0.0)
    right = left + width
    for line in LINE.finditer(svg):
        points = json.loads(b64decode(line["points"]))
        label = re.search(LABEL.format(line=re.escape(line["name"])), svg)
        if label and len(points) == POINTS:
            x, y = points[1]["x"], points[1]["y"]
            svg = f"{svg[: label.start('place')]}{x:g}, {y:g}{svg[label.end('place') :]}"
            half = MARGIN - float(label["left"])
            left, right = min(left, x - half), max(right, x + half)
    return VIEW.sub(f'viewBox="{left:g} {top:g} {right - left:g} {height:g}"', svg, count=1)


def complaint(said: str) -> str:
    """Return what mermaid-cli says is wrong, without where in its own programs it was."""
    return re.split(r"\n(?:\S+ \(|    at )", said, maxsplit=1)[0].strip()


if __name__ == "__main__":
    main()
