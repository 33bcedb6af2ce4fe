"""What a selector is: a score for each row, and which rows are chosen by it. One file each, one line in `table.py`."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from fanno_core.errors import BadSettings
from fanno_core.store.contracts import Example, column
from fanno_core.tools import Options, Tools

O = TypeVar("O", bound=Options)  # noqa: E741


@dataclass(frozen=True, slots=True)
class Score:
    """What a selector found of a row."""

    id: str = column("id of the row")
    by: str = column("what was measured, such as ifd_by_loss or ifd_by_perplexity")
    score: float = column("the score; NaN where there is none")
    reason: str = column("why there is no score: a reason code; empty where there is one", default="")


@dataclass(frozen=True, slots=True)
class Rank:
    """The place of a chosen row among the chosen ones."""

    id: str = column("id of the row")
    rank: int = column("place in the order in which rows were chosen, from 0")
    score: float = column("its score; 0 for selectors that look at all rows at once")


@dataclass(frozen=True, slots=True)
class Keep:
    """How much a selector keeps: `10%`, `500` rows, or `>=4.5`.

    Attributes:
        share: of the rows it is given, in (0, 1]; None where the other two say.
        rows: how many.
        at_least: smallest score.
    """

    share: float | None = None
    rows: int | None = None
    at_least: float | None = None

    def __str__(self) -> str:
        if self.at_least is not None:
            return f">={self.at_least:.17g}"
        return str(self.rows) if self.rows is not None else f"{100 * (self.share or 0):.12g}%"

    def count(self, of: int) -> int:
        """How many of so many rows; all where a smallest score decides. Rounded down, as the published codes do."""
        if self.rows is not None:
            return min(self.rows, of)
        return of if self.share is None else int(of * self.share)


_KEEP = re.compile(
    r"(?:(?P<least>>=) *(?P<score>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<number>\d+(?:\.\d+)?) *(?P<percent>%)?)"
)


def keep_of(text: str) -> Keep:
    """What `--keep` says.

    Raises:
        BadSettings: it is none of `10%`, `500`, `>=4.5`.
    """
    found = _KEEP.fullmatch(text.strip())
    if found and found["least"]:
        return Keep(at_least=float(found["score"]))
    number = float(found["number"]) if found else math.nan
    if found and found["percent"] and 0 < number <= 100:
        return Keep(share=number / 100)
    if found and not found["percent"] and number >= 1 and number.is_integer():
        return Keep(rows=int(number))
    raise BadSettings(f"--keep {text}: write it as 10% (a share), 500 (rows) or '>=4.5' (a smallest score)")


def without_smallest(selector: str, keep: Keep) -> None:
    """Refuses a smallest score for a selector that does not choose by scores.

    Raises:
        BadSettings: `keep` is one.
    """
    if keep.at_least is not None:
        raise BadSettings(f"--keep {keep}: {selector} chooses by no score; write a share or a number of rows")


@dataclass(frozen=True)
class Chosen:
    """What came of choosing.

    Attributes:
        places: of the chosen rows, in the order in which they were chosen.
        others: place of every other row, to reason code and detail.
    """

    places: Sequence[int]
    others: dict[int, tuple[str, str]]


@dataclass(frozen=True)
class Selector(Generic[O]):
    """A way to choose rows: `fanno select --by NAME`.

    Attributes:
        name: as the command line has it.
        meaning: one line, for people who choose.
        version: raised whenever the same rows would give others.
        keep: what is kept where the user does not say.
        score: a score for each row of a shard, in their order, each by that row alone; None for selectors that look at
            all rows at once.
        choose: the places of the chosen rows, in the order in which they are chosen, and for each of the others a
            reason code with what was measured: `not_selected`, `unreadable_score`, `above_bound`, ...
        options: its own settings.
        prompts: names of the prompt files that it uses.
        encodes: whether it asks for vectors.
        asks: whether its scores depend on the teacher though it has no prompts, such as lengths in tokens.
        check: refuses, before any work, options or a `Keep` that would only fail later.
    """

    name: str
    meaning: str
    version: int
    keep: str
    score: Callable[[Sequence[Example], Tools, O], Awaitable[list[Score]]] | None
    choose: Callable[[Sequence[Example], Sequence[Score], Keep, Tools, O], Chosen]
    options: type[O]
    prompts: tuple[str, ...] = ()
    encodes: bool = False
    asks: bool = False
    check: Callable[[O, Keep], None] = lambda _options, _keep: None
