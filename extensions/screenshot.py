"""The directive `{screenshot}`: a picture of a running program's page that a proof took.

    ```{screenshot} 13-monitoring/epp-metrics.png
    :name: fig-epp-metrics
    :alt: Prometheus draws two lines; the upper one, the queue of the pool demo, rises to 40.
    :caption: The queue of the EPP while the load doubles, in Prometheus
    ```

A numbered figure with the stamp of its proof. A picture that nothing proves makes a
warning, which ends a strict build, and takes the stamp's place.
"""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.directives.patches import Figure
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata, OptionSpec

from extensions.proven import fault, proven, root_of
from extensions.stamp import make_stamp
from proofs.listings import label_of
from proofs.records import RecordError, record_files


class Screenshot(SphinxDirective, Figure):
    """A figure of a proved picture."""

    has_content = False
    option_spec: ClassVar[OptionSpec] = {
        "alt": directives.unchanged_required,
        "caption": directives.unchanged_required,
        "name": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Return the figure, with its stamp or what is wrong with its proof."""
        picture = self.arguments[0]
        for option in ("alt", "caption"):
            if not self.options.get(option):
                message = f"{{screenshot}} {picture} has no `:{option}:`: say what the picture shows"
                raise self.error(message)
        for source in record_files(root_of(self.env), picture):
            self.env.note_dependency(source)
        try:
            foot: nodes.Node = make_stamp(picture, proven(root_of(self.env), picture), is_excerpt=False)
        except RecordError as error:
            foot = fault(self, str(error))
        label = self.options.setdefault("name", label_of(picture))
        (figure,) = self._figure(picture)
        figure += nodes.legend("", foot)
        figure["classes"].append("screenshot")
        figure.update_all_atts({"listing": picture, "label": label})
        return [figure]

    def _figure(self, picture: str) -> list[nodes.Element]:
        self.arguments[0] = f"/../examples/{picture}"
        self.content = StringList([self.options.pop("caption")], source=self.get_source_info()[0])
        return [node for node in super().run() if isinstance(node, nodes.Element)]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive."""
    app.setup_extension("extensions.stamp")
    app.add_directive("screenshot", Screenshot)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
