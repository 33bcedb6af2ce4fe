"""What rows share with benchmarks: runs of words, or the meaning of what is asked.

A run of 13 words is what GPT-3 (Brown et al. 2020, appendix C) calls contaminated. Paraphrases pass that (Yang et al.
2023, "Rethinking Benchmark and Contamination for Language Models with Rephrased Samples"), so embeddings are held
against each other too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fanno_core.communities.neighbours import Index, build_index
from fanno_core.decontamination.benchmarks import BenchmarkFile, benchmark_texts
from fanno_core.decontamination.ngrams import Hashes, Numbers, compared_words, ngram_hashes
from fanno_core.outcome import Outcome
from fanno_core.report.numbers import Overlap
from fanno_core.settings import Decontaminate
from fanno_core.store.contracts import Example, Floats, Pair, rejected

PHASE = "decontaminate"
MOST_IDS = 100


class Row(Pair, Protocol):
    """What is held against benchmarks."""

    @property
    def id(self) -> str:
        """Tells it from the others."""


@dataclass(frozen=True)
class Benchmark:
    """A benchmark, ready to be searched.

    Attributes:
        name: of its file.
        items: its texts.
        n: words of a run.
        runs: `[m]` hashes of its runs, rising.
        short: the texts that have fewer words than a run, as `compared_words` joined by spaces.
        index: of the texts' vectors.
    """

    name: str
    items: int
    n: int
    runs: Hashes
    short: frozenset[str]
    index: Index


@dataclass(frozen=True)
class Shared:
    """What rows share with one benchmark.

    Attributes:
        benchmark: the benchmark.
        runs: `[rows]` runs of words, each counted once; a short text that is the whole instruction counts as one.
        cosines: `[rows]` the largest cosine to any of its texts.
        similarity: the cosine from which two texts count as one.
    """

    benchmark: Benchmark
    runs: Numbers
    cosines: Floats
    similarity: float

    @property
    def by_ngram(self) -> npt.NDArray[np.bool_]:
        """`[rows]` whether words are shared."""
        return self.runs > 0

    @property
    def by_embedding(self) -> npt.NDArray[np.bool_]:
        """`[rows]` whether one of its texts lies too near."""
        # Rounded, because the cosine of a vector with itself may be 0.9999999.
        return np.round(self.cosines, 6) >= self.similarity


def open_benchmark(
    file: BenchmarkFile, settings: Decontaminate, encode: Callable[[Sequence[str]], Floats]
) -> Benchmark:
    """A benchmark's runs of words and vectors.

    Args:
        file: from `find_benchmarks`.
        settings: how its text is found, and how long a run is.
        encode: texts to unit vectors.

    Raises:
        RunStops, BadSettings: as `benchmark_texts`.
        MissingExtra: the encoder or FAISS is not installed.
    """
    texts = benchmark_texts(file, settings.field)
    short: set[str] = set()
    runs, _ = ngram_hashes(_words_of(texts, settings.ngram, short), settings.ngram)
    vectors = encode(texts)
    # Searched exactly, however many there are: a neighbour that is missed is a contaminated row.
    index = build_index(vectors, exact_below=len(vectors), seed=0)
    return Benchmark(file.name, len(texts), settings.ngram, np.sort(runs), frozenset(short), index)


def _words_of(texts: Sequence[str], n: int, short: set[str]) -> Iterator[list[str]]:
    """The words of each text, one after the other, since those of all would take gigabytes; `short` gets the short."""
    for text in texts:
        words = compared_words(text)
        if 0 < len(words) < n:
            short.add(" ".join(words))
        yield words


def shared_with(
    rows: Sequence[Row], vectors: Floats, benchmarks: Sequence[Benchmark], similarity: float
) -> tuple[Shared, ...]:
    """What the rows share with each of the benchmarks.

    Args:
        rows: any rows.
        vectors: `[rows, d]` unit vectors of their instructions, each with its input, from the benchmarks' encoder.
        benchmarks: from `open_benchmark`, all with one length of runs.
        similarity: the cosine from which two texts count as one.
    """
    if not benchmarks:
        return ()
    words = (compared_words(f"{row.instruction}\n{row.input}\n{row.output}") for row in rows)
    hashes, owners = ngram_hashes(words, benchmarks[0].n)
    order = np.argsort(hashes)  # a search in this order goes through the benchmark once, and not at random
    hashes, owners = hashes[order], owners[order]
    found = []
    for benchmark in benchmarks:
        runs = _known(hashes, owners, benchmark.runs, len(rows)) + _whole(rows, benchmark.short)
        cosines, _ = benchmark.index.search(vectors, 1)
        found.append(Shared(benchmark, runs, cosines[:, 0], similarity))
    return tuple(found)


def _whole(rows: Sequence[Row], short: frozenset[str]) -> Numbers:
    """`[rows]` 1 where a short text is all that is asked; within a longer text its few words would prove nothing."""
    if not short:
        return np.zeros(len(rows), np.int64)
    asked = ((row.instruction, f"{row.instruction}\n{row.input}") for row in rows)
    return np.array([any(" ".join(compared_words(t)) in short for t in texts) for texts in asked], np.int64)


def _known(hashes: Hashes, owners: Numbers, known: Hashes, rows: int) -> Numbers:
    """`[rows]` how many different ones of its hashes are known; `hashes` and `known` rise."""
    if not len(known):
        return np.zeros(rows, np.int64)
    found = known[np.minimum(np.searchsorted(known, hashes), len(known) - 1)] == hashes
    each = np.unique(np.stack([owners[found].astype(np.uint64), hashes[found]]), axis=1)
    return np.bincount(each[0].astype(np.int64), minlength=rows)


def drop_contaminated(
    rows: Sequence[Example], vectors: Floats, benchmarks: Sequence[Benchmark], similarity: float
) -> Outcome[Example]:
    """The rows that overlap with no benchmark; the arguments are those of `shared_with`.

    Returns:
        Rejected are `contaminated_ngram` and `contaminated_embedding`; the detail names the file and what was
        measured, and holds no text of it.
    """
    shared = shared_with(rows, vectors, benchmarks, similarity)
    kept, dropped = [], []
    for number, row in enumerate(rows):
        why = _contamination(number, shared)
        if why:
            dropped.append(rejected(row, PHASE, *why, output=row.output))
        else:
            kept.append(row)
    return Outcome(kept, dropped, len(rows))


def _contamination(row: int, shared: Sequence[Shared]) -> tuple[str, str] | None:
    """Reason and detail of a row's overlap, by the benchmark that it shares most with."""
    most = max(shared, key=lambda one: int(one.runs[row]), default=None)
    if most and most.by_ngram[row]:
        return "contaminated_ngram", f"{most.benchmark.name}: {most.runs[row]} runs of {most.benchmark.n} words"
    nearest = max(shared, key=lambda one: float(one.cosines[row]), default=None)
    if nearest and nearest.by_embedding[row]:
        return "contaminated_embedding", f"{nearest.benchmark.name}: cosine {nearest.cosines[row]:.3f}"
    return None


def overlaps(
    rows: Sequence[Row], vectors: Floats, benchmarks: Sequence[Benchmark], similarity: float
) -> tuple[Overlap, ...]:
    """How many rows overlap with each benchmark, and which; the arguments are those of `shared_with`."""
    found = []
    for one in shared_with(rows, vectors, benchmarks, similarity):
        either = one.by_ngram | one.by_embedding
        ids = [row.id for row, overlapping in zip(rows, either, strict=True) if overlapping]
        counts = int(one.by_ngram.sum()), int(one.by_embedding.sum())
        found.append(Overlap(one.benchmark.name, one.benchmark.items, *counts, tuple(ids[:MOST_IDS])))
    return tuple(found)
