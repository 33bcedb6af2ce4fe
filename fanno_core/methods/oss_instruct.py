"""OSS-Instruct: a few lines of a document inspire a problem and its solution, in one call.

Real documents keep a model from asking what it always asks. From each, 1 to 15 consecutive lines are drawn; the teacher
writes a problem that they inspire, without showing them, and solves it.

Covered: the lines, the call, the reading of its two parts, doubles, copied code blocks. What differs: the published
prompt asks for programming problems, and its documents are code. Here a fragment with code gets that prompt and any
other one an open problem, unless `kind` says otherwise. Lines are drawn by run and document, not by chunks of 1,000
rows, and never only blank ones. Text on the line of a heading is kept, where the published parser loses it, and only a
line that begins with a heading is one. Equal fragments are not compared: screening has dropped equal documents.

Source: Wei et al. 2023, arXiv 2312.02120; ise-uiuc/magicoder 3ef43f0, `generate_data.py` and `clean_data.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Literal

from pydantic import Field, model_validator

from fanno_core.methods.contract import Generator, Lot, Origin
from fanno_core.methods.rows import dropped_row, made_row
from fanno_core.methods.wording import talk_fault
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.responses.filters import response_reason
from fanno_core.settings import Responses
from fanno_core.store.contracts import Example, Placed, Rejection
from fanno_core.teachers.protocol import Answer, Request, Sampling, ask, finish_fault
from fanno_core.teachers.rendered import rendered_request
from fanno_core.tools import Options, Tools

NAME = "oss-instruct"
FINISH = f"{NAME}-finish"
CODE, OPEN = "oss_instruct", "oss_instruct_open"
TASK_TYPES = {CODE: "coding problem", OPEN: "open problem"}

_CODE = "in the published code"


class OssInstructOptions(Options):
    """What inspires, and what is asked for."""

    min_lines: int = Field(1, ge=1, description=f"fewest lines of a fragment; 1 {_CODE}")
    max_lines: int = Field(15, ge=1, description=f"most lines of a fragment; 15 {_CODE}")
    kind: Literal["auto", "code", "open"] = Field(
        "auto", description="problems asked for; auto: programming where the fragment holds code, open ones elsewhere"
    )
    max_tokens: int = Field(2500, ge=1, description=f"longest answer; 2,500 {_CODE}")
    temperature: float = Field(0.0, ge=0, le=2, description=f"0, greedy, {_CODE}")
    published: bool = Field(False, description="read answers exactly as the published code does")

    @model_validator(mode="after")
    def _lines(self) -> OssInstructOptions:
        if self.min_lines > self.max_lines:
            raise ValueError("min_lines is above max_lines")
        return self


async def write(lot: Lot, tools: Tools, options: OssInstructOptions) -> Outcome[Example]:
    """A problem with its solution for each document, as far as both can be read.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    sampling = Sampling(options.max_tokens, options.temperature, seed=tools.seed)
    requests = [problem_request(document, options, sampling) for document in lot.documents]
    answers = await ask(tools.teacher, requests)
    kept: list[Example] = []
    dropped: list[Rejection] = []
    for document, request, answer in zip(lot.documents, requests, answers, strict=True):
        problem, solution, reason = read_problem(answer, options.published)
        row = _row(document, request, answer, (problem, solution), lot.number, tools)
        if reason:
            dropped.append(dropped_row(row, NAME, reason, request.prompt))
        else:
            kept.append(row)
    return Outcome(kept, dropped, len(lot.documents))


def problem_request(document: Placed, options: OssInstructOptions, sampling: Sampling) -> Request:
    """The prompt of a document."""
    draw = Random(f"{sampling.seed}:{NAME}:{document.id}")
    fragment = fragment_of(document.text, draw, options.min_lines, options.max_lines)
    kind = options.kind if options.kind != "auto" else "code" if holds_code(fragment) else "open"
    prompt = CODE if kind == "code" else OPEN
    return rendered_request(document.id, prompt, {"document": fragment}, sampling, document.id)


def fragment_of(text: str, draw: Random, min_lines: int, max_lines: int) -> str:
    """Consecutive lines of a text, as many as are drawn, or fewer at its end; the first of them is not blank."""
    lines = text.splitlines()
    starts = [place for place, line in enumerate(lines) if line.strip()]
    start = draw.choice(starts) if starts else 0
    return "\n".join(lines[start : start + draw.randint(min_lines, max_lines)]).rstrip()


_CODE_LINE = re.compile(
    r"""^\s*(?:
    ```|>>>[ ]|\#include\b|@\w+$
    |(?:async[ ])?def[ ]\w+\(|class[ ]\w+[(:{]|import[ ][\w.]+(?:[ ]as[ ]\w+)?;?$|from[ ]\S+[ ]import\b
    |(?:public|private|static|const|let|var|func|fn|function)\b.*[({=;]
    |(?:if|for|while|elif|else|try|with)\b.*[:{]$|return\b[^.]*;?$
    |[\w.\[\]]+[ ]?[-+*/|]?=[ ]?\S.*$|[\w.]+\(.*\)[;,]?$
    |[{}()\[\]]+[;,]?$|.*[;{}]$|</?\w+[^>]*>$
    )""",
    re.VERBOSE,
)
CODE_SHARE = 1 / 3


