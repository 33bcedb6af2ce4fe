"""What every method and selector of the tables keeps to; a new one is picked up from there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fanno_core
from fanno_core.errors import BadSettings
from fanno_core.methods.contract import Method
from fanno_core.methods.table import GENERATORS, TRANSFORMS, generator, transform
from fanno_core.prompts.loader import load_prompt
from fanno_core.selection.contract import Keep, keep_of
from fanno_core.selection.table import SELECTORS, selector
from fanno_core.tools import Options, options_of

DOCS = Path(fanno_core.__file__).parents[1] / "docs" / "methods"


def methods() -> list[Method]:
    """Every method of the tables."""
    generators: list[Method] = [generator(name) for name in GENERATORS]
    return [*generators, *(transform(name) for name in TRANSFORMS)]


def entries() -> Iterator[Any]:
    """Every entry of the tables, with where its page is."""
    for name in GENERATORS:
        yield pytest.param(generator(name), f"{name}.md", id=name)
    for name in TRANSFORMS:
        yield pytest.param(transform(name), f"{name}.md", id=name)
    for name in SELECTORS:
        yield pytest.param(selector(name), "", id=f"select {name}")


@pytest.mark.parametrize(("entry", "page"), [*entries()])
def test_an_entry_says_what_it_is_and_has_its_prompts_and_its_page(entry: Any, page: str) -> None:
    assert entry.name in {*GENERATORS, *TRANSFORMS, *SELECTORS}
    assert 10 < len(entry.meaning) <= 120
    assert "\n" not in entry.meaning
    assert entry.version >= 1
    for prompt in entry.prompts:
        assert load_prompt(prompt).template
    assert not page or (DOCS / page).is_file()


@pytest.mark.parametrize("entry", [each.values[0] for each in entries()], ids=lambda entry: entry.name)
def test_options_have_a_default_a_meaning_and_refuse_what_they_do_not_know(entry: Any) -> None:
    assert issubclass(entry.options, Options)
    for name, field in entry.options.model_fields.items():
        assert field.description, f"option {name} of {entry.name} has no meaning"
        assert not field.is_required(), f"option {name} of {entry.name} has no default"
    assert options_of(entry.options, entry.name, {}) == entry.options()
    with pytest.raises(BadSettings, match=rf"{re.escape(entry.name)} has no option no_such_option"):
        options_of(entry.options, entry.name, {"no_such_option": 1})


@pytest.mark.parametrize(("name", "package"), [("mosaic", "mosaics"), ("ruler", "rules")])
def test_the_sentences_of_a_method_are_in_its_wording(name: str, package: str) -> None:
    text = (Path(fanno_core.__file__).parent / "methods" / package / "wordings.toml").read_text(encoding="utf-8")
    assert transform(name).wording() == tomllib.loads(text)


def test_a_method_says_whether_it_needs_the_teacher_and_vectors() -> None:
    assert {method.name for method in methods() if not method.asks} == {"ruler"}
    assert {method.name for method in methods() if method.encodes} == {"magpie"}


def test_defaults_pass_the_check_but_for_a_student_that_nobody_named() -> None:
    for method in methods():
        if method.name != "selective-reflect":
            method.check(method.options())
    student = transform("selective-reflect")
    student.check(options_of(student.options, student.name, {"model": "some/student"}))
    with pytest.raises(BadSettings, match="needs a student"):
        student.check(student.options())


@pytest.mark.parametrize("name", SELECTORS)
def test_a_selector_keeps_something_where_nobody_says_how_much(name: str) -> None:
    assert str(keep_of(selector(name).keep))


def test_a_name_that_is_in_no_table_is_refused_with_those_that_are() -> None:
    for find, known in ((generator, "alpaca"), (transform, "mosaic"), (selector, "length")):
        with pytest.raises(BadSettings, match=known):
            find("no-such-method")


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("10%", Keep(share=0.1)),
        ("0.5 %", Keep(share=0.005)),
        ("100%", Keep(share=1)),
        ("500", Keep(rows=500)),
        (">=4.5", Keep(at_least=4.5)),
        (">= -2", Keep(at_least=-2)),
        (">=0.1234567", Keep(at_least=0.1234567)),
        (">=0.00001", Keep(at_least=0.00001)),
        (">=1234567", Keep(at_least=1234567)),
    ],
)
def test_how_much_is_kept_is_read_and_written_back(text: str, keep: Keep) -> None:
    assert keep_of(text) == keep
    assert keep_of(str(keep)) == keep


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "1.5", "ten", "> 3", ">=", "-5", "5%%", "1e3"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadSettings, match="--keep"):
        keep_of(text)


def test_a_share_is_rounded_down_and_rows_are_no_more_than_there_are() -> None:
    assert keep_of("5%").count(99) == 4
    assert keep_of("500").count(99) == 99
    assert keep_of(">=1").count(99) == 99
