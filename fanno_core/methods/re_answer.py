"""Re-answering: instruction and input stay, and a teacher's new response takes the place of the old one.

This is how GPT-4-LLM made its data of Alpaca's instructions. Rows come out in their order, each made of the one that it
replaces; a row that is not answered, or whose answer the response filter drops, is rejected with the reason.

What differs: the published code leaves unanswered rows out without a word; its ratings of responses are not made.

Source: Peng et al. 2023, arXiv 2304.03277; Instruction-Tuning-with-GPT-4/GPT-4-LLM 80cda62.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from fanno_core.methods.contract import Origin, Transform
from fanno_core.methods.rewriting import RESPONSE_PROMPTS, descendant, response_fault, response_request
from fanno_core.methods.rows import dropped_row
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.store.contracts import Example, Rejection, question_of
from fanno_core.teachers.protocol import Answer, Request, Sampling, ask
from fanno_core.tools import Options, Tools

NAME = "re-answer"


class ReAnswerOptions(Options):
    """How responses are drawn."""

    max_tokens: int = Field(2048, ge=1, description="longest response")
    temperature: float = Field(0.0, ge=0, le=2, description="0: greedy")
    top_p: float = Field(1.0, gt=0, le=1, description="of responses")


async def change(rows: Sequence[Example], tools: Tools, options: ReAnswerOptions) -> Outcome[Example]:
    """Each row with the teacher's response, in the order of the rows.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    sampling = Sampling(options.max_tokens, options.temperature, options.top_p, tools.seed)
    requests = [response_request(row.id, question_of(row), row, sampling, tools.teacher) for row in rows]
    answers = await ask(tools.teacher, requests)
    lengths = tools.teacher.count_tokens([answer.text for answer in answers])
    teacher = str(tools.teacher.identity)
    kept: list[Example] = []
    dropped: list[Rejection] = []
    for row, request, answer, length in zip(rows, requests, answers, lengths, strict=True):
        made = answered(row, request, answer, teacher, length)
        if reason := response_fault(answer, row.instruction, row.input):
            dropped.append(dropped_row(made, NAME, reason, f"row {row.id}"))
        else:
            kept.append(made)
    return Outcome(kept, dropped, len(rows))


def answered(row: Example, request: Request, answer: Answer, teacher: str, output_tokens: int) -> Example:
    """The row with the response in an answer, whether or not a filter lets it pass."""
    origin = Origin(
        method=NAME,
        made_from=(row.id,),
        prompt=row.instruction_prompt,
        sampling=row.instruction_sampling,
        response_prompt=load_prompt(request.prompt).label,
        response_sampling=str(request.sampling),
        teacher=teacher,
        task_type=row.task_type,
    )
    return descendant(row, origin, row.instruction, row.input, answer.text, output_tokens)


RE_ANSWER = Transform(
    name=NAME,
    meaning="the teacher's new responses take the place of the old ones (as GPT-4-LLM); instructions stay",
    version=1,
    change=change,
    options=ReAnswerOptions,
    prompts=RESPONSE_PROMPTS,
    calls=lambda _: 1,
)
