"""How central a sentence is among its neighbours, and how near to a question.

Source: LexRank and TextRank: power iteration over the cosine graph of the sentences' TF-IDF vectors.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fanno_core.teachers.extractive.lexicon import words
from fanno_core.text import words_of

Terms = tuple[str, ...]
DAMPING = 0.85
ROUNDS = 12


def terms_of(text: str) -> Terms:
    """The content words of a text, lower-cased, without the commonest endings."""
    return tuple(_stem(word) for word in words_of(text.lower()) if len(word) > 2 and word not in words("stop"))


def centralities(sentences: Sequence[Terms]) -> list[float]:
    """How central each sentence is: 1 on average, larger for those that share words with many others."""
    if not sentences:
        return []
    vectors = _tfidf(sentences)
    links = vectors @ vectors.T
    np.fill_diagonal(links, 0.0)
    totals = links.sum(axis=1, keepdims=True)
    count = len(sentences)
    steps = np.where(totals > 0, links / np.where(totals > 0, totals, 1.0), 1.0 / count)
    rank = np.full(count, 1.0 / count)
    for _ in range(ROUNDS):
        rank = (1 - DAMPING) / count + DAMPING * (rank @ steps)
    return [round(float(value) * count, 6) for value in rank]


def nearness(query: Terms, sentences: Sequence[Terms]) -> list[float]:
    """TF-IDF cosine of each sentence to a query, in [0, 1]; words of the query that no sentence has are ignored."""
    weights = inverse_frequencies(sentences)
    wanted = {term: weights[term] for term in query if term in weights}
    size = math.sqrt(sum(weight**2 for weight in wanted.values())) or 1.0
    scores = []
    for terms in sentences:
        norm = math.sqrt(sum(weights[term] ** 2 for term in set(terms))) or 1.0
        scores.append(sum(wanted.get(term, 0.0) * weights[term] for term in dict.fromkeys(terms)) / (norm * size))
    return scores


def inverse_frequencies(sentences: Sequence[Terms]) -> dict[str, float]:
    """Weight of each term: 1 + ln(sentences / sentences that have it)."""
    counts = Counter(term for terms in sentences for term in set(terms))
    return {term: 1 + math.log(len(sentences) / count) for term, count in counts.items()}


def _tfidf(sentences: Sequence[Terms]) -> npt.NDArray[np.float64]:
    weights = inverse_frequencies(sentences)
    columns = {term: number for number, term in enumerate(sorted(weights))}
    matrix = np.zeros((len(sentences), max(1, len(columns))))
    for row, terms in enumerate(sentences):
        for term, count in Counter(terms).items():
            matrix[row, columns[term]] = count * weights[term]
    sizes = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(sizes > 0, sizes, 1.0)


@lru_cache(maxsize=16_384)
def _stem(word: str) -> str:
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 4 and not word.endswith(("ss", "us", "is")):
            return word[: -len(ending)] + replacement
    return word
