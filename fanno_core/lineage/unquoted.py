"""Rows whose instruction quotes no document: fit to be shown where the documents may not go."""

from __future__ import annotations

from collections.abc import Iterable

from fanno_core.dataset.made import Made
from fanno_core.lineage.sample import Sampled, sample_rows
from fanno_core.lineage.shelves import Shelves
from fanno_core.store.contracts import Document, Example, Instruction
from fanno_core.text import ngrams, sentences_of, words_of

QUOTE_WORDS = 8
SENTENCE_WORDS = 4
TRIED_FOR_ONE = 5
WROTE = ("seeds", "augment")


def unquoted_rows(made: Made, count: int, seed: int) -> list[Sampled]:
    """Rows of the data set whose instruction repeats nothing of the documents that its teacher saw.

    A row of which no document is known, such as one of a file, may repeat anything, and is left out.

    Args:
        made: the run.
        count: most rows; fewer where five times as many rows hold no more that quote nothing.
        seed: of the choice.

    Raises:
        ShardDamaged: a shard is missing or damaged.
    """
    sampled = sample_rows(made, count * TRIED_FOR_ONE, seed)
    seen = _documents_seen(Shelves(made), {row.id for row in sampled})
    known = [row for row in sampled if row.id in seen]
    return [row for row in known if not any(quotes(row.instruction, text) for text in seen[row.id])][:count]


def quotes(text: str, document: str) -> bool:
    """Whether a text holds 8 words in a row of a document, or one of its sentences of 4 words or more.

    Case, and whatever stands between words, makes no difference.
    """
    words, theirs = _words(text), _words(document)
    runs = set(ngrams(words, QUOTE_WORDS))
    if not runs.isdisjoint(ngrams(theirs, QUOTE_WORDS)):
        return True
    flat = _flat(words)
    sentences = map(_words, sentences_of(document))
    return any(_flat(sentence) in flat for sentence in sentences if len(sentence) >= SENTENCE_WORDS)


def _documents_seen(shelves: Shelves, ids: Iterable[str]) -> dict[str, list[str]]:
    """The texts of each row's own document, and of those that its counterexamples were written from.

    A row of a file, or one that a method made of other rows, is left out: nobody knows what those quote.
    """
    rows = {row.id: row for row in shelves.rows(shelves.kept("publish"), Example, "id", set(ids))}
    shots = {name for row in rows.values() for name in row.counterexamples}
    wrote = [ref for phase in WROTE for ref in shelves.kept(phase)]
    origin = {row.id: row.document_id for row in shelves.rows(wrote, Instruction, "id", shots)}
    needed = {row.document_id for row in rows.values()} | set(origin.values())
    texts = {row.id: row.text for row in shelves.rows(shelves.kept("verdicts"), Document, "id", needed)}
    return {
        name: [texts[row.document_id], *(texts[origin[shot]] for shot in row.counterexamples if shot in origin)]
        for name, row in rows.items()
        if row.document_id in texts and not row.made_from
    }


def _words(text: str) -> list[str]:
    return [word.casefold() for word in words_of(text)]


def _flat(words: list[str]) -> str:
    return f" {' '.join(words)} "
