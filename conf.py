"""Sphinx configuration of the book: only what differs from Sphinx's own values."""

from __future__ import annotations

import os
import sys
import tomllib
from datetime import UTC, datetime, time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parent
EDITION = tomllib.loads((ROOT / "edition.toml").read_text(encoding="utf-8"))
sys.path.insert(0, str(ROOT))  # for `extensions`
from extensions.lab_archive import ADDRESS as LAB_ARCHIVE  # noqa: E402 - found by the line above

# The same inputs give the same book, whatever the clock says.
PUBLISHED = datetime.combine(EDITION["book"]["date"], time(), UTC)
os.environ.setdefault("SOURCE_DATE_EPOCH", str(int(PUBLISHED.timestamp())))

# -- Project: https://www.sphinx-doc.org/en/master/usage/configuration.html#project-information

project = EDITION["book"]["title"]
author = "the Life with llm-d authors"
project_copyright = f"{EDITION['book']['date']:%Y}, {author}"
version = release = EDITION["book"]["edition"]
today = f"{PUBLISHED:%-d %B %Y}"

# -- General: https://www.sphinx-doc.org/en/master/usage/configuration.html#general-configuration

extensions = [
    "extensions.alt_text",
    "extensions.bundle",
    "extensions.callouts",
    "extensions.chapter_numbers",
    "extensions.citations",
    "extensions.downloads",
    "extensions.drawings",
    "extensions.epub_edition",
    "extensions.index_page",
    "extensions.lab_archive",
    "extensions.listing",
    "extensions.markdown_twin",
    "extensions.mathml",
    "extensions.numbered_references",
    "extensions.planned",
    "extensions.plots",
    "extensions.print_edition",
    "extensions.reference",
    "extensions.screens",
    "extensions.screenshot",
    "extensions.site_map",
    "extensions.skeletons",
    "extensions.stamp_legend",
    "extensions.standfirst",
    "extensions.verification_record",
    "myst_parser",
    "notfound.extension",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
    "sphinxext.opengraph",
]
nitpicky = True
templates_path = ["_templates"]
pygments_style = "a11y-high-contrast-light"  # of PDF and EPUB
numfig = True
numfig_format = {"code-block": "Listing %s", "figure": "Figure %s", "table": "Table %s"}

# -- MyST: https://myst-parser.readthedocs.io/en/latest/configuration.html

myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist", "substitution"]
myst_heading_anchors = 3
# {{ v_router }} in prose is the router's version in edition.toml.
myst_substitutions = {"copyright": project_copyright}
myst_substitutions |= {
    f"v_{name.replace('-', '_')}": version for name, version in EDITION["versions"].items()
}

# -- Diagrams: extensions/drawings.py shows drawings, so no page needs Mermaid's script, from elsewhere

mermaid_output_format = "svg"

# -- Bibliography: https://sphinxcontrib-bibtex.readthedocs.io/en/latest/usage.html#configuration

bibtex_bibfiles = ["source/references.bib"]
bibtex_default_style = "plain"

# -- Copy buttons: https://sphinx-copybutton.readthedocs.io/en/latest/use.html

copybutton_prompt_text = r"\$ |> "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .c-Cut"  # numbers, and the marks of excerpts

# -- HTML: https://www.sphinx-doc.org/en/master/usage/configuration.html#options-for-html-output
#    and https://sphinx-book-theme.readthedocs.io/en/stable/reference/options.html

html_theme = "sphinx_book_theme"
html_title = project
html_baseurl = EDITION["book"]["address"]
html_static_path = ["_static"]
html_math_renderer = "mathml"
html_css_files = ["fonts/fonts.css", "book.css", "drawings.css"]
html_favicon = "_static/favicon.svg"
html_copy_source = False
html_show_sphinx = False
html_context = {
    "default_mode": "auto",  # light or dark as the reader's system is, until one is chosen
    "repository": EDITION["book"]["repository"],
}
html_theme_options = {
    "article_footer_items": ["stamp-legend", "page-downloads"],
    "footer_content_items": ["copyright", "book-footer"],
    "home_page_in_toc": True,
    "navbar_persistent": [],  # else a second search field stands above the page
    "pygments_dark_style": "a11y-high-contrast-dark",
    "pygments_light_style": "a11y-high-contrast-light",
    "secondary_sidebar_items": ["page-downloads", "page-toc"],
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
}

