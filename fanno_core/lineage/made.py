"""What became of a row that another method than FANNO's own made: what it was made of, what was asked, who chose it.

The method itself puts its questions again, to the journal: so what is told is what was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache

from fanno_core.communities.encoder import Encoder
from fanno_core.errors import FannoError
from fanno_core.lineage.documents import screened
from fanno_core.lineage.explanation import Asked, Check, Explanation, Fate, Response, Shown, as_written
from fanno_core.lineage.find import SCREENING
from fanno_core.lineage.replay import Lookup, Replay
from fanno_core.lineage.shelves import Shelves
from fanno_core.methods.contract import Lot, LotFacts
from fanno_core.methods.table import GENERATORS, TRANSFORMS, generator, transform
from fanno_core.selection.contract import Rank
from fanno_core.selection.losses import Scorer, load_scorer
from fanno_core.store.contracts import FANNO, Document, Example, Placed, Rejection, question_of
from fanno_core.tools import Tools, options_of

OF_FANNO = ("seeds", "novelty", "augment", "responses")
UNTOLD = "its questions cannot be told: the journal does not hold all that its method asked"


@dataclass
class Lots:
    """The questions of a run's method, lot by lot; each lot is put to the journal once.

    Attributes:
        shelves: the run.
        journal: what was answered.
    """

    shelves: Shelves
    journal: Lookup
    _asked: dict[int, asyncio.Task[tuple[Asked, ...]]] = field(default_factory=dict, init=False, repr=False)

    @property
    def name(self) -> str:
        """The method."""
        return self.shelves.made.settings.method.name

    def has(self, row_id: str) -> bool:
        """Whether a method of the tables made or rejected the row, and not FANNO's own phases."""
        if self.name == FANNO:
            return False
        ours = [phase for phase in self.shelves.made.entries if phase not in (*SCREENING, *OF_FANNO)]
        kept = any(self.shelves.row(self.shelves.kept(phase), Example, row_id) for phase in _making(self.shelves))
        return kept or bool(self.shelves.rejections(ours, "id", row_id))

    async def of_lot(self, number: int) -> tuple[Asked, ...]:
        """Every question of a lot, with its answer; none where the journal does not hold them all."""
        if number not in self._asked:
            self._asked[number] = asyncio.create_task(self._replay(number))
        return await self._asked[number]

    async def of_rows(self, parents: Sequence[Example]) -> tuple[Asked, ...]:
        """The same of a transforming method, for the rows that it was given."""
        method, replay = transform(self.name), Replay(self.shelves.made.teacher, self.journal)
        options = options_of(method.options, self.name, self.shelves.made.settings.method.options)
        with suppress(FannoError):
            await method.change(parents, self._tools(replay), options)
        return tuple(replay.asked)

    async def _replay(self, number: int) -> tuple[Asked, ...]:
        shelves, method = self.shelves, generator(self.name)
        replay = Replay(shelves.made.teacher, self.journal)
        entries = shelves.made.entries[self.name]
        (facts,) = shelves.rows([entries[number - 1].extras["facts"]], LotFacts, "id", {str(number)})
        documents = self._documents(number, facts) if method.reads == "documents" else []
        pool = self._pool(number) if method.reads == "pool" else []
        options = options_of(method.options, self.name, shelves.made.settings.method.options)
        with suppress(FannoError):
            await method.write(Lot(number, documents, facts.size, pool), self._tools(replay), options)
        return tuple(replay.asked)

    def _documents(self, number: int, facts: LotFacts) -> list[Placed]:
        """The documents of a lot: those of the shard of the queue that the lots before it did not use up."""
        shards = sorted(self.shelves.kept("queue"), key=lambda ref: ref.label)
        entries = self.shelves.made.entries[self.name][:number]
        starts = [
            self.shelves.rows([e.extras["facts"]], LotFacts, "id", {str(n)})[0].start for n, e in enumerate(entries, 1)
        ]
        place = sum(start == 0 for start in starts) - 1
        rows = sorted(self.shelves.made.read([shards[place]], Placed), key=lambda row: row.order)
        return rows[facts.start : facts.start + facts.size]

    def _pool(self, number: int) -> list[Example]:
        made = self.shelves.made
        began = made.kept("given", Example) or made.kept("responses", Example)
        before = [ref for entry in made.entries[self.name][: number - 1] for ref in entry.kept]
        return [*began, *made.read(before, Example)]

    def _tools(self, replay: Replay) -> Tools:
        settings = self.shelves.made.settings
        return Tools(replay, lambda texts: Encoder(settings.encoder).encode(texts), _scorer, settings.run.seed)


