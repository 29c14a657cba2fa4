"""Formulas as MathML, which browsers and e-readers draw themselves: no script, no font, no request.

A formula that docutils cannot translate is a warning with its chapter and line, which ends
a strict build.
"""

from __future__ import annotations

import html

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line."""
    translator.body.append(_mathml(node, as_block=False))
    raise nodes.SkipNode


def visit_display(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula that is a block, with its number."""
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append(f"{_mathml(node, as_block=True)}</div>\n")
    raise nodes.SkipNode


def _mathml(node: nodes.math | nodes.math_block, *, as_block: bool) -> str:
    formula = node.astext()
    try:
        drawn = str(tex2mathml(formula, as_block=as_block))
    except MathError as error:
        logger.warning("%s; write the formula otherwise: %s", error, formula, location=node, type="mathml")
        return f"<code>{html.escape(formula)}</code>"
    # The source goes along, for the Markdown twin and for readers who copy the formula.
    return drawn.replace("<math ", f'<math alttext="{html.escape(formula.strip())}" ', 1)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the renderer; conf.py chooses it with html_math_renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
