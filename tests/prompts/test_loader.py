from __future__ import annotations

import re
from importlib import resources
from string import Template

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.errors import RunStops
from fanno_core.prompts.loader import fence_mark, load_prompt

NAMES = sorted(f.name.removesuffix(".txt") for f in resources.files("fanno_core.prompts").iterdir() if ".txt" in f.name)
SHARED_FIRST = [name for name in NAMES if "$document" in load_prompt(name).template]


def placeholders(name: str) -> list[str]:
    return [key for key in Template(load_prompt(name).template).get_identifiers() if key != "fence"]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_and_an_unused_name_are_refused(name: str) -> None:
    values = dict.fromkeys(placeholders(name), "x")
    assert "$" not in load_prompt(name).render(values)
    with pytest.raises(RunStops, match=f"{name}.txt"):
        load_prompt(name).render({**values, "unknown": "x"})
    with pytest.raises(RunStops, match=f"{name}.txt"):
        load_prompt(name).render(dict(list(values.items())[1:]))


@pytest.mark.parametrize("name", SHARED_FIRST)
def test_the_document_comes_before_all_that_varies(name: str) -> None:
    template = load_prompt(name).template
    others = [template.index(f"${key}") for key in placeholders(name) if key not in {"document", "retrieved"}]
    assert template.index("$document") < min(others, default=len(template))


def test_prompts_over_one_document_share_their_beginning() -> None:
    rendered = [
        load_prompt(name).render({"document": "words " * 200}) for name in NAMES if name.startswith("document_")
    ]
    assert len(rendered) == 3
    end = rendered[0].index(">>")
    assert len({text[:end] for text in rendered}) == 1


@given(st.text(max_size=200))
def test_no_document_closes_its_own_fence(document: str) -> None:
    values = {"document": document}
    mark = fence_mark(values)
    assert mark not in document
    text = load_prompt("document_quality").render(values)
    assert len(re.findall(rf"^<<{mark}$", text, re.MULTILINE)) == 1
    assert len(re.findall(rf"^{mark}>>$", text, re.MULTILINE)) == 1


def test_values_are_never_searched_for_placeholders() -> None:
    text = load_prompt("document_quality").render({"document": "costs $fence and $document"})
    assert "costs $fence and $document" in text


def test_a_prompt_that_is_not_there_is_refused() -> None:
    with pytest.raises(RunStops, match="no prompt file nothing"):
        load_prompt("nothing")


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_before_a_fence_is_the_same_for_every_document(name: str) -> None:
    before, fence, _ = load_prompt(name).template.partition("<<$fence")
    assert not fence or "$" not in before, "a server's prefix cache serves it once for all documents"
