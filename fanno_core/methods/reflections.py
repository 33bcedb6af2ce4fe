"""What both kinds of Reflection-Tuning have in common: the teacher's passes over a row, and how its answers are read.

A pass puts a row to the teacher, who criticises it and writes a better one between marks; what cannot be read is asked
once more, with another seed. Nothing is cut, and an answer that was cut off is not read.

Source: tianyi-lab/Reflection_Tuning 5b6cef0, for prompts' criteria, sampling and extraction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pydantic import Field

from fanno_core.methods.contract import Origin
from fanno_core.methods.rewriting import descendant, response_fault
from fanno_core.methods.wording import talk_fault
from fanno_core.prompts.loader import load_prompt
from fanno_core.store.contracts import Example, question_text
from fanno_core.teachers.protocol import UNANSWERED, Answer, Request, Sampling, ask, finish_fault
from fanno_core.teachers.rendered import rendered_request
from fanno_core.tools import Options, Tools

MERGE, INSTRUCTION, RESPONSE = "reflect_merge", "reflect_instruction", "reflect_response"
PROMPTS = (MERGE, INSTRUCTION, RESPONSE)
ORIGINAL, NEW_QUESTION, NEW_ANSWER, NEW_BOTH = "original", "Q*", "A*", "QA*"
"""What a draft has new, as the paper calls it: nothing, question and answer of the first pass, the answer, both."""

_CODE = "in the published code"


class ReflectionOptions(Options):
    """How the teacher's reflections are drawn."""

    compress: bool = Field(True, description="an input is first merged into its instruction by the teacher")
    max_tokens: int = Field(2048, ge=1, description=f"longest answer of the teacher; 2,048 {_CODE}")
    temperature: float = Field(0.0, ge=0, le=2, description=f"0, greedy, {_CODE}")
    top_p: float = Field(1.0, gt=0, le=1, description=f"1 {_CODE}")
    retry: bool = Field(True, description="what cannot be read is asked once more, with another seed")
    retry_temperature: float = Field(
        0.7, ge=0, le=2, description="of the second time: a greedy answer would be the same again"
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """A row on its way.

    Attributes:
        row: what it began with.
        instruction, input, output: how it stands now.
        kind: what is new in it.
        instruction_from, response_from: prompt and sampling that its instruction and its response came from; empty
            where they are those of the row.
    """

    row: Example
    instruction: str
    input: str
    output: str
    kind: str = ORIGINAL
    instruction_from: tuple[str, str] = ("", "")
    response_from: tuple[str, str] = ("", "")

    @property
    def question(self) -> str:
        """The instruction, and its input on the lines after it."""
        return question_text(self.instruction, self.input)


def draft_of(row: Example) -> Draft:
    """A row as it is."""
    return Draft(row, row.instruction, row.input, row.output)


Found = Draft | str
"""A draft after a pass, or the reason code of why there is none."""
Read = Callable[[Draft, str], Found]


async def merged(drafts: Sequence[Draft], tools: Tools, options: ReflectionOptions) -> list[Draft]:
    """The drafts without inputs; one whose input cannot be merged keeps it.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    places = [place for place, draft in enumerate(drafts) if draft.input] if options.compress else []
    found = await _passed(MERGE, [drafts[place] for place in places], read_merged, tools, options)
    kept = {place: draft for place, draft in zip(places, found, strict=True) if isinstance(draft, Draft)}
    return [kept.get(place, draft) for place, draft in enumerate(drafts)]


async def instruction_pass(drafts: Sequence[Draft], tools: Tools, options: ReflectionOptions) -> list[Found]:
    """Each draft with a better instruction and its answer, or why there is none.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    return await _passed(INSTRUCTION, drafts, read_question, tools, options)


async def response_pass(drafts: Sequence[Draft], tools: Tools, options: ReflectionOptions) -> list[Found]:
    """Each draft with a better answer, or why there is none.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    return await _passed(RESPONSE, drafts, read_better, tools, options)


async def _passed(
    prompt: str, drafts: Sequence[Draft], read: Read, tools: Tools, options: ReflectionOptions
) -> list[Found]:
    sampling = Sampling(options.max_tokens, options.temperature, options.top_p, tools.seed)
    found = await _once(prompt, drafts, read, tools, sampling)
    if not options.retry:
        return found
    # A prompt that does not fit, or that the server refuses, does so again.
    failed = [p for p, each in enumerate(found) if isinstance(each, str) and each not in UNANSWERED.values()]
    sampling = replace(sampling, temperature=options.retry_temperature, seed=tools.seed + 1)
    retried = await _once(prompt, [drafts[place] for place in failed], read, tools, sampling)
    for place, each in zip(failed, retried, strict=True):
        found[place] = each
    return found


async def _once(prompt: str, drafts: Sequence[Draft], read: Read, tools: Tools, sampling: Sampling) -> list[Found]:
    answers = await ask(tools.teacher, [reflection_request(prompt, draft, sampling) for draft in drafts])
    return [
        finish_fault(answer) or _marked(read(draft, answer.text), draft, prompt, sampling)
        for draft, answer in zip(drafts, answers, strict=True)
    ]


def reflection_request(prompt: str, draft: Draft, sampling: Sampling) -> Request:
    """The prompt of a pass over a draft."""
    values = (
        {"instruction": draft.instruction, "input": draft.input}
        if prompt == MERGE
        else {"instruction": draft.question, "output": draft.output}
    )
    return rendered_request(f"{draft.row.id}:{draft.kind}", prompt, values, sampling, draft.row.document_id)


def read_merged(draft: Draft, text: str) -> Found:
    """The draft with instruction and input in one, or why it cannot be."""
    instruction = _without_number(new_instruction(text))
    reason = _instruction_fault(instruction)
    return reason or replace(draft, instruction=instruction, input="")


def read_question(draft: Draft, text: str) -> Found:
    """The draft with the new instruction and its answer, or why it cannot be."""
    instruction, output = _without_number(new_instruction(text)), new_answer(text)
    reason = _instruction_fault(instruction) or _answer_fault(output, instruction, "")
    return reason or replace(draft, instruction=instruction, input="", output=output, kind=NEW_QUESTION)


def read_better(draft: Draft, text: str) -> Found:
    """The draft with the one better answer that a text holds, or why it cannot be."""
    answers = {answer for answer in marked_answers(text) if answer}
    if len(answers) != 1:
        return "unreadable_reflection"
    (output,) = answers
    kind = NEW_ANSWER if draft.kind == ORIGINAL else NEW_BOTH
    return _answer_fault(output, draft.instruction, draft.input) or replace(draft, output=output, kind=kind)


def _instruction_fault(instruction: str) -> str:
    if not instruction or _MARK.search(instruction):
        return "unreadable_reflection"
    return talk_fault(instruction)


def _answer_fault(output: str, instruction: str, given: str) -> str:
    if not output or _MARK.search(output):
        return "unreadable_reflection"
    return response_fault(Answer(output), instruction, given)


def _marked(found: Found, before: Draft, prompt: str, sampling: Sampling) -> Found:
    """What was read, with where it came from."""
    if isinstance(found, str):
        return found
    source = (load_prompt(prompt).label, str(sampling))
    if found.instruction != before.instruction:
        found = replace(found, instruction_from=source)
    return replace(found, response_from=source) if prompt != MERGE else found


def row_of(draft: Draft, method: str, teacher: str, output_tokens: int) -> Example:
    """The row that a draft came to; the row itself where nothing is new."""
    if draft.kind == ORIGINAL:
        return draft.row
    row = draft.row
    prompt, sampling = (
        draft.instruction_from
        if draft.instruction_from[0]
        else (
            row.instruction_prompt,
            row.instruction_sampling,
        )
    )
    origin = Origin(
        method=method,
        made_from=(row.id,),
        prompt=prompt,
        sampling=sampling,
        response_prompt=draft.response_from[0],
        response_sampling=draft.response_from[1],
        teacher=teacher,
        task_type=draft.kind,
    )
    return descendant(row, origin, draft.instruction, draft.input, draft.output, output_tokens)


_MARK = re.compile(r"\[(?:New Instruction|New Answer|Better Answer|End)\]", re.IGNORECASE)
_BETTER = re.compile(r"\[Better Answer\](.*?)(?:\[End\]|\[Better Answer\]|\n[ \t]*End\s*\Z|\Z)", re.DOTALL)
_NUMBER = re.compile(r"\s*\n\s*\d\.\Z")
_INSTRUCTION_END = r"(.*?)(?:\[End\]|\[New Answer\]|New Answer:)"


def new_instruction(text: str) -> str:
    """The new instruction in an answer of the instruction pass; empty where there is none.

    Source: `extract_ins` of the published code, whose results these are.
    """
    mark = r"\[New Instruction\]" if "[New Instruction]" in text else "New Instruction:"
    found = re.search(mark + _INSTRUCTION_END, text, re.DOTALL)
    return found[1].strip().removesuffix("\n\n3.") if found else ""


def new_answer(text: str) -> str:
    """The answer to it; empty where there is none.

    Source: `extract_oup` of the published code, whose results these are.
    """
    mark = r"\[New Answer\]" if "[New Answer]" in text else "New Answer:"
    found = re.search(mark + r"(.*?)(?:\[End\]|\Z)", text, re.DOTALL)
    return found[1].strip() if found else ""


def marked_answers(text: str) -> list[str]:
    """Every better answer in an answer of the response pass, empty ones too.

    It ends at a mark; `End` without brackets is one only where it stands alone on the last line.
    """
    return [found.strip() for found in _BETTER.findall(text)]


def better_answers(text: str) -> list[str]:
    """The same as the published code reads it: where the mark stands once, any `End` ends it, that of `Endpoint` too.

    Source: `extract_segments` of the published code, whose results these are.
    """
    end = r"\[End\]|\[Better Answer\]|\Z" if text.count("[Better Answer]") > 1 else r"\[End\]|End|\Z"
    return [found.strip() for found in re.findall(rf"\[Better Answer\](.*?)(?:{end})", text, re.DOTALL)]


def _without_number(instruction: str) -> str:
    """An instruction without the number of the step after it, which the published code leaves there but for one."""
    return _NUMBER.sub("", instruction)
