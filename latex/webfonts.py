"""Make the web fonts of _static/fonts from the print fonts of latex/fonts.

    python latex/webfonts.py        (needs fonttools[woff])

Each web font keeps the characters below, and no more: a page loads seven or eight of
them. A test of the built pages names any other character that the book comes to use;
add it here then. The Open Font License reserves the name "Source" for the unchanged
fonts, so the reduced ones carry names of their own.
"""

from __future__ import annotations

from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

PRINT_FONTS = Path(__file__).parent / "fonts"
WEB_FONTS = PRINT_FONTS.parents[1] / "_static" / "fonts"
FAMILIES = {"SourceSerif4": "Book Serif", "SourceSans3": "Book Sans", "SourceCodePro": "Book Mono"}
STYLES = {"Regular": "Regular", "It": "Italic", "Semibold": "Semibold"}
CHARACTERS = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),  # the Latin letters of Europe, for the names of authors
    *range(0x2010, 0x2030),  # dashes, quotation marks, bullets, the ellipsis
    *range(0x2190, 0x2195),  # arrows
    *map(ord, "€™≈≠≤≥✓✗\N{MINUS SIGN}"),
    *map(ord, "─│┌┐└┘├┤┬┴┼"),  # trees and frames that programs print
)


def reduce(source: Path, family: str, style: str) -> None:
    """Write the web font of one print font."""
    font = TTFont(source, recalcTimestamp=False)
    subsetter = Subsetter(
        Options(
            name_IDs=[0, 1, 2, 3, 4, 6, 13, 14],
            layout_features=["kern", "liga"],
            hinting=False,
            desubroutinize=True,  # smaller once it is compressed
        )
    )
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    _rename(font, family, style)
    font.flavor = "woff2"
    font.save(WEB_FONTS / f"{family} {style}.woff2".replace(" ", "-").lower())


def _rename(font: TTFont, family: str, style: str) -> None:
    names = {1: family, 2: style, 3: f"{family} {style}", 4: f"{family} {style}"}
    names[6] = f"{family} {style}".replace(" ", "-")
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
        font["name"].removeNames(number, platformID=1)
    if "CFF " in font:
        table = font["CFF "].cff
        table.fontNames[0] = names[6]
        table[0].FamilyName, table[0].FullName = family, names[4]


if __name__ == "__main__":
    WEB_FONTS.mkdir(parents=True, exist_ok=True)
    for print_name, web_name in FAMILIES.items():
        for print_style, web_style in STYLES.items():
            reduce(PRINT_FONTS / f"{print_name}-{print_style}.otf", web_name, web_style)
