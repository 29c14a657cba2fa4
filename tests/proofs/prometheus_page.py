"""The graph of Prometheus as a picture that can be read in print, for proofs of every chapter."""

from __future__ import annotations

from playwright.sync_api import Page

#: CSS pixels of a picture; the height is cut below the legend.
SIZE = (720, 770)
#: What leaves the query, the graph and its legend, in large letters.
PLAIN = """
.navbar, .query-history, .query_form .col-lg-2, .query_form .form-inline, [name=remove], .nav-tabs,
.graph_container > .clearfix {display: none !important}
body {padding-top: 12px !important}
.query_form .col-lg-10 {flex: 0 0 100%; max-width: 100%}
textarea {font-size: 15px !important; height: 4em !important}
.tab-content, .graph_container {border: 0 !important}
.x_tick .title, .y_ticks text {font-size: 15px !important; opacity: 1 !important; fill: #222; color: #222}
.legend {background: white !important; font-size: 15px !important}
.legend * {color: #222 !important; text-shadow: none !important}
"""


def go_to_the_graph(page: Page, query: str) -> None:
    """Show the query as readers type it, and the graph down to its legend."""
    legend = page.locator(".legend").first
    legend.wait_for(state="visible")
    page.add_style_tag(content=PLAIN)
    page.locator("textarea").first.evaluate("(box, query) => { box.value = query; box.blur() }", query)
    box = legend.bounding_box()
    assert box
    page.set_viewport_size({"width": SIZE[0], "height": round(box["y"] + box["height"])})
