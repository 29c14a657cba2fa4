"""Make the small fonts of latex/fonts from large ones.

    python latex/reduced.py        (needs the docs group of pyproject.toml)

BookSigns.ttf has the signs before the titles of callouts, those that HTML shows, from the
theme's copy of Font Awesome Free; the Open Font License reserves its name for the unchanged
font. BookSymbols.otf has the arrows and mathematical signs of STIX Two Math, for text in
faces that lack them: the whole font would be loaded once more with every face and size.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pydata_sphinx_theme
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FONTS = Path(__file__).parent / "fonts"
THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
SIGNS = THEME / "vendor" / "fontawesome" / "webfonts" / "fa-solid-900.woff2"
CALLOUTS = {
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
SYMBOLS = (*range(0x2190, 0x2300), *range(0x25A0, 0x2600), *range(0x2700, 0x2758))


def reduce(source: Path, target: Path, name: str, characters: Iterable[int]) -> None:
    """Write a font with some characters of another, and nothing but their shapes."""
    font = TTFont(source, recalcTimestamp=False)
    options = Options(hinting=False, layout_features=[], name_IDs=[0, 13, 14], drop_tables=["MATH"])
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    for number, text in {1: name, 2: "Regular", 4: name, 6: name.replace(" ", "")}.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    if "CFF " in font:
        font["CFF "].cff.fontNames[0] = name.replace(" ", "")
    font.flavor = None
    font.save(target)


if __name__ == "__main__":
    reduce(SIGNS, FONTS / "BookSigns.ttf", "Book Signs", CALLOUTS.values())
    reduce(FONTS / "STIXTwoMath-Regular.otf", FONTS / "BookSymbols.otf", "Book Symbols", SYMBOLS)
