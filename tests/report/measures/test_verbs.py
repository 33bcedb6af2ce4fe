from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from fanno_core.report.measures.verbs import root_of, verbs_of
from fanno_core.report.measures.verbs.count import count_verbs
from fanno_core.report.numbers import VerbObject
from tests.report.measures import counted
from tests.report.measures.asked import HELD_OUT, SEEN


@pytest.mark.parametrize(("examples", "least"), [(SEEN, 0.98), (HELD_OUT, 0.95)])
def test_verb_and_object_are_those_that_a_person_reads(examples: list[tuple[str, str, str]], least: float) -> None:
    wrong = [(text, expected, root_of(text)) for text, *expected in examples if root_of(text) != tuple(expected)]
    assert len(wrong) <= (1 - least) * len(examples), wrong


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "!!!", '"', "```", "«quote»", "?", "1.", "🙂🙂", "What", "Using", "请写一首诗。", "Has"]
)
def test_odd_texts_have_no_verb(text: str) -> None:
    assert root_of(text) == ("", "")


def test_what_is_quoted_is_no_part_of_the_request() -> None:
    assert root_of('"Write a poem." Translate this sentence.') == ("translate", "sentence")


def test_the_most_frequent_verbs_come_first_with_four_objects_and_those_without() -> None:
    objects = ["story", "poem", "letter", "song", "speech"]
    texts = [f"Write a {thing}." for place, thing in enumerate(objects) for _ in range(5 - place)]
    texts += ["Explain how it works."] * 3 + ["What is it?"] * 9 + ["List the rivers."]
    shown, with_verb, verbs = verbs_of(texts)
    assert shown == (
        VerbObject("write", "story", 5),
        VerbObject("write", "poem", 4),
        VerbObject("write", "letter", 3),
        VerbObject("write", "song", 2),
        VerbObject("explain", "", 3),
        VerbObject("list", "river", 1),
    )
    assert (with_verb, verbs) == (15 + 3 + 1, 3)


def test_no_more_than_twenty_verbs() -> None:
    verbs = ["write", "list", "name", "give", "describe", "explain", "find", "make", "create", "sort", "rank", "draft"]
    verbs += ["edit", "plan", "solve", "draw", "cite", "count", "rate", "compare", "design"]
    texts = [f"{verb.capitalize()} the {thing}." for verb in verbs for thing in ("rivers", "towns")]
    texts.append("Rate the town.")
    shown, with_verb, different = verbs_of(texts)
    by_verb = Counter(each.verb for each in shown)
    assert len(verbs) == different == 21
    assert len(by_verb) == 20
    assert shown[0] == VerbObject("rate", "town", 2)
    assert "write" not in by_verb  # the last of the alphabet among equals
    assert with_verb == len(texts)


@pytest.mark.parametrize(("examples", "least"), [(counted.SEEN, 0.9), (counted.HELD_OUT, 0.9)])
def test_as_many_verbs_as_a_person_counts(examples: list[tuple[str, int]], least: float) -> None:
    wrong = [(text, expected, count_verbs(text)) for text, expected in examples if count_verbs(text) != expected]
    assert len(wrong) <= (1 - least) * len(examples) + 1e-9, wrong


def test_threads_that_ask_at_once_read_the_same() -> None:
    texts = [text for text, *_ in SEEN + HELD_OUT]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(root_of, texts * 4)) == [root_of(text) for text in texts] * 4


def test_ten_thousand_take_seconds() -> None:
    texts = [f"{text[:-1]} {number}{text[-1]}" for number in range(90) for text, *_ in SEEN + HELD_OUT]
    root_of("Write a poem.")  # loads the lexicon
    started = time.process_time()
    verbs_of(texts)
    assert len(texts) > 10_000
    assert time.process_time() - started < 8  # 2 s where it was measured
