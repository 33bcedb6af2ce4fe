from collections import Counter
from string import Template

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.instructions.tags import Tags, form_rules, tag_pool, tags_for
from fanno_core.prompts.loader import load_prompt

AXES = ("characteristic", "task_type", "form")


def counts(chosen: tuple[Tags, ...], axis: str) -> Counter[str]:
    found = Counter({getattr(tags, axis).key: 0 for tags in tag_pool()})
    found.update(getattr(tags, axis).key for tags in chosen)
    return found


def keys(tags: Tags) -> tuple[str, ...]:
    return tuple(getattr(tags, axis).key for axis in AXES)


@pytest.fixture(scope="module")
def place() -> dict[tuple[str, ...], int]:
    return {keys(tags): n for n, tags in enumerate(tag_pool())}


def test_pool_is_in_the_published_order():
    pool = [keys(tags) for tags in tag_pool()]
    assert len(set(pool)) == len(pool) == 96
    assert pool[0] == ("multi-step", "natural-language-inference", "imperative")
    assert pool[1] == ("multi-step", "natural-language-inference", "interrogative")
    assert pool[2] == ("multi-step", "commonsense", "imperative")
    assert pool[24] == ("critical-thinking", "natural-language-inference", "imperative")
    assert pool[95] == ("interdisciplinary", "mathematics", "interrogative")


def test_values_are_the_placeholders_of_the_seed_prompt():
    template = Template(load_prompt("seed_instruction").template)
    wanted = set(template.get_identifiers()) - {"fence", "document"}
    for tags in tag_pool():
        assert set(tags.values()) == wanted
        load_prompt("seed_instruction").render({**tags.values(), "document": "Bees dance."})


def test_descriptions_are_one_sentence_each():
    for tags in tag_pool():
        for axis in AXES:
            description = getattr(tags, axis).description
            assert description.endswith(".")
            assert ". " not in description.replace("... ", "")


def test_form_rules_name_every_form():
    rules = form_rules()
    assert list(rules) == ["imperative", "interrogative"]
    assert rules["imperative"].startswith("It is an imperative, such as ")
    assert rules["interrogative"].startswith("It is a question, such as ")


@given(st.text(max_size=20), st.integers(1, 96), st.integers(0, 5))
def test_sample_is_balanced_ordered_and_repeatable(
    place: dict[tuple[str, ...], int], document_id: str, count: int, seed: int
):
    chosen = tags_for(document_id, count, seed)
    assert chosen == tags_for(document_id, count, seed)
    places = [place[keys(tags)] for tags in chosen]
    assert len(places) == count
    assert places == sorted(set(places))
    for axis in AXES:
        found = counts(chosen, axis).values()
        assert max(found) - min(found) <= 1


@pytest.mark.parametrize("count", [1, 5, 13])
def test_every_combination_comes_equally_often_over_many_documents(count: int):
    documents = 9_600 // count
    found = Counter(keys(tags) for n in range(documents) for tags in tags_for(f"doc-{n}", count, 42))
    # 100 draws of each are expected; five standard deviations of a binomial count are 50
    assert len(found) == 96
    assert all(50 <= n <= 150 for n in found.values())


def test_seed_and_document_change_the_sample():
    assert tags_for("a", 12, 1) != tags_for("a", 12, 2)
    assert tags_for("a", 12, 1) != tags_for("b", 12, 1)
    assert tags_for("a", 96, 1) == tag_pool()
