"""The direct question to the teacher, which responses and the published bandit both ask."""

from __future__ import annotations

from collections.abc import Sequence

from fanno_core.settings import Settings
from fanno_core.store.contracts import Instruction, question_of
from fanno_core.teachers.protocol import Request, Sampling, Teacher, ask
from fanno_core.teachers.rendered import rendered_request

PROMPT = "response_direct"


def direct_request(row: Instruction, sampling: Sampling) -> Request:
    """The instruction, put to the teacher as a user would."""
    values = {"instruction": question_of(row)}
    return rendered_request(row.id, PROMPT, values, sampling, row.document_id)


def response_sampling(settings: Settings) -> Sampling:
    """How responses are drawn."""
    how = settings.responses
    return Sampling(how.max_tokens, how.temperature, how.top_p, settings.run.seed)


async def direct_responses(rows: Sequence[Instruction], teacher: Teacher, sampling: Sampling) -> list[str]:
    """The direct response to each instruction, as it came."""
    return [answer.text for answer in await ask(teacher, [direct_request(row, sampling) for row in rows])]


async def response_lengths(rows: Sequence[Instruction], teacher: Teacher, sampling: Sampling) -> list[int]:
    """Length of the direct response to each instruction, in the teacher's tokens."""
    return teacher.count_tokens(await direct_responses(rows, teacher, sampling))
