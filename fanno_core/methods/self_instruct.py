"""Self-Instruct: a model grows a pool of tasks out of a few that people wrote, and then answers them.

Each prompt shows eight tasks of the pool, up to two of them written by the model itself, and is to go on with the list.
A new task stays that reads well and whose ROUGE-L to all before it is at most 0.7. The teacher then says whether it is
a classification task; if so, instances are written label first, so that all labels occur, and input first otherwise.

Covered: the bootstrap, the classification question, both orders of instances, the rules for each. Not covered: the
templates of the paper's fine-tuning data, which belong to training; `fanno export` has formats for it.

This is the variant with one chat model as the teacher: no presence penalty, no stop sequences (their place is the
parser), no demonstrations of other tasks in the prompts. Faults of the published code that are not copied by default:
`capitalize()` lower-cases the rest of each task, and names with it; a list that was cut is dropped whole; one
classification task in a batch shortens the answers of the others; any answer but "Yes" counts as no.

Source: Wang et al. 2022, arXiv 2212.10560; yizhongw/self-instruct 0b26cca.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pydantic import Field

from fanno_core.methods.contract import Generator, Lot, Origin
from fanno_core.methods.rows import dropped_row, made_row
from fanno_core.methods.self_instruct_instances import Instance, instances_of
from fanno_core.methods.task_lists import (
    WORDS,
    Candidate,
    Shown,
    Written,
    checked,
    in_order,
    on_one_line,
    prompts_of,
    stopped,
)
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.responses.filters import response_reason
from fanno_core.settings import Responses
from fanno_core.store.contracts import Example, Rejection
from fanno_core.teachers.protocol import UNANSWERED, Answer, Request, Sampling, ask
from fanno_core.teachers.rendered import rendered_request
from fanno_core.text import stable_id
from fanno_core.tools import Options, Tools

NAME = "self-instruct"
LIST, KIND = "self_instruct_tasks", "self_instruct_classification"
INPUT_FIRST, OUTPUT_FIRST = "self_instruct_input_first", "self_instruct_output_first"
STOPS = ("\n\n", "\n16", "16.", "16 .")
"""Where the published code let the model stop."""
KIND_SAMPLING = Sampling(max_tokens=3)

_CODE = "in the published code"


class SelfInstructOptions(Options):
    """How the pool grows."""

    shown: int = Field(8, ge=1, le=64, description=f"tasks that a prompt shows; 8 {_CODE}")
    machine: int = Field(2, ge=0, le=64, description=f"of these, at most so many that the teacher wrote; 2 {_CODE}")
    tasks: int = Field(7, ge=1, le=64, description=f"tasks that a prompt asks for; 7, numbers 9 to 15, {_CODE}")
    max_tokens: int = Field(1024, ge=1, description=f"longest list; 1,024 {_CODE}")
    temperature: float = Field(0.7, ge=0, le=2, description=f"of lists; 0.7 {_CODE}")
    top_p: float = Field(0.5, gt=0, le=1, description=f"of lists; 0.5 {_CODE}")
    novelty: float = Field(0.7, ge=0, le=1, description=f"largest ROUGE-L to a task before it; 0.7 {_CODE}")
    instances: int = Field(5, ge=1, le=64, description=f"instances of a task that are kept at most; 5 {_CODE}")
    instance_tokens: int = Field(350, ge=1, description=f"longest answer with instances; 350 {_CODE}")
    published: bool = Field(
        False, description="read answers exactly as the published code does, lower-casing of names included"
    )

    @property
    def list_sampling(self) -> Sampling:
        """How lists are drawn; each prompt has a seed of its own."""
        return Sampling(self.max_tokens, self.temperature, self.top_p)


async def write(lot: Lot, tools: Tools, options: SelfInstructOptions) -> Outcome[Example]:
    """The instances of the new tasks that a lot's prompts lead to.

    Raises:
        BadSettings: the pool holds no row to begin with.
        TryAgain, RunStops: from the teacher.
    """
    prompts = prompts_of(lot, NAME, tools.seed, options.shown, options.machine)
    answers = await ask(tools.teacher, [list_request(shown, options) for shown in prompts])
    tasks = [task for shown, answer in zip(prompts, answers, strict=True) for task in tasks_of(shown, answer, options)]
    tasks = list(in_order(tasks, lot.pool, options.novelty))
    dropped = [task.rejected() for task in tasks if task.task.reason]
    kinds, unreadable = await _kinds([task for task in tasks if not task.task.reason], tools, options)
    made = await _with_instances(kinds, tools, options)
    dropped += unreadable
    candidates = len(tasks) - len(kinds) + made.candidates
    return Outcome(made.kept, [*dropped, *made.rejected], candidates)


def list_request(shown: Shown, options: SelfInstructOptions) -> Request:
    """The prompt for a list."""
    examples = "\n".join(f"{number}. {on_one_line(row.instruction)}" for number, row in enumerate(shown.rows, 1))
    return shown.request(LIST, examples, options.tasks, options.list_sampling)


def tasks_of(shown: Shown, answer: Answer, options: SelfInstructOptions) -> list[Candidate]:
    """The tasks in an answer, each with what speaks against it; one candidate where none can be read."""
    if answer.finish in UNANSWERED:
        found = [Written("", reason=UNANSWERED[answer.finish])]
    elif options.published:
        # The number of the first task stood in the original's prompt, and stands in the answer here.
        text, ended = stopped(re.sub(rf"\A\s*{shown.first}\s?\. ", "", answer.text), STOPS)
        found = published_tasks(text, "stop" if ended else answer.finish)
        found[options.tasks :] = [replace(task, reason="surplus") for task in found[options.tasks :]]
    else:
        found = listed_tasks(answer.text, answer.finish, shown.first, options.tasks)
    return [Candidate(shown, place, task) for place, task in enumerate(found)]


def published_tasks(text: str, finish: str) -> list[Written]:
    """The tasks of a list as the published code reads them: nothing of an answer that was cut, names lower-cased."""
    if finish == "length":
        return [Written(text, reason="cut_off")]
    found = [" ".join(part.split()).capitalize() for part in re.split(r"\n\d+\s?\. ", text)]
    return [checked(Written(task), WORDS) for task in found]


_NUMBER = re.compile(r"^[ \t>#*_-]*(?:task[ \t]+)?(\d{1,3})[*_]*[.):][*_]*[ \t]+", re.MULTILINE | re.IGNORECASE)
_WRAPPED = re.compile(r"(\*\*|__|\"|`)((?:(?!\1).)+)\1")


def listed_tasks(text: str, finish: str, first: int, most: int) -> list[Written]:
    """The tasks of a numbered list, in their order.

    The list begins with the number asked for, with 1, or with the number after the one asked for, as one begins that
    goes on in the middle of a line. What stands before it, and after a blank line, is no task. `misnumbered` is a task
    in which a line begins with a number that is not the next one; `surplus` are those beyond `most`; of an answer that
    was cut, the last is `cut_off`.
    """
    numbers = list(_NUMBER.finditer(text))
    begin = next((place for place, found in enumerate(numbers) if int(found[1]) in {1, first, first + 1}), None)
    if begin is None:
        return [Written(text.strip(), reason="cut_off" if finish == "length" else "no_tasks")]
    starts: list[re.Match[str]] = []
    for found in numbers[begin:]:
        if int(found[1]) == int(numbers[begin][1]) + len(starts):
            starts.append(found)
    ends = [start.start() for start in starts[1:]] + [len(text)]
    pieces = [text[start.end() : end] for start, end in zip(starts, ends, strict=True)]
    tasks = [_listed(piece, place < most) for place, piece in enumerate(pieces)]
    if finish == "length":
        tasks[-1] = replace(tasks[-1], reason="cut_off")
    return [checked(task, WORDS) for task in tasks]


def _listed(piece: str, wanted: bool) -> Written:
    """A task of a list, without its number and without marks around all of it."""
    lines = piece.strip().partition("\n\n")[0]
    reason = "" if wanted else "surplus"
    if _NUMBER.search(lines, lines.find("\n") + 1 or len(lines)):
        reason = "misnumbered"
    task = " ".join(lines.split())
    if wrapped := _WRAPPED.fullmatch(task):
        task = wrapped[2].strip()
    return Written(task[:1].upper() + task[1:], reason=reason)


async def _kinds(
    tasks: Sequence[Candidate], tools: Tools, options: SelfInstructOptions
) -> tuple[list[tuple[Candidate, bool]], list[Rejection]]:
    """Each task with whether it is one of classification; those of which the teacher did not say it are rejected."""
    answers = await ask(tools.teacher, [_request(KIND, task, KIND_SAMPLING) for task in tasks])
    known: list[tuple[Candidate, bool]] = []
    dropped: list[Rejection] = []
    for task, answer in zip(tasks, answers, strict=True):
        said = classification_of(answer.text, options.published)
        if answer.finish in UNANSWERED:
            dropped.append(task.rejected(UNANSWERED[answer.finish], KIND))
        elif said is None:
            dropped.append(task.rejected("unreadable_verdict", KIND))
        else:
            known.append((task, said))
    return known, dropped


def classification_of(text: str, published: bool = False) -> bool | None:
    """Whether the teacher calls a task one of classification; None where it says neither yes nor no."""
    if published:
        return text.strip() in {"Yes", "yes", "YES"}
    found = re.match(r"\W*(yes|no)\b", text, re.IGNORECASE)
    return found[1].lower() == "yes" if found else None


def _request(prompt: str, task: Candidate, sampling: Sampling, **more: str) -> Request:
    return rendered_request(task.id, prompt, {"instruction": task.task.instruction, **more}, sampling, "")


async def _with_instances(
    kinds: Sequence[tuple[Candidate, bool]], tools: Tools, options: SelfInstructOptions
) -> Outcome[Example]:
    """The rows of the tasks: one for each of their instances."""
    sampling = Sampling(options.instance_tokens)
    requests = [
        _request(OUTPUT_FIRST if classification else INPUT_FIRST, task, sampling, count=str(options.instances))
        for task, classification in kinds
    ]
    answers = await ask(tools.teacher, requests)
    kept: list[Example] = []
    dropped: list[Rejection] = []
    read = 0
    for (task, classification), request, answer in zip(kinds, requests, answers, strict=True):
        found = read_instances(answer, task.task.instruction, classification, options)
        read += len(found)
        rows = _rows(task, request, found, tools, options)
        for place, (row, instance) in enumerate(zip(rows, found, strict=True)):
            if instance.reason:
                # A double has the words of the row that is kept, and so its id.
                one = replace(row, id=stable_id(row.id, str(place)))
                dropped.append(dropped_row(one, NAME, instance.reason, request.prompt))
            else:
                kept.append(row)
    return Outcome(kept, dropped, read)


def read_instances(
    answer: Answer, instruction: str, classification: bool, options: SelfInstructOptions
) -> list[Instance]:
    """The instances in an answer, each with what speaks against it; one with its reason where none can be read."""
    if answer.finish in UNANSWERED:
        return [Instance("", answer.text, UNANSWERED[answer.finish])]
    found = instances_of(answer.text, answer.finish, classification, options.published)
    good = 0
    for place, one in enumerate(found):
        reason = one.reason or response_reason(one.output, "stop", instruction, one.input, Responses()) or ""
        good += not reason
        found[place] = replace(one, reason="surplus" if not reason and good > options.instances else reason)
    return found or [Instance("", answer.text, "cut_off" if answer.finish == "length" else "no_instance")]


def _rows(
    task: Candidate, request: Request, instances: Sequence[Instance], tools: Tools, options: SelfInstructOptions
) -> list[Example]:
    """A row for each instance, whether it is kept or not."""
    origin = Origin(
        method=NAME,
        lot=task.shown.lot,
        made_from=task.shown.made_from,
        prompt=load_prompt(LIST).label,
        sampling=str(replace(options.list_sampling, seed=task.shown.seed)),
        response_prompt=load_prompt(request.prompt).label,
        response_sampling=str(request.sampling),
        teacher=str(tools.teacher.identity),
        task_type="classification" if request.prompt == OUTPUT_FIRST else "generation",
    )
    lengths = tools.teacher.count_tokens([one.output for one in instances])
    return [
        made_row(origin, task.task.instruction, one.input, one.output, length)
        for one, length in zip(instances, lengths, strict=True)
    ]


SELF_INSTRUCT = Generator(
    name=NAME,
    meaning="grows a pool of tasks from a few that people wrote, and writes instances of each",
    version=2,
    write=write,
    options=SelfInstructOptions,
    prompts=(LIST, KIND, INPUT_FIRST, OUTPUT_FIRST),
    reads="pool",
    calls=lambda options: 1 + 2 * options.tasks,
)
