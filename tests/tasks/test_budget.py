"""What a night may cost: bounds, room that is given back, and a real run that ends at its budget."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect import flow

from deployments.server import prefect_api
from fanno_core.dataset.record import PhaseRecord
from fanno_core.documents.sources import find_sources
from fanno_core.errors import BadSettings, RunStops
from fanno_core.outcome import Usage
from fanno_core.settings import Settings, make_settings
from fanno_core.store.ledger import FileRef
from tasks.budget import Budget, calls_a_row, tokens_a_call
from tasks.ingest import ingest, ingest_jobs
from tasks.phase import Job
from tasks.run import open_run
from tasks.screen import verdicts

NOWHERE = "/nonexistent"
PLENTY = 10**9


def with_limits(**limits: Any) -> Settings:
    return make_settings({"refresh": limits, "seeds": {"per_document": 1}})


def job(rows: int, phase: str = "responses", name: str = "0", how: Settings | None = None) -> Job:
    """A job over so many rows that no ledger knows."""
    inputs = {"rows": (FileRef("work/shards/rows/0.parquet", rows, ""),)}
    return Job(NOWHERE, phase, name, f"part {name}", how or Settings(), inputs)


async def play(budget: Budget, work: Sequence[tuple[int, int, int]], at_a_time: int) -> tuple[list[int], int]:
    """Puts jobs of (rows, calls that they really make, turns that they take) to a budget; who was let in, and calls."""
    slots = asyncio.Semaphore(at_a_time)
    made = []

    async def one(number: int, rows: int, calls: int, turns: int) -> int | None:
        async with slots, budget.room_for(job(rows, name=str(number))) as room:
            if room is None:
                return None
            for _ in range(turns):
                await asyncio.sleep(0)
            made.append(min(calls, rows))
            room.spent = Usage(min(calls, rows), rows)
            return number

    done = await asyncio.gather(*(one(number, *piece) for number, piece in enumerate(work)))
    return [number for number in done if number is not None], sum(made)


PIECES = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 5))


@settings(max_examples=150, deadline=None)
@given(work=st.lists(PIECES, max_size=12), most=st.integers(12, 40), at_a_time=st.integers(1, 8))
def test_calls_never_exceed_the_limit_and_haste_changes_nothing(
    work: list[tuple[int, int, int]], most: int, at_a_time: int
) -> None:
    limits = with_limits(max_calls=most)
    admitted, calls = asyncio.run(play(Budget(limits), work, at_a_time))
    assert calls <= most
    alone, _ = asyncio.run(play(Budget(limits), work, 1))
    assert admitted == alone
    # Nobody is turned away who would have had room.
    spent = 0
    for number, (rows, really, _) in enumerate(work):
        assert (number in admitted) == (spent + rows <= most)
        spent += min(rows, really) if number in admitted else 0


def test_what_a_job_did_not_ask_is_given_to_the_one_that_waits() -> None:
    async def both() -> list[str]:
        budget = Budget(with_limits(max_calls=12))
        told: list[str] = []
        async with budget.room_for(job(12)) as first:
            assert first
            waiting = asyncio.create_task(_enter(budget, job(10, name="1"), told))
            await asyncio.sleep(0.05)
            assert told == []
            first.spent = Usage(2, 100)
        await waiting
        return told

    assert asyncio.run(both()) == ["let in"]


async def _enter(budget: Budget, work: Job, told: list[str]) -> None:
    async with budget.room_for(work) as room:
        told.append("let in" if room else "turned away")
        if room:
            room.spent = Usage(1)


def test_a_job_that_fails_has_spent_all_that_it_might_have() -> None:
    async def fails(budget: Budget) -> None:
        async with budget.room_for(job(9)) as room:
            assert room
            raise RunStops("no model")

    budget = Budget(with_limits(max_calls=12))
    with pytest.raises(RunStops):
        asyncio.run(fails(budget))
    assert budget.spent.calls == 9


def test_phases_that_ask_nothing_need_no_room() -> None:
    told: list[str] = []
    clock = iter([0.0, *[100.0] * 9])
    budget = Budget(with_limits(max_seconds=10), clock=lambda: next(clock))
    asyncio.run(_enter(budget, job(PLENTY, "encode"), told))
    asyncio.run(_enter(budget, job(1, "responses"), told))
    assert told == ["let in", "turned away"]


def test_tokens_are_expected_to_be_what_they_were() -> None:
    how = with_limits(max_tokens=40 * tokens_a_call("responses", Settings()))
    budget = Budget(how)
    told: list[str] = []

    async def spend(rows: int, tokens: int) -> None:
        async with budget.room_for(job(rows)) as room:
            assert room
            room.spent = Usage(rows, tokens // 2, tokens - tokens // 2)

    asyncio.run(_enter(budget, job(40), told))
    assert told == ["let in"], "as many as there is room for by the first guess"
    asyncio.run(spend(1, 39 * tokens_a_call("responses", Settings())))
    asyncio.run(_enter(budget, job(1), told))
    assert told == ["let in", "turned away"], "a call turned out to take all that is left"


@pytest.mark.parametrize(
    ("phase", "values", "calls"),
    [
        ("verdicts", {}, 3),
        ("seeds", {"seeds": {"per_document": 96}}, 384),
        ("seeds", {"seeds": {"per_document": 7}, "filters": {"judge": False}}, 7),
        ("novelty", {}, 0),
        ("novelty", {"augment": {"bandit": "published"}}, 1),
        ("augment", {}, 4),
        ("augment", {"augment": {"bandit": "published"}}, 5),
        ("augment", {"augment": {"bandit": "published", "selection": "random"}}, 4),
        ("responses", {}, 1),
        ("communities", {}, 0),
    ],
)
def test_the_bound_of_a_row(phase: str, values: dict[str, Any], calls: int) -> None:
    assert calls_a_row(phase, make_settings(values)) == calls


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"max_calls": 383}, "refresh.max_calls=383: one row of phase seeds may need 384, .* set 384 or more"),
        ({"max_tokens": 100}, "refresh.max_tokens=100: one row of phase verdicts may need"),
    ],
)
def test_a_budget_in_which_no_night_comes_further_is_refused(limits: dict[str, int], told: str) -> None:
    with pytest.raises(BadSettings, match=told):
        Budget(make_settings({"refresh": limits}))


def test_a_job_larger_than_a_whole_budget_is_refused_and_jobs_can_be_cut_to_fit() -> None:
    budget = Budget(with_limits(max_calls=480))
    with pytest.raises(BadSettings, match="responses, part 0 may need 481"):
        asyncio.run(_enter(budget, job(481), []))
    assert budget.rows_a_job("verdicts") == 480 // 16 // 3
    assert budget.rows_a_job("responses") == 480 // 16
    assert budget.rows_a_job("encode") == Settings().run.shard_rows
    assert Budget(with_limits(max_calls=12)).rows_a_job("verdicts") == 1
    assert Budget(Settings()).rows_a_job("verdicts") == Settings().run.shard_rows


@flow
async def judged(corpus: Path, out: Path, how: Settings) -> tuple[PhaseRecord, list[Job]]:
    """The verdicts on a corpus under a budget, as a night asks for them."""
    async with open_run(str(out), how, partial=True) as run:
        segments = await run.do(ingest, ingest_jobs(find_sources([str(corpus)]), run))
        run.budget = Budget(how)
        await run.map(verdicts, documents=segments)
        return run.records[-1], run.postponed


@pytest.mark.slow
@pytest.mark.usefixtures("fanno")
def test_nights_end_at_their_budget_and_the_next_goes_on(corpus: Path, tmp_path: Path) -> None:
    limits = {"max_calls": 200}
    how = make_settings({"refresh": limits, "run": {"shard_rows": 32, "concurrency": 3}, "seeds": {"per_document": 1}})
    nights = []
    with prefect_api():
        for _ in range(8):
            record, postponed = asyncio.run(judged(corpus, tmp_path / "out", how))
            nights.append(record)
            assert record.teacher_calls <= limits["max_calls"]
            if not postponed:
                break
    assert len(nights) > 1
    assert all(night.teacher_calls for night in nights), "every night came further"
    assert [night.tasks_cached for night in nights[1:]] == [night.tasks for night in nights[:-1]]
    assert not postponed
