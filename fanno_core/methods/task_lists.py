"""What Self-Instruct and Alpaca share: the rows that a prompt shows, the rules for a task, and the novelty filter.

Both ask for a list of tasks that goes on from a few known ones, drop tasks that a language model cannot do or that
are written oddly, and take the others in their order, each only where its ROUGE-L to all that there is does not exceed
0.7. A score that equals the bound passes, as in both published codes.

Source: `bootstrap_instructions.py` of yizhongw/self-instruct 0b26cca; `generate_instruction.py` of
tatsu-lab/stanford_alpaca 761dc5b.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from fanno_core.errors import BadSettings
from fanno_core.methods.contract import Lot
from fanno_core.methods.wording import talk_fault
from fanno_core.rouge import RougePool
from fanno_core.store.contracts import Example, Rejection
from fanno_core.teachers.protocol import Request, Sampling
from fanno_core.teachers.rendered import rendered_request
from fanno_core.text import stable_id

MIN_WORDS, MAX_WORDS = 4, 150
WORDS = (
    *("image", "images", "graph", "graphs", "picture", "pictures", "file", "files", "map", "maps"),
    *("draw", "plot", "go to"),
)
"""What a task must not speak of in Self-Instruct: whole words, whatever their case."""
ALPACA_WORDS = (*WORDS, "video", "audio", "music", "flowchart", "diagram")
PROGRAM = "Write a program"


@dataclass(frozen=True, slots=True)
class Written:
    """A task as it was read from an answer.

    `reason` is why it cannot be used, with what was measured in `detail`; empty where nothing speaks against it.
    """

    instruction: str
    input: str = ""
    output: str = ""
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A prompt for a list: its number in the lot, the rows that it shows, and the seed of its answer."""

    method: str
    lot: int
    number: int
    rows: tuple[Example, ...]
    seed: int

    @property
    def first(self) -> int:
        """Number of the first task that the teacher is to write."""
        return len(self.rows) + 1

    @property
    def made_from(self) -> tuple[str, ...]:
        """Ids of the rows shown."""
        return tuple(row.id for row in self.rows)

    def request(self, prompt: str, examples: str, tasks: int, sampling: Sampling) -> Request:
        """What the teacher is sent: `examples`, and the order to write so many more tasks."""
        values = {"examples": examples, "first": str(self.first), "last": str(self.first + tasks - 1)}
        return rendered_request(f"{self.lot}-{self.number}", prompt, values, replace(sampling, seed=self.seed), "")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A task on its way to a row: as written, in which prompt, and at which place of the answer."""

    shown: Shown
    place: int
    task: Written

    @property
    def id(self) -> str:
        """Depends on the prompt, the place and the words."""
        where = (str(self.shown.lot), str(self.shown.number), str(self.place))
        return stable_id(self.shown.method, *where, *self.shown.made_from, self.task.instruction)

    def rejected(self, reason: str = "", detail: str = "") -> Rejection:
        """The rejection of the task, for its own reason where no other is given."""
        task = self.task
        text = "\n\n".join(part for part in (task.instruction, task.input, task.output) if part)
        return Rejection(self.id, self.shown.method, reason or task.reason, detail or task.detail, text=text)


def prompts_of(lot: Lot, method: str, seed: int, rows: int, machine: int) -> list[Shown]:
    """The prompts of a lot: each shows so many rows, up to `machine` of them written by the method, in random order.

    Raises:
        BadSettings: the pool holds no row that the method did not write itself.
    """
    pool = distinct(lot.pool)
    own = [row for row in pool if row.method == method]
    given = [row for row in pool if row.method != method]
    if not given:
        raise BadSettings(f"{method}: its pool is empty; name an instruction file in `method.given`")
    prompts = []
    for number in range(lot.size):
        draw = Random(f"{seed}:{method}:{lot.number}:{number}")
        shown = draw.sample(own, min(machine, rows, len(own)))
        shown += draw.sample(given, min(rows - len(shown), len(given)))
        draw.shuffle(shown)
        # A small pool shows the same rows again: a seed of its own lets the teacher answer anew.
        prompts.append(Shown(method, lot.number, number, tuple(shown), draw.getrandbits(31)))
    return prompts


def distinct(rows: Sequence[Example]) -> list[Example]:
    """The first row of each instruction, in order: a task with several instances counts once."""
    found: dict[str, Example] = {}
    for row in rows:
        found.setdefault(row.instruction, row)
    return list(found.values())


def on_one_line(instruction: str) -> str:
    """An instruction as lists show it: white space collapsed, no colon at its end."""
    return " ".join(instruction.split()).rstrip(":")


def stopped(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    """The text up to the first stop sequence in it, and whether there is one."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return (text[: min(places)], True) if places else (text, False)


def task_fault(instruction: str, words: Sequence[str]) -> str:
    """Why a published code drops a task by its wording; empty where it does not."""
    if not instruction:
        return "empty"
    if (count := len(instruction.split())) < MIN_WORDS:
        return "too_short"
    if count > MAX_WORDS:
        return "too_long"
    if re.search(rf"\b(?:{'|'.join(words)})\b", instruction, re.IGNORECASE):
        return "unsuited_word"
    if instruction.startswith(PROGRAM):
        return "asks_for_a_program"
    if instruction[0] in string.punctuation or not instruction[0].isascii():
        return "odd_start"
    return ""


def checked(task: Written, words: Sequence[str]) -> Written:
    """The task, with what speaks against its wording."""
    reason = task.reason or task_fault(task.instruction, words) or talk_fault(task.instruction)
    return replace(task, reason=reason)


def in_order(candidates: Sequence[Candidate], pool: Sequence[Example], limit: float) -> Iterator[Candidate]:
    """Each candidate in its order; `not_novel` is one whose ROUGE-L to the pool or to one before it exceeds the limit.

    Only candidates that pass are compared with those after them. The very words of an earlier task are never novel.
    """
    known = distinct(pool)
    names = [row.id for row in known]
    compared = RougePool(row.instruction for row in known)
    words = {row.instruction for row in known}
    for candidate in candidates:
        if candidate.task.reason:
            yield candidate
            continue
        score, place = compared.largest(candidate.task.instruction)
        if score > limit or candidate.task.instruction in words:
            detail = f"{score:.3f} {names[place]}"
            yield replace(candidate, task=replace(candidate.task, reason="not_novel", detail=detail))
            continue
        names.append(candidate.id)
        words.add(candidate.task.instruction)
        compared.add(candidate.task.instruction)
        yield candidate
