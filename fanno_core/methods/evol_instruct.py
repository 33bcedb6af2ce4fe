"""Evol-Instruct (WizardLM): instructions are made harder or rarer by a teacher, epoch after epoch, and answered anew.

Each row draws one operation an epoch: four that make it harder in some way, one that leads to a rarer task of the same
field, and as an option one that complicates its input. What fails the elimination rules is rejected, and the row goes
back as it was into the next epoch. The result holds the rows that were given and those of every epoch.

What differs: the published code has one epoch, no elimination, an instruction with its input folded into it, and empty
texts where a request failed. Here there are the paper's elimination rules, the cheap ones first, so that the teacher is
asked whether two instructions are equal only where no rule decides; an input stays beside its instruction; a failed
attempt is rejected with its reason. The rows are not shuffled: whoever trains on them does that.

Source: Xu et al. 2023, arXiv 2304.12244; nlpxucan/WizardLM cd4b4cc for operations and sampling.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from pydantic import Field

from fanno_core.instructions.cleaning import clean_instruction
from fanno_core.methods.contract import Origin, Transform
from fanno_core.methods.elimination import attempt_fault, empty_talk_fault, equality_fault
from fanno_core.methods.rewriting import (
    DIRECT,
    RESPONSE_PROMPTS,
    SHOWN,
    descendant,
    response_fault,
    response_request,
)
from fanno_core.methods.rows import dropped_row
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.store.contracts import Example, Rejection, question_of, question_text
from fanno_core.teachers.protocol import Answer, Request, Sampling, ask, finish_fault
from fanno_core.teachers.rendered import rendered_request
from fanno_core.teachers.verdict import NO, YES
from fanno_core.tools import Options, Tools

NAME = "evol-instruct"
CONSTRAINTS, DEEPEN, CONCRETIZE, REASONING = "evol_constraints", "evol_deepen", "evol_concretize", "evol_reasoning"
BREADTH, COMPLICATE, EQUAL = "evol_breadth", "evol_complicate", "evol_equal"
OPERATIONS = (CONSTRAINTS, DEEPEN, CONCRETIZE, REASONING, BREADTH, COMPLICATE)
"""Prompts of the operations; the last is not in the published code."""
CALLS = 3
"""Evolve, compare, answer."""

_CODE = "in the published code"


class EvolInstructOptions(Options):
    """How often rows are evolved, by what, and which results stay."""

    epochs: int = Field(1, ge=1, le=16, description=f"how often each row is evolved; 1 {_CODE}")
    operations: Literal[5, 6] = Field(5, description=f"5: those {_CODE}; 6: also one that complicates the input")
    merge: Literal["all", "last"] = Field(
        "all", description="all: the given rows and those of every epoch; last: of each row its last form alone"
    )
    min_words: int = Field(4, ge=1, description="shortest evolved instruction, with its input")
    max_words: int = Field(512, ge=1, description="longest evolved instruction, with its input")
    sorry_words: int = Field(80, ge=0, description="a response with `sorry` in it and fewer words is dropped")
    max_tokens: int = Field(2048, ge=1, description=f"longest instruction, and longest response; 2,048 {_CODE}")
    temperature: float = Field(1.0, ge=0, le=2, description=f"1 {_CODE}")
    top_p: float = Field(0.95, gt=0, le=1, description=f"0.95 {_CODE}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row in one epoch, as far as it came.

    Attributes:
        row: what is evolved.
        epoch: from 1.
        prompt: of the operation that was drawn.
        sampling: how its instruction and its response are drawn.
        instruction, input, output: what came of it.
        response_prompt: which prompt its response was asked with.
        reason, detail: why it failed; empty while it stands.
    """

    row: Example
    epoch: int
    prompt: str
    sampling: Sampling
    instruction: str = ""
    input: str = ""
    output: str = ""
    response_prompt: str = ""
    reason: str = ""
    detail: str = ""

    @property
    def name(self) -> str:
        """What its requests are about: no other attempt has it."""
        return f"{self.row.id}:{self.epoch}"


async def change(rows: Sequence[Example], tools: Tools, options: EvolInstructOptions) -> Outcome[Example]:
    """The given rows, and what became of them in each epoch.

    A row that an epoch of this method made before goes on in the epoch after it.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    current, made = list(rows), list(rows)
    dropped: list[Rejection] = []
    for epoch in range(1, options.epochs + 1):
        places = [place for place, row in enumerate(current) if _last_epoch(row) < epoch]
        attempts = await evolved([current[place] for place in places], epoch, tools, options)
        lengths = tools.teacher.count_tokens([attempt.output for attempt in attempts])
        for place, attempt, length in zip(places, attempts, lengths, strict=True):
            row = row_of(attempt, str(tools.teacher.identity), length)
            if attempt.reason:
                dropped.append(dropped_row(row, NAME, attempt.reason, attempt.detail))
            else:
                made.append(row)
                current[place] = row
    kept = made if options.merge == "all" else current
    last = {row.id for row in kept}
    dropped += [dropped_row(row, NAME, "superseded") for row in made if row.id not in last]
    return Outcome(kept, dropped, len(kept) + len(dropped))


def _last_epoch(row: Example) -> int:
    return row.iteration if row.method == NAME else 0


async def evolved(rows: Sequence[Example], epoch: int, tools: Tools, options: EvolInstructOptions) -> list[Attempt]:
    """What one epoch makes of each row, with the reason where it failed.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    attempts = [begun(row, epoch, tools.seed, options) for row in rows]
    attempts = await _asked(attempts, evolve_request, lambda a, answer: rewritten(a, answer, options), tools)
    attempts = await _asked(attempts, equal_request, compared, tools)
    return await _asked(
        attempts,
        lambda a: response_request(a.name, question_text(a.instruction, a.input), a.row, a.sampling, tools.teacher),
        lambda a, answer: answered(a, answer, tools.teacher.needs_context, options),
        tools,
    )


