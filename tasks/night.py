"""One night of the refresh: the jobs that the tables of the last version give, and what comes of them in the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from fanno_core.dataset.gates import Measures
from fanno_core.dataset.made import Made
from fanno_core.dataset.manifest import local
from fanno_core.documents.sources import Source
from fanno_core.refresh.contracts import CorpusFile, Count, Gone, Member, Neighbours, Origin, Sketch, Waiting
from fanno_core.refresh.entries import AUGMENT, NOVELTY, PLACED, QUESTIONS, SEEDED
from fanno_core.refresh.forgetting import COLUMNS, closure
from fanno_core.refresh.tables import BANDIT, Tables
from fanno_core.settings import Settings
from fanno_core.store.contracts import Document, Example, Instruction, Placed, Rejection, SeedState, Vector
from fanno_core.store.ledger import Entry, FileRef
from fanno_core.teachers.answer_journal import FILE as JOURNAL
from tasks.changes import STANDING, ids_of
from tasks.changes import changes_job as job_of_changes
from tasks.instructions import NOVELTY as NOVELTY_PHASE
from tasks.joining import JOINING, RESPONSE, TURN, TURNS, UNANSWERED, VERDICT
from tasks.phase import Job, make_job
from tasks.publish import phases_of
from tasks.run import Run, Shards

Row = TypeVar("Row")
BUILDING = "building"
# Tables from which what goes is taken later, or otherwise.
LATER = {"files", "origins", "unruled", "ruled", "sketches", "neighbours", "members", BANDIT}


@dataclass
class Night:
    """A refresh in progress.

    Attributes:
        run: the run that does what has changed.
        tables: what stands now; to begin with, what the last version carried.
        number: the version that the night begins with; 0 where there is none.
        is_first: whether everything has to be made.
        measures: those of that version.
        shard_rows: rows of a task in a full build.
        next_order: first free place at the end of the queue.
        next_iteration: number of the next window of augmentation.
        forgotten: digests of documents that must not come back.
        counts: what there is to tell, by name.
        left: documents that do not stand any more.
        withdrawn: those of them that the corpus has no more.
        leaning: rows whose responses leant on these.
        retired: rows that the version before had, as it had them.
        built: the full build that the tables are of, or the run that was taken over.
        took_over: the version that was made of a run that had lain there; 0 where none was.
    """

    run: Run
    tables: Tables
    number: int = 0
    is_first: bool = True
    measures: Measures | None = None
    shard_rows: int = Settings().run.shard_rows
    next_order: int = 0
    next_iteration: int = 1
    forgotten: frozenset[str] = frozenset()
    counts: dict[str, float] = field(default_factory=dict)
    left: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    leaning: frozenset[str] = frozenset()
    retired: frozenset[str] = frozenset()
    built: Made | None = None
    took_over: int = 0

    @property
    def building(self) -> Path:
        """Where a full build is made before it becomes a version."""
        return local(self.run.out) / BUILDING

    @property
    def settings_of_build(self) -> Settings:
        """Those of the night, with the answers that are there already, and without a report of its own."""
        settings = self.run.settings
        journal = settings.run.journal or str(local(self.run.out) / "work" / JOURNAL)
        run = settings.run.model_copy(update={"journal": journal, "shard_rows": self.shard_rows})
        return settings.model_copy(update={"run": run, "report": settings.report.model_copy(update={"make": False})})

    # What has changed, and what stands.

    def changes_job(self, sources: Sequence[Source]) -> Job:
        """The job of comparing the corpus with what stood in it."""
        tables = {name: self.tables[name] for name in ("files", "origins")}
        return job_of_changes(sources, self.run, tables, self.forgotten)

    def nothing_to_do(self, changes: Shards) -> bool:
        """Whether the corpus is as it was, and nothing waits from earlier nights."""
        counts = {row.id: row.count for row in self._extra(changes, "counts", Count)}
        self.counts |= counts
        written = [ref.rows for name in ("files", "origins", "gone") for ref in changes.table(name)]
        return not (any(written) or changes.rows or self.tables.rows("waiting"))

    def standing_job(self, ruled: Shards, changes: Shards) -> Job:
        """The job of finding which segments stand."""
        waiting = [row.id for row in self._read(self.tables["waiting"], Waiting) if row.what == VERDICT]
        inputs = {"documents": ruled.kept, "gone": changes.table("gone")}
        inputs |= {name: self.tables[name] for name in ("sketches", "ruled")}
        return self.run.job(STANDING, inputs, {"waiting": waiting, **self._sizes})

    def take_in_documents(
        self, changes: Shards, ruled: Shards, standing: Shards, masked: Shards, screened: Shards, vectors: Shards
    ) -> None:
        """The tables of documents, and without all that came of those that are withdrawn or repeat another now."""
        tables = self.tables
        gone, left = self._extra(changes, "gone", Gone), self._extra(standing, "gone", Gone)
        segments, fallen = ids_of(gone, "segments"), ids_of(left, "fallen")
        self._leave(segments, fallen)
        tables.take_back(ids_of(gone, "rejections"), ["ingest"])
        tables.take_back(ids_of(left, "rejections"), ["duplicates"])
        tables.change("files", ids_of(gone, "files"), self._extra(changes, "files", CorpusFile))
        tables.change("origins", ids_of(gone, "origins"), self._extra(changes, "origins", Origin))
        failed = {row.id for row in self._rejections(ruled)}
        segments_now = self._read(changes.kept, Document)
        self.withdrawn -= {row.id for row in segments_now}
        tables.change("unruled", segments, [row for row in segments_now if row.id in failed])
        tables.change("ruled", segments, self._read(ruled.kept, Document))
        tables.change("sketches", ids_of(left, "sketches"), self._extra(standing, "sketches", Sketch))
        documents = self._read(screened.kept, Document)
        tables.change("masked", new=self._read(masked.kept, Document))
        tables.change("screened", new=documents)
        # One that comes back with another licence or own id has left its community, and joins one anew.
        again = self.left & {row.id for row in documents}
        for table in ("neighbours", "members"):
            tables.change(table, gone=again)
        tables.change("vectors", new=self._read(vectors.kept, Vector))
        self._reject(changes, ruled, standing, masked, screened)
        judged = {row.id for row in documents} | {row.id for row in self._rejections(masked, screened)}
        tables.change("waiting", gone=judged)
        late = self._postponed()
        self._wait(VERDICT, [row.id for row in self._read([r for r in masked.kept if r.path in late], Document)])

    def _leave(self, segments: frozenset[str], fallen: frozenset[str]) -> None:
        """Takes out what came of documents; `fallen` ones stay known, since they may stand again."""
        tables, self.left, self.withdrawn = self.tables, segments | fallen, segments
        leaving = closure(tables.columns(COLUMNS), self.left, self.run.settings.refresh)
        for table in [name for name in tables.state.tables if name not in LATER]:
            tables.change(table, gone=leaving.of(table))
        states = self._read(tables[BANDIT], SeedState)
        staying = [state for state in states if state.seed_id not in leaving.instructions]
        if len(staying) < len(states):
            tables.set_states(staying)
        self.leaning = leaving.leaning
        anew = leaving.leaning - leaving.instructions
        self._wait(RESPONSE, anew)
        self.retired |= leaving.rows
        self.counts |= {"rows retired": len(leaving.rows), "rows answered anew": len(anew)}

    # Where new documents stand, and whose turn it is.

    def joining_job(self, screened: Shards) -> Job:
        """The job of finding neighbours, communities and representatives."""
        inputs = {name: self.tables[name] for name in ("screened", "vectors", "neighbours", "members")}
        return self.run.job(JOINING, {"documents": screened.kept, **inputs}, {"first_order": self.next_order})

    def take_in_places(self, joined: Shards) -> None:
        """The tables of the neighbour graph and of the communities."""
        tables = self.tables
        placed = self._read(joined.kept, Placed)
        tables.take_back(ids_of(self._extra(joined, "gone", Gone), "rejections"), ["communities"])
        for name, contract in (("neighbours", Neighbours), ("members", Member)):
            tables.change(name, self.left, self._extra(joined, name, contract))
        tables.change(PLACED, new=placed)
        self._reject(joined)
        self.counts |= {row.id: row.count for row in self._extra(joined, "counts", Count)}
        self.next_order += len(placed)

    def turns_job(self) -> Job:
        """The job of dealing those that have not been asked: seeds where the pool lacks them, windows of the others."""
        settings = self.run.settings
        lacking = max(0, settings.seeds.documents - self.tables.rows(SEEDED))
        fitting = self.run.budget.rows_a_job("augment") if self.run.budget else settings.augment.window
        update = {
            "seeds": settings.seeds.model_copy(update={"documents": lacking}),
            "augment": settings.augment.model_copy(update={"window": min(settings.augment.window, fitting)}),
        }
        inputs = {"members": self.tables["members"], "placed": self.tables[PLACED]}
        return make_job(TURNS, str(self.run.out), settings.model_copy(update=update), inputs, part=self._sizes)

    # Instructions and responses.

    def novelty_jobs(self, drafts: Shards) -> list[Job]:
        """The job of comparing new seeds with each other and with all instructions that stand; none without seeds."""
        if not drafts.rows:
            return []
        carried = tuple(ref for name in QUESTIONS.values() for ref in self.tables[name])
        inputs = {"instructions": drafts.kept, "carried_vectors": carried, BANDIT: self.tables[BANDIT]}
        return [self.run.job(NOVELTY_PHASE, inputs)]

    def carried_pool(self) -> Shards:
        """The instructions that stand, as phases hand them on: rows, their vectors, and the bandit's states."""
        rows = tuple(ref for name in QUESTIONS for ref in self.tables[name])
        vectors = [ref for name in QUESTIONS.values() for ref in self.tables[name]]
        pieces = [
            _piece(),
            *(_piece(vectors=ref) for ref in vectors),
            *(_piece(bandit=ref) for ref in self.tables[BANDIT]),
        ]
        return Shards((replace(pieces[0], kept=rows), *pieces[1:]))

    def take_in_instructions(self, lots: Shards, drafts: Shards, pool: Shards) -> None:
        """The tables of instructions; who was asked is not asked again."""
        tables = self.tables
        for table, phase in ((NOVELTY, "novelty"), (AUGMENT, "augment")):
            made = Shards(tuple(entry for entry in pool.entries if entry.phase == phase))
            rows = self._read(made.kept, Instruction)
            tables.change(table, new=rows)
            tables.change(QUESTIONS[table], new=self._read(made.table("vectors"), Vector))
            self._wait(RESPONSE, [row.id for row in rows])
            self._reject(made)
        if states := pool.table(BANDIT)[-1:]:
            tables.set_states(self._read(states, SeedState))
        # Seeds that nothing was compared with are no instructions yet: their documents are asked again.
        compared = not self._late("novelty")
        if compared:
            self._reject(drafts)
        self._ask(lots, sum(entry.phase == "augment" for entry in pool.entries), compared)

    def _ask(self, lots: Shards, windows: int, compared: bool) -> None:
        """Notes who was asked: the seeds and windows whose jobs were done; and who waits for a turn."""
        late = self._postponed()
        seeds = [ref for ref in lots.labelled("seeds") if compared and ref.path not in late]
        done = lots.labelled("window")[:windows]
        asked = {row.id for row in self._read([*seeds, *done], Placed)}
        members = [replace(row, asked=True) for row in self.tables.look_up("members", asked)]
        self.tables.change("members", new=members)
        seeded = self._read(seeds, Placed)
        self.tables.change(PLACED, gone={row.id for row in seeded})
        self.tables.change(SEEDED, new=seeded)
        self.next_iteration += windows
        self._wait_for_turns([ref for ref in lots.kept if ref not in (*seeds, *done)])

    def _wait_for_turns(self, lots: Sequence[FileRef]) -> None:
        """Notes whose turn the budget has put off; those beyond `augment.limit` do not wait."""
        waited = [row.id for row in self._read(self.tables["waiting"], Waiting) if row.what == TURN]
        self.tables.change("waiting", gone=waited)
        seeds_late, windows_late = self._late("seeds", "novelty"), self._late("augment")
        late = [ref for ref in lots if (seeds_late if ref.label.startswith("seeds") else windows_late or seeds_late)]
        self._wait(TURN, [row.id for row in self._read(late, Placed)])

    def unanswered_job(self) -> Job:
        """The job of collecting the instructions that wait for a response."""
        names = ("waiting", *QUESTIONS, *QUESTIONS.values())
        return self.run.job(UNANSWERED, {name: self.tables[name] for name in names}, self._sizes)

    def library(self) -> tuple[Shards, Shards]:
        """The screened documents and their vectors, for retrieval."""
        screened, vectors = (Shards((replace(_piece(), kept=self.tables[name]),)) for name in ("screened", "vectors"))
        return screened, vectors

    def answered(self, asked: Shards, answered: Shards) -> Shards:
        """Of what was asked a shard for each that was answered; which ones is the same, all share their vectors."""
        return Shards(tuple(replace(entry, kept=entry.kept[: len(answered.entries)]) for entry in asked.entries))

    def take_in_rows(self, answered: Shards, examples: Shards) -> None:
        """The data set's rows; what neither became a row nor was rejected waits for the next night."""
        rows = [replace(row, phases=phases_of(row, self.run.versions)) for row in self._read(examples.kept, Example)]
        rejected = self._rejections(answered, *([examples] if examples is not answered else []))
        self.tables.change("examples", new=rows)
        self.tables.reject(rejected)
        self.tables.change("waiting", gone={row.id for row in rows} | {row.id for row in rejected})
        self.counts["rows added"] = len(rows)

    # Reading and writing.

    def waiting(self) -> dict[str, int]:
        """How many rows wait for what, for want of budget."""
        what = Counter(row.what for row in self._read(self.tables["waiting"], Waiting))
        return dict(sorted(what.items()))

    @property
    def _sizes(self) -> dict[str, int]:
        """How large the shards of a job may be: another budget must not find those of a night that was killed."""
        return {"shard_rows": self.run.settings.run.shard_rows}

    def _late(self, *phases: str) -> bool:
        """Whether the budget had no room for a job of one of these phases."""
        return any(job.phase in phases for job in self.run.postponed)

    def _postponed(self) -> set[str]:
        """Shards of documents for whose jobs the budget had no room."""
        return {ref.path for job in self.run.postponed for ref in job.inputs.get("documents", ())}

    def _wait(self, what: str, ids: Iterable[str]) -> None:
        self.tables.change("waiting", new=[Waiting(name, what) for name in sorted({*ids})])

    def _reject(self, *made: Shards) -> None:
        self.tables.reject(self._rejections(*made))

    def _rejections(self, *made: Shards) -> list[Rejection]:
        return self._read([ref for shards in made for entry in shards.entries for ref in entry.rejected], Rejection)

    def _read(self, refs: Iterable[FileRef], contract: Callable[..., Row]) -> list[Row]:
        return self.tables.store.read(refs, contract)

    def _extra(self, made: Shards, name: str, contract: Callable[..., Row]) -> list[Row]:
        return self._read(made.table(name), contract)


def _piece(**extras: FileRef) -> Entry:
    """An entry that stands for tables that were carried over."""
    return Entry("carried", "", 0, 0, (), (), extras)
