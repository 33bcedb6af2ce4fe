"""Runs that were killed, in a real server."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.states import Completed, Running

from deployments.pool.reaping import FLOW_RUN_VARIABLE, RUNS_VARIABLE, note_run, reap_runs
from deployments.server import prefect_api
from fanno_core.store.durable import write_durably
from fanno_core.store.location import Location
from tasks.reaping import FILE, known_owner, read_owner


async def flow_run(name: str) -> str:
    """Id of a flow run that is in that state, and has no process."""

    @flow
    def nothing() -> None: ...

    async with get_client() as client:
        states = {"Running": Running(), "Completed": Completed()}
        return str((await client.create_flow_run(nothing, state=states[name])).id)


async def state_of(run: str) -> StateType | None:
    async with get_client() as client:
        return (await client.read_flow_run(run)).state_type


def left(out: Location, run: str) -> None:
    write_durably(out / "work" / FILE, f'{{"flow_run": "{run}", "host": "h", "pid": 7}}'.encode())


@pytest.mark.usefixtures("fanno")
async def test_the_run_of_a_dead_owner_is_crashed_and_a_finished_one_is_not(anywhere: Location) -> None:
    with prefect_api():
        for before, after in (("Running", StateType.CRASHED), ("Completed", StateType.COMPLETED)):
            run = await flow_run(before)
            left(anywhere, run)
            async with known_owner(anywhere):
                owner = read_owner(anywhere)
                assert owner
                assert owner.pid == os.getpid()
                assert await state_of(run) == after
            assert read_owner(anywhere) is None


@pytest.mark.usefixtures("fanno")
@pytest.mark.parametrize("name", ["", "no id", "6f2d9c52-77c7-4bd0-9d0b-0f4f6d0f3c11"])
async def test_a_name_that_prefect_does_not_know_stops_nobody(tmp_path: Path, name: str) -> None:
    left(tmp_path, name)
    with prefect_api():
        async with known_owner(tmp_path):
            pass


async def test_the_name_of_one_who_took_the_folder_over_stays(tmp_path: Path) -> None:
    async with known_owner(tmp_path):
        left(tmp_path, "another")
    owner = read_owner(tmp_path)
    assert owner
    assert owner.flow_run == "another"


@pytest.mark.usefixtures("fanno")
def test_a_worker_ends_the_runs_of_the_worker_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pool.runs"
    monkeypatch.setenv(RUNS_VARIABLE, str(folder))
    said: list[str] = []
    with prefect_api():
        runs = [asyncio.run(flow_run(name)) for name in ("Running", "Completed")]
        for run in runs:
            monkeypatch.setenv(FLOW_RUN_VARIABLE, run)
            note_run()
        reap_runs(folder, said.append)
        assert [asyncio.run(state_of(run)) for run in runs] == [StateType.CRASHED, StateType.COMPLETED]
        reap_runs(folder, said.append)
    assert said == ["1 flow runs died with the worker before this one; Prefect shows them as crashed now"]
    assert list(folder.iterdir()) == []
