"""Selective Reflection-Tuning: of what a teacher makes of a row, a student says which version it would gain from.

The teacher reflects on instruction and response as in `reflect`, which gives four versions: the row (Q, A), a new
question with its answer (Q*), a better answer to the old question (A*), and a better answer to the new one (QA*).
The student's instruction-following difficulty (IFD, a ratio of perplexities: the higher, the more there is to learn)
decides between the questions, and its reversed IFD (how well the question is foretold by the answer: the lower, the
better) between the answers. The version that is chosen must have both below 1.

What differs: a version that the teacher could not write, or without a score, is never chosen. `branches=published`
keeps what the published script keeps, which is rows with a better answer only; `all` keeps the others that are chosen.

Source: Li et al. 2024, arXiv 2402.10110; tianyi-lab/Reflection_Tuning 5b6cef0, `selection_code`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field

from fanno_core.errors import BadSettings
from fanno_core.methods.contract import Transform
from fanno_core.methods.reflections import (
    NEW_ANSWER,
    NEW_BOTH,
    NEW_QUESTION,
    ORIGINAL,
    PROMPTS,
    Draft,
    Found,
    ReflectionOptions,
    draft_of,
    instruction_pass,
    merged,
    response_pass,
    row_of,
)
from fanno_core.methods.rows import dropped_row
from fanno_core.outcome import Outcome
from fanno_core.selection.ifd import REFLECTION, ifd, reversed_ifd
from fanno_core.selection.losses import Scorer
from fanno_core.store.contracts import Example, Rejection
from fanno_core.tools import Tools

NAME = "selective-reflect"
BOUND = 1.0
"""Of both scores; a row that reaches it is not accepted."""
DIGITS = 6
"""Scores are rounded to these: those of rows that were scored beside others differ in the last ones."""
PUBLISHED = (NEW_BOTH, NEW_ANSWER)


class SelectiveReflectOptions(ReflectionOptions):
    """Who the student is, and what of its choices stays."""

    model: str = Field(
        "", description="folder or hub name of the student, a causal language model; there is no default"
    )
    student_tokens: int = Field(2048, ge=32, description="prompt and answer are cut here; 2,048 in the published code")
    branches: Literal["published", "all"] = Field(
        "published",
        description="published: rows with a better answer only; all: also new questions and rows as they were",
    )


@dataclass(frozen=True, slots=True)
class Version:
    """One of the four forms of a row, with the student's scores; NaN where there are none.

    Attributes:
        draft: the form; None where the teacher could not write it.
        ifd: ratio of perplexities of the answer, with and without the question.
        reversed_ifd: the same of the question, with and without the answer.
    """

    draft: Draft | None = None
    ifd: float = math.nan
    reversed_ifd: float = math.nan


def check(options: SelectiveReflectOptions) -> None:
    """Refuses to begin without a student.

    Raises:
        BadSettings: none is named.
    """
    if not options.model:
        raise BadSettings(f"{NAME} needs a student that scores: --option model=FOLDER or hub name")


async def change(rows: Sequence[Example], tools: Tools, options: SelectiveReflectOptions) -> Outcome[Example]:
    """The version of each row that the student would gain from, or why there is none.

    Raises:
        BadSettings: no student is named.
        MissingExtra: PyTorch or transformers is not installed.
        TryAgain, RunStops: from the teacher; or the student cannot be loaded.
    """
    check(options)
    drafts = await written(rows, tools, options)
    versions = await asyncio.to_thread(scored, drafts, tools.load_scorer(options.model), options.student_tokens)
    kept: list[Example] = []
    dropped: list[Rejection] = []
    for row, forms in zip(rows, versions, strict=True):
        kind = chosen(forms)
        version = forms[kind]
        if reason := acceptance_fault(kind, version, options.branches):
            dropped.append(dropped_row(row, NAME, reason, _detail(kind, version)))
        elif version.draft:
            length = tools.teacher.count_tokens([version.draft.output])[0]
            kept.append(row_of(version.draft, NAME, str(tools.teacher.identity), length))
    return Outcome(kept, dropped, len(rows))


Forms = dict[str, Version]
"""The versions of a row by what is new in them."""


async def written(
    rows: Sequence[Example], tools: Tools, options: SelectiveReflectOptions
) -> list[dict[str, Draft | None]]:
    """What the teacher makes of each row: its four forms, None where one could not be written.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    begun = await merged([draft_of(row) for row in rows], tools, options)
    questions = [_draft(found) for found in await instruction_pass(begun, tools, options)]
    asked = [draft for draft in questions if draft]
    # Better answers to the old questions and to the new ones, all in one go.
    answers = await response_pass([*begun, *asked], tools, options)
    better = iter(answers[len(begun) :])
    return [
        {
            ORIGINAL: draft,
            NEW_QUESTION: question,
            NEW_ANSWER: _draft(answer),
            NEW_BOTH: _draft(next(better)) if question else None,
        }
        for draft, question, answer in zip(begun, questions, answers[: len(begun)], strict=True)
    ]


def _draft(found: Found) -> Draft | None:
    return found if isinstance(found, Draft) else None


def scored(forms: Sequence[dict[str, Draft | None]], scorer: Scorer, most_tokens: int) -> list[Forms]:
    """The versions with the student's scores, all of them in the same batches.

    Args:
        forms: of each row.
        scorer: the student.
        most_tokens: prompt and answer are cut here.
    """
    drafts = [draft for each in forms for draft in each.values() if draft]
    wording = replace(REFLECTION, most_tokens=most_tokens)
    forth, back = ifd(drafts, scorer, wording), reversed_ifd(drafts, scorer, wording)
    pairs = iter(zip(forth, back, strict=True))

    def version(draft: Draft | None) -> Version:
        if draft is None:
            return Version()
        there, reverse = next(pairs)
        return Version(draft, round(there.by_perplexity, DIGITS), round(reverse.by_perplexity, DIGITS))

    return [{kind: version(draft) for kind, draft in each.items()} for each in forms]


def chosen(forms: Forms) -> str:
    """Which version the student would gain from most; a comparison with a score that is not there fails.

    Source: the decision of `selection_code`, and of the paper.
    """
    if forms[NEW_QUESTION].ifd > forms[ORIGINAL].ifd:
        return NEW_BOTH if forms[NEW_BOTH].reversed_ifd < forms[NEW_QUESTION].reversed_ifd else NEW_QUESTION
    return NEW_ANSWER if forms[NEW_ANSWER].reversed_ifd < forms[ORIGINAL].reversed_ifd else ORIGINAL


def acceptance_fault(kind: str, version: Version, branches: str) -> str:
    """Why the version that was chosen is not kept; empty where it is."""
    if branches == "published" and kind not in PUBLISHED:
        return "no_better_answer"
    if math.isnan(version.ifd) or math.isnan(version.reversed_ifd):
        return "nothing_to_score"
    if version.ifd >= BOUND:
        return "above_bound"
    return "" if version.reversed_ifd < BOUND else "not_foretold"


def _detail(kind: str, version: Version) -> str:
    return f"{kind} ifd={version.ifd:.4f} reversed={version.reversed_ifd:.4f}"


SELECTIVE_REFLECT = Transform(
    name=NAME,
    meaning="reflect, as far as a student model gains from it (Selective Reflection-Tuning)",
    version=2,
    change=change,
    options=SelectiveReflectOptions,
    prompts=PROMPTS,
    calls=lambda options: (options.compress + 3) * (1 + options.retry),
    check=check,
)
