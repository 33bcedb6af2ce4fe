"""Instruction backtranslation (Humpback): documents are taken for answers, and their instructions are looked for.

The teacher writes the instruction that a document would answer, then judges each pair on a scale from 1 to 5; pairs
with a high score stay, with the document's text, unchanged, as the response. With two iterations the judge is asked
again, shown pairs that the first one let pass.

What differs: in the paper both the backward model and the judge are trained, on 3,200 human pairs and then on what was
kept. Here nothing is trained: the backward model is the teacher with a few examples in its prompt, and so is the judge
of the second iteration. Rows are labelled so, as `few-shot backward`. Covered: self-augmentation, self-curation, the
length rule, the reading of scores. Not covered: a backward model beside the judge; there is one teacher, who is both.
Answers without a readable score are counted apart and never kept.

Source: Li et al. 2023, arXiv 2308.06259; the reading of scores, the length rule and the bound of 5 are those of the
unofficial Spico197/Humpback a14814a.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isnan
from random import Random

from pydantic import Field

from fanno_core.instructions.cleaning import clean_instruction
from fanno_core.methods.contract import Generator, Lot, Origin
from fanno_core.methods.rows import dropped_row, made_row
from fanno_core.methods.wording import talk_fault
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.selection.humpback import last_score
from fanno_core.selection.ranking import UNREADABLE
from fanno_core.store.contracts import Example, Placed, Rejection
from fanno_core.teachers.protocol import Answer, Request, Sampling, ask, finish_fault
from fanno_core.teachers.rendered import rendered_request
from fanno_core.tools import Options, Tools

NAME = "backtranslation"
BACKWARD, SCORE, SCORE_AGAIN = "backtranslate", "backtranslation_score", "backtranslation_score_again"
TASK_TYPE = "few-shot backward"
EXAMPLES = 3
"""Pairs that the second judge is shown."""
EXAMPLE_CHARACTERS = 600
"""Of each of their responses."""

_CODE = "in the unofficial code"


class BacktranslationOptions(Options):
    """How instructions are drawn, and which pairs stay."""

    max_tokens: int = Field(512, ge=1, description="longest instruction")
    temperature: float = Field(0.7, ge=0, le=2, description="of instructions")
    top_p: float = Field(0.9, gt=0, le=1, description="of instructions")
    min_characters: int = Field(10, ge=1, description=f"shortest instruction; 10 {_CODE}")
    max_characters: int = Field(800, ge=1, description=f"longest instruction that is kept; 800 {_CODE}")
    min_score: int = Field(5, ge=1, le=5, description=f"smallest score of a kept pair, of 5; 5 {_CODE}")
    score_tokens: int = Field(256, ge=1, description="longest reasoning of the judge with its score")
    score_anywhere: bool = Field(
        False, description="read a score that does not end the answer too, which takes some that were not meant"
    )
    iterations: int = Field(1, ge=1, le=2, description="2: the judge is asked again, with examples from the first time")


async def write(lot: Lot, tools: Tools, options: BacktranslationOptions) -> Outcome[Example]:
    """Each document of a lot with its instruction, as far as the teacher finds that they belong together.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    sampling = Sampling(options.max_tokens, options.temperature, options.top_p, tools.seed)
    answers = await ask(tools.teacher, [backward_request(document, sampling) for document in lot.documents])
    lengths = tools.teacher.count_tokens([document.text for document in lot.documents])
    pairs: list[Example] = []
    dropped: list[Rejection] = []
    for document, answer, length in zip(lot.documents, answers, lengths, strict=True):
        row = pair_of(document, answer, sampling, lot.number, str(tools.teacher.identity), length)
        if reason := instruction_fault(row.instruction, answer, options):
            dropped.append(dropped_row(row, NAME, reason, BACKWARD))
        else:
            pairs.append(row)
    scores = await _scores(pairs, tools, options)
    for row, score in zip(pairs, scores, strict=True):
        if reason := score_fault(score, options):
            dropped.append(dropped_row(row, NAME, reason, str(score)))
    kept = [row for row, score in zip(pairs, scores, strict=True) if not score_fault(score, options)]
    return Outcome(kept, dropped, len(lot.documents))


