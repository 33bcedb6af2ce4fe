"""A worker of a pool: model servers first, then the Prefect worker, until somebody says stop."""

from __future__ import annotations

import fcntl
import os
import platform
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from deployments.pool.fleet import serve
from deployments.pool.guard import LAST_S
from deployments.pool.reaping import RUNS_VARIABLE, reap_runs
from deployments.pool.services import GRACE_S, TICK_S, Kept, Say, Service, stop_all
from deployments.pool.serving import Serving
from deployments.pool.steps import FOLDER_VARIABLE
from deployments.server import QUIET, prefect_api, state_folder
from fanno_core.errors import BadSettings, RunStops
from fanno_core.teachers.pool import POOL_VARIABLE


def work(pool: str, serving: Serving | None, say: Say) -> None:
    """Serves the model, if any, and runs the flow runs of the pool, until SIGINT or SIGTERM.

    Args:
        pool: name of the work pool; it is created where it is missing.
        serving: the model; None: flow runs only.
        say: gets a line for each thing that happens.

    Raises:
        BadSettings: an option does not fit.
        MissingExtra: vLLM is not installed.
        RunStops: another worker has the pool, a server does not come up, or none is left.
    """
    if not re.fullmatch(r"[\w-][\w.-]*", pool):
        raise BadSettings(f"--pool {pool}: a name has letters, digits, dots, hyphens and underscores only")
    folder = state_folder() / "pools"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{pool}.json"
    with _until_stopped(say), _alone(pool, folder) as lock, prefect_api() as (ui, _ours):
        say(f"Prefect UI: {ui}")
        reap_runs(folder / f"{pool}.runs", say)
        # Prefect's worker stops first: flow runs that are told to end should not see their servers fail before.
        with (
            serve(serving, pool, file, lock, say) if serving else nullcontext() as fleet,
            _running(Kept(_prefect_worker(pool, folder, file if serving else None), lock, say)) as worker,
        ):
            while not worker.given_up:
                worker.tick()
                if fleet:
                    fleet.tick()
                time.sleep(TICK_S)
            raise RunStops(f"the Prefect worker of pool {pool} does not stay up; what it said above tells why")


def _prefect_worker(pool: str, folder: Path, file: Path | None) -> Service:
    from prefect.settings import get_current_settings

    variables = {name: value for name, value in os.environ.items() if name != POOL_VARIABLE}
    variables |= {**QUIET, **get_current_settings().to_environment_variables(exclude_unset=True)}
    variables[FOLDER_VARIABLE] = str(Path.cwd())
    variables[RUNS_VARIABLE] = str(folder / f"{pool}.runs")
    if file:
        variables[POOL_VARIABLE] = str(file)
    command = (sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--type", "process")
    name = f"{pool} on {platform.node()}"
    return Service("the Prefect worker", (*command, "--name", name, "--install-policy", "never"), variables, folder)


@contextmanager
def _running(service: Kept) -> Iterator[Kept]:
    try:
        service.start()
        yield service
    finally:
        stop_all([service])


@contextmanager
def _alone(pool: str, folder: Path) -> Iterator[int]:
    """The descriptor of the pool's lock on this host. Guards of a worker that was killed hold it a little longer."""
    with (folder / f"{pool}.lock").open("a+", encoding="utf-8") as file:
        end = time.monotonic() + GRACE_S + LAST_S
        while not _lock(file.fileno()):
            file.seek(0)
            owner = file.read().strip()
            if _is_alive(owner) or time.monotonic() > end:
                raise RunStops(f"pool {pool} has a worker on this host already (process {owner}); stop that one first")
            time.sleep(TICK_S)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file.fileno()


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    with suppress(ProcessLookupError, ValueError):
        os.kill(int(pid), 0)
        return True
    return False


@contextmanager
def _until_stopped(say: Say) -> Iterator[None]:
    """Ends the block at the first SIGINT or SIGTERM; later ones change nothing, as stopping takes seconds at most."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    def stop(_number: int, _frame: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        say("stopping")
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except KeyboardInterrupt:
        say("stopped")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
