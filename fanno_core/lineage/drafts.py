"""The prompt that an instruction was written from, made again: by its tags, or by the answer that gives its id."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from fanno_core.errors import RunStops
from fanno_core.instructions import augmentation, seeds
from fanno_core.instructions.augmentation import Choice, augment_sampling, choices_of_window, draft_of
from fanno_core.instructions.bandit import open_bandit
from fanno_core.instructions.drafts import Draft, instruction_of, write_instructions
from fanno_core.instructions.seeds import seed_drafts, seed_sampling
from fanno_core.lineage.replay import Replay
from fanno_core.lineage.shelves import Shelves
from fanno_core.settings import Filters
from fanno_core.store.contracts import Instruction, Placed, SeedState
from fanno_core.store.ledger import Store
from fanno_core.teachers.protocol import Answer, Sampling


@dataclass(frozen=True)
class Drafted:
    """An instruction, and the counterexamples that its prompt showed; no row where the prompt cannot be told."""

    row: Instruction | None
    shots: tuple[Instruction, ...] = ()


@dataclass(frozen=True)
class _Drafts:
    """Prompts one of which gave the instruction, how they were drawn, and what they showed."""

    phase: str
    drafts: Sequence[Draft]
    sampling: Sampling
    shots: tuple[Instruction, ...] = ()


def find_instruction(shelves: Shelves, row_id: str) -> Instruction | None:
    """The instruction as the last phase before responses kept it; None where no phase did."""
    for phases in (("novelty", "augment"), ("seeds",)):
        refs = [ref for phase in phases for ref in shelves.kept(phase)]
        if row := shelves.row(refs, Instruction, row_id):
            return row
    return None


async def redraft(
    shelves: Shelves, document: Placed, row_id: str, row: Instruction | None, window: int, replay: Replay
) -> Drafted:
    """The instruction, written again from the journal; the replay notes its prompt and its verdicts.

    Args:
        shelves: the run.
        document: what it was written from.
        row_id: its id.
        row: what is known of it; None for one that no phase kept.
        window: its iteration, 0 for seeds.
        replay: who answers.

    Raises:
        ShardDamaged: a shard is missing or damaged.
    """
    possible = _augmented(shelves, document, row, window) if window else _seeds(shelves, document)
    filters = shelves.made.settings.filters
    draft, written = await _matching(possible, row_id, row, replay, filters)
    if draft is None:
        return Drafted(row, possible.shots)
    with suppress(RunStops):  # of the replay, which has noted why
        outcome = await write_instructions([draft], replay, possible.sampling, filters, possible.phase)
        written = next(iter(outcome.kept), written)
    return Drafted(row or written, possible.shots)


async def _matching(
    possible: _Drafts, row_id: str, row: Instruction | None, replay: Replay, filters: Filters
) -> tuple[Draft | None, Instruction | None]:
    """The prompt that gave the instruction, and the instruction as its answer gives it."""
    drafts = [draft for draft in possible.drafts if row is None or _tags(draft) == _tags(row)]
    requests = [draft.request(possible.sampling) for draft in drafts]

    def made(draft: Draft, answer: Answer) -> Instruction:
        return instruction_of(draft, answer, str(replay.identity), possible.sampling, filters)

    with suppress(RunStops):  # the journal cannot be read, which the first question tells
        answers = await replay.known(requests)
        for place, answer in answers.items():
            if (written := made(drafts[place], answer)).id == row_id:
                return drafts[place], written
        # A prompt was changed since: its answers are known by the document that they are about.
        for draft, request in zip(drafts, requests, strict=True):
            for answer in replay.about(request):
                if (written := made(draft, answer)).id == row_id:
                    replay.recognise(request, answer)
                    return draft, written
    return (drafts[0], row) if row and drafts else (None, None)


def _tags(row: Draft | Instruction) -> tuple[str, str, str]:
    return row.characteristic, row.task_type, row.form


def _seeds(shelves: Shelves, document: Placed) -> _Drafts:
    settings = shelves.made.settings
    return _Drafts(seeds.PHASE, seed_drafts(document, settings), seed_sampling(settings))


def _augmented(shelves: Shelves, document: Placed, row: Instruction | None, window: int) -> _Drafts:
    settings = shelves.made.settings
    if not row and shelves.made.is_version:
        # What the bandit knew that night was not carried over.
        return _Drafts(augmentation.PHASE, [], augment_sampling(settings))
    choice = Choice(row.form, row.counterexamples) if row else _chosen(shelves, document, window)
    earlier = [ref for entry in shelves.made.entries["augment"][: window - 1] for ref in entry.kept]
    rows = shelves.rows([*shelves.kept("novelty"), *earlier], Instruction, "id", choice.counterexamples)
    shown = {shot.id: shot for shot in rows}
    if len(shown) < len(choice.counterexamples):  # the documents of the others were withdrawn
        return _Drafts(augmentation.PHASE, [], augment_sampling(settings))
    draft = draft_of(document, choice, shown, window, settings.augment)
    shots = tuple(shown[shot] for shot in choice.counterexamples)
    return _Drafts(augmentation.PHASE, [draft], augment_sampling(settings), shots)


def _chosen(shelves: Shelves, document: Placed, window: int) -> Choice:
    """What the bandit chose for a document; it is asked again for the whole window, since each choice counts."""
    settings, store = shelves.made.settings, Store(shelves.made.out)
    tables = [*shelves.tables("novelty", "bandit"), *shelves.tables("augment", "bandit")]
    states = store.read([tables[window - 1]], SeedState)
    windows = sorted((ref for ref in shelves.kept("queue") if ref.label.startswith("window")), key=lambda r: r.label)
    ids = [row.id for row in sorted(store.read([windows[window - 1]], Placed), key=lambda row: row.order)]
    bandit = open_bandit(states, settings.augment)
    return choices_of_window(bandit, len(ids), window, settings.run.seed)[ids.index(document.id)]
