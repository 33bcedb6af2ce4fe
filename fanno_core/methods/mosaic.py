"""Mosaic-IT: several rows become one, with an instruction about form, order or omission; nobody is asked.

Source: Li et al., Mosaic-IT (arXiv 2405.13326), and its published code (tianyi-lab/Mosaic-IT b42b7b2).

Covered: the three strategies, the ten orders, the five masks, numbers, tags, the seven ways to draw how many rows are
joined, passes over shuffled rows, the token limit. The sentences are our own.

Not as in the published code: every mosaic is read back from its texts alone, and what would be read otherwise is drawn
again; rows that share a mosaic that is too long are parted, where there the draw is repeated at each row that is added;
the alphabetical order has its eight sentences (there, missing commas paste seven of them into one) and sorts by words
without case (there, by bytes); tags are put together without formatting, so that braces are safe; a plain number can be
drawn (there, its place means none); an order that is listed has room for every row (there, 50); a mask leaves out at
least one question and answers at least one; among equals the earlier one counts first, and the instruction says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import log
from random import Random
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from fanno_core.methods.contract import Origin, Transform
from fanno_core.methods.mosaics.demands import sequence_of
from fanno_core.methods.mosaics.marks import table
from fanno_core.methods.mosaics.plan import BARE, Plan, Strategies, drawn_plan, mosaic_of
from fanno_core.methods.mosaics.reading import Mosaic, read_mosaic
from fanno_core.methods.rows import dropped_row, made_row
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Example, question_of
from fanno_core.tools import Options, Tools

NAME = "mosaic"
TRIES = 24
"""Plans that are drawn for some rows until one can be read back; after that the rows are parted."""
MARK_TOKENS = 8
"""Roughly what numbers and tags add to a row; only a guess, what is too long is parted afterwards."""
Distribution = Literal["uniform", "fix", "max_length", "exp", "pareto", "lognormal", "logistic"]


class MosaicOptions(Options):
    """Defaults are those of Mosaic-IT's published code."""

    epochs: int = Field(4, ge=1, le=1000, description="passes over the rows; each row is in one mosaic a pass")
    most: int = Field(10, ge=1, le=1000, description="most rows in a mosaic")
    distribution: Distribution = Field(
        "uniform",
        description="how many rows a mosaic gets: `uniform` 1 to `most`; `fix`: `most`; `max_length`: as many as the "
        "limit of tokens allows; `exp`, `pareto`, `lognormal`, `logistic`: `most` less a draw from that distribution",
    )
    max_tokens: int = Field(
        2000, ge=16, description="a mosaic's instruction and response have fewer than so many of the teacher's tokens"
    )
    strategies: Strategies = Field(
        "both", description="`format` alone, or in equal parts with `order`, with `mask`, or with both of them"
    )
    tag_probability: float = Field(0.5, ge=0, le=1, description="share of mosaics whose responses stand between tags")


@dataclass(frozen=True, slots=True)
class Piece:
    """A row as part of a mosaic: no white space around its texts."""

    row: Example
    question: str
    answer: str
    tokens: int


Chunk = tuple[Piece, ...]


def parse_mosaic(row: Example) -> Mosaic | None:
    """What a row's texts say as a mosaic: form, order, omissions, questions and answers; None where it is none."""
    return read_mosaic(row.instruction, row.output)


def violations(row: Example, parents: Mapping[str, Example]) -> list[str]:
    """What a row that this method made does not keep, read from its texts; empty for one that keeps all.

    Args:
        row: the mosaic.
        parents: the rows that it may be made of, by id.
    """
    read = parse_mosaic(row)
    if read is None:
        return ["it cannot be read back"]
    made_of = [parents[parent] for parent in row.made_from]
    found = []
    if read.questions != tuple(question_of(parent).strip() for parent in made_of):
        return ["its questions are not those of its rows"]
    if read.answered != read.sequence:
        found.append(f"the instruction wants {read.sequence}, the response gives {read.answered}")
    if read.answers != tuple(made_of[number - 1].output.strip() for number in read.sequence):
        found.append("its answers are not those of its rows in that order")
    return found


async def change(rows: Sequence[Example], tools: Tools, options: MosaicOptions) -> Outcome[Example]:
    """The mosaics of every pass; rows that are too long for one are rejected.

    Args:
        rows: all of them, in any order.
        tools: tokens are counted by its teacher, who is not asked.
        options: as they are described there.
    """
    pieces = _pieces(sorted(rows, key=lambda row: row.id), tools)
    fitting = [piece for piece in pieces if piece.tokens < options.max_tokens]
    rejected = [
        dropped_row(piece.row, NAME, "too_long", f"{piece.tokens} tokens")
        for piece in pieces
        if piece.tokens >= options.max_tokens
    ]
    kept: list[Example] = []
    unreadable: dict[str, Example] = {}
    for epoch in range(1, options.epochs + 1):
        made, alone = _pass(fitting, epoch, tools, options)
        kept += made
        unreadable |= {row.id: row for row in alone}
    rejected += [dropped_row(row, NAME, "ambiguous") for row in unreadable.values()]
    return Outcome(kept, rejected, len(kept) + len(rejected))


