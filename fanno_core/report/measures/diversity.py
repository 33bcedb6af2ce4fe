"""How different texts are from each other, by words and by embeddings."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from fanno_core.communities.neighbours import build_index
from fanno_core.report.measures.distributions import DIGITS
from fanno_core.rouge import largest_rouge_l, tokens_of
from fanno_core.store.contracts import Floats
from fanno_core.text import ngrams, words_of

LONGEST_NGRAM = 4

Scores = npt.NDArray[np.float64]


def distinct_ngrams(texts: Sequence[str]) -> Mapping[str, float]:
    """Different n-grams over all n-grams of the texts, by n of 1 to 4; 0 where there are none.

    Words are compared in small letters; no n-gram reaches from one text into the next.

    Source: Li et al. 2016, distinct-n.
    """
    words = [words_of(text.lower()) for text in texts]
    shares = {}
    for n in range(1, LONGEST_NGRAM + 1):
        grams = [gram for text in words for gram in ngrams(text, n)]
        shares[str(n)] = round(len(set(grams)) / len(grams), DIGITS) if grams else 0.0
    return shares


def vendi_score(vectors: Floats) -> float:
    """Effective number of different texts, from 1 to their number.

    The kernel of cosines K = X X^T / n has the eigenvalues of X^T X / n besides zeros, and that is only `[d, d]`: no
    approximation is needed for any number of texts.

    Args:
        vectors: `[n, d]` unit vectors, n > 0.

    Source: Friedman & Dieng 2023: exp of the Shannon entropy of the eigenvalues of K / n.
    """
    wide = vectors.astype(np.float64)
    values = np.linalg.eigvalsh(wide.T @ wide / len(wide))
    shares = values[values > 0] / values[values > 0].sum()
    return round(float(np.exp(-(shares * np.log(shares)).sum())), DIGITS)


def nearest_cosines(vectors: Floats, exact_below: int, seed: int) -> Scores:
    """`[n]` the cosine of each unit vector to its nearest other one; empty where there is no other.

    Up to `exact_below` vectors search is exact; above, see `fanno_core.communities.neighbours`.
    """
    if len(vectors) < 2:
        return np.zeros(0)
    cosines, rows = build_index(vectors, exact_below, seed).search(vectors, 2)
    # Among equals the vector itself may come second, or not at all.
    itself = rows[:, 0] == np.arange(len(vectors))
    nearest = np.where(itself, cosines[:, 1], cosines[:, 0])
    return nearest.astype(np.float64).round(DIGITS)


def near_duplicates(nearest: Scores, threshold: float) -> int:
    """Rows as near to another one as the filter of novelty lets no two be."""
    return int((nearest >= threshold).sum())


def self_rouge(texts: Sequence[str], sample: int, seed: int) -> Scores:
    """`[min(n, sample)]` the largest ROUGE-L F of each text of a sample to any other of the sample.

    Source: Self-Instruct, figure 4, which measures so against its seeds.
    """
    drawn = drawn_rows(len(texts), sample, seed, "self_rouge")
    return largest_rouge_l([tokens_of(texts[row]) for row in drawn])


def drawn_rows(rows: int, most: int, seed: int, what: str) -> list[int]:
    """`min(rows, most)` row numbers, rising, each as likely as any other.

    Args:
        rows: how many there are.
        most: how many are wanted.
        seed: of the run.
        what: what they are drawn for, so that two samples are not the same.
    """
    if rows <= most:
        return list(range(rows))
    return sorted(random.Random(f"{seed}:report:{what}").sample(range(rows), most))
