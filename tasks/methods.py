"""Generating and transforming methods as cached tasks: a lot, or a shard of rows, is one piece of work."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from fanno_core.errors import BadSettings
from fanno_core.methods.contract import Lot, LotFacts, Method
from fanno_core.methods.rows import over_budget
from fanno_core.methods.table import GENERATORS, TRANSFORMS, generator, transform
from fanno_core.outcome import Outcome
from fanno_core.settings import Settings
from fanno_core.store.contracts import FANNO, Example, Placed
from fanno_core.store.ledger import FileRef
from fanno_core.tools import Options, options_of
from tasks.phase import Job, Phase, Step, phase_task
from tasks.questions import questions
from tasks.run import Refs, Run, Shards
from tasks.tools import told_options, tools_of

HOW = ("run.seed",)
MOST_BARREN = 3
"""Lots in a row that may keep nothing, before a method without documents is taken to have said all that it can."""

log = logging.getLogger("fanno.run")


@dataclass(frozen=True)
class Opened:
    """What a flow has to know of the method of its settings.

    Attributes:
        generates: whether it writes rows, rather than changing those that there are.
        reads_documents, begins_with_rows: what it needs.
    """

    generates: bool
    reads_documents: bool
    begins_with_rows: bool


def open_method(settings: Settings) -> Opened:
    """What the run's method needs.

    Raises:
        BadSettings: there is no such method or option, or a value is refused; or the method is FANNO's own.
    """
    name = settings.method.name
    if name == FANNO:
        raise BadSettings("method.name=fanno is the flow `fanno`; start that one")
    if name:
        _method(name).check(_options(settings))
    reads = generator(name).reads if name in GENERATORS else ""
    begins_with_rows = reads in {"pool", ""}
    if settings.method.given and not begins_with_rows:
        raise BadSettings(f"method.given: {name} begins with no rows; leave it out")
    return Opened(name in GENERATORS, reads == "documents", begins_with_rows)


def require_fanno(settings: Settings) -> None:
    """Refuses settings of another method, which FANNO's own flow would not heed.

    Raises:
        BadSettings: they name another method.
    """
    if settings.method.name != FANNO:
        raise BadSettings(f"method.name={settings.method.name}: this flow is FANNO's own; start the flow fanno-method")


def _phase(name: str, method: Method, **more: Any) -> Phase:
    """A phase of a method, whose options count with their defaults."""
    return Phase(
        name,
        method.version,
        Example,
        HOW,
        method.prompts,
        asks_teacher=method.asks,
        encodes=method.encodes,
        options=lambda settings: told_options(_options(settings)),
        **more,
    )


@cache
def writing(name: str) -> Step:
    """The phase in which a generating method writes its rows."""
    method = generator(name)

    @phase_task(_phase(name, method, shards=_lot))
    async def write(job: Job) -> Outcome[Example]:
        """Writes the rows of one lot."""
        start, size = job.part["start"], job.part["size"]
        documents = job.rows("documents", Placed) if "documents" in job.inputs else []
        queue = sorted(documents, key=lambda document: document.order)[start : start + size]
        pool = job.rows("pool", Example) if "pool" in job.inputs else []
        number = job.part["lot"]
        outcome = await method.write(Lot(number, queue, size, pool), tools_of(job), _options(job.settings))
        return outcome.with_extra("facts", LotFacts, [LotFacts(str(number), start, size)])

    return write


@cache
def finishing(name: str) -> Step:
    """The phase in which all rows of a generating method are held against each other."""
    method = generator(name)

    @phase_task(replace(_phase(f"{name}-finish", method), prompts=()))
    async def finish(job: Job) -> Outcome[Example]:
        """Holds all rows against each other."""
        rows = job.rows("rows", Example)
        if method.finish is None:
            return Outcome(rows, [], len(rows))
        return method.finish(rows, tools_of(job), _options(job.settings))

    return finish


@cache
def changing(name: str) -> Step:
    """The phase in which a transforming method makes rows of rows."""
    method = transform(name)

    @phase_task(_phase(name, method, wording=method.wording))
    async def change(job: Job) -> Outcome[Example]:
        """Makes rows of the rows of a shard; those for which the budget has no room are rejected."""
        rows = sorted(job.rows("rows", Example), key=lambda row: row.id)
        most = job.part.get("most", len(rows))
        outcome = await method.change(rows[:most], tools_of(job), _options(job.settings))
        over = over_budget(rows[most:], name)
        return Outcome(outcome.kept, [*outcome.rejected, *over], outcome.candidates + len(over), outcome.extras)

    return change


async def change_all(run: Run, rows: Shards) -> Shards:
    """Every row, transformed by the run's method: shard by shard, or all at once where it mixes rows."""
    method, budget = transform(run.settings.method.name), run.settings.method.budget
    step = changing(method.name)
    calls = method.calls(_options(run.settings))
    if budget and calls:
        most = max(0, budget - questions(run)) // calls
        return await run.do(step, [run.job(step.phase, {"rows": rows}, {"most": most})])
    return await (run.one(step, rows=rows) if method.whole else run.map(step, rows=rows))