def _pieces(rows: Sequence[Example], tools: Tools) -> list[Piece]:
    texts = [(question_of(row).strip(), row.output.strip()) for row in rows]
    counts = tools.teacher.count_tokens(list(chain.from_iterable(texts)))
    return [
        Piece(row, question, answer, asked + given)
        for row, (question, answer), asked, given in zip(rows, texts, counts[::2], counts[1::2], strict=True)
    ]


def _pass(
    pieces: Sequence[Piece], epoch: int, tools: Tools, options: MosaicOptions
) -> tuple[list[Example], list[Example]]:
    """The mosaics of one pass in their order, and rows that cannot be read back even alone."""
    random = Random(f"{tools.seed}:{NAME}:{epoch}")
    shuffled = random.sample(pieces, len(pieces))
    waiting = dict(_chunks(shuffled, options, random))
    made: dict[int, Example] = {}
    unreadable: list[Example] = []
    while waiting:
        drafts = {place: _draft(chunk, epoch, tools.seed, options) for place, chunk in waiting.items()}
        fitting = _fitting([draft for draft in drafts.values() if draft], tools, options)
        parted: dict[int, Chunk] = {}
        for place, chunk in waiting.items():
            draft = drafts[place]
            if draft and draft.id in fitting:
                made[place] = draft
            elif len(chunk) > 1:
                half = (len(chunk) + 1) // 2
                parted |= {place: chunk[:half], place + half: chunk[half:]}
            elif bare := _row(BARE, chunk, epoch):
                made[place] = bare
            else:
                unreadable.append(chunk[0].row)
        waiting = parted
    return [made[place] for place in sorted(made)], unreadable


def _chunks(pieces: Sequence[Piece], options: MosaicOptions, random: Random) -> Iterator[tuple[int, Chunk]]:
    """The rows in groups, each with the place of its first row."""
    start = 0
    while start < len(pieces):
        end, tokens = start, 0
        most = start + _size(options, random)
        while end < min(most, len(pieces)):
            tokens += pieces[end].tokens + MARK_TOKENS
            if tokens >= options.max_tokens and end > start:
                break
            end += 1
        yield start, tuple(pieces[start:end])
        start = end


def _logistic(random: Random) -> float:
    share = random.random()
    return 2.0 * log(share / (1 - share)) if share else -1.0


DRAWS: Mapping[str, Callable[[Random], float]] = MappingProxyType(
    {
        "exp": lambda random: random.expovariate(1.0),
        "pareto": lambda random: max(0.0, random.paretovariate(1.0) - 2),
        "lognormal": lambda random: random.lognormvariate(0.0, 1.0),
        "logistic": _logistic,
    }
)


def _size(options: MosaicOptions, random: Random) -> int:
    match options.distribution:
        case "uniform":
            return random.randint(1, options.most)
        case "fix":
            return options.most
        case "max_length":
            return options.max_tokens
    while not 0 <= (less := DRAWS[options.distribution](random)) < options.most:
        pass
    return options.most - int(less)


def _draft(chunk: Chunk, epoch: int, seed: int, options: MosaicOptions) -> Example | None:
    """The first mosaic of these rows that can be read back; None where none of some tries can."""
    random = Random(f"{seed}:{NAME}:{epoch}:{':'.join(piece.row.id for piece in chunk)}")
    questions = [piece.question for piece in chunk]
    plans = (drawn_plan(questions, options.strategies, options.tag_probability, random) for _ in range(TRIES))
    return next((row for plan in plans if (row := _row(plan, chunk, epoch))), None)


def _row(plan: Plan, chunk: Chunk, epoch: int) -> Example | None:
    """The mosaic of a plan; None where its texts read otherwise than they are meant."""
    questions, answers = tuple(piece.question for piece in chunk), tuple(piece.answer for piece in chunk)
    instruction, output = mosaic_of(plan, questions, answers)
    sequence = sequence_of(plan.demand, questions)
    given = tuple(answers[number - 1] for number in sequence)
    meant = Mosaic(plan.numbering, plan.tags, plan.demand, questions, sequence, sequence, given)
    if read_mosaic(instruction, output) != meant:
        return None
    rows = [piece.row for piece in chunk]
    row = made_row(Origin(NAME, lot=epoch, made_from=tuple(row.id for row in rows)), instruction, "", output)
    return replace(row, source=_common(row.source for row in rows), licence=_common(row.licence for row in rows))


def _common(values: Iterable[str]) -> str:
    """What all of them are; empty where they differ."""
    different = set(values)
    return different.pop() if len(different) == 1 else ""


def _fitting(drafts: Sequence[Example], tools: Tools, options: MosaicOptions) -> set[str]:
    """Ids of the drafts that are short enough."""
    counts = tools.teacher.count_tokens([text for draft in drafts for text in (draft.instruction, draft.output)])
    sums = (asked + given for asked, given in zip(counts[::2], counts[1::2], strict=True))
    return {draft.id for draft, tokens in zip(drafts, sums, strict=True) if tokens < options.max_tokens}


MOSAIC = Transform(
    name=NAME,
    meaning="several rows become one, with an order to keep or items to leave out (Mosaic-IT); asks nobody",
    version=1,
    change=change,
    options=MosaicOptions,
    whole=True,
    wording=table,
)
