"""What the book still owes, from source/outline.toml.

`{planned} 3` is a box with what is missing of a chapter, `{progress}` a line with the edition and
how many chapters are written.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from extensions.callouts import make_callout
from proofs.outline import FILE, IN_PART, WRITTEN, Topic, load_outline

TITLE = "Still to be written"


class Planned(SphinxDirective):
    """A box with the topics of a chapter or appendix that are not written."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the box; a chapter written to the end has none."""
        self.env.note_dependency(FILE)
        try:
            page = load_outline(self.env.srcdir).page(self.arguments[0])
        except KeyError as error:
            raise self.error(error.args[0]) from error
        owed = [_item(topic) for topic in page.topics if topic.state != WRITTEN]
        return [make_callout("planned", TITLE, nodes.bullet_list("", *owed))] if owed else []


class Progress(SphinxDirective):
    """The edition, and how far the book is."""

    def run(self) -> list[nodes.Node]:
        """Return one paragraph."""
        self.env.note_dependency(FILE)
        outline = load_outline(self.env.srcdir)
        counts = outline.chapters_by_state()
        partly = f" and {counts[IN_PART]} in part" if counts[IN_PART] else ""
        text = (
            f"Edition {self.config.release}, {self.config.today}. "
            f"Of {len(outline.chapters)} chapters, {counts[WRITTEN]} are written{partly}; "
            "the others list what is to come."
        )
        return [nodes.paragraph(text, text, classes=["how-far"])]


def _item(topic: Topic) -> nodes.list_item:
    rest = f": {topic.planned}" if topic.planned else ""
    text = f"{topic.id} {topic.title}{rest}"
    return nodes.list_item("", nodes.paragraph(text, text))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive."""
    app.setup_extension("extensions.callouts")
    app.add_directive("planned", Planned)
    app.add_directive("progress", Progress)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