async def _scores(pairs: Sequence[Example], tools: Tools, options: BacktranslationOptions) -> list[int | str]:
    """What `score_of` makes of the judge's last word on each pair.

    The second iteration judges all pairs again, as the paper's does, with examples from those that passed the first;
    where none passed it has nothing to show, and the first stands.
    """
    scores: list[int | str] = []
    good: list[Example] = []
    for iteration in range(options.iterations):
        if iteration and not good:
            break
        answers = await ask(tools.teacher, score_requests(pairs, good, options, tools.seed))
        scores = [score_of(answer, options) for answer in answers]
        good = [row for row, score in zip(pairs, scores, strict=True) if not score_fault(score, options)]
    return scores


def backward_request(document: Placed, sampling: Sampling) -> Request:
    """The prompt that asks which instruction a document answers."""
    return rendered_request(document.id, BACKWARD, {"document": document.text}, sampling, document.id)


def pair_of(
    document: Placed, answer: Answer, sampling: Sampling, lot: int, teacher: str, document_tokens: int
) -> Example:
    """The document as the response to the instruction in an answer, whether or not a rule lets it pass."""
    origin = Origin(
        method=NAME,
        lot=lot,
        document=document,
        prompt=load_prompt(BACKWARD).label,
        sampling=str(sampling),
        teacher=teacher,
        task_type=TASK_TYPE,
        cut_tokens=answer.cut_tokens,
    )
    instruction = "\n".join(part for part in clean_instruction(answer.text) if part)
    row = made_row(origin, instruction, "", document.text, document_tokens)
    return replace(row, response_prompt="", response_sampling="")  # nobody was asked for the response


def instruction_fault(instruction: str, answer: Answer, options: BacktranslationOptions) -> str:
    """Why an instruction is not judged; empty where it is."""
    if reason := finish_fault(answer):
        return reason
    if not instruction:
        return "empty"
    if len(instruction) < options.min_characters:
        return "too_short"
    return "too_long" if len(instruction) > options.max_characters else talk_fault(instruction)


def score_requests(
    pairs: Sequence[Example], good: Sequence[Example], options: BacktranslationOptions, seed: int
) -> list[Request]:
    """A question to the judge for each pair, with examples from the others among those that were found good."""
    sampling = Sampling(options.score_tokens)
    requests = []
    for row in pairs:
        values = {"document": row.output, "instruction": row.instruction}
        if good:
            others = [other for other in good if other.id != row.id]
            shown = Random(f"{seed}:{NAME}:{row.id}").sample(others, min(EXAMPLES, len(others)))
            values["examples"] = "\n\n".join(map(_example, shown))
        requests.append(rendered_request(row.id, SCORE_AGAIN if good else SCORE, values, sampling, row.document_id))
    return requests


def _example(row: Example) -> str:
    return f"Instruction: {row.instruction}\nAnswer: {row.output[:EXAMPLE_CHARACTERS]}"


def score_of(answer: Answer, options: BacktranslationOptions) -> int | str:
    """The score, 1 to 5, or a reason code where there is none: `unreadable_score` or that of the answer's finish."""
    if reason := finish_fault(answer):
        return reason
    score = last_score(answer.text, "loose" if options.score_anywhere else "strict")
    return UNREADABLE if isnan(score) else int(score)


def score_fault(score: int | str, options: BacktranslationOptions) -> str:
    """Why a pair is dropped by its score; empty where it is kept. A score that equals the bound is enough."""
    if isinstance(score, str):
        return score
    return "low_score" if score < options.min_score else ""


BACKTRANSLATION = Generator(
    name=NAME,
    meaning="takes documents for answers, writes the instruction of each, keeps the pairs that the teacher rates best",
    version=1,
    write=write,
    options=BacktranslationOptions,
    prompts=(BACKWARD, SCORE, SCORE_AGAIN),
    reads="documents",
    calls=lambda options: 1 + options.iterations,
)
