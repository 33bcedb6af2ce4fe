"""Where new documents stand among the others, whose turn it is, and which instructions have no response."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc

from fanno_core.communities.joining import join_partition
from fanno_core.communities.standing_graph import update_neighbours
from fanno_core.outcome import Outcome
from fanno_core.refresh.contracts import Count, Gone, Member, Neighbours, Waiting
from fanno_core.refresh.entries import AUGMENT, NOVELTY, QUESTIONS
from fanno_core.store.carried import look_up, read_columns
from fanno_core.store.contracts import Document, Floats, Instruction, Placed, Vector
from tasks.changes import gone_rows, read_all
from tasks.communities import COMMUNITIES, QUEUE
from tasks.phase import Job, Phase, phase_task

RESPONSE, TURN, VERDICT = "response", "turn", "verdict"

JOINING = Phase("joining", version=1, contract=Placed, settings=COMMUNITIES.settings)
TURNS = Phase("turns", version=1, contract=Placed, settings=QUEUE.settings, shards=QUEUE.shards)
UNANSWERED = Phase("unanswered", version=1, contract=Instruction, settings=())


@phase_task(JOINING)
async def joining(job: Job) -> Outcome[Placed]:
    """Finds the neighbours and the community of each new document, and who stands for the communities that changed."""
    how, seed = job.settings.communities, job.settings.run.seed
    ids, vectors = vectors_of(job, "vectors")
    graph = update_neighbours(ids, vectors, read_all(job, "neighbours", Neighbours), how, seed)

    def documents_of(wanted: Sequence[str]) -> Sequence[Document]:
        return look_up(job.store, job.inputs["screened"], Document, wanted)

    joined = join_partition(
        read_all(job, "members", Member), graph, documents_of, how, job.settings.screen.prefer,
        job.settings.refresh.max_drift, seed, int(job.part["first_order"]),
    )  # fmt: skip
    gone = gone_rows({"rejections": joined.lapsed})
    counts = [Count("standing", joined.standing), Count("moved", joined.moved), Count("drift", joined.drift)]
    outcome = Outcome(joined.placed, joined.rejected, len(joined.placed) + len(joined.rejected))
    outcome = outcome.with_extra("neighbours", Neighbours, graph.changed).with_extra("members", Member, joined.members)
    return outcome.with_extra("counts", Count, counts).with_extra("gone", Gone, gone)


@phase_task(TURNS)
async def turns(job: Job) -> Outcome[Placed]:
    """Deals who has not been asked yet into lots for seeds and windows for augmentation."""
    members = read_all(job, "members", Member)
    unasked = members.filter(pc.and_(members["represents"], pc.invert(members["asked"])))["id"].to_pylist()
    rows = look_up(job.store, job.inputs["placed"], Placed, unasked)
    return Outcome(rows, [], len(rows))


@phase_task(UNANSWERED)
async def unanswered(job: Job) -> Outcome[Instruction]:
    """The instructions that wait for a response, with their vectors."""
    ids = [row.id for row in job.rows("waiting", Waiting) if row.what == RESPONSE]
    rows, vectors = [], []
    for instructions, questions in ((NOVELTY, QUESTIONS[NOVELTY]), (AUGMENT, QUESTIONS[AUGMENT])):
        rows += look_up(job.store, job.inputs[instructions], Instruction, ids)
        vectors += look_up(job.store, job.inputs[questions], Vector, ids)
    return Outcome(rows, [], len(rows)).with_extra("vectors", Vector, vectors)


def vectors_of(job: Job, role: str) -> tuple[list[str], Floats]:
    """`[n]` ids and `[n, d]` vectors of a carried table."""
    table = read_columns(job.store, job.inputs[role], Vector, ["id", "vector"]).combine_chunks()
    flat = table["vector"].combine_chunks().flatten().to_numpy()
    return table["id"].to_pylist(), flat.reshape(len(table), -1) if len(table) else np.zeros((0, 0), np.float32)
