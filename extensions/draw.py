"""Draw the Mermaid diagrams of the chapters: `nox -s diagrams` runs this program.

It draws what has no drawing yet and removes drawings that no chapter uses. The drawing
itself is mermaid-cli's, in Chromium; then each SVG is made fit for the three editions.
"""

from __future__ import annotations

import base64
import html
import io
import json
import os
import re
import subprocess
import sys
from math import ceil
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from extensions.drawings import FOLDER, LIMITS, MERMAID_CLI, Source, drawing_of, sources

ROOT = Path(__file__).parents[1]
FACE = ROOT / "_static" / "fonts" / "book-sans-regular.woff2"
BROWSER = {"executablePath": "/usr/bin/chromium", "args": ["--headless=new", "--no-sandbox"]}


def draw_all(root: Path, tools: Path) -> None:
    """Bring the drawings of a project in line with its chapters."""
    folder = root / FOLDER
    used = set()
    for source in sources(root / "source"):
        drawing = drawing_of(source, folder)
        used.add(drawing)
        if not drawing.exists():
            print(f"drawing {drawing.name}", flush=True)
            svg = draw(source, folder, tools)
            check_size(source, svg)
            drawing.write_text(finish(svg), encoding="utf-8")
    for drawing in set(folder.glob("*.svg")) - used:
        print(f"removing {drawing.name}, which no chapter uses", flush=True)
        drawing.unlink()


def draw(source: Source, folder: Path, tools: Path) -> str:
    """Return the SVG that mermaid-cli makes of a diagram."""
    tools /= f"mermaid-cli-{MERMAID_CLI}"
    program = tools / "node_modules" / ".bin" / "mmdc"
    if not program.exists():
        package = f"@mermaid-js/mermaid-cli@{MERMAID_CLI}"
        download = os.environ | {"PUPPETEER_SKIP_DOWNLOAD": "1"}  # Chromium is the system's
        install = ("npm", "install", "--no-fund", "--no-audit", "--prefix", str(tools), package)
        subprocess.run(install, check=True, env=download)
    browser = tools / "browser.json"
    browser.write_text(json.dumps(BROWSER), encoding="utf-8")
    diagram, svg = tools / "diagram.mmd", tools / "diagram.svg"
    diagram.write_text(source.text, encoding="utf-8")
    settings = ("--configFile", str(folder / "mermaid.json"), "--puppeteerConfigFile", str(browser))
    command = (str(program), "--quiet", *settings, "--input", str(diagram), "--output", str(svg))
    result = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"FONTCONFIG_FILE": str(folder / "fonts.conf")},
    )
    if result.returncode:
        sys.exit(f"{source.chapter}: mermaid-cli cannot draw this:\n{source.text}\n{result.stderr}")
    return svg.read_text(encoding="utf-8")


def size(svg: str) -> tuple[int, int]:
    """Return width and height of a drawing, in whole pixels."""
    box = re.search(r'viewBox="\S+ \S+ (?P<width>\S+) (?P<height>[^"]+)"', svg)
    if box is None:
        sys.exit("mermaid-cli wrote an SVG without a viewBox.")
    return ceil(float(box["width"])), ceil(float(box["height"]))


def check_size(source: Source, svg: str) -> None:
    """Stop at a drawing that print would have to make too small."""
    width, height = size(svg)
    if width > LIMITS[0] or height > LIMITS[1]:
        limit = f"{width} by {height} pixels; print can show {LIMITS[0]} by {LIMITS[1]}"
        sys.exit(f"{source.chapter}: this drawing has {limit}:\n{source.text}")


def finish(svg: str) -> str:
    """Make a drawing of mermaid-cli fit for browsers, e-readers and rsvg-convert."""
    width, height = size(svg)
    svg = svg.replace('width="100%"', f'width="{width}" height="{height}"', 1)
    svg = re.sub(r"max-width: [\d.]+px; ?", "", svg, count=1)
    # Else rsvg-convert drops the blanks between the words of a label.
    svg = re.sub(r"<(text|tspan)\b", r'<\1 xml:space="preserve"', svg)
    svg = svg.replace("<style>", f"<style>{_face(svg)}", 1)
    origin = f"<!-- Drawn by mermaid-cli {MERMAID_CLI}; see extensions/draw.py. -->"
    return svg.replace(">", f">{origin}", 1) + "\n"


def _face(svg: str) -> str:
    """Return a font rule with the glyphs of the labels: a picture cannot use the page's fonts."""
    labels = html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", svg, flags=re.DOTALL))
    font = TTFont(FACE, recalcTimestamp=False)
    subsetter = Subsetter(Options(hinting=False))
    subsetter.populate(text=labels)
    subsetter.subset(font)
    font.flavor = "woff2"
    reduced = io.BytesIO()
    font.save(reduced)
    data = base64.b64encode(reduced.getvalue()).decode()
    return f"@font-face{{font-family:'Book Sans';src:url(data:font/woff2;base64,{data})}}"


if __name__ == "__main__":
    draw_all(ROOT, Path(sys.argv[1]))
