"""Make latex/fonts/BookSigns.ttf, the signs before the titles of callouts.

    python latex/signs.py        (needs the docs group of pyproject.toml)

They are those that HTML shows, from the theme's copy of Font Awesome Free. The Open Font
License reserves its name for the unchanged font, so this one has a name of its own.
"""

from __future__ import annotations

from pathlib import Path

import pydata_sphinx_theme
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
SOURCE = THEME / "vendor" / "fontawesome" / "webfonts" / "fa-solid-900.woff2"
TARGET = Path(__file__).parent / "fonts" / "BookSigns.ttf"
SIGNS = {
    "note": 0xF05A,
    "tip": 0xF0EB,
    "warning": 0xF071,
    "danger": 0xF0E7,
    "openshift": 0xF1B3,
    "in-production": 0xF275,
    "for-data-scientists": 0xF0C3,
    "for-sres": 0xF0AD,
    "planned": 0xF252,
}

if __name__ == "__main__":
    font = TTFont(SOURCE, recalcTimestamp=False)
    subsetter = Subsetter(Options(hinting=False, name_IDs=[0, 13, 14]))
    subsetter.populate(unicodes=SIGNS.values())
    subsetter.subset(font)
    for number, text in {1: "Book Signs", 2: "Regular", 4: "Book Signs", 6: "BookSigns"}.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    font.flavor = None
    font.save(TARGET)
