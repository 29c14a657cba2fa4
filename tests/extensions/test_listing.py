"""The directives {listing} and {transcript}, and the stamp, in each edition."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from extensions.stamp import claim, make_stamp, newest, unusual
from lab.edition import versions
from proofs.records import Record, load_records, write_records
from tests.extensions.conftest import Site, visible

CHAPTER = "source/02-first.md"
POOL = "examples/02-first/pool.yaml"
NO_PORT = "02-first/refused/no-port.yaml"
RECORD = "records/02-first/pool.yaml.json"
STAMP = "Ran on kind · 2026-11-25"


@pytest.fixture
def book(site: Callable[[str], Site]) -> Site:
    """Return the small book with all kinds of listings."""
    return site("listings")


@pytest.fixture
def shown(built: Callable[[str], Site]) -> Site:
    """Return the same book, built as HTML, to look at only."""
    return built("listings")


@pytest.mark.parametrize("builder", ["html", "epub", "latex", "text"])
def test_every_edition_builds_without_a_warning(book: Site, builder: str) -> None:
    assert book.build(builder) == ""


def test_a_listing_shows_file_caption_number_and_stamp(shown: Site) -> None:
    page = visible(shown.output("html/02-first.html"))
    assert "Listing 2.1 A pool" in page
    assert "kind: InferencePool\nmetadata:" in page
    assert "---\nkind: Service" in page
    assert f"{POOL} · {STAMP}" in page


def test_the_stamp_names_the_newest_router_and_links_to_the_record(shown: Site) -> None:
    page = shown.output("html/02-first.html")
    assert 'href="p-verification-record.html#record-02-first-pool-yaml"' in page
    assert 'id="record-02-first-pool-yaml"' in shown.output("html/p-verification-record.html")
    assert "v0.7.1" not in page


def test_a_stamp_of_another_cluster_names_it() -> None:
    record = Record("a.yaml", "", "ran", {}, (), ({"cluster": "openshift 4.20", "date": "2026-11-25"},))
    assert claim(record, newest(record)) == "Ran on openshift · 2026-11-25"


def test_a_stamp_names_only_versions_that_are_not_the_editions() -> None:
    pins = versions()
    environment = {"date": "2026-11-25", "router": "v0.1.0", "simulator": pins["simulator"]}
    record = Record("a.yaml", "", "ran", {}, (), ({**environment, "for envoy": pins["envoy"]},))
    assert claim(record, unusual(newest(record))) == "Ran on kind · 2026-11-25 · router v0.1.0"


def test_a_stamp_leaves_the_version_of_python_to_the_record() -> None:
    environment = {"date": "2026-11-25", "python": "3.11"}
    record = Record("a.py", "", "computed", {}, (), (environment,))
    assert make_stamp("a.py", record).astext() == "examples/a.py · Computed and tested · 2026-11-25"
    assert claim(record, unusual(environment)).endswith("· Python 3.11")


def test_what_a_listing_is_written_for_comes_last() -> None:
    environment = {"date": "2026-11-25", "for kubernetes": "v1.36.1", "python": "3.13", "zlib": "1.3"}
    record = Record("a.py", "", "computed", {}, (), (environment,))
    assert claim(record, environment) == (
        "Computed and tested · 2026-11-25 · Python 3.13 · zlib 1.3 · for Kubernetes v1.36.1"
    )


def test_a_listing_is_downloaded_with_its_own_bytes(shown: Site) -> None:
    link = re.search(r'<a class="reference download[^>]+href="([^"]+)"', shown.output("html/02-first.html"))
    assert link
    assert shown.output(f"html/{link[1]}") == shown.output(POOL)


def test_lines_are_emphasized(shown: Site) -> None:
    assert '<span class="hll"><span class="nt">metadata' in shown.output("html/02-first.html")


def test_a_label_made_from_the_path_is_referred_to(shown: Site) -> None:
    assert "See Listing 2.1." in visible(shown.output("html/02-first.html"))


def test_an_excerpt_says_that_it_is_one(book: Site) -> None:
    book.build("text")
    page = book.output("text/02-first.txt")
    assert f'Excerpt of "{POOL}" · Ran on kind' in " ".join(page.split())


def test_an_excerpt_ends_with_its_last_line_of_code(book: Site) -> None:
    book.edit(POOL, "  name: demo\n", "  name: demo\n\n\n")
    book.prove()
    book.build()
    page = book.output("html/02-first.html")
    assert re.search(r"demo</span>\n\n\n.*spec", page)  # the whole listing keeps them
    assert re.search(r'demo</span>\n<span class="c c-Cut">  …</span>\n</pre>', page)


def test_a_refused_listing_shows_the_answer(shown: Site) -> None:
    page = visible(shown.output("html/02-first.html"))
    assert re.search(r"The API server answers\s+spec.targetPorts: Required value", page)
    assert "no-port.yaml · Refused, as printed · 2026-11-25" in page


def test_another_program_can_be_the_one_that_answered(book: Site) -> None:
    records = load_records(book.root)
    records[NO_PORT] = replace(records[NO_PORT], answered_by="Envoy", seal="")
    write_records(book.root, records)
    assert book.build() == ""
    assert "Envoy answers" in visible(book.output("html/02-first.html"))


def test_a_transcript_is_highlighted_as_a_console_without_a_caption(shown: Site) -> None:
    page = shown.output("html/02-first.html")
    assert re.search(r'<div class="transcript[^>]+>\s*<div class="highlight-console', page)
    assert "chat.console · Ran on kind" in visible(page)


def test_print_gets_path_and_stamp_in_a_command(book: Site) -> None:
    book.build("latex")
    tex = book.output("latex/small.tex")
    assert tex.count(r"\bookstamp{") == 4
    assert r"\sphinxupquote{examples/02\sphinxhyphen{}first/pool.yaml}}" in tex
    assert tex.count(r"\begin{sphinxuseclass}{listing}") == 3
    assert tex.count(r"\begin{sphinxuseclass}{refused}") == 1
    assert tex.count(r"\begin{sphinxuseclass}{transcript}") == 1


def test_a_changed_record_renews_the_page(book: Site) -> None:
    book.build()
    (book.root / RECORD).unlink()
    book.edit(POOL, "name: demo", "name: other")
    book.prove()
    assert book.build() == ""
    assert "name: other" in visible(book.output("html/02-first.html"))


def without_caption(book: Site) -> None:
    book.edit(CHAPTER, ":caption: A pool\n", "")


def missing_file(book: Site) -> None:
    book.edit(CHAPTER, "pool.yaml\n:caption: A pool\n", "gone.yaml\n:caption: A pool\n")


def no_record(book: Site) -> None:
    (book.root / RECORD).unlink()


def edited_file(book: Site) -> None:
    book.edit(POOL, "8000", "8001")


def edited_answer(book: Site) -> None:
    book.edit("examples/02-first/refused/no-port.refusal", "Required", "Needed")


def edited_record(book: Site) -> None:
    book.edit(RECORD, "2026-11-25", "2026-12-24")


def unreadable_record(book: Site) -> None:
    book.edit(RECORD, "{", "[")


FAULTS: dict[Callable[[Site], None], list[str]] = {
    without_caption: ["02-first/pool.yaml has no caption", "add `:caption:`"],
    missing_file: ["examples/02-first/gone.yaml does not exist"],
    no_record: ["examples/02-first/pool.yaml has no record", "nox -s examples"],
    edited_file: ["examples/02-first/pool.yaml was edited after its proof", "nox -s examples"],
    edited_answer: ["no-port.refusal was edited after the proof", "nox -s examples"],
    edited_record: [f"{RECORD} was edited by hand", "nox -s"],
    unreadable_record: [f"{RECORD}, line 2: Expecting", "restore the file"],
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.__name__))
def test_what_is_not_proved_is_a_warning_in_every_build_until_it_is(
    book: Site, fault: Callable[[Site], None]
) -> None:
    fault(book)
    for _ in range(2):
        warnings = book.build("dummy")
        for words in FAULTS[fault]:
            assert words in warnings
    assert "02-first.md:" in warnings