# -- Addresses of pages: a missing one, previews elsewhere
#    https://sphinx-notfound-page.readthedocs.io, https://sphinxext-opengraph.readthedocs.io

notfound_template = "not-found.html"
notfound_urls_prefix = urlsplit(html_baseurl).path  # the page is seen at any address
ogp_image = "_static/cover.png"
ogp_site_url = html_baseurl
ogp_social_cards = {"enable": False}  # the cover is the picture

# -- EPUB: https://www.sphinx-doc.org/en/master/usage/configuration.html#options-for-epub-output

epub_cover = ("_static/cover.png", "epub-cover.html")
epub_basename = "life-with-llm-d"
epub_contributor = author
epub_css_files = ["drawings.css"]  # _static/epub.css takes the place of the theme's
epub_description = EDITION["book"]["subtitle"]
epub_identifier = epub_uid = "life-with-llm-d"  # both, or the table of contents names another book
epub_scheme = "ID"
epub_show_urls = "no"
epub_tocdup = False

# -- PDF: https://www.sphinx-doc.org/en/master/usage/configuration.html#options-for-latex-output
#    The look is latex/lwbook.sty.

latex_engine = "lualatex"
latex_docclass = {"manual": "book"}  # Sphinx's own builds on report, without \backmatter
latex_documents = [("index", "life-with-llm-d.tex", project, author, "manual", False)]
latex_toplevel_sectioning = "chapter"
latex_additional_files = [
    "_static/cover.png",
    "latex/lwbook.lua",
    "latex/lwbook.sty",
    *sorted(str(font.relative_to(ROOT)) for font in (ROOT / "latex" / "fonts").glob("*.[ot]tf")),
]
latex_elements = {
    "papersize": "",
    "pointsize": "10pt",
    "extraclassoptions": "openright,twoside",
    "geometry": r"\usepackage[paperwidth=7in,paperheight=10in,inner=0.95in,outer=0.8in,top=0.85in,"
    r"bottom=0.85in,headheight=14pt,headsep=18pt,footskip=30pt]{geometry}",
    "babel": r"\usepackage[english]{babel}",
    "fontpkg": "",
    "fncychap": "",
    "maxlistdepth": "6",
    "preamble": rf"""
\usepackage{{lwbook}}
\usepackage{{embedfile}}
\embedfile[mimetype=application/zip,desc={{The lab and all listings}}]{{{Path(LAB_ARCHIVE).name}}}
\renewcommand{{\booksubtitle}}{{{EDITION["book"]["subtitle"]}}}
\renewcommand{{\bookedition}}{{Edition {release}, {today}}}
\renewcommand{{\bookcopyright}}{{{project_copyright}}}
\renewcommand{{\bookpins}}{{{", ".join(f"{name}~{pin}" for name, pin in EDITION["versions"].items())}}}
\hypersetup{{pdfkeywords={{llm-d, Kubernetes, OpenShift, LLM inference}},
  pdfcreationdate={{D:{PUBLISHED:%Y%m%d}000000Z}},pdfmoddate={{D:{PUBLISHED:%Y%m%d}000000Z}}}}
""",
    "makeindex": r"\usepackage{makeidx}\makeindex",
    "printindex": r"\footnotesize\raggedright\printindex",
    "maketitle": r"\bookmaketitle",
    "tableofcontents": r"{\hypersetup{linkcolor=bookink}\pagestyle{normal}\sphinxtableofcontents}",
}
latex_show_urls = "footnote"
latex_table_style = ["booktabs"]
latex_use_xindy = False
