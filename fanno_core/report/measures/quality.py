"""How good rows are, as far as it can be measured without a person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from fanno_core.dataset.made import Made
from fanno_core.machine_talk import REFUSAL
from fanno_core.report.measures.distributions import score_of
from fanno_core.report.numbers import Overlap, Quality, Score
from fanno_core.responses.filters import NGRAM
from fanno_core.screening.language import languages_of
from fanno_core.screening.personal_data import find_personal_data
from fanno_core.store.contracts import Example, Placed
from fanno_core.text import ngrams, repeated_share, words_of

COPIED_WORDS = 8
"""A run of so many words in common is copied: shorter ones are idioms, names and titles."""
UNDETERMINED = "und"
VERDICTS: Mapping[str, Callable[[Example], float]] = {
    "answerable": lambda row: row.answerable,
    "private": lambda row: row.private,
    "unsafe": lambda row: row.unsafe,
}


def quality_of(
    made: Made,
    rows: Sequence[Example],
    near_duplicates: int,
    scores: Mapping[str, Mapping[str, float]],
    contamination: tuple[Overlap, ...],
) -> Quality:
    """The measures of quality.

    Args:
        made: the run.
        rows: its rows.
        near_duplicates: rows that are near to another one.
        scores: further scores by their name, then by the id of the row.
        contamination: what was found of benchmarks.

    Raises:
        ShardDamaged: the documents' shards are missing or damaged.
    """
    documents = {row.id: row for row in made.kept("queue", Placed)}
    outputs = [row.output for row in rows]
    return Quality(
        scores=_scores(rows, documents, scores),
        refusals=count_refusals(outputs),
        near_duplicates=near_duplicates,
        repetition=score_of(repetitions(outputs)),
        copied=score_of(list(copied_shares(rows, documents).values())),
        languages=_languages(rows),
        personal_data=_personal_data(rows),
        flags=_frequent(flag for row in rows for flag in row.flags),
        contamination=contamination,
    )


def count_refusals(outputs: Iterable[str]) -> int:
    """How many responses begin as a refusal does."""
    return sum(bool(REFUSAL.match(output)) for output in outputs)


def repetitions(outputs: Iterable[str]) -> list[float]:
    """The share of each response's word 4-grams that stood in it before."""
    return [repeated_share(words_of(output.lower()), NGRAM) for output in outputs]


def copied_shares(rows: Sequence[Example], documents: Mapping[str, Placed]) -> dict[str, float]:
    """By the row's id, the share of its response's words that stand in runs copied from its own document.

    Words are compared in small letters. A row without its document or without a word in its response is left out.
    """
    by_document: defaultdict[str, list[Example]] = defaultdict(list)
    for row in rows:
        if row.document_id in documents:
            by_document[row.document_id].append(row)
    shares = {}
    for document, its_rows in by_document.items():
        runs = set(ngrams(words_of(documents[document].text.lower()), COPIED_WORDS))
        for row in its_rows:
            if words := words_of(row.output.lower()):
                shares[row.id] = _covered(words, runs) / len(words)
    return shares


def _covered(words: list[str], runs: set[tuple[str, ...]]) -> int:
    """How many of the words stand within one of the runs."""
    covered = np.zeros(len(words), bool)
    for place, run in enumerate(ngrams(words, COPIED_WORDS)):
        if run in runs:
            covered[place : place + COPIED_WORDS] = True
    return int(covered.sum())


def _scores(
    rows: Sequence[Example], documents: Mapping[str, Placed], others: Mapping[str, Mapping[str, float]]
) -> Mapping[str, Score]:
    found = {name: [value for row in rows if (value := read(row)) >= 0] for name, read in VERDICTS.items()}
    qualities = [documents[row.document_id].quality for row in rows if row.document_id in documents]
    found["document_quality"] = [quality for quality in qualities if quality >= 0]
    for name, values in others.items():
        found[name] = [values[row.id] for row in rows if row.id in values]
    return {name: score_of(values) for name, values in found.items() if values}


def _languages(rows: Sequence[Example]) -> Mapping[str, int]:
    """Rows by the language of instruction, input and response together; `und` where none can be told."""
    found = languages_of(["\n".join(_texts(row)) for row in rows])
    return _frequent(language or UNDETERMINED for language, _ in found)


def _personal_data(rows: Sequence[Example]) -> Mapping[str, int]:
    """Rows by the kinds of personal data that their texts hold."""
    return _frequent(
        kind for row in rows for kind in {f.kind for text in _texts(row) for f in find_personal_data(text)}
    )


def _texts(row: Example) -> tuple[str, ...]:
    return tuple(text for text in (row.instruction, row.input, row.output) if text)


def _frequent(names: Iterable[str]) -> dict[str, int]:
    """How often each comes, the most frequent first."""
    return dict(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))
