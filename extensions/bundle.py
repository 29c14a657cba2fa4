"""Give a page one style sheet, one script, and an icon font with the icons that pages show.

The theme has every page ask for seven style sheets, nine scripts and an icon font of 115 kB. Here
`_static/book-site.css` and `book-site.js` hold, one after the other, what all pages need, and the
icon font keeps `ICONS`. `_templates/static/webpack-macros.html` asks for them.
"""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Iterable
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from docutils import nodes
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

#: In the order of the theme's pages; the book's own sheets, html_css_files, come last. Not
#: here: pygments.css, to which the theme adds the colours of dark mode at the end.
STYLES = (
    "basic.css",
    "styles/pydata-sphinx-theme.css",
    "styles/sphinx-book-theme.css",
    "copybutton.css",
)
SCRIPTS = (
    "documentation_options.js",
    "doctools.js",
    "sphinx_highlight.js",
    "clipboard.min.js",
    "copybutton.js",
    "scripts/sphinx-book-theme.js",
    "scripts/bootstrap.js",
    "scripts/pydata-sphinx-theme.js",
)
#: Not among html_js_files, which go into the EPUB too.
OWN_SCRIPT = Path(__file__).with_name("page.js")
ICON_FONT = "vendor/fontawesome/webfonts/fa-solid-900.woff2"
#: The icons that pages show: those of the theme's buttons by the names in their classes, those of
#: style sheets (the theme's `--pst-icon-…`, and of boxes in book.css) by the names that FontAwesome has.
ICONS = {
    "angle-down": 0xF107,
    "angle-left": 0xF104,
    "angle-right": 0xF105,
    "arrow-up": 0xF062,
    "bars": 0xF0C9,
    "circle-check": 0xF058,
    "circle-exclamation": 0xF06A,
    "circle-half-stroke": 0xF042,
    "circle-info": 0xF05A,
    "circle-xmark": 0xF057,
    "cubes": 0xF1B3,
    "download": 0xF019,
    "flask": 0xF0C3,
    "hourglass-half": 0xF252,
    "industry": 0xF275,
    "lightbulb": 0xF0EB,
    "list": 0xF03A,
    "magnifying-glass": 0xF002,
    "moon": 0xF186,
    "pencil": 0xF303,
    "share": 0xF064,
    "sun": 0xF185,
    "triangle-exclamation": 0xF071,
    "up-right-from-square": 0xF35D,
    "wrench": 0xF0AD,
    "xmark": 0xF00D,
}
ADDRESS = re.compile(r"""url\((["']?)(?!data:)([^)"'#]+)\1\)""")


def use_bundle(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Have a page of HTML ask for the bundle, and for nothing that is in it."""
    builder = app.builder
    if not isinstance(builder, StandaloneHTMLBuilder) or builder.name == "epub":
        return
    context["bundle"] = _written(builder)
    bundled = {f"_static/{name}" for name in _styles(builder)}
    context["css_files"] = [sheet for sheet in context["css_files"] if str(sheet.filename) not in bundled]
    # Scripts without a file name the page to the theme's switcher of versions: there is none.
    bundled = {f"_static/{name}" for name in SCRIPTS} | {"", "None"}
    context["script_files"] = [
        script for script in context["script_files"] if str(script.filename) not in bundled
    ]


@lru_cache(maxsize=1)
def _written(builder: StandaloneHTMLBuilder) -> dict[str, str]:
    """Write the bundle beside the files that it is made of; return where its two parts are.

    Sphinx has copied those files when it writes the first page, and writes that page
    before it goes on in several processes.
    """
    static = Path(builder.outdir) / "_static"
    style = _concatenated(static, _styles(builder))
    script = "\n;\n".join(
        file.read_text("utf-8") for file in (*(static / name for name in SCRIPTS), OWN_SCRIPT)
    )
    return {
        "style": _write(static / "book-site.css", style),
        "script": _write(static / "book-site.js", script),
    }


def keep_icons(app: Sphinx, error: Exception | None) -> None:
    """Reduce the icon font, which Sphinx copies in each build, to the icons that pages show.

    Its licence stays in it. The names go: "Font Awesome" is reserved for the whole font.
    """
    file = Path(app.outdir) / "_static" / ICON_FONT
    if error or app.builder.name != "html" or not file.exists():
        return
    font = TTFont(file, recalcTimestamp=False)
    subsetter = Subsetter(Options(name_IDs=[0, 13, 14], layout_features=[], hinting=False))
    subsetter.populate(unicodes=ICONS.values())
    subsetter.subset(font)
    font.flavor = "woff2"
    font.save(file)


def _styles(builder: StandaloneHTMLBuilder) -> list[str]:
    return [*STYLES, *(name for name, _attributes in builder.config.html_css_files)]


def _concatenated(static: Path, names: Iterable[str]) -> str:
    """Return style sheets as one, with their addresses seen from the folder that holds it."""
    return "\n".join(
        ADDRESS.sub(partial(_seen_from_above, posixpath.dirname(name)), (static / name).read_text("utf-8"))
        for name in names
    )


def _seen_from_above(folder: str, address: re.Match[str]) -> str:
    return f"url({posixpath.normpath(posixpath.join(folder, address[2]))})"


def _write(file: Path, text: str) -> str:
    """Write a part of the bundle; return its address, which changes when its content does."""
    file.write_text(text, encoding="utf-8")
    return f"_static/{file.name}?v={sha256(text.encode()).hexdigest()[:8]}"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to every page last, when all other extensions have named their files."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells every step otherwise
    app.connect("html-page-context", use_bundle, priority=900)
    app.connect("build-finished", keep_icons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
