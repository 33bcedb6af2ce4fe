"""A map of instructions in two dimensions, near ones near each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fanno_core.errors import MissingExtra
from fanno_core.extras import how_to_install
from fanno_core.report.measures.diversity import drawn_rows
from fanno_core.report.numbers import TopicPoint
from fanno_core.store.contracts import Example, Floats

COMPONENTS = 50
ROUNDS = 500
PERPLEXITY = 30
FEWEST_ROWS = 4 * PERPLEXITY
"""Below it t-SNE draws what is not there, and the first two principal components are the map."""
SAME = 1e-6
"""Vectors that differ by less are one: t-SNE would divide by their spread."""
DIGITS = 3


def topic_map(rows: Sequence[Example], vectors: Floats, most: int, seed: int) -> tuple[TopicPoint, ...]:
    """A sample of the rows with their places; the same rows and seed give the same map on one kind of processor.

    Args:
        rows: the rows.
        vectors: `[n, d]` the unit vectors of their instructions, in the same order.
        most: rows of the sample.
        seed: of the run.

    Raises:
        MissingExtra: scikit-learn or threadpoolctl is not installed.
    """
    drawn = drawn_rows(len(rows), most, seed, "topics")
    places = flattened(vectors[drawn], seed)
    return tuple(
        TopicPoint(row.id, round(float(x), DIGITS), round(float(y), DIGITS), row.community, row.topic, row.instruction)
        for row, (x, y) in zip((rows[number] for number in drawn), places, strict=True)
    )


def flattened(vectors: Floats, seed: int) -> Floats:
    """`[n, 2]` places of `[n, d]` vectors: t-SNE over 50 principal components; of few vectors, the first two."""
    try:
        from sklearn.decomposition import PCA
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise MissingExtra(f"the map of topics needs scikit-learn: {how_to_install('models')}") from None
    if len(vectors) < 2:
        return np.zeros((len(vectors), 2), np.float32)
    few = len(vectors) < FEWEST_ROWS
    wanted = min(2 if few else COMPONENTS, *vectors.shape)
    # One thread: sums depend on how many share them, and t-SNE makes another map of the last bit.
    with threadpool_limits(1):
        centred = vectors - vectors.mean(axis=0, dtype=np.float64)
        if not np.abs(centred).max() > SAME:
            return np.zeros((len(vectors), 2), np.float32)
        narrow = PCA(wanted, svd_solver="full", random_state=seed).fit_transform(centred)
        if few:
            return np.pad(narrow, ((0, 0), (0, 2 - wanted))).astype(np.float32)
        tsne = TSNE(2, init="pca", perplexity=PERPLEXITY, max_iter=ROUNDS, random_state=seed)
        places: Floats = tsne.fit_transform(narrow).astype(np.float32)
    return places
