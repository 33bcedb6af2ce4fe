"""ROUGE-L F between texts, as the package `rouge_score` computes it, in C++ on all cores.

Tokens are lower-case runs of ASCII letters and digits, not stemmed: text in other scripts has none, and scores 0.

Source: Lin 2004; `rouge_score` 0.1.2, `DefaultTokenizer(use_stemmer=False)` and `_score_lcs`, which Self-Instruct and
Stanford Alpaca filter with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
Tokens = Sequence[str]

TOKEN = re.compile(r"[a-z0-9]+")
# Scores held at once while the largest is looked for: 32 MiB.
BLOCK = 2**22


def tokens_of(text: str) -> list[str]:
    """The tokens of a text, in order."""
    return TOKEN.findall(text.lower())


def rouge_l(one: Tokens, other: Tokens) -> float:
    """F of the longest common subsequence of two texts, in [0, 1]; the same in either order, 0 where one is empty."""
    return float(rouge_l_table([one], [other])[0, 0])


def rouge_l_table(texts: Sequence[Tokens], others: Sequence[Tokens]) -> Scores:
    """`[n, m]` ROUGE-L F of each text to each of the others."""
    from rapidfuzz import process
    from rapidfuzz.distance import LCSseq

    numbers: dict[str, int] = {}
    rows, columns = _as_characters(texts, numbers), _as_characters(others, numbers)
    common = process.cdist(rows, columns, scorer=LCSseq.similarity, dtype=np.uint32, workers=-1).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Written as rouge_score has it: 2 * common / (n + m) is the same number, but not to the last bit.
        precision, recall = common / _lengths(texts)[:, None], common / _lengths(others)[None, :]
        scores = 2 * precision * recall / (precision + recall)
    return np.where(common > 0, scores, 0.0)


def largest_rouge_l(texts: Sequence[Tokens]) -> Scores:
    """`[n]` the largest ROUGE-L F of each text to any other of them; 0 where there is no other."""
    step = max(1, BLOCK // max(1, len(texts)))
    largest = np.zeros(len(texts))
    for start in range(0, len(texts), step) if len(texts) > 1 else ():
        scores = rouge_l_table(texts[start : start + step], texts)
        own = np.arange(len(scores))
        scores[own, start + own] = 0.0
        largest[start : start + step] = scores.max(axis=1)
    return largest


def _as_characters(texts: Sequence[Tokens], numbers: dict[str, int]) -> list[str]:
    """Each text as a string with one character a token, since the C++ code compares characters."""
    return ["".join(chr(numbers.setdefault(token, len(numbers))) for token in text) for text in texts]


def _lengths(texts: Sequence[Tokens]) -> Scores:
    return np.array([len(text) for text in texts], np.float64)
