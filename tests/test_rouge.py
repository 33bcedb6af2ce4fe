from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.rouge import RougePool, largest_rouge_l, rouge_l, rouge_l_table, tokens_of
from tests.shared_data import shared_rows


def by_hand(one: list[str], other: list[str]) -> float:
    """ROUGE-L F by the textbook's table."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            table[i][j] = table[i - 1][j - 1] + 1 if a == b else max(table[i - 1][j], table[i][j - 1])
    common = table[-1][-1]
    if not common:
        return 0.0
    precision, recall = common / len(other), common / len(one)
    return 2 * precision * recall / (precision + recall)


def drawn(seed: int, count: int, longest: int) -> list[list[str]]:
    rng = random.Random(seed)
    return [rng.choices(["the", "cat", "sat", "on", "a", "mat", *map(str, range(400))][: rng.choice((3, 12, 400))],
                        k=rng.randint(0, longest)) for _ in range(count)]  # fmt: skip


def test_equals_the_textbook_to_the_last_bit() -> None:
    texts, others = drawn(1, 40, 30), drawn(2, 50, 200)
    table = rouge_l_table(texts, others)
    assert table.shape == (40, 50)
    for i, one in enumerate(texts):
        for j, other in enumerate(others):
            assert table[i, j] == by_hand(one, other)


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ("the cat sat", "the cat sat", 1.0),
        ("The CAT, sat!", "the cat sat", 1.0),
        ("the cat sat", "the dog sat down", 4 / 7),
        ("a b c", "c b a", 1 / 3),
        ("testing one two", "testing", 0.5),
        ("", "", 0.0),
        ("one", "", 0.0),
        ("один два", "один два", 0.0),
    ],
)
def test_known_pairs(one: str, other: str, score: float) -> None:
    assert rouge_l(tokens_of(one), tokens_of(other)) == pytest.approx(score, abs=1e-15)


def test_tokens_are_those_of_rouge_score() -> None:
    assert tokens_of("Don't re-use foo_bar: 3.5 km/h, naïve ÅB") == [
        "don", "t", "re", "use", "foo", "bar", "3", "5", "km", "h", "na", "ve", "b",
    ]  # fmt: skip


def test_the_largest_leaves_out_the_text_itself_but_not_its_double() -> None:
    texts = [tokens_of(text) for text in ("a b c d", "a b x y", "q r s", "a b c d")]
    assert largest_rouge_l(texts) == pytest.approx([1.0, 0.5, 0.0, 1.0])
    assert largest_rouge_l(texts[:1]) == pytest.approx([0.0])
    assert largest_rouge_l([]).shape == (0,)


def test_the_largest_of_each_is_exact() -> None:
    texts = drawn(3, 90, 25)
    for row, (text, largest) in enumerate(zip(texts, largest_rouge_l(texts), strict=True)):
        assert largest == max(by_hand(text, other) for place, other in enumerate(texts) if place != row)


def test_equals_what_self_instruct_recorded_with_rouge_score() -> None:
    """Accepted in order against 175 seeds and what was accepted before, as Self-Instruct does."""
    pool = [tokens_of(row["instruction"]) for row in shared_rows("self_instruct_seed_tasks.jsonl")]
    recorded = shared_rows("golden/self_instruct_rouge_stream.jsonl")
    for row in recorded:
        tokens = tokens_of(row["instruction"])
        scores = rouge_l_table([tokens], pool)[0]
        assert scores.max() == row["max_rougeL"]
        assert int(scores.argmax()) == row["argmax"]
        assert scores.mean() == pytest.approx(row["mean_rougeL"], rel=1e-12)
        assert (scores.max() < 0.7) == row["kept"]
        if row["kept"]:
            pool.append(tokens)
    assert sum(not row["kept"] for row in recorded) == 71


def test_equals_rouge_score_to_the_last_bit() -> None:
    """The package itself, where it is installed: it is a copy of its formula that the other tests compare with."""
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"], use_stemmer=False)
    texts = [" ".join(words) for words in drawn(4, 40, 30)] + ["", "Don't re-use naïve ÅB", "один два"]
    pool = RougePool(texts)
    for text in texts:
        scores = [scorer.score(other, text)["rougeL"].fmeasure for other in texts]
        assert [rouge_l(tokens_of(text), tokens_of(other)) for other in texts] == scores
        assert pool.largest(text) == (max(scores), scores.index(max(scores)))


class TestPool:
    @pytest.mark.parametrize("compared", [1, 7, 256])
    def test_finds_the_largest_and_its_first_place(self, compared: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """In blocks of any size, so that where the search stops decides nothing."""
        monkeypatch.setattr("fanno_core.rouge.COMPARED", compared)
        texts = drawn(5, 120, 12) + drawn(6, 10, 80)
        pool = RougePool(" ".join(words) for words in texts)
        for words in drawn(7, 60, 15) + texts[:20]:
            scores = [by_hand(words, other) for other in texts]
            expected = max(scores), scores.index(max(scores))
            assert pool.largest(" ".join(words)) == expected
            for threshold in (0.0, 0.4, 0.7, expected[0], 1.0):
                above = expected if expected[0] > threshold else None
                assert pool.exceeds(" ".join(words), threshold) == above

    @given(st.lists(st.text("ab c", max_size=12), max_size=6), st.text("ab cd", max_size=12))
    def test_equals_comparing_with_each(self, texts: list[str], text: str) -> None:
        scores = [by_hand(tokens_of(text), tokens_of(other)) for other in texts]
        assert RougePool(texts).largest(text) == ((max(scores), scores.index(max(scores))) if texts else (0.0, -1))

    def test_grows_as_if_it_had_been_whole(self) -> None:
        texts = [" ".join(words) for words in drawn(8, 50, 10)]
        pool = RougePool()
        for count, text in enumerate(texts):
            assert len(pool) == count
            assert pool.largest(text) == RougePool(texts[:count]).largest(text)
            pool.add(text)

    def test_what_has_nothing_in_common(self) -> None:
        assert RougePool().largest("a b") == (0.0, -1)
        assert RougePool().exceeds("a b", 0.0) is None
        assert RougePool(["", "c d"]).largest("a b") == (0.0, 0)
        assert RougePool(["", "c d"]).largest("") == (0.0, 0)
        assert RougePool(["", "c d"]).exceeds("", 0.0) is None

    def test_a_score_that_equals_the_threshold_is_not_above_it(self) -> None:
        pool = RougePool(["a b c d e f g x y z"])
        assert pool.largest("a b c d e f g p q r") == (0.7, 0)
        assert pool.exceeds("a b c d e f g p q r", 0.7) is None
        assert pool.exceeds("a b c d e f g p q r", np.nextafter(0.7, 0)) == (0.7, 0)

    def test_repeated_words_count_as_often_as_both_texts_have_them(self) -> None:
        """A bound that took them once would leave the second text out."""
        pool = RougePool(["buffalo soldier cat", "buffalo buffalo buffalo buffalo"])
        assert pool.largest("buffalo buffalo buffalo buffalo") == (1.0, 1)

    def test_equals_what_self_instruct_recorded_with_rouge_score(self) -> None:
        pool = RougePool(row["instruction"] for row in shared_rows("self_instruct_seed_tasks.jsonl"))
        for row in shared_rows("golden/self_instruct_rouge_stream.jsonl"):
            assert pool.largest(row["instruction"]) == (row["max_rougeL"], row["argmax"])
            assert (pool.exceeds(row["instruction"], 0.7) is None) == row["kept"]
            if row["kept"]:
                pool.add(row["instruction"])
