"""What a method is: a few facts and one function, from rows to rows kept and rows rejected with a reason.

A `Generator` writes rows from documents or from other rows, lot after lot; a `Transform` makes rows of rows. What
surrounds a method (journal, cache, shards, interruption, report) is the same for all of them and not its concern. A
method is deterministic: equal rows, options and answers give equal rows, in whatever order answers come. Where it
draws, it draws from `random.Random(f"{tools.seed}:{name}:...")`, never from a module-level generator.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Example, Placed, column
from fanno_core.tools import Options, Tools

O = TypeVar("O", bound=Options)  # noqa: E741 - it stands for options everywhere


@dataclass(frozen=True)
class Lot:
    """What one call of a generator works from.

    Attributes:
        number: of the lot, from 1.
        documents: the lot's own ones, in the order of the queue; none for a generator that reads none.
        size: how many prompts are to be begun: as many as documents, where it reads documents.
        pool: the rows that there are before it, for a generator that grows a pool: those that it started with (their
            `method` is another) and then those of the lots before, in their order.
    """

    number: int
    documents: Sequence[Placed]
    size: int
    pool: Sequence[Example] = ()


@dataclass(frozen=True, slots=True)
class LotFacts:
    """Which documents a lot had, for whoever explains its rows."""

    id: str = column("number of the lot, from 1")
    start: int = column("place of its first document in the shard that it was dealt from")
    size: int = column("documents, or prompts where its method reads no documents")


@dataclass(frozen=True)
class Generator(Generic[O]):
    """A method that writes rows: `fanno run --method NAME`.

    Attributes:
        name: as the command line has it.
        meaning: one line, for people who choose.
        version: raised whenever the same input would give other bytes.
        write: the rows of a lot. Kept and rejected ones together are what the lot's prompts led to.
        options: its own settings.
        prompts: names of the prompt files that it uses.
        reads: `documents`: each lot stands for itself; `pool`: a lot sees the rows of those before it, and the pool
            begins with rows of a file or with FANNO's seeds; `nothing`: a lot stands for itself and has a size alone.
        calls: the most questions that one prompt of a lot leads to.
        finish: what is held against all rows at the end, such as doubles; None where nothing is.
        asks: whether its rows depend on the teacher, be it only by how that counts tokens.
        encodes: whether `write` or `finish` wants vectors of texts.
        check: refuses options that would only fail later.
    """

    name: str
    meaning: str
    version: int
    write: Callable[[Lot, Tools, O], Awaitable[Outcome[Example]]]
    options: type[O]
    prompts: tuple[str, ...]
    reads: Literal["documents", "pool", "nothing"]
    calls: Callable[[O], int]
    finish: Callable[[Sequence[Example], Tools, O], Outcome[Example]] | None = None
    asks: bool = True
    encodes: bool = False
    check: Callable[[O], None] = lambda _: None


@dataclass(frozen=True)
class Transform(Generic[O]):
    """A method that makes rows of rows: `fanno transform --with NAME`.

    Attributes:
        name, meaning, version, options, prompts, asks, encodes, check: as in `Generator`.
        change: the rows that it makes of these. Rows that stay as they are it keeps with their id.
        whole: whether it wants all rows at once, and not a shard of them: for methods that mix rows and ask nobody.
        calls: the most questions that one row leads to.
        wording: whatever else goes into its rows, such as tables of wordings.
    """

    name: str
    meaning: str
    version: int
    change: Callable[[Sequence[Example], Tools, O], Awaitable[Outcome[Example]]]
    options: type[O]
    prompts: tuple[str, ...] = ()
    whole: bool = False
    calls: Callable[[O], int] = lambda _: 0
    wording: Callable[[], Any] = lambda: None
    asks: bool = True
    encodes: bool = False
    check: Callable[[O], None] = lambda _: None


Method = Generator[Any] | Transform[Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row of a method comes from, for `made_row`.

    Attributes:
        method: its name.
        lot: number of the lot or pass that wrote it; 0 where there is none.
        document: that it was written from.
        made_from: ids of the rows that it was made of.
        prompt, sampling: of the question that gave its instruction: label of the prompt file, and how it was drawn.
        response_prompt, response_sampling: of the question that gave its response, where that was another one.
        teacher: who answered, or empty where nobody was asked.
        task_type: as the method calls it, or empty.
        cut_tokens: of the document that the teacher's context had no room for.
    """

    method: str
    lot: int = 0
    document: Placed | None = None
    made_from: tuple[str, ...] = field(default=())
    prompt: str = ""
    sampling: str = ""
    response_prompt: str = ""
    response_sampling: str = ""
    teacher: str = ""
    task_type: str = ""
    cut_tokens: int = 0
