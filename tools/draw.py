"""Draw the Mermaid diagrams of a book: `nox -s diagrams` runs this program.

It draws what has no drawing yet and removes drawings that no chapter uses. The drawing
itself is mermaid-cli's, in Chromium; extensions/vector.py makes it fit for the editions.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from extensions.drawings import (
    FONTS,
    LIMITS,
    MERMAID,
    MERMAID_CLI,
    SETTINGS,
    Source,
    drawing_of,
    drawings_below,
    size,
    sources,
)
from extensions.vector import finish

PACKAGES = (f"@mermaid-js/mermaid-cli@{MERMAID_CLI}", f"mermaid@{MERMAID}")
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
        drawing = drawing_of(source, book)
        used.add(drawing)
        if again or not drawing.exists():
            print(f"drawing {drawing}", flush=True)
            try:
                svg = draw(source, program)
            except DrawingError as fault:
                faults.append(str(fault))
            else:
                drawing.parent.mkdir(exist_ok=True)
                drawing.write_text(svg, encoding="utf-8")
    for drawing in drawings_below(book) - used:
        print(f"removing {drawing}, which no chapter uses", flush=True)
        drawing.unlink()
    return faults


def draw(source: Source, program: Path) -> str:
    """Return the finished drawing of a diagram; raise DrawingError where there can be none."""
    svg = drawn(source, program)
    width, height = size(svg)
    if width > LIMITS[0] or height > LIMITS[1]:
        measured = f"is {width} by {height} pixels large, and print shows {LIMITS[0]} by {LIMITS[1]}"
        message = f"{source.place}: the drawing {measured}: take parts out, or turn it (TB, LR)"
        raise DrawingError(message)
    svg = svg.replace('width="100%"', f'width="{width}" height="{height}"', 1)
    svg = re.sub(r'(<svg\b[^>]*) style="[^"]*"', r"\1", svg, count=1)  # a width and a ground of its own
    return finish(svg, ORIGIN)


def drawn(source: Source, program: Path) -> str:
    """Return the SVG that mermaid-cli makes of a diagram."""
    work = program.parents[2]
    browser, diagram, svg = work / "browser.json", work / "diagram.mmd", work / "diagram.svg"
    flags = {"executablePath": shutil.which("chromium"), "args": ["--headless=new", "--no-sandbox"]}
    browser.write_text(json.dumps(flags), encoding="utf-8")
    diagram.write_text(source.text, encoding="utf-8")
    settings = ("--configFile", str(SETTINGS), "--puppeteerConfigFile", str(browser))
    command = (str(program), "--quiet", *settings, "--input", str(diagram), "--output", str(svg))
    fonts = os.environ | {"FONTCONFIG_FILE": str(FONTS)}
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=fonts)
    if result.returncode:
        message = f"{source.place}: mermaid-cli cannot draw this diagram: {complaint(result.stderr)}"
        raise DrawingError(message)
    return svg.read_text(encoding="utf-8")


def complaint(said: str) -> str:
    """Return what mermaid-cli says is wrong, without where in its own programs it was."""
    return re.split(r"\n(?:\S+ \(|    at )", said, maxsplit=1)[0].strip()


if __name__ == "__main__":
    main()
