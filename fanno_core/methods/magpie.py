"""Magpie: a chat model that is shown the opening of a user's turn, and nothing else, writes what a user may ask.

Models that were trained on chats have seen many users. So no seed, no topic and no document is needed: the chat
template is sent up to where the user's words begin, the model goes on to the end of the line, and then answers its own
question. What is left of it passes filters; near-duplicates are dropped, and the longest responses may be kept alone.

Covered: both calls, the rules for a first line, near-duplicates by FAISS, the choice by length. What differs: the
published filters rest on labels of the quality and a reward model's score, for which a teacher's verdict stands in here
where `min_answerable` asks for it; vectors are those of the run's encoder, not all-mpnet-base-v2; refusals and chat
markup are dropped. Each turn is drawn with its own seed, so that it can be drawn again alone. Not covered: several
turns, steering by a system message, and the rules by which later versions mend lines of some model families.

Source: Xu et al. 2024, arXiv 2406.08464; magpie-align/magpie b734a36.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from pydantic import Field

from fanno_core.communities.neighbours import build_index, neighbour_edges
from fanno_core.errors import BadSettings
from fanno_core.methods.contract import Generator, Lot, Origin
from fanno_core.methods.rows import dropped_row, made_row
from fanno_core.methods.wording import talk_fault
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.responses.filters import response_reason
from fanno_core.settings import Communities, Responses
from fanno_core.store.contracts import Example, Floats, Rejection
from fanno_core.teachers.protocol import UNANSWERED, Answer, Request, Sampling, ask
from fanno_core.teachers.rendered import rendered_request
from fanno_core.teachers.verdict import NO, UNREADABLE, YES, read_verdict
from fanno_core.text import stable_id
from fanno_core.tools import Options, Tools

NAME = "magpie"
FINISH = f"{NAME}-finish"
TURN = "magpie_turn"
"""What the journal calls the questions without a prompt file."""
VERDICT, RESPONSE = "instruction_answerable", "response_direct"

_CODE = "in the published code"


class MagpieOptions(Options):
    """How turns and responses are drawn, and which rows stay."""

    max_tokens: int = Field(512, ge=1, description=f"longest instruction; 512 {_CODE}")
    temperature: float = Field(1.0, gt=0, le=2, description=f"of instructions; 1 {_CODE}")
    top_p: float = Field(1.0, gt=0, le=1, description=f"of instructions; 1 {_CODE}")
    response_tokens: int = Field(2048, ge=1, description="longest response")
    min_answerable: float = Field(
        0.0, ge=0, le=1, description="smallest probability, by the teacher's verdict, of a good answer; 0: not asked"
    )
    distance: float = Field(
        0.05,
        gt=0,
        le=2,
        description="squared Euclidean distance of two instructions' unit vectors up to which the later one is a "
        f"near-duplicate; 0.05 {_CODE}",
    )
    neighbours: int = Field(500, ge=1, description=f"nearest instructions that each is held against; 500 {_CODE}")
    keep_longest: float = Field(1.0, gt=0, le=1, description="share of the rows that stays, those with most tokens")


@dataclass(frozen=True, slots=True)
class Turn:
    """A user's turn: its place in the lot, how it is drawn, and, once it is written, what speaks against it."""

    lot: int
    place: int
    sampling: Sampling
    instruction: str = ""
    reason: str = ""
    detail: str = ""

    @property
    def id(self) -> str:
        """Depends on lot and place."""
        return stable_id(NAME, str(self.lot), str(self.place))

    def rejected(self, reason: str, detail: str = "", output: str = "") -> Rejection:
        """The rejection of the turn, with its response where there is one."""
        text = "\n\n".join(part for part in (self.instruction, output) if part)
        return Rejection(self.id, NAME, reason, detail, text=text)


async def write(lot: Lot, tools: Tools, options: MagpieOptions) -> Outcome[Example]:
    """The rows that come of a lot's turns.

    Raises:
        BadSettings: the teacher cannot go on with a user's turn.
        TryAgain, RunStops: from the teacher.
    """
    if not tools.teacher.can_continue:
        raise BadSettings(
            f"--method magpie: the teacher {tools.teacher.identity.name} has no chat template that it can go on with; "
            "set teacher.name to transformers or vllm, or to openai with vLLM servers and teacher.tokenizer, and "
            "teacher.model to a chat model"
        )
    turns = turns_of(lot.number, lot.size, tools.seed, options)
    answers = await ask(tools.teacher, [turn_request(turn) for turn in turns])
    turns = without_doubles([read_turn(turn, answer) for turn, answer in zip(turns, answers, strict=True)])
    if options.min_answerable:
        turns = await _judged(turns, tools, options.min_answerable)
    made = await _answered([turn for turn in turns if not turn.reason], tools, options)
    dropped = [turn.rejected(turn.reason, turn.detail) for turn in turns if turn.reason]
    return Outcome(made.kept, [*dropped, *made.rejected], len(turns))


def turns_of(lot: int, size: int, seed: int, options: MagpieOptions) -> list[Turn]:
    """The turns of a lot that are to be written, each with a seed of its own."""
    draws = [Random(f"{seed}:{NAME}:{lot}:{place}").getrandbits(31) for place in range(size)]
    how = Sampling(options.max_tokens, options.temperature, options.top_p)
    return [Turn(lot, place, replace(how, seed=draw)) for place, draw in enumerate(draws)]


def turn_request(turn: Turn) -> Request:
    """The opening of the chat template, and no word of ours."""
    return Request(turn.id, TURN, "", turn.sampling, bare=True)


