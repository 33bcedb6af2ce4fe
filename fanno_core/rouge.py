"""ROUGE-L F between texts, as the package `rouge_score` computes it, in C++ on all cores.

Tokens are lower-case runs of ASCII letters and digits, not stemmed: text in other scripts has none, and scores 0.

Source: Lin 2004; `rouge_score` 0.1.2, `DefaultTokenizer(use_stemmer=False)` and `_score_lcs`, which Self-Instruct and
Stanford Alpaca filter with.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Tokens = Sequence[str]

TOKEN = re.compile(r"[a-z0-9]+")
# Texts of a pool, those with the highest bounds, whose best score says which others are worth comparing.
COMPARED = 64
# A score of as many tokens in common as its bound allows may be larger than the bound by its rounding.
SLACK = 1 + 1e-12


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
    return _f(common, _lengths(texts)[:, None], _lengths(others)[None, :])


def largest_rouge_l(texts: Sequence[Tokens]) -> Scores:
    """`[n]` the largest ROUGE-L F of each text to any other of them; 0 where there is no other."""
    pool = RougePool()
    for text in texts:
        pool.add_tokens(text)
    return np.array([pool.largest_to(text, besides=place)[0] for place, text in enumerate(texts)], np.float64)


class RougePool:
    """Texts that a new one is compared with, one after another: the novelty filter of Self-Instruct and Alpaca.

    Exact: what a query answers is the largest `rouge_l` over the pool, to the last bit. Two texts have no more in
    common than the tokens that they share in any order, so an index of tokens bounds every score from above, and a
    subsequence is looked for only in texts whose bound is not below the best score so far.

    A pool holds at most 1,114,112 different tokens, as many as there are characters for the C++ code to compare.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._numbers: dict[str, int] = {}
        # Texts that hold a token at least once, at least twice, ...: so that shared tokens are counted with repeats.
        self._holders: defaultdict[tuple[str, int], array[int]] = defaultdict(lambda: array("q"))
        self._strings: list[str] = []
        self._lengths = array("q")
        for text in texts:
            self.add(text)

    def __len__(self) -> int:
        return len(self._strings)

    def add(self, text: str) -> None:
        """Puts a text at the end of the pool; its place is how many there were before."""
        self.add_tokens(tokens_of(text))

    def add_tokens(self, tokens: Tokens) -> None:
        """Puts a text of these tokens at the end of the pool."""
        for counted in _counted(tokens):
            self._holders[counted].append(len(self))
        self._strings += _as_characters([tokens], self._numbers)
        self._lengths.append(len(tokens))

    def largest(self, text: str) -> tuple[float, int]:
        """The largest ROUGE-L F of a text to any in the pool, and the first place that has it.

        It is (0.0, 0) where the text has nothing in common with any, and (0.0, -1) where the pool is empty.
        """
        return self.largest_to(tokens_of(text))

    def largest_to(self, tokens: Tokens, besides: int | None = None) -> tuple[float, int]:
        """`largest` of a text of these tokens, where one place may be left out."""
        return self._above(tokens, 0.0, besides) or (0.0, 0 if self._strings else -1)

    def exceeds(self, text: str, threshold: float) -> tuple[float, int] | None:
        """What `largest` says where its score is above the threshold, sooner than `largest` says it; None elsewhere.

        Args:
            text: the new one.
            threshold: in [0, 1]; a score that equals it is not above it.
        """
        return self._above(tokens_of(text), threshold)

    def _above(self, tokens: Tokens, threshold: float, besides: int | None = None) -> tuple[float, int] | None:
        bounds = self._bounds(tokens)
        if besides is not None:
            bounds[besides] = 0.0
        near = np.flatnonzero(bounds > threshold)
        nearest = near[np.argpartition(bounds[near], -COMPARED)[-COMPARED:]] if len(near) > COMPARED else near
        best = self._first_largest(tokens, nearest)
        bounds[nearest] = 0.0
        rest = near[bounds[near] >= max(best[0], threshold)]
        score, place = max(best, self._first_largest(tokens, rest))
        return (score, -place) if score > threshold else None

    def _bounds(self, tokens: Tokens) -> Scores:
        """`[n]` what the score of each text of the pool is at most."""
        shared = np.zeros(len(self), np.int64)
        for counted in _counted(tokens):
            if holders := self._holders.get(counted):
                shared[np.frombuffer(holders, np.int64)] += 1
        return 2 * SLACK * shared / np.maximum(np.frombuffer(self._lengths, np.int64) + len(tokens), 1)

    def _first_largest(self, tokens: Tokens, places: Places) -> tuple[float, int]:
        """The largest score at these places, and the negative of the first that has it: so `max` prefers the first."""
        if not len(places):
            return 0.0, 0
        scores = self._scores(tokens, places)
        return float(scores.max()), -int(places[scores == scores.max()].min())

    def _scores(self, tokens: Tokens, places: Places) -> Scores:
        from rapidfuzz import process
        from rapidfuzz.distance import LCSseq

        known = "".join(chr(self._numbers[token]) for token in tokens if token in self._numbers)
        others = [self._strings[place] for place in places]
        common = process.cdist([known], others, scorer=LCSseq.similarity, dtype=np.uint32)[0].astype(np.float64)
        return _f(common, _lengths([tokens]), np.frombuffer(self._lengths, np.int64)[places])


def _f(common: Scores, lengths: Scores, other_lengths: Scores | Places) -> Scores:
    """F of texts with so many tokens in common; 0 where there are none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        # Written as rouge_score has it: 2 * common / (n + m) is the same number, but not to the last bit.
        precision, recall = common / lengths, common / other_lengths
        scores = 2 * precision * recall / (precision + recall)
    return np.where(common > 0, scores, 0.0)


def _counted(tokens: Tokens) -> list[tuple[str, int]]:
    """Each token with how often it stood before."""
    seen: dict[str, int] = {}
    counted = []
    for token in tokens:
        before = seen.get(token, 0)
        seen[token] = before + 1
        counted.append((token, before))
    return counted


def _as_characters(texts: Sequence[Tokens], numbers: dict[str, int]) -> list[str]:
    """Each text as a string with one character a token, since the C++ code compares characters."""
    return ["".join(chr(numbers.setdefault(token, len(numbers))) for token in text) for text in texts]


def _lengths(texts: Sequence[Tokens]) -> Scores:
    return np.array([len(text) for text in texts], np.float64)
