"""The directives `{listing}` and `{transcript}`: a file of examples/ that a run has proved.

    ```{listing} 02-installation/inferencepool-demo.yaml
    :caption: The pool that the endpoint picker watches
    :emphasize-lines: 9-12
    ```

All options of Sphinx's `literalinclude` work. The label is the path with dashes for
slashes and dots; a second excerpt of one file needs another `:name:`. Where an excerpt
leaves out lines of its file, a line `…` says so (extensions/excerpt.py). A file that
nothing proves makes a warning, which ends a strict build, and takes the stamp's place.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.directives.code import LiteralInclude
from sphinx.util.typing import ExtensionMetadata

from extensions.excerpt import ExcerptReader, marked_lexer
from extensions.proven import fault, proven, root_of
from extensions.stamp import make_stamp
from proofs.listings import LANGUAGES, is_refused, label_of, language_of, refusal_path
from proofs.records import Record, RecordError, record_files


class Listing(LiteralInclude):
    """A file of examples/ with caption, number, label, and the stamp of its proof."""

    kind: ClassVar[str] = "listing"
    needs_caption: ClassVar[bool] = True
    most_cuts: ClassVar[int] = sys.maxsize

    def run(self) -> list[nodes.Node]:
        """Return the box: the file, the answer it got if it was refused, and the stamp."""
        listing = self.arguments[0]
        file = root_of(self.env) / "examples" / listing
        label = self.options.setdefault("name", label_of(listing))
        self._note_sources(listing)
        body, excerpt = self._included(listing) if file.is_file() else ([], None)
        try:
            self._require_caption(listing)
            self._require_few_cuts(listing, excerpt)
            record = proven(root_of(self.env), listing)
        except RecordError as error:
            foot = [fault(self, str(error))]
        else:
            is_excerpt = excerpt is not None and bool(excerpt.cuts)
            foot = [*self._answer(file, record), make_stamp(listing, record, is_excerpt=is_excerpt)]
        classes = [self.kind, "refused"] if is_refused(listing) else [self.kind]
        box = nodes.container("", *body, *foot, classes=classes, literal_block=False)
        box.update_all_atts({"listing": listing, "label": label if self.options.get("caption") else ""})
        return [box]

    def _require_caption(self, listing: str) -> None:
        if self.needs_caption and not self.options.get("caption"):
            message = f"{{{self.name}}} {listing} has no caption: add `:caption:` and say what the file does"
            raise RecordError(message)

    def _require_few_cuts(self, listing: str, excerpt: ExcerptReader | None) -> None:
        if excerpt and excerpt.cuts_between > self.most_cuts:
            message = (
                f"{{{self.name}}} {listing} is cut {excerpt.cuts_between} times in the middle: "
                "choose one range of lines, or two, in `:lines:`"
            )
            raise RecordError(message)

    def _included(self, listing: str) -> tuple[list[nodes.Node], ExcerptReader | None]:
        """Return the nodes of the file, with marks in its text, and what was read of it."""
        self.arguments[0] = f"/../examples/{listing}"
        self.options.setdefault("language", language_of(listing))
        included = super().run()
        block = next((block for node in included for block in node.findall(nodes.literal_block)), None)
        if block is None:
            return included, None  # but a warning, for instance of a text that the file lacks
        excerpt = ExcerptReader(block["source"], self.options, self.config)
        block.rawsource = excerpt.read(self.get_source_info())[0].rstrip()
        block[:] = [nodes.Text(block.rawsource)]
        arguments = block["highlight_args"]
        if "hl_lines" in arguments:
            arguments["hl_lines"] = [excerpt.moved(line) for line in arguments["hl_lines"]]
        if "linenostart" in arguments and 0 in excerpt.cuts:
            arguments["linenostart"] -= 1
        return included, excerpt

    def _answer(self, file: Path, record: Record) -> list[nodes.Node]:
        """Return the answer that a refused listing got, under a line that says whose it is."""
        if not is_refused(record.listing):
            return []
        text = refusal_path(file).read_text(encoding="utf-8").rstrip()
        speaker = f"{record.answered_by} answers"
        return [
            nodes.paragraph(speaker, speaker, classes=["answer"]),
            nodes.literal_block(text, text, language="text", classes=["refusal"]),
        ]

    def _note_sources(self, listing: str) -> None:
        """Have the page read again when the listing, its answer or its record changes."""
        for source in record_files(root_of(self.env), listing):
            self.env.note_dependency(source)


class Transcript(Listing):
    """Recorded commands and what they printed: without a caption or number, unless it has one."""

    kind = "transcript"
    needs_caption = False
    most_cuts = 1  # else no one could tell what was printed in one piece


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add both directives, and lexers that know the marks of excerpts."""
    app.setup_extension("extensions.stamp")
    for language in {*LANGUAGES.values(), "text"}:
        app.add_lexer(language, marked_lexer(language))
    app.add_directive("listing", Listing)
    app.add_directive("transcript", Transcript)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