def holds_code(fragment: str) -> bool:
    """Whether at least a third of the lines look like code."""
    lines = [line.rstrip() for line in fragment.splitlines() if line.strip()]
    return bool(lines) and sum(bool(_CODE_LINE.match(line)) for line in lines) >= CODE_SHARE * len(lines)


def read_problem(answer: Answer, published: bool = False) -> tuple[str, str, str]:
    """Problem, solution, and why they cannot be used, which is empty where nothing speaks against them.

    The reason is that of the answer's finish, `no_problem` where the two parts are not both there and in order, or what
    the wording of the problem or the response filter says.
    """
    if reason := finish_fault(answer):
        return "", answer.text, reason
    parts = published_parts(answer.text) if published else parts_of(answer.text)
    if parts is None or not all(parts):
        return "", answer.text, "no_problem"
    problem, solution = parts
    return problem, solution, talk_fault(problem) or response_reason(solution, "stop", problem, "", Responses()) or ""


def _heading(words: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t>#*_]*\[{words}\][ \t:*_]*", re.MULTILINE | re.IGNORECASE)


_PROBLEM, _SOLUTION = _heading("problem description"), _heading("solution")


def parts_of(text: str) -> tuple[str, str] | None:
    """Problem and solution; None where the headings are not both there, in this order, at the start of lines."""
    first = _PROBLEM.search(text)
    second = _SOLUTION.search(text, first.end()) if first else None
    if not (first and second) or _SOLUTION.search(text[: first.start()]):
        return None
    return text[first.end() : second.start()].strip(), text[second.end() :].strip()


def published_parts(text: str) -> tuple[str, str] | None:
    """The same as the published code reads it: a heading may stand anywhere in a line, whose rest is lost."""
    lines = text.splitlines(keepends=True)
    problem, solution = (
        next((place for place, line in enumerate(lines) if heading in line.lower()), None)
        for heading in ("[problem description]", "[solution]")
    )
    if problem is None or solution is None or problem >= solution:
        return None
    return "".join(lines[problem + 1 : solution]).strip(), "".join(lines[solution + 1 :]).strip()


def _row(document: Placed, request: Request, answer: Answer, parts: tuple[str, str], lot: int, tools: Tools) -> Example:
    origin = Origin(
        method=NAME,
        lot=lot,
        document=document,
        prompt=load_prompt(request.prompt).label,
        sampling=str(request.sampling),
        teacher=str(tools.teacher.identity),
        task_type=TASK_TYPES[request.prompt],
        cut_tokens=answer.cut_tokens,
    )
    problem, solution = parts
    return made_row(origin, problem, "", solution, tools.teacher.count_tokens([solution])[0])


def finish(rows: Sequence[Example], _tools: Tools, _options: OssInstructOptions) -> Outcome[Example]:
    """The rows but those whose problem or solution stood before, white space aside, and those that copy code.

    As in the published code, a row that falls for copying still makes those after it doubles.
    """
    problems: set[str] = set()
    solutions: set[str] = set()
    kept: list[Example] = []
    dropped: list[Rejection] = []
    for row in rows:
        problem, solution = _dense(row.instruction), _dense(row.output)
        reason = "double_problem" if problem in problems else "double_solution" if solution in solutions else ""
        if not reason:
            problems.add(problem)
            solutions.add(solution)
            reason = "copies_code" if copies_code(row.instruction, row.output) else ""
        if reason:
            dropped.append(dropped_row(row, FINISH, reason))
        else:
            kept.append(row)
    return Outcome(kept, dropped, len(rows))


def copies_code(problem: str, solution: str) -> bool:
    """Whether a fenced block of the problem is one of the solution's too, white space aside."""
    return not {_dense(block) for block in _blocks(problem)}.isdisjoint(_dense(block) for block in _blocks(solution))


def _blocks(text: str) -> list[str]:
    """What stands in fences; a fence that is not closed counts for nothing."""
    lines = text.splitlines()
    fences = [place for place, line in enumerate(lines) if line.strip().startswith("```")]
    return ["\n".join(lines[start + 1 : end]) for start, end in zip(fences[::2], fences[1::2], strict=False)]


def _dense(text: str) -> str:
    return "".join(text.split())


OSS_INSTRUCT = Generator(
    name=NAME,
    meaning="a problem and its solution, inspired by a few lines of a document, in one call",
    version=1,
    write=write,
    options=OssInstructOptions,
    prompts=(CODE, OPEN),
    reads="documents",
    calls=lambda _options: 1,
    finish=finish,
)
