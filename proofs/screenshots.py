"""Open a page of a running program in Chromium, check what it shows, and keep a picture of it.

No two pictures of one page are the same bytes, so a picture is kept as long as the page
shows the words that it showed when it was taken. They stand in the picture's own file, as
a text of PNG (https://www.w3.org/TR/png-3/#11keywords).
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps, PngImagePlugin
from playwright.sync_api import Error, Page, sync_playwright

from proofs.failures import HarnessError, ProofFailed

#: Width and height of a window in CSS pixels: letters of 14 pixels can be read in print.
SIZE = (900, 600)
#: Pixels of a picture for one of CSS.
SCALE = 2
#: Names under which systems have Chromium.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
#: A line around a picture, since many pages are as white as the book's.
FRAME = "#c5ccd0"
#: The text of the PNG that holds the words.
KEYWORD = "Shows"
#: What is said of a page that lacks its words: so many of the letters that it has.
SAID = 600


def program() -> str:
    """Return the path of Chromium; empty where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), "")


@contextmanager
def opened(url: str, size: tuple[int, int], deadline: float) -> Iterator[Page]:
    """Yield a page in a light window of its own; each of its waits ends after `deadline` seconds."""
    with sync_playwright() as playwright:
        # A container's root may not have the sandbox, and the lab's programs are trusted.
        browser = playwright.chromium.launch(executable_path=program(), chromium_sandbox=False)
        try:
            page = browser.new_page(
                viewport={"width": size[0], "height": size[1]},
                device_scale_factor=SCALE,
                color_scheme="light",
                reduced_motion="reduce",
                locale="en-US",
                timezone_id="UTC",
            )
            page.set_default_timeout(deadline * 1000)
            page.goto(url)
            yield page
        except Error as error:
            message = f"{url} in Chromium: {error.message}"
            raise ProofFailed(message) from error
        finally:
            browser.close()


def require(page: Page, words: str) -> None:
    """Wait until a page shows words; raises ProofFailed, with what it shows instead."""
    try:
        page.get_by_text(words).first.wait_for(state="visible")
    except Error as error:
        shown = " ".join(page.inner_text("body").split())[:SAID]
        message = f"{page.url} does not show {words!r}. It shows: {shown}"
        raise ProofFailed(message) from error


def taken(page: Page, shows: Sequence[str]) -> bytes:
    """Return a picture of a page, framed and in 256 colors, with the words that it shows."""
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide")))
    framed = ImageOps.expand(picture.convert("RGB"), border=SCALE, fill=FRAME)
    texts = PngImagePlugin.PngInfo()
    texts.add_text(KEYWORD, json.dumps(list(shows)))
    small = io.BytesIO()
    reduced = framed.quantize(256, dither=Image.Dither.NONE)
    reduced.save(small, "PNG", optimize=True, pnginfo=texts)
    return small.getvalue()


def words_of(file: Path) -> list[str]:
    """Return the words with which a picture was taken; raises HarnessError for any other file."""
    try:
        with Image.open(file) as picture:
            found: list[str] = json.loads(picture.info[KEYWORD])
            return found
    except (OSError, KeyError, ValueError) as error:
        message = f"{file} is no picture that a proof took; delete it, and take it with --record"
        raise HarnessError(message) from error