def read_turn(turn: Turn, answer: Answer) -> Turn:
    """The turn with its first line as the instruction, and the reason why that cannot be used, if there is one."""
    line, ended, _ = answer.text.partition("\n")
    instruction = line.strip()
    finish = "stop" if ended and answer.finish == "length" else answer.finish
    return replace(turn, instruction=instruction, reason=_fault(instruction, finish))


def _fault(instruction: str, finish: str) -> str:
    if finish in UNANSWERED:
        return UNANSWERED[finish]
    if not any(character.isalnum() for character in instruction):
        return "empty"
    if finish == "length":
        return "cut_off"
    # What the colon announces stood on the next lines, which were not drawn.
    return "ends_with_colon" if instruction.endswith(":") else talk_fault(instruction)


def without_doubles(turns: Sequence[Turn]) -> list[Turn]:
    """The turns, of which the first with the same words stays, whatever their case and the space between them."""
    first: dict[str, str] = {}
    found: list[Turn] = []
    for turn in turns:
        words = " ".join(turn.instruction.casefold().split())
        same = turn.id if turn.reason else first.setdefault(words, turn.id)
        found.append(turn if same == turn.id else replace(turn, reason="exact_duplicate", detail=same))
    return found


async def _judged(turns: Sequence[Turn], tools: Tools, least: float) -> list[Turn]:
    """The turns, those that the teacher does not call answerable with their reason."""
    asked = [turn for turn in turns if not turn.reason]
    sampling = Sampling(max_tokens=1)
    answers = await ask(
        tools.teacher,
        [
            rendered_request(turn.id, VERDICT, {"instruction": turn.instruction}, sampling, "", (YES, NO))
            for turn in asked
        ],
    )
    judged = {turn.id: _verdict(turn, answer, least) for turn, answer in zip(asked, answers, strict=True)}
    return [judged.get(turn.id, turn) for turn in turns]


def _verdict(turn: Turn, answer: Answer, least: float) -> Turn:
    if answer.finish in UNANSWERED:
        return replace(turn, reason=UNANSWERED[answer.finish], detail=VERDICT)
    probability = read_verdict(answer)
    if probability is None:
        return replace(turn, reason=UNREADABLE, detail=VERDICT)
    if probability < least:
        return replace(turn, reason="not_answerable", detail=f"{VERDICT} {probability:.3f}")
    return turn


async def _answered(turns: Sequence[Turn], tools: Tools, options: MagpieOptions) -> Outcome[Example]:
    """A row for each turn whose response passes the filter."""
    sampling = Sampling(options.response_tokens, seed=tools.seed)
    answers = await ask(
        tools.teacher,
        [rendered_request(turn.id, RESPONSE, {"instruction": turn.instruction}, sampling, "") for turn in turns],
    )
    lengths = tools.teacher.count_tokens([answer.text.strip() for answer in answers])
    kept: list[Example] = []
    dropped: list[Rejection] = []
    for turn, answer, length in zip(turns, answers, lengths, strict=True):
        output = answer.text.strip()
        if reason := response_reason(output, answer.finish, turn.instruction, "", Responses()):
            dropped.append(turn.rejected(reason, RESPONSE, output))
        else:
            kept.append(made_row(_origin(turn, sampling, tools), turn.instruction, "", output, length))
    return Outcome(kept, dropped, len(turns))


def _origin(turn: Turn, sampling: Sampling, tools: Tools) -> Origin:
    return Origin(
        method=NAME,
        lot=turn.lot,
        sampling=str(turn.sampling),
        response_prompt=load_prompt(RESPONSE).label,
        response_sampling=str(sampling),
        teacher=str(tools.teacher.identity),
    )


def finish(rows: Sequence[Example], tools: Tools, options: MagpieOptions) -> Outcome[Example]:
    """The rows but near-duplicates, and of these the longest ones, in their order."""
    vectors = tools.encode([row.instruction for row in rows])
    near = near_duplicates(vectors, options.distance, options.neighbours, tools.seed)
    longest = longest_of(rows, [place for place in range(len(rows)) if place not in near], options.keep_longest)
    kept: list[Example] = []
    dropped: list[Rejection] = []
    for place, row in enumerate(rows):
        if place in near:
            dropped.append(dropped_row(row, FINISH, "near_duplicate", rows[near[place]].id))
        elif place not in longest:
            dropped.append(dropped_row(row, FINISH, "short_response", f"{row.output_tokens} tokens"))
        else:
            kept.append(row)
    return Outcome(kept, dropped, len(rows))


def near_duplicates(vectors: Floats, distance: float, neighbours: int, seed: int) -> dict[int, int]:
    """The place of each near-duplicate with the first place that it is near to, itself a near-duplicate or not.

    Args:
        vectors: `[n, d]` unit vectors.
        distance: largest squared Euclidean distance of near ones.
        neighbours: so many nearest ones of each are looked at.
        seed: of the index, where it is one of lists.
    """
    index = build_index(vectors, Communities().exact_below, seed)
    found: dict[int, int] = {}
    for first, second in neighbour_edges(index, vectors, neighbours, 1 - distance / 2).pairs.tolist():
        found[second] = min(first, found.get(second, first))
    return found


def longest_of(rows: Sequence[Example], places: Sequence[int], share: float) -> set[int]:
    """A share of the places, at least one: those of the responses with most tokens, the first of equal ones."""
    ranked = sorted(places, key=lambda place: (-rows[place].output_tokens, place))
    return set(ranked[: max(1, round(share * len(ranked)))])


MAGPIE = Generator(
    name=NAME,
    meaning="a chat model goes on with the opening of a user's turn, and answers what it wrote; needs no documents",
    version=1,
    write=write,
    options=MagpieOptions,
    prompts=(VERDICT, RESPONSE),
    reads="nothing",
    calls=lambda options: 3 if options.min_answerable else 2,
    finish=finish,
    encodes=True,
)
