"""List all pages for machines: `sitemap.xml` for search engines, `llms.txt` for language models.

sitemap.xml: https://www.sitemaps.org/protocol.html, with the address in `html_baseurl`. The
extension sphinx-sitemap 2.9 would leave only the pages in it that the last build wrote, and
`nox -s docs` writes those that have changed.
llms.txt: https://llmstxt.org, with the Markdown twin of each page (extensions/markdown_twin.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from xml.sax.saxutils import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from extensions.downloads import BOOK
from extensions.parts import pages_by_part

SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{pages}
</urlset>
"""
LLMS = """# {title}

> {description}

{introduction}

{parts}
"""


def write_maps(app: Sphinx, error: Exception | None) -> None:
    """Write both files at the end of a good build of HTML."""
    if error or app.builder.name != "html":
        return
    if app.config.html_baseurl:
        (app.outdir / "sitemap.xml").write_text(_sitemap(app), encoding="utf-8")
    (app.outdir / "llms.txt").write_text(_llms(app), encoding="utf-8")


def _sitemap(app: Sphinx) -> str:
    pages = [app.builder.get_target_uri(page) for page in sorted(app.env.found_docs)]
    addresses = (escape(f"{app.config.html_baseurl}{page}") for page in pages)
    return SITEMAP.format(pages="\n".join(f"  <url><loc>{address}</loc></url>" for address in addresses))


def _llms(app: Sphinx) -> str:
    parts = {title: [*_entries(app.env, pages)] for title, pages in pages_by_part(app.env).items()}
    optional = [*parts.pop("", ()), *(f"- [{what}, {kind}]({name})" for what, kind, name in BOOK)]
    listed = {**parts, "Optional": optional}
    home = (app.outdir / f"{app.config.root_doc}.md").read_text(encoding="utf-8")
    return LLMS.format(
        title=app.config.project,
        description=app.config.epub_description,
        introduction=home.split("\n\n")[1].strip(),  # what follows the title
        parts="\n\n".join("\n".join([f"## {title}", "", *lines]) for title, lines in listed.items()),
    )


def _entries(env: BuildEnvironment, pages: Iterable[str]) -> Iterator[str]:
    """Yield the lines of those pages that have a source."""
    return (_entry(env, page) for page in pages if page in env.found_docs)


def _entry(env: BuildEnvironment, page: str) -> str:
    """Return the line of a page: number and title, then what its sections are about."""
    number = ".".join(map(str, env.toc_secnumbers.get(page, {}).get("", ())))
    title = f"{number}. {env.titles[page].astext()}" if number else env.titles[page].astext()
    sections = "; ".join(_sections(env.tocs[page]))
    return f"- [{title}]({page}.md)" + (f": {sections}" if sections else "")


def _sections(contents: nodes.bullet_list) -> Iterator[str]:
    """Yield the titles of the sections right below a page's own title."""
    lists = chain.from_iterable(item.findall(nodes.bullet_list) for item in contents.children)
    below = next(lists, None)
    for item in below.children if below else ():
        yield next(item.findall(nodes.reference)).astext()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to the end of the build."""
    app.connect("build-finished", write_maps)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
