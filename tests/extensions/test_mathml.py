"""Formulas are MathML, with number and link; one that cannot be translated is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.extensions.conftest import Site


@pytest.mark.parametrize(("builder", "suffix"), [("html", "html"), ("epub", "xhtml")])
def test_formulas_are_drawn_by_the_reader_itself(
    site: Callable[[str], Site], builder: str, suffix: str
) -> None:
    book = site("formulas")
    assert book.build(builder) == ""
    page = book.output(f"{builder}/index.{suffix}")
    assert page.count("<math ") == 2
    assert 'id="equation-eq-wait"' in page
    assert '<span class="eqno">(1)' in page
    assert "mathjax" not in page.lower()


def test_a_formula_carries_its_source_into_the_twin(site: Callable[[str], Site]) -> None:
    book = site("formulas")
    assert book.build() == ""
    assert r'<math alttext="t_\text{first}" ' in book.output("html/index.html")
    twin = book.output("html/index.md")
    assert r"In a line, $t_\text{first}$ is short." in twin
    assert r"$$t_\text{first} = t_\text{queue} + \frac{n}{r}$$" in twin


def test_a_formula_that_cannot_be_translated_is_named_with_its_line(site: Callable[[str], Site]) -> None:
    book = site("formulas")
    book.edit("source/index.md", r"\frac{n}{r}", r"\nosuchcommand{n}")
    warning = book.build("html")
    assert "source/index.md:5: WARNING" in warning
    assert "nosuchcommand" in warning
