"""Where the tasks of a run are done: threads of this process, or the workers of a Dask or a Ray cluster.

Prefect's process pool is none of them: it loses all remaining tasks when one of its processes dies.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from threading import Thread
from typing import Any

from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from fanno_core import settings
from fanno_core.errors import MissingExtra, RunStops
from fanno_core.extras import how_to_install

Runner = TaskRunner[Any]
CONNECT_S = 10
PATIENCE_S = 2.0


@contextmanager
def task_runner(chosen: settings.Run) -> Iterator[Runner]:
    """The task runner of these settings, started, and stopped at the end unless it is somebody else's cluster.

    Raises:
        MissingExtra: the runner's package is not installed.
        RunStops: the cluster cannot be reached.
    """
    runner = RUNNERS[chosen.runner](chosen)
    with ExitStack() as started:
        try:
            started.enter_context(runner)
            getattr(runner, "client", None)  # Dask's connects when it is first used
        except (OSError, RuntimeError, ValueError) as error:
            where = chosen.cluster or "this machine"
            raise RunStops(f"run.runner={chosen.runner}: no cluster at {where} ({type(error).__name__})") from error
        try:
            yield runner
        except Exception:
            raise
        except BaseException:
            # Somebody wants this to end: what runs is not waited for longer than a moment.
            stopping = Thread(target=started.pop_all().close, daemon=True)
            stopping.start()
            stopping.join(PATIENCE_S)
            raise


def _threads(chosen: settings.Run) -> Runner:
    return ThreadPoolTaskRunner(max_workers=chosen.concurrency)


def _dask(chosen: settings.Run) -> Runner:
    _require("dask")
    from prefect_dask import DaskTaskRunner

    # A thread a worker: a worker that dies takes only its own task with it.
    local = {"n_workers": chosen.concurrency, "threads_per_worker": 1, "dashboard_address": None}
    remote = {"address": chosen.cluster, "client_kwargs": {"timeout": CONNECT_S}}
    runner: Runner = DaskTaskRunner(**remote if chosen.cluster else {"cluster_kwargs": local})
    return runner


def _ray(chosen: settings.Run) -> Runner:
    _require("ray")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing that we start calls home
    from prefect_ray import RayTaskRunner

    local = {"num_cpus": chosen.concurrency, "include_dashboard": False}
    runner: Runner = RayTaskRunner(**{"address": chosen.cluster} if chosen.cluster else {"init_kwargs": local})
    return runner


RUNNERS: dict[str, Callable[[settings.Run], Runner]] = {"threads": _threads, "dask": _dask, "ray": _ray}


def _require(name: str) -> None:
    if find_spec(f"prefect_{name}") is None:
        raise MissingExtra(f"run.runner={name} needs prefect-{name}: {how_to_install(name)}")
