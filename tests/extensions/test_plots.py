"""Plots: drawn from recorded data, in one style, the same each time, and never stale."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import colors, font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from extensions import plots
from extensions.plots import STYLE, Plot
from proofs.listings import imported
from tests.extensions.conftest import BOOKS, Site, visible
from tools.draw_plots import FACE, WIDTHS, draw, draw_all

NO_DRAWING = "its data or the style changed after it was drawn, or it never was: run `nox -s plots`."
PLOTS = [plot for book in BOOKS for plot in plots.plots(book)]


@pytest.fixture
def book(site: Callable[[str], Site]) -> Site:
    """Return a page with a plot, drawn."""
    book = site("plots")
    assert draw_all(book.root, again=False) == []
    return book


@pytest.mark.parametrize("builder", ["html", "epub"])
def test_a_plot_becomes_a_figure_with_its_drawing(book: Site, builder: str) -> None:
    assert book.build(builder) == ""
    page = book.output(f"{builder}/index.{'xhtml' if builder == 'epub' else 'html'}")
    picture = r'<img alt="The load grows from one to three\." class="drawing" src="_images/load-\w{12}\.svg"'
    assert re.search(picture, page)
    assert "Fig. 1 shows the load." in visible(page)
    assert "The load of a day" in visible(page)


@pytest.mark.parametrize(("path", "old", "new"), [("load.csv", "3", "4"), ("load.py", "float", "int")])
def test_a_drawing_of_other_data_or_another_program_is_stale(
    book: Site, path: str, old: str, new: str
) -> None:
    assert book.build() == ""
    book.edit(f"source/plots/{path}", old, new)
    report = book.build()
    assert "source/index.md:5: ERROR: source/plots/load.py, " in report
    assert NO_DRAWING in report
    draw_all(book.root, again=False)
    assert book.build() == ""
    assert len(list((book.root / "source" / "plots").glob("*.svg"))) == 2


def test_a_drawing_in_another_style_is_stale(book: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "STYLE", Path(__file__))
    assert NO_DRAWING in book.build()


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("source/index.md", "{plot} load", "{plot} memory", "source/plots/memory.py does not exist"),
        ("source/index.md", ":alt: The load grows from one to three.\n", "", "A plot needs :alt:"),
        ("source/plots/load.py", "DATA = ", "data = ", 'no line says DATA = "<file>"'),
        ("source/plots/load.py", "load.csv", "none.csv", "its DATA, none.csv, does not exist"),
    ],
)
def test_what_a_plot_lacks_is_reported_where_it_is_shown(
    book: Site, path: str, old: str, new: str, says: str
) -> None:
    book.edit(path, old, new)
    report = book.build()
    assert "source/index.md:5: ERROR: " in report
    assert says in report


def test_data_can_name_a_program_that_draws_others_too(book: Site) -> None:
    folder = book.root / "source" / "plots"
    program = (folder / "load.py").read_text(encoding="utf-8").replace("DATA = ", "OTHER = ")
    (folder / "lines.py").write_text(program, encoding="utf-8")
    (folder / "night.json").write_text('{"program": "lines.py"}', encoding="utf-8")
    named = {plot.name: (plot.program.name, plot.data.name) for plot in plots.plots(book.root)}
    assert named == {"load": ("load.py", "load.csv"), "night": ("lines.py", "night.json")}
    drawing = Plot(book.root, "night").drawing
    (folder / "lines.py").write_text(program + "# changed\n", encoding="utf-8")
    assert Plot(book.root, "night").drawing != drawing


def test_a_program_that_fails_is_named_with_its_line(book: Site) -> None:
    book.edit("source/plots/load.csv", "2", "two")
    assert draw_all(book.root, again=False) == [
        f"{book.root}/source/plots/load.py:14: ValueError: could not convert string to float: 'two'"
    ]


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name)
def test_drawing_a_plot_again_gives_the_committed_bytes(plot: Plot) -> None:
    for drawing, width in zip(plot.drawings, WIDTHS, strict=True):
        assert drawing.exists(), "run `nox -s plots`"
        assert draw(plot, width) == drawing.read_text(encoding="utf-8"), "run `nox -s plots -- --all`"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_word_beside_an_arrow_is_clear_of_the_boxes(width: float) -> None:
    font_manager.fontManager.addfont(FACE)
    plot = Plot(BOOKS[0], "when-to-choose")
    with mpl.rc_context(fname=STYLE):
        figure = Figure(figsize=(width, 1), dpi=72)  # a pixel is a point
        FigureCanvasAgg(figure)
        imported(plot.program, plot.name).draw(figure, plot.data)
        (axes,) = figure.axes
        words = [text.get_window_extent() for text in axes.texts if text.get_text() == "yes"]
        boxes = [patch.get_window_extent() for patch in axes.patches]
    rooms = [word.y0 - box.y1 for word in words for box in boxes if box.y0 < word.y0 and box.x0 < word.x0]
    assert words
    assert min(rooms) > 2


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.name)
def test_every_program_is_shown_and_every_drawing_used(book: Path) -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (book / "source").rglob("*.md"))
    shown = set(re.findall(r"^`{3,}\{plot\} (\S+)$", pages, re.MULTILINE))
    assert {plot.name for plot in plots.plots(book)} == shown
    used = {drawing for plot in plots.plots(book) for drawing in plot.drawings}
    assert set((book / "source" / "plots").glob("*.svg")) == used


def series() -> list[dict[str, object]]:
    """Return how the style draws one series after the other."""
    return list(mpl.rc_params_from_file(STYLE, use_default_template=False)["axes.prop_cycle"])


def linear(colour: str) -> list[float]:
    """Return red, green and blue of a colour, as amounts of light."""
    parts = colors.to_rgb(colour)
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def times(row: Sequence[float], light: Sequence[float]) -> float:
    """Return the sum of products."""
    return sum(weight * part for weight, part in zip(row, light, strict=True))


def test_every_series_stands_out_from_paper() -> None:
    contrasts = [1.05 / (times(LUMINANCE, linear(str(one["color"]))) + 0.05) for one in series()]
    assert len(contrasts) >= 4
    assert min(contrasts) >= 3


def test_without_colour_line_and_mark_tell_the_series_apart() -> None:
    for one, other in combinations(series(), 2):
        assert one["linestyle"] != other["linestyle"]
        assert one["marker"] != other["marker"]


#: What red, green and blue add to the brightness of a colour (WCAG 2.2).
LUMINANCE = (0.2126, 0.7152, 0.0722)
#: What the three kinds of colour blindness see of a linear RGB colour (Machado, Oliveira and
#: Fernandes 2009, doi:10.1109/TVCG.2009.113, full severity).
SEEN = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


@pytest.mark.parametrize("kind", SEEN)
def test_colour_blind_readers_see_different_colours(kind: str) -> None:
    seen = [[times(row, linear(str(one["color"]))) for row in SEEN[kind]] for one in series()]
    for one, other in combinations(seen, 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 0.1
