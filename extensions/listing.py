"""The directives `{listing}` and `{transcript}`: a file of examples/ that a run has proved.

    ```{listing} 02-installation/inferencepool-demo.yaml
    :caption: The pool that the endpoint picker watches
    :emphasize-lines: 9-12
    ```

All options of Sphinx's `literalinclude` work. The label is the path with dashes for
slashes and dots; a second excerpt of one file needs a `:name:` of its own. A file that
nothing proves makes a warning, which ends a strict build, and takes the stamp's place.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.directives.code import LiteralInclude
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata, OptionSpec

from extensions.proven import proven, root_of
from extensions.stamp import make_stamp
from proofs.listings import is_refused, label_of, language_of, refusal_path
from proofs.records import RecordError

logger = logging.getLogger(__name__)

EXCERPT = {"lines", "pyobject", "start-after", "start-at", "end-before", "end-at"}


class Listing(LiteralInclude):
    """A file of examples/ with caption, number, label, and the stamp of its proof."""

    option_spec: ClassVar[OptionSpec] = {
        **LiteralInclude.option_spec,
        "answered-by": directives.unchanged_required,
    }
    kind: ClassVar[str] = "listing"
    needs_caption: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """Return the box: the file, the answer it got if it was refused, and the stamp."""
        listing = self.arguments[0]
        file = root_of(self.env) / "examples" / listing
        try:
            self._require_caption(listing)
            record = proven(root_of(self.env), listing)
        except RecordError as error:
            foot = [self._fault(str(error))]
        else:
            note = " (excerpt)" if EXCERPT & self.options.keys() else ""
            foot = [*self._answer(file), make_stamp(listing, record, note)]
        self._note_sources(file, listing)
        body = self._included(listing) if file.is_file() else []
        classes = [self.kind, "refused"] if is_refused(listing) else [self.kind]
        return [nodes.container("", *body, *foot, classes=classes, literal_block=False)]

    def _require_caption(self, listing: str) -> None:
        if self.needs_caption and not self.options.get("caption"):
            message = f"{{{self.name}}} {listing} has no caption: add `:caption:` and say what the file does"
            raise RecordError(message)

    def _included(self, listing: str) -> list[nodes.Node]:
        self.arguments[0] = f"/../examples/{listing}"
        self.options.setdefault("language", language_of(listing))
        self.options.setdefault("name", label_of(listing))
        included = super().run()
        for block in (block for node in included for block in node.findall(nodes.literal_block)):
            block.rawsource = block.rawsource.rstrip()  # an excerpt may end in blank lines
            block[:] = [nodes.Text(block.rawsource)]
        return included

    def _answer(self, file: Path) -> list[nodes.Node]:
        """Return the answer that a refused listing got, under a line that says whose it is."""
        if not is_refused(self.arguments[0]):
            return []
        text = refusal_path(file).read_text(encoding="utf-8").rstrip()
        speaker = f"{self.options.get('answered-by', 'The API server')} answers"
        return [
            nodes.paragraph(speaker, speaker, classes=["answer"]),
            nodes.literal_block(text, text, language="text", classes=["refusal"]),
        ]

    def _note_sources(self, file: Path, listing: str) -> None:
        """Have the page read again when the answer or the chapter's records change."""
        records = root_of(self.env) / "records" / f"{Path(listing).parts[0]}.json"
        for source in (file, refusal_path(file), records):
            if source.exists():
                self.env.note_dependency(source)

    def _fault(self, sentence: str) -> nodes.Node:
        """Report a fault, in every build until it is gone, and return it for the page."""
        logger.warning("%s", sentence, location=self.get_location(), type="listing")
        self.env.note_reread()
        return nodes.warning("", nodes.paragraph(sentence, sentence))


class Transcript(Listing):
    """Recorded commands and what they printed; the caption, and so a number, is optional."""

    kind = "transcript"
    needs_caption = False


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add both directives."""
    app.setup_extension("extensions.stamp")
    app.add_directive("listing", Listing)
    app.add_directive("transcript", Transcript)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
