"""Stanford Alpaca: one prompt for a whole list of tasks with their inputs and outputs.

Each prompt shows three tasks that people wrote, never the teacher's own, and asks to go on with the list to number 20.
One call so gives many rows, each with one instance. Tasks that are written oddly or whose ROUGE-L to any before them is
above 0.7 are dropped.

Covered: the prompt's form and requirements in our words, the rules, the filter. Faults of the published code that are
not copied by default: the stop at `20.` cuts every text that holds "2020."; a block counts by its place in the answer,
so that one number left out costs all blocks after it; `###` inside an output tears it apart; the requirements are
misnumbered.

Source: Taori et al. 2023; tatsu-lab/stanford_alpaca 761dc5b, `generate_instruction.py`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from pydantic import Field

from fanno_core.instructions.cleaning import NO_INPUT
from fanno_core.methods.contract import Generator, Lot, Origin
from fanno_core.methods.rows import made_row
from fanno_core.methods.task_lists import (
    ALPACA_WORDS,
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
from fanno_core.store.contracts import Example
from fanno_core.teachers.protocol import UNANSWERED, Answer, Request, Sampling, ask
from fanno_core.tools import Options, Tools

NAME = "alpaca"
PROMPT = "alpaca_tasks"
NO_INPUT_MARK = "<noinput>"
STOPS = ("\n20", "20.")
"""Where the published code let the model stop, besides at the end of its text."""

_CODE = "in the published code"


class AlpacaOptions(Options):
    """How lists are asked for."""

    shown: int = Field(3, ge=1, le=64, description=f"tasks that a prompt shows; 3 {_CODE}")
    tasks: int = Field(17, ge=1, le=64, description=f"tasks that a prompt asks for; 17, numbers 4 to 20, {_CODE}")
    max_tokens: int = Field(3072, ge=1, description=f"longest list; 3,072 {_CODE}")
    temperature: float = Field(1.0, ge=0, le=2, description=f"1 {_CODE}")
    top_p: float = Field(1.0, gt=0, le=1, description=f"1 {_CODE}")
    novelty: float = Field(0.7, ge=0, le=1, description=f"largest ROUGE-L to a task before it; 0.7 {_CODE}")
    published: bool = Field(False, description="read answers exactly as the published code does")

    @property
    def sampling(self) -> Sampling:
        """How lists are drawn; each prompt has a seed of its own."""
        return Sampling(self.max_tokens, self.temperature, self.top_p)


async def write(lot: Lot, tools: Tools, options: AlpacaOptions) -> Outcome[Example]:
    """The tasks that a lot's prompts lead to.

    Raises:
        BadSettings: the pool holds no row to begin with.
        TryAgain, RunStops: from the teacher.
    """
    prompts = prompts_of(lot, NAME, tools.seed, options.shown, machine=0)
    answers = await ask(tools.teacher, [list_request(shown, options) for shown in prompts])
    read = [task for shown, answer in zip(prompts, answers, strict=True) for task in tasks_of(shown, answer, options)]
    tasks = list(in_order(read, lot.pool, options.novelty))
    kept = [task for task in tasks if not task.task.reason]
    lengths = tools.teacher.count_tokens([task.task.output for task in kept])
    rows = [_row(task, length, tools, options) for task, length in zip(kept, lengths, strict=True)]
    return Outcome(rows, [task.rejected() for task in tasks if task.task.reason], len(read))


def list_request(shown: Shown, options: AlpacaOptions) -> Request:
    """The prompt for a list."""
    blocks = [_block(number, row) for number, row in enumerate(shown.rows, 1)]
    return shown.request(PROMPT, "\n".join(blocks), options.tasks, options.sampling)


def _block(number: int, row: Example) -> str:
    """A row as lists show it."""
    instruction, given = on_one_line(row.instruction), row.input or NO_INPUT_MARK
    return f"###\n{number}. Instruction: {instruction}\n{number}. Input:\n{given}\n{number}. Output:\n{row.output}"


def tasks_of(shown: Shown, answer: Answer, options: AlpacaOptions) -> list[Candidate]:
    """The tasks in an answer, each with what speaks against it; one candidate where none can be read."""
    if answer.finish in UNANSWERED:
        found = [Written("", reason=UNANSWERED[answer.finish])]
    elif options.published:
        begun = rf"\s*(?:###\s*)?{shown.first}\.\s+Instruction:"  # by the prompt in the original, by the answer here
        text, ended = stopped(re.sub(rf"\A{begun}", "", answer.text), STOPS)
        found = published_blocks(text, "stop" if ended else answer.finish, len(shown.rows))
    else:
        found = listed_blocks(answer.text, answer.finish, options.tasks)
    return [Candidate(shown, place, _answered(task)) for place, task in enumerate(found)]


def published_blocks(text: str, finish: str, shown: int) -> list[Written]:
    """The tasks of a list as the published code reads them: by their place, from one that goes on after its prompt.

    Args:
        text: the answer, which begins after the words `4. Instruction:`.
        finish: how the teacher stopped.
        shown: how many tasks the prompt shows.
    """
    blocks = f"{shown + 1}. Instruction:{text}".split("###")
    return [
        _published_block(block, shown + 1 + place, finish == "length" and place == len(blocks) - 1)
        for place, block in enumerate(blocks)
    ]


def _published_block(block: str, number: int, cut: bool) -> Written:
    if cut:
        return Written(block.strip(), reason="cut_off")
    parts = re.split(rf"{number}\.\s+(?:Instruction|Input|Output):", block)
    if len(parts) != 4:
        return Written(block.strip(), reason="misnumbered")
    instruction, given, output = (part.strip() for part in parts[1:])
    return checked(Written(instruction, "" if given.lower() == NO_INPUT_MARK else given, output), ALPACA_WORDS)


def _label(name: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t>*_#]*(\d{{1,3}})[.)][ \t]*[*_]*{name}[*_]*[ \t]*:[*_]*", re.MULTILINE | re.IGNORECASE)


_INSTRUCTION, _INPUT, _OUTPUT = map(_label, ("Instruction", "Input", "Output"))
_SEPARATOR = re.compile(r"^[ \t]*#{3,}\s*\Z", re.MULTILINE)


def listed_blocks(text: str, finish: str, most: int) -> list[Written]:
    """The tasks of a list, in its order: each block has its instruction, input and output under one number.

    A block counts by its labels, which begin lines, whatever its number is. `misnumbered` is a block whose parts are
    missing, out of order or under different numbers; `surplus` are those beyond `most`; of an answer that was cut, the
    last is `cut_off`. What stands before the first block is no task.
    """
    starts = list(_INSTRUCTION.finditer(text))
    if not starts:
        return [Written(text.strip(), reason="cut_off" if finish == "length" else "no_tasks")]
    ends = [start.start() for start in starts[1:]] + [len(text)]
    found = [_listed_block(text[start.start() : end]) for start, end in zip(starts, ends, strict=True)]
    if finish == "length":
        found[-1] = replace(found[-1], reason="cut_off")
    surplus = [replace(task, reason=task.reason or "surplus") for task in found[most:]]
    return [checked(task, ALPACA_WORDS) for task in found[:most] + surplus]


def _listed_block(block: str) -> Written:
    labels = [pattern.search(block) for pattern in (_INSTRUCTION, _INPUT, _OUTPUT)]
    first, second, third = labels
    if not (first and second and third and first.end() <= second.start() and second.end() <= third.start()):
        return Written(block.strip(), reason="misnumbered")
    if len({label[1] for label in (first, second, third)}) > 1:
        return Written(block.strip(), reason="misnumbered")
    given = block[second.end() : third.start()].strip()
    no_input = given.lower() == NO_INPUT_MARK or NO_INPUT.fullmatch(given)
    output = _SEPARATOR.sub("", block[third.end() :]).strip()
    instruction = " ".join(block[first.end() : second.start()].split())
    return Written(instruction, "" if no_input else given, output)


def _answered(task: Written) -> Written:
    """The task, with what speaks against its output."""
    reason = task.reason or response_reason(task.output, "stop", task.instruction, task.input, Responses()) or ""
    return replace(task, reason=reason)


def _row(task: Candidate, output_tokens: int, tools: Tools, options: AlpacaOptions) -> Example:
    shown, written = task.shown, task.task
    origin = Origin(
        method=NAME,
        lot=shown.lot,
        made_from=shown.made_from,
        prompt=load_prompt(PROMPT).label,
        sampling=str(replace(options.sampling, seed=shown.seed)),
        teacher=str(tools.teacher.identity),
    )
    return made_row(origin, written.instruction, written.input, written.output, output_tokens)


ALPACA = Generator(
    name=NAME,
    meaning="asks for a whole list of tasks with inputs and outputs at once, after three that people wrote",
    version=1,
    write=write,
    options=AlpacaOptions,
    prompts=(PROMPT,),
    reads="pool",
    calls=lambda _options: 1,
)
