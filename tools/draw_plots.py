"""Draw the plots of a book from recorded data: `nox -s plots` runs this program.

It draws what has changed since it was drawn and removes drawings that no program makes.
The same program, data and style give the same bytes.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import traceback
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure

from extensions.drawings import PRINT_RESOLUTION
from extensions.plots import STYLE, Plot, PlotError, plots
from extensions.vector import finish
from proofs.listings import imported

ROOT = Path(__file__).parents[1]
FACE = ROOT / "latex" / "fonts" / "SourceSans3-Regular.otf"
ORIGIN = f"Drawn by matplotlib {mpl.__version__}; see tools/draw_plots.py."
POINTS_PER_INCH = 72
#: Of a wide and a narrow drawing, in inches: print's, and one whose words a phone still shows well.
WIDTHS = (5.25, 3.0)


def main() -> None:
    """Draw the plots of the books that the command line names; tell all that cannot be drawn."""
    parser = argparse.ArgumentParser(description="Draw the plots whose program, data or style changed.")
    parser.add_argument("books", type=Path, nargs="+", help="folders that hold a plots/")
    parser.add_argument("--all", action="store_true", help="draw what has not changed, too")
    options = parser.parse_args()
    faults = [fault for book in options.books for fault in draw_all(book, again=options.all)]
    if faults:
        sys.exit("\n".join(faults))


def draw_all(book: Path, *, again: bool) -> list[str]:
    """Bring the drawings of a book in line with its programs; return what cannot be drawn."""
    faults, used = [], set()
    for plot in plots(book):
        try:
            for drawing, width in zip(plot.drawings, WIDTHS, strict=True):
                used.add(drawing)
                if again or not drawing.exists():
                    print(f"drawing {drawing}", flush=True)
                    drawing.write_text(draw(plot, width), encoding="utf-8")
        except PlotError as fault:
            faults.append(str(fault))
    for drawing in set((book / "source" / "plots").glob("*.svg")) - used:
        print(f"removing {drawing}, which no program makes", flush=True)
        drawing.unlink()
    return faults


def draw(plot: Plot, width: float) -> str:
    """Return the finished drawing of a plot in a width; raise PlotError where its program fails."""
    font_manager.fontManager.addfont(FACE)
    drawn = io.StringIO()
    with mpl.rc_context(fname=STYLE):
        figure = Figure()
        figure.set_figwidth(width)
        try:
            imported(plot.program, plot.name).draw(figure, plot.data)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            line = next((one.lineno for one in reversed(frames) if one.filename == str(plot.program)), 1)
            message = f"{plot.program}:{line}: {type(error).__name__}: {error}"
            raise PlotError(message) from error
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    svg = drawn.getvalue()[drawn.getvalue().index("<svg") :]
    # Where the face is not installed, the one that the drawing carries takes its place.
    svg = svg.replace("'Source Sans 3'", "'Source Sans 3', 'Book Sans', sans-serif")
    svg = re.sub(r'(?<=[\s"])(width|height)="([\d.]+)pt"', _in_pixels, svg, count=2)
    return finish(svg, ORIGIN)


def _in_pixels(size: re.Match[str]) -> str:
    """Return a size in the pixels that print turns back into as many points."""
    return f'{size[1]}="{round(float(size[2]) * PRINT_RESOLUTION / POINTS_PER_INCH)}"'


if __name__ == "__main__":
    main()
