"""What became of a row that the teacher wrote: its prompt, what each filter found, its response."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from fanno_core.errors import RunStops, ShardDamaged
from fanno_core.instructions.augmentation import seed_states
from fanno_core.instructions.drafts import VERDICT_PROMPTS
from fanno_core.instructions.hard_filter import hard_reason
from fanno_core.lineage.checks import verdict_checks, with_fatal
from fanno_core.lineage.documents import screened
from fanno_core.lineage.drafts import find_instruction, redraft
from fanno_core.lineage.explanation import Asked, Check, Explanation, Fate, Response, Shown, as_written
from fanno_core.lineage.find import SCREENING
from fanno_core.lineage.replay import Replay
from fanno_core.lineage.retrieval import documents_of, retrieve_again
from fanno_core.lineage.shelves import Shelves
from fanno_core.responses.answers import Context, respond_from
from fanno_core.responses.direct import response_sampling
from fanno_core.settings import Filters
from fanno_core.store.contracts import Document, Example, Instruction, Placed, Rejection, question_of

UNTOLD = "the prompt that it was written from cannot be told: no answer in the journal gives this instruction"
NOTHING_BEFORE = "there was nothing to compare it with"


@dataclass(frozen=True)
class _Row:
    """What the shards hold of a row.

    Attributes:
        id: its id.
        example: the row with its response, as far as a phase kept that.
        instruction: the instruction, as far as a phase kept that.
        fatal: its rejection; None for a row of the data set.
    """

    id: str
    example: Example | None
    instruction: Instruction | None
    fatal: Rejection | None

    @property
    def document_id(self) -> str:
        kept = self.example or self.instruction
        return kept.document_id if kept else self.fatal.document_id if self.fatal else ""

    def came_to(self, phase: str) -> bool:
        """Whether it was rejected there or later, or not at all."""
        order = ("seeds", "augment", "novelty", "responses")
        at = self.fatal.phase if self.fatal else ""
        return at not in order or order.index(at) >= order.index(phase)


async def explain_row(shelves: Shelves, row_id: str, replay: Replay) -> Explanation:
    """All that there is to say of a row that the teacher wrote.

    Raises:
        ShardDamaged: a shard is missing or damaged.
    """
    row = _find(shelves, row_id)
    document = await screened(shelves, row.document_id, replay)
    before = len(replay.asked)
    if document.placed is None:
        raise ShardDamaged(f"no shard holds the document of row {row_id}; `fanno verify` names what is damaged")
    drafted = await redraft(shelves, document.placed, row_id, row.instruction, _window(shelves, row), replay)
    written = drafted.row
    checks: list[Check] = []
    response: Response | None = None
    retrieved: list[Document] = []
    if written:
        checks += _writing_checks(written, row, replay.asked[before:], shelves.made.settings.filters)
    if written and row.came_to("responses"):
        with suppress(RunStops):  # of the replay, which has noted why
            await seed_states([written], replay, shelves.made.settings)
        response, retrieved = await _response(shelves, row, written, document.placed, replay)
        checks += _response_checks(shelves, row)
    return Explanation(
        id=row_id,
        kind="row",
        fate=_fate(row),
        document=document.source,
        screening=document.checks,
        place=document.place,
        instruction=as_written(written, written.prompt, written.sampling) if written else None,
        counterexamples=tuple(Shown(shot.id, question_of(shot), shot.source) for shot in drafted.shots),
        filters=with_fatal(checks, row.fatal),
        response=response,
        retrieved=tuple(Shown(near.id, near.text, near.source) for near in retrieved),
        questions=tuple(replay.asked),
        notes=() if len(replay.asked) > before else (UNTOLD,),
    )


def _find(shelves: Shelves, row_id: str) -> _Row:
    later = [phase for phase in shelves.made.entries if phase not in SCREENING]
    rejections = shelves.rejections(later, "id", row_id)
    example = shelves.row(shelves.kept("publish" if not rejections else "responses"), Example, row_id)
    return _Row(row_id, example, find_instruction(shelves, row_id), None if not rejections else rejections[-1])


def _window(shelves: Shelves, row: _Row) -> int:
    """The iteration that it was written in."""
    if row.instruction:
        return row.instruction.iteration
    for window, entry in enumerate(shelves.made.entries.get("augment", ()), 1):
        if shelves.row(entry.rejected, Rejection, row.id):
            return window
    return 0


def _fate(row: _Row) -> Fate:
    return Fate(False, row.fatal.phase, row.fatal.reason, row.fatal.detail) if row.fatal else Fate(True, "publish")


def _writing_checks(written: Instruction, row: _Row, asked: Sequence[Asked], filters: Filters) -> Iterator[Check]:
    """The filters of instructions, in the order in which they are applied."""
    phase = "augment" if written.iteration else "seeds"
    finish = asked[0].finish if asked else ""
    if finish:
        yield Check(phase, "finish", passed=finish == "stop", detail=finish)
    reason = (
        None
        if row.instruction or filters.hard == "none"
        else hard_reason(written.instruction, filters.hard, written.input)
    )
    yield Check(phase, "hard_filter", passed=not reason, limit=filters.hard, detail=reason or "")
    if filters.judge:
        yield from verdict_checks(phase, VERDICT_PROMPTS, written, asked, filters)
    limit = f"cosine < {filters.novelty:g}"
    novelty = phase if written.iteration else "novelty"
    if row.fatal and row.fatal.reason == "not_novel":
        yield Check(novelty, "novelty", passed=False, score=_cosine(row.fatal), limit=limit, detail=row.fatal.detail)
    elif row.came_to("responses"):
        if written.similarity < 0:
            yield Check(novelty, "novelty", passed=True, limit=limit, detail=NOTHING_BEFORE)
        else:
            yield Check(novelty, "novelty", passed=True, score=written.similarity, limit=limit)


def _cosine(rejection: Rejection) -> float | None:
    try:
        return float(rejection.detail.removeprefix("cosine "))
    except ValueError:
        return None


async def _response(
    shelves: Shelves, row: _Row, written: Instruction, document: Placed, replay: Replay
) -> tuple[Response | None, list[Document]]:
    """The response, and the documents that it was given; the replay notes its prompt."""
    example, settings = row.example, shelves.made.settings
    # The detail of a response's rejection ends with its mode.
    mode = example.response_mode if example else row.fatal.detail.split(" ")[-1] if row.fatal else ""
    if row.fatal and row.fatal.reason == "no_context":
        return None, []
    ids = example.retrieved if example else retrieve_again(shelves, written, mode)
    near = documents_of(shelves, ids)
    own = document.text if mode in {"document", "rag+"} else None
    context = Context(own, [(found.id, found.text) for found in near])
    before = len(replay.asked)
    with suppress(RunStops):  # of the replay, which has noted why
        await respond_from([written], [context], mode, replay, settings)
    if example:
        told = Response(mode, example.output, example.output_tokens, example.response_sampling, example.flags)
    else:
        (asked,) = replay.asked[before:]
        told = Response(mode, asked.answer or "", asked.completion_tokens, str(response_sampling(settings)))
    return told, near


def _response_checks(shelves: Shelves, row: _Row) -> Iterator[Check]:
    """The filters of responses, and whatever phase came between them and the data set."""
    phases = list(shelves.made.entries)
    later = phases[phases.index("responses") : phases.index("publish")]
    for phase in later:
        if row.fatal and row.fatal.phase == phase:
            yield Check(phase, "response" if phase == "responses" else phase, False, detail=row.fatal.reason)
            return
        yield Check(phase, "response" if phase == "responses" else phase, passed=True)
