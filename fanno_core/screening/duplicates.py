"""Which documents say what another one says: exact copies first, then near copies.

Near copies share word 5-grams. MinHash with locality-sensitive hashing (datasketch) finds the pairs worth a look;
the exact Jaccard similarity of their 5-grams decides, so no pair below the threshold is ever called a copy.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from datasketch import MinHash, MinHashLSH

from fanno_core.outcome import Outcome
from fanno_core.settings import Screen
from fanno_core.store.contracts import Document, Rejection
from fanno_core.text import ngrams, words_of

SHINGLE_WORDS = 5
PERMUTATIONS = 128
LEAST_RECALL = 0.99
"""Smallest chance that a pair exactly at the threshold is looked at."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A document that says what a kept one says."""

    of: str
    similarity: float


def drop_duplicates(documents: Sequence[Document], settings: Screen) -> Outcome[Document]:
    """The documents that no kept document repeats, in their order.

    Of several copies the one with most words stays, then the one with the smallest id, whatever the order of the
    input. Reasons: `exact_duplicate` (same id, or same text but for case and white space) and `near_duplicate`
    (Jaccard similarity of word 5-grams of at least `settings.near_duplicate`).
    """
    queue = sorted(range(len(documents)), key=lambda row: _rank(documents[row]))
    exact = _exact_repeats(documents, queue)
    near = _near_repeats(documents, [row for row in queue if row not in exact], settings.near_duplicate)
    kept, rejected = [], []
    for row, document in enumerate(documents):
        if row in exact:
            rejected.append(repeat_rejected(document, "exact_duplicate", exact[row]))
        elif row in near:
            rejected.append(repeat_rejected(document, "near_duplicate", near[row]))
        else:
            kept.append(document)
    return Outcome(kept, rejected, candidates=len(documents))


def shingles_of(text: str) -> set[str]:
    """The case-folded word 5-grams of a text; of a shorter text its words, or its characters if it has no words."""
    folded = _folded(text)
    words = words_of(folded)
    if len(words) < SHINGLE_WORDS:
        return {" ".join(words) or folded}
    return {" ".join(gram) for gram in ngrams(words, SHINGLE_WORDS)}


def jaccard(one: set[str], other: set[str]) -> float:
    """Size of the intersection over size of the union, in [0, 1]; at least one of the sets is not empty."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def bands_for(threshold: float) -> tuple[int, int]:
    """Bands and rows a band: the most selective ones that find a pair at the threshold with `LEAST_RECALL`.

    Source: a pair of similarity s meets in one of b bands of r rows with probability 1 - (1 - s^r)^b, as in
    datasketch's lsh.py, which names chapter 3 of Mining of Massive Datasets.
    """
    for rows in range(PERMUTATIONS // 2, 1, -1):
        bands = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** bands >= LEAST_RECALL:
            return bands, rows
    return PERMUTATIONS, 1


def empty_minhash() -> MinHash:
    """A MinHash of nothing. Drawing its permutations takes 0.2 ms, so that one is filled again and again."""
    return MinHash(num_perm=PERMUTATIONS, hashfunc=zlib.crc32)


def fill(sketch: MinHash, shingles: Iterable[str]) -> None:
    """Makes the sketch that of these shingles."""
    sketch.clear()
    sketch.update_batch([shingle.encode("utf-8", "surrogatepass") for shingle in shingles])


def text_digest(text: str) -> str:
    """32 hex digits that are the same for texts that differ in case and white space only."""
    return blake2b(_folded(text).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def repeat_rejected(document: Document, reason: str, repeat: Repeat) -> Rejection:
    """The rejection of a document for what it repeats."""
    return Rejection(
        id=document.id,
        phase="duplicates",
        reason=reason,
        detail=f"repeats {repeat.of} ({repeat.similarity:.2f})",
        document_id=document.id,
        source=document.source,
        text=document.text,
    )


def _rank(document: Document) -> tuple[int, str, str, str, str]:
    """Place in the queue: more words first, then the id; the rest only orders rows that share an id."""
    return -len(words_of(document.text)), document.id, document.text, document.source, document.location


def _exact_repeats(documents: Sequence[Document], queue: Sequence[int]) -> dict[int, Repeat]:
    id_of_text: dict[str, str] = {}
    ids: set[str] = set()
    repeats: dict[int, Repeat] = {}
    for row in queue:
        document = documents[row]
        digest = text_digest(document.text)
        if document.id in ids:
            repeats[row] = Repeat(document.id, 1.0)
        elif digest in id_of_text:
            repeats[row] = Repeat(id_of_text[digest], 1.0)
        else:
            ids.add(document.id)
            id_of_text[digest] = document.id
    return repeats


def _near_repeats(documents: Sequence[Document], queue: Sequence[int], threshold: float) -> dict[int, Repeat]:
    """Only documents that stay enter the index, so that each one is compared with those before it in the queue."""
    index = MinHashLSH(num_perm=PERMUTATIONS, params=bands_for(threshold))
    sketch = empty_minhash()
    repeats: dict[int, Repeat] = {}
    for place, row in enumerate(queue):
        shingles = shingles_of(documents[row].text)
        fill(sketch, shingles)
        # Of equally similar ones the first in the queue is named, hence the sign.
        similar = [
            (jaccard(shingles, shingles_of(documents[queue[earlier]].text)), -earlier)
            for earlier in index.query(sketch)
        ]
        score, earlier = max(similar, default=(0.0, 0))
        if score >= threshold:
            repeats[row] = Repeat(documents[queue[-earlier]].id, score)
        else:
            index.insert(place, sketch)
    return repeats


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
