"""Runs of words as 64-bit numbers, so that millions of them are searched in numpy.

Words are runs of letters and digits without regard to case; whatever stands between them, white space and
punctuation, separates and is not compared. A script without spaces has long words, and so fewer overlaps are found.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

WORD = re.compile(r"[^\W_]+")
# Odd, as a multiplier modulo 2**64 has to be to lose nothing: 2**64 over the golden ratio.
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
SHIFT = np.uint64(32)
# A block of texts of 100 words takes 40 MB on its way.
BLOCK_TEXTS = 8192


def compared_words(text: str) -> list[str]:
    """The words of a text as they are compared: compatibility forms and case are folded."""
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def ngram_hashes(texts: Iterable[Sequence[str]], n: int) -> tuple[Hashes, Numbers]:
    """Every run of `n` words of some texts, given as their words.

    Returns:
        `[m]` a hash of each run, and `[m]` the number of its text, from 0; texts of fewer words have none.
    """
    codes = _Codes()
    hashes, owners, first = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)], 0
    for block in _blocks(texts):
        lengths = np.array([len(words) for words in block])
        owner = np.repeat(np.arange(first, first + len(block)), lengths)
        runs = max(len(owner) - n + 1, 0)
        words = np.fromiter(map(codes.__getitem__, chain.from_iterable(block)), np.uint64, len(owner))
        within = owner[:runs] == owner[len(owner) - runs :]
        hashes.append(_rolled(words, n, runs)[within])
        owners.append(owner[:runs][within])
        first += len(block)
    return np.concatenate(hashes), np.concatenate(owners)


def _blocks(texts: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    left = iter(texts)
    while block := list(islice(left, BLOCK_TEXTS)):
        yield block


def _rolled(words: Hashes, n: int, runs: int) -> Hashes:
    """A hash of each run of `n` words, from those of its words in their order."""
    rolled = np.zeros(runs, np.uint64)
    for place in range(n):
        rolled ^= words[place : place + runs]
        rolled *= MULTIPLIER
        rolled ^= rolled >> SHIFT
    return rolled


class _Codes(dict[str, int]):
    """A 64-bit number for each word: the same in every process, as Python's own hashes are not."""

    def __missing__(self, word: str) -> int:
        code = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
        self[word] = code
        return code
