"""Word problems: made with concrete numbers, and solved from their wording alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from fanno_core.teachers.extractive.lexicon import data_file
from fanno_core.teachers.extractive.question import Question
from fanno_core.teachers.extractive.wording import Brief, filled, numbered

SLOT = re.compile(r"\\\{(\w+)\\\}")


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of word problem: its two wordings and the range [lowest, highest, step] of each number."""

    solver: str
    characteristic: str
    ranges: dict[str, list[int]]
    imperative: str
    interrogative: str


@cache
def problems() -> tuple[Problem, ...]:
    """Every kind of word problem."""
    return tuple(Problem(**entry) for entry in data_file("templates.toml")["problems"])


def instruction(brief: Brief) -> str:
    """A word problem with its numbers."""
    fitting = [problem for problem in problems() if problem.characteristic == brief.characteristic] or list(problems())
    problem = brief.draw.choose(fitting)
    numbers = {
        slot: str(low + step * brief.draw.below((high - low) // step + 1))
        for slot, (low, high, step) in problem.ranges.items()
    }
    wording = problem.interrogative if brief.form == "interrogative" else problem.imperative
    return filled(wording, brief.slots() | numbers)


def asks(question: Question) -> bool:
    """Whether the wording is that of a word problem that can be solved."""
    return any(_matches(question.first))


def answer(question: Question) -> str:
    """The worked steps and the result."""
    solver, numbers = next(_matches(question.first))
    steps, result = SOLVERS[solver](numbers)
    return f"{numbered(steps)}\n\nAnswer: {result}"


def _matches(line: str) -> Iterator[tuple[str, dict[str, int]]]:
    if not any(c.isdigit() for c in line):
        return
    for solver, pattern in _patterns():
        found = pattern.fullmatch(line)
        if found:
            yield solver, {slot: int(number) for slot, number in found.groupdict().items()}


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """A pattern for each wording, which finds its numbers again."""
    return tuple(
        (problem.solver, _pattern(wording, problem.ranges))
        for problem in problems()
        for wording in (problem.imperative, problem.interrogative)
    )


def _pattern(wording: str, ranges: Mapping[str, list[int]]) -> re.Pattern[str]:
    def slot_pattern(slot: re.Match[str]) -> str:
        return rf"(?P<{slot[1]}>\d{{1,9}})" if slot[1] in ranges else ".+"

    return re.compile(SLOT.sub(slot_pattern, re.escape(wording)))


Solved = tuple[list[str], str]
"""The worked steps, and the result as a sentence."""


def _pages_at_start(n: dict[str, int]) -> Solved:
    daily, read = n["people"] * n["daily"], n["people"] * n["daily"] * n["days"]
    return [
        f"Together they read {n['people']} × {n['daily']} = {daily} pages a day.",
        f"In {n['days']} days that makes {daily} × {n['days']} = {read} pages.",
        f"With the {n['rest']} pages that are left: {read} + {n['rest']} = {read + n['rest']}.",
    ], f"there were {read + n['rest']} pages at the start."


def _workshop_cost(n: dict[str, int]) -> Solved:
    lunches = n["people"] * n["lunch"]
    total = n["room"] + lunches
    return [
        f"The lunches cost {n['people']} × {n['lunch']} = {lunches} euros.",
        f"With the room: {lunches} + {n['room']} = {total} euros.",
        f"After the grant: {total} - {n['grant']} = {total - n['grant']} euros.",
    ], f"{total - n['grant']} euros are left to pay."


def _cheaper_plan(n: dict[str, int]) -> Solved:
    first, second = n["fee"] + n["low"] * n["lessons"], n["high"] * n["lessons"]
    gap = n["high"] - n["low"]
    verdict = (
        "both cost the same"
        if first == second
        else f"plan {'A' if first < second else 'B'} is cheaper by {abs(first - second)} euros"
    )
    steps = [
        f"Plan A: {n['fee']} + {n['low']} × {n['lessons']} = {first} euros.",
        f"Plan B: {n['high']} × {n['lessons']} = {second} euros.",
    ]
    if gap > 0:
        pays = n["fee"] // gap + 1
        steps.append(f"Plan A saves {n['high']} - {n['low']} = {gap} euros a lesson, so it pays from lesson {pays} on.")
    return steps, f"for {n['lessons']} lessons {verdict}."


def _sceptics_claim(n: dict[str, int]) -> Solved:
    notes = Fraction(n["share"] * n["total"], 100)
    gap = abs(notes - n["limit"])
    holds = notes > n["limit"]
    result = f"the claim {'holds' if holds else 'fails'}" + (
        f" by {_plain(gap)} notes" if gap else ", since the two are equal"
    )
    return [
        f"{n['share']} percent of {n['total']} is {n['share']} × {n['total']} / 100 = {_plain(notes)} notes.",
        f"Compared with {n['limit']}, that is {'more' if holds else 'not more'}.",
    ], f"{result}, so the doubt is {'not justified' if holds else 'justified'}."


def _readable_signs(n: dict[str, int]) -> Solved:
    left = n["signs"] - n["blank"]
    return [
        f"In each room {n['signs']} - {n['blank']} = {left} signs are left.",
        f"In {n['rooms']} rooms that makes {n['rooms']} × {left} = {n['rooms'] * left} signs.",
    ], f"{n['rooms'] * left} signs can still be read."


def _dragon_scrolls(n: dict[str, int]) -> Solved:
    times = min(n["times"], 64)
    hoard = n["start"] * 2**times
    return [
        f"Doubling {times} times multiplies the hoard by 2^{times} = {2**times}.",
        f"That makes {n['start']} × {2**times} = {hoard} scrolls.",
        f"After the fire: {hoard} - {n['burnt']} = {hoard - n['burnt']}.",
    ], f"{hoard - n['burnt']} scrolls remain."


def _mean_and_range(n: dict[str, int]) -> Solved:
    weeks = [n["first"], n["second"], n["third"], n["fourth"]]
    mean = Fraction(sum(weeks), 4)
    return [
        f"Mean: ({' + '.join(map(str, weeks))}) / 4 = {sum(weeks)} / 4 = {_plain(mean)}.",
        f"Range: {max(weeks)} - {min(weeks)} = {max(weeks) - min(weeks)}.",
    ], f"the mean is {_plain(mean)} and the range is {max(weeks) - min(weeks)}."


def _simple_interest(n: dict[str, int]) -> Solved:
    yearly = Fraction(n["sum"] * n["rate"], 100)
    gained = yearly * n["years"]
    return [
        f"Interest a year: {n['sum']} × {n['rate']} / 100 = {_plain(yearly)} euros.",
        f"In {n['years']} years: {n['years']} × {_plain(yearly)} = {_plain(gained)} euros.",
        f"Value: {n['sum']} + {_plain(gained)} = {_plain(n['sum'] + gained)} euros.",
    ], f"the fund is worth {_plain(n['sum'] + gained)} euros after {n['years']} years."


def _plain(number: Fraction) -> str:
    """A whole number without a point; any other with as many places as it needs, at most two."""
    return str(number.numerator) if number.denominator == 1 else f"{float(number):.2f}".rstrip("0")


SOLVERS: dict[str, Callable[[dict[str, int]], Solved]] = {
    "pages_at_start": _pages_at_start,
    "workshop_cost": _workshop_cost,
    "cheaper_plan": _cheaper_plan,
    "sceptics_claim": _sceptics_claim,
    "readable_signs": _readable_signs,
    "dragon_scrolls": _dragon_scrolls,
    "mean_and_range": _mean_and_range,
    "simple_interest": _simple_interest,
}