@lru_cache(maxsize=1)
def _scorer(model: str) -> Scorer:
    return load_scorer(model)


async def explain_made(shelves: Shelves, row_id: str, replay: Replay, lots: Lots) -> Explanation:
    """All that there is to say of a row that another method made.

    Raises:
        ShardDamaged: a shard is missing or damaged.
    """
    example = next(filter(None, (shelves.row(shelves.kept(p), Example, row_id) for p in _making(shelves))), None)
    later = [phase for phase in shelves.made.entries if phase not in SCREENING]
    fatal = next(reversed(shelves.rejections(later, "id", row_id)), None)
    document_id = example.document_id if example else fatal.document_id if fatal else ""
    known = bool(document_id and shelves.rows(shelves.kept("verdicts"), Document, "id", {document_id}))
    document = await screened(shelves, document_id, replay) if known else None
    parents = _parents(shelves, example)
    questions = await _questions(shelves, lots, example, fatal, parents)
    return Explanation(
        id=row_id,
        kind="row",
        fate=Fate(False, fatal.phase, fatal.reason, fatal.detail) if fatal else Fate(True, "publish"),
        document=document.source if document else None,
        screening=document.checks if document else (),
        place=document.place if document else None,
        instruction=as_written(example, example.instruction_prompt, example.instruction_sampling) if example else None,
        filters=tuple(_chosen(shelves, row_id, fatal)),
        response=_response(example) if example else None,
        questions=(*replay.asked, *questions),
        parents=tuple(Shown(row.id, f"{question_of(row)}\n\n{row.output}", row.source) for row in parents),
        notes=() if questions or lots.name not in {*GENERATORS, *TRANSFORMS} or not _asks(lots.name) else (UNTOLD,),
    )


def _asks(name: str) -> bool:
    return bool((generator(name) if name in GENERATORS else transform(name)).prompts)


def _making(shelves: Shelves) -> list[str]:
    """The phases that hold rows as a method made or read them, the last first."""
    name = shelves.made.settings.method.name
    return [phase for phase in ("publish", f"{name}-finish", name, "given") if phase in shelves.made.entries]


def _parents(shelves: Shelves, example: Example | None) -> list[Example]:
    wanted = set(example.made_from) if example else set()
    found: dict[str, Example] = {}
    for phase in ("given", "responses", shelves.made.settings.method.name):
        found |= {row.id: row for row in shelves.rows(shelves.kept(phase), Example, "id", wanted - found.keys())}
    return [found[name] for name in (example.made_from if example else ()) if name in found]


async def _questions(
    shelves: Shelves, lots: Lots, example: Example | None, fatal: Rejection | None, parents: Sequence[Example]
) -> tuple[Asked, ...]:
    if lots.name in TRANSFORMS:
        return await lots.of_rows(parents or ([example] if example else [])) if _asks(lots.name) else ()
    if lots.name not in GENERATORS:
        return ()
    entries = shelves.made.entries.get(lots.name, ())
    number = example.iteration if example else 0
    for place, entry in enumerate(entries, 1):
        if not number and fatal and shelves.rows(entry.rejected, Rejection, "id", {fatal.id}):
            number = place
    asked = await lots.of_lot(number) if number else ()
    return tuple(each for each in asked if _is_about(each, example, fatal))


def _is_about(asked: Asked, example: Example | None, fatal: Rejection | None) -> bool:
    """Whether a question of the lot gave this row: it was asked for its id or document, or holds its words."""
    if example is None:
        return fatal is not None and asked.about in {fatal.id, fatal.document_id}
    said = f"{asked.text}\n{asked.answer}"
    words = any(text and text in said for text in (example.instruction, example.output))
    return asked.about in {example.id, example.document_id} - {""} or words


def _chosen(shelves: Shelves, row_id: str, fatal: Rejection | None) -> Iterator[Check]:
    """What selectors found of a row."""
    for phase in shelves.made.entries:
        if phase.endswith("-select"):
            rank = shelves.row(shelves.tables(phase, "ranks"), Rank, row_id)
            if rank:
                yield Check(phase, "chosen", passed=True, score=rank.score, detail=f"rank {rank.rank}")
    if fatal:
        yield Check(fatal.phase, fatal.reason, passed=False, detail=fatal.detail)


def _response(row: Example) -> Response:
    return Response(row.response_mode, row.output, row.output_tokens, row.response_sampling, row.flags)
