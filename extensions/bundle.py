"""Give a page two style sheets, one script and one icon font, without what no page uses.

The theme has every page ask for seven style sheets, nine scripts and two icon fonts: 1 MB
when compressed, of which most is icons and components that no page shows. Here `_static/book-site.css`
and `book-site.js` hold what all pages need, and `book-icons.woff2` the icons that the
theme names. `_templates/static/webpack-macros.html` asks for them.
"""

from __future__ import annotations

import io
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
ICON_NAME = re.compile(r"fa-[a-z0-9-]+")
CODE_POINT = re.compile(r'"\\([0-9a-f]{4})"|([\ue000-\uf8ff])')
THEME_FACES = re.compile(r"@font-face\{[^}]*Font Awesome[^}]*\}")
ADDRESS = re.compile(r"""url\((["']?)(?!data:)([^)"'#]+)\1\)""")
#: Classes of the theme's components that no page of the book has.
UNUSED = re.compile(
    r"\.(?:accordion|carousel|input-group|list-group|nav-pills|nav-tabs|page-item|page-link"
    r"|pagination|placeholder|progress|sd(?=-)|spinner|toast)(?:-[\w-]+)?(?![\w-])"
)
RULE = re.compile(r"([^{}@;]+)(\{[^{}]*\})")  # .fa-bars,.fa-navicon{--fa:"\f0c9"}
COMMA = re.compile(r",(?![^()]*\))")
NEGATION = re.compile(r":not\([^()]*\)")
FACE = """
@font-face {
  font-family: "Font Awesome 7 Free";
  font-weight: 900;
  font-display: block;
  src: url(book-icons.woff2) format("woff2");
}
"""


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
    style = _without_unused_icons(style, _icon_names(builder.theme.get_theme_dirs()))
    style = RULE.sub(_without_unused_components, style)
    (static / "book-icons.woff2").write_bytes(_icons(static / ICON_FONT, style))
    script = "\n;\n".join(_text(file) for file in (*(static / name for name in SCRIPTS), OWN_SCRIPT))
    return {
        "style": _write(static / "book-site.css", FACE + style),
        "script": _write(static / "book-site.js", script),
    }


def _styles(builder: StandaloneHTMLBuilder) -> list[str]:
    return [*STYLES, *(name for name, _attributes in builder.config.html_css_files)]


def _concatenated(static: Path, names: Iterable[str]) -> str:
    """Return style sheets as one, with their addresses seen from the folder that holds it."""
    sheets = []
    for name in names:
        text = ADDRESS.sub(partial(_seen_from_above, posixpath.dirname(name)), _text(static / name))
        sheets.append(THEME_FACES.sub("", text.replace('@charset "UTF-8";', "")))
    return "\n".join(sheets)


def _seen_from_above(folder: str, address: re.Match[str]) -> str:
    return f"url({posixpath.normpath(posixpath.join(folder, address[2]))})"


def _icon_names(folders: Iterable[str | Path]) -> set[str]:
    """Return the names of the icons that the templates and scripts of a theme show."""
    files = (
        file for folder in folders for kind in ("html", "js") for file in Path(folder).rglob(f"*.{kind}")
    )
    return {
        name
        for file in files
        if file.name != "fontawesome.js"
        for name in ICON_NAME.findall(file.read_text(encoding="utf-8"))
    }


def _without_unused_icons(style: str, used: set[str]) -> str:
    def rule_if_used(rule: re.Match[str]) -> str:
        is_icon = rule[2].startswith('{--fa:"')
        return "" if is_icon and not used.intersection(ICON_NAME.findall(rule[1])) else rule[0]

    return RULE.sub(rule_if_used, style)


def _without_unused_components(rule: re.Match[str]) -> str:
    """Return a rule of a style sheet without the selectors that only an unused component has."""
    selectors = COMMA.split(rule[1])
    kept = [one for one in selectors if not UNUSED.search(NEGATION.sub("", one))]
    return rule[0] if kept == selectors else f"{','.join(kept)}{rule[2]}" if kept else ""


def _icons(font_file: Path, style: str) -> bytes:
    """Return the icon font with the icons that a style sheet names; its licence stays in it.

    The names go: "Font Awesome" is reserved for the whole font.
    """
    font = TTFont(font_file, recalcTimestamp=False)
    subsetter = Subsetter(Options(name_IDs=[0, 13, 14], layout_features=[], hinting=False))
    found = CODE_POINT.findall(style)
    subsetter.populate(
        unicodes=[int(escape, 16) if escape else ord(character) for escape, character in found]
    )
    subsetter.subset(font)
    font.flavor = "woff2"
    reduced = io.BytesIO()
    font.save(reduced)
    return reduced.getvalue()


def _text(file: Path) -> str:
    """Return a style sheet or script without the address of its source map."""
    return re.sub(r"/[*/]# sourceMappingURL=.*", "", file.read_text(encoding="utf-8"))


def _write(file: Path, text: str) -> str:
    """Write a part of the bundle; return its address, which changes when its content does."""
    file.write_text(text, encoding="utf-8")
    return f"_static/{file.name}?v={sha256(text.encode()).hexdigest()[:8]}"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to every page last, when all other extensions have named their files."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells every step otherwise
    app.connect("html-page-context", use_bundle, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