@dataclass(frozen=True, slots=True)
class Piece:
    """A lot that is to be begun: its number, its documents from `start` on, and how many prompts it begins with."""

    number: int
    documents: tuple[FileRef, ...]
    start: int
    size: int


class Cursor:
    """Deals the documents of the queue, or bare prompts, into lots as far as the budget has room.

    Args:
        run: the run; its phases so far count against the budget.
        documents: shards of the queue; none for a method that reads no documents.
    """

    def __init__(self, run: Run, documents: Shards) -> None:
        self.step = writing(run.settings.method.name)
        self._run = run
        self._how = run.settings.method
        self._calls = generator(self._how.name).calls(_options(run.settings))
        self._files = [*documents.labelled("seeds"), *documents.labelled("window")]
        self._endless = generator(self._how.name).reads != "documents"
        self._file, self._start, self._number = 0, 0, 0

    @property
    def most(self) -> int:
        """About how many lots there may be."""
        prompts = self._how.rows if self._endless else sum(ref.rows for ref in self._files)
        return max(1, -(-prompts // self._how.lot))

    def next(self, made: Shards) -> Piece | None:
        """The next lot; None where documents or the budget have run out.

        A method that reads no documents could go on for ever: None too where its last lots gave nothing new.

        Args:
            made: the lots so far.
        """
        if self._endless and _is_barren(made):
            log.warning("%s: the last %d lots gave no row, so no further one is begun", self._how.name, MOST_BARREN)
            return None
        size = self._room()
        self._number += 1
        if self._endless:
            return Piece(self._number, (), 0, size) if size else None
        while self._file < len(self._files) and self._start >= self._files[self._file].rows:
            self._file, self._start = self._file + 1, 0
        if not size or self._file == len(self._files):
            return None
        file = self._files[self._file]
        piece = Piece(self._number, (file,), self._start, min(size, file.rows - self._start))
        self._start += piece.size
        return piece

    async def finish(self, made: Shards) -> Shards:
        """The rows that are left when all are held against each other, where the method does so."""
        if generator(self._how.name).finish is None:
            return made
        return await self._run.one(finishing(self._how.name), rows=made)

    def _room(self) -> int:
        if not self._how.budget:
            return self._how.lot
        return max(0, min(self._how.lot, (self._how.budget - questions(self._run)) // max(1, self._calls)))


def lot_job(run: Run, step: Step, lot: Piece, pool: Shards) -> Job:
    """The job of one lot: its documents and the rows before it, where its method looks at them."""
    inputs: dict[str, Refs] = {"documents": lot.documents} if lot.documents else {}
    if generator(step.phase.name).reads == "pool":
        inputs["pool"] = pool
    part = {"lot": lot.number, "start": lot.start, "size": lot.size}
    return run.job(step.phase, inputs, part, f"lot {lot.number}")


def _is_barren(made: Shards) -> bool:
    last = made.entries[-MOST_BARREN:]
    return len(last) == MOST_BARREN and not any(entry.rows_kept for entry in last)


def _lot(rows: list[Example], _settings: Settings) -> Mapping[str, list[Example]]:
    return {"lot": rows} if rows else {}


def _options(settings: Settings) -> Options:
    kind: type[Options] = _method(settings.method.name).options
    return options_of(kind, settings.method.name, settings.method.options)


def _method(name: str) -> Method:
    return transform(name) if name in TRANSFORMS else generator(name)
