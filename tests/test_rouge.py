from __future__ import annotations

import random

import numpy as np
import pytest

from fanno_core.rouge import largest_rouge_l, rouge_l, rouge_l_table, tokens_of
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


def test_the_largest_is_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = drawn(3, 60, 25)
    whole = largest_rouge_l(texts)
    monkeypatch.setattr("fanno_core.rouge.BLOCK", 7 * len(texts))
    assert np.array_equal(largest_rouge_l(texts), whole)
    for row, text in enumerate(texts):
        assert whole[row] == max(by_hand(text, other) for place, other in enumerate(texts) if place != row)


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