async def _asked(
    attempts: Sequence[Attempt],
    request: Callable[[Attempt], Request],
    read: Callable[[Attempt, Answer], Attempt],
    tools: Tools,
) -> list[Attempt]:
    """The attempts, those that still stand with what an answer says."""
    answers = iter(await ask(tools.teacher, [request(attempt) for attempt in attempts if not attempt.reason]))
    return [attempt if attempt.reason else read(attempt, next(answers)) for attempt in attempts]


def begun(row: Example, epoch: int, seed: int, options: EvolInstructOptions) -> Attempt:
    """The row with the operation that is drawn for it in an epoch."""
    prompt = Random(f"{seed}:{NAME}:{row.id}:{epoch}").choice(OPERATIONS[: options.operations])
    # Another seed each epoch: a row that failed may draw the same operation again.
    return Attempt(row, epoch, prompt, Sampling(options.max_tokens, options.temperature, options.top_p, seed + epoch))


def evolve_request(attempt: Attempt) -> Request:
    """The prompt that asks for another instruction."""
    row = attempt.row
    values = {"instruction": row.instruction, "input": row.input}
    return rendered_request(attempt.name, attempt.prompt, values, attempt.sampling, row.document_id)


def rewritten(attempt: Attempt, answer: Answer, options: EvolInstructOptions) -> Attempt:
    """The attempt with the instruction in an answer, after the rules that ask nobody."""
    row = attempt.row
    instruction, rest = clean_instruction(answer.text)
    if attempt.prompt == COMPLICATE:
        found = replace(attempt, instruction=instruction, input=rest)
    else:
        whole = "\n".join(part for part in (instruction, rest) if part)
        given = "" if attempt.prompt == BREADTH else row.input
        # Some teachers repeat the input, on lines of its own, although they are told not to.
        alone = f"\n{whole}".removesuffix(f"\n{given}").strip() if given else whole
        found = replace(attempt, instruction=alone, input=given)
    reason = finish_fault(answer) or attempt_fault(
        question_of(row), question_text(found.instruction, found.input), options.min_words, options.max_words
    )
    if not reason and not found.instruction:
        reason = "empty"
    if not reason and attempt.prompt == COMPLICATE and not found.input:
        reason = "no_input"
    return replace(found, reason=reason, detail=attempt.prompt if reason else "")


def equal_request(attempt: Attempt) -> Request:
    """The question whether the new instruction says the same as the one before."""
    values = {"instruction": question_of(attempt.row), "evolved": question_text(attempt.instruction, attempt.input)}
    return rendered_request(attempt.name, EQUAL, values, Sampling(1), attempt.row.document_id, (YES, NO))


def compared(attempt: Attempt, answer: Answer) -> Attempt:
    """The attempt after the verdict whether its two instructions are equal."""
    reason, detail = equality_fault(answer)
    return replace(attempt, reason=reason, detail=f"{attempt.prompt} {detail}".strip() if reason else "")


def answered(attempt: Attempt, answer: Answer, shown: bool, options: EvolInstructOptions) -> Attempt:
    """The attempt with its response, after the rules for responses."""
    reason = response_fault(answer, attempt.instruction, attempt.input) or empty_talk_fault(
        answer.text, options.sorry_words
    )
    prompt = SHOWN if shown else DIRECT
    return replace(attempt, output=answer.text, response_prompt=prompt, reason=reason, detail=prompt if reason else "")


def row_of(attempt: Attempt, teacher: str, output_tokens: int) -> Example:
    """The row that an attempt came to, whether or not it stands."""
    origin = Origin(
        method=NAME,
        lot=attempt.epoch,
        made_from=(attempt.row.id,),
        prompt=load_prompt(attempt.prompt).label,
        sampling=str(attempt.sampling),
        response_prompt=load_prompt(attempt.response_prompt).label if attempt.response_prompt else "",
        teacher=teacher,
        task_type=attempt.prompt.removeprefix("evol_"),
    )
    return descendant(attempt.row, origin, attempt.instruction, attempt.input, attempt.output, output_tokens)


EVOL_INSTRUCT = Transform(
    name=NAME,
    meaning="the teacher makes instructions harder or rarer, epoch after epoch, and answers them (WizardLM)",
    version=2,
    change=change,
    options=EvolInstructOptions,
    prompts=(*OPERATIONS, EQUAL, *RESPONSE_PROMPTS),
    calls=lambda options: CALLS * options.epochs,
)
