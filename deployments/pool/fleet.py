"""The servers of one model together, and the file that tells flow runs of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deployments.pool.servers import context_of, service
from deployments.pool.services import TICK_S, Kept, Say, stop_all
from deployments.pool.serving import Place, Serving, model_revision, places, require_vllm
from fanno_core.errors import RunStops
from fanno_core.teachers.pool import Pool, write_pool


@dataclass
class Fleet:
    """Servers that are up. A server that is given up leaves the pool and its file."""

    file: Path
    pool: Pool
    servers: dict[str, Kept]

    def tick(self) -> None:
        """Looks after every server, once.

        Raises:
            RunStops: no server is left.
        """
        for server in self.servers.values():
            server.tick()
        left = tuple(endpoint for endpoint, server in self.servers.items() if not server.given_up)
        if not left:
            raise RunStops(f"no server of pool {self.pool.name} is left; see its logs in {self.file.parent}")
        if left != self.pool.endpoints:
            self.pool = replace(self.pool, endpoints=left)
            write_pool(self.file, self.pool)


@contextmanager
def serve(serving: Serving, name: str, file: Path, lock: int, say: Say) -> Iterator[Fleet]:
    """Starts the servers of a model, waits for all of them, and stops them in the end.

    Args:
        serving: the model.
        name: of the pool.
        file: where flow runs read of the servers; logs go beside it.
        lock: what the guards of the servers hold until they have ended.
        say: gets a line for each thing that happens.

    Raises:
        BadSettings: an option does not fit.
        MissingExtra: vLLM is not installed.
        RunStops: the model is not there, or a server does not come up; the message names its log.
    """
    require_vllm(serving.python)
    # A hub model is pinned before it is served; a folder is read for its digest, which takes a while, as servers start.
    commit = "" if serving.is_folder else model_revision(serving)
    at = places(serving)
    servers = {place.endpoint: Kept(service(serving, place, commit, file.parent), lock, say) for place in at}
    try:
        for server in servers.values():
            say(f"{server.service.name}: starting{server.service.look}")
            server.start()
        revision = commit or model_revision(serving)
        _wait(list(servers.values()))
        fleet = Fleet(file, _describe(name, serving, revision, at), servers)
        write_pool(file, fleet.pool)
        say(f"pool {name}: {serving.name}, context {fleet.pool.context_tokens:,} tokens, {len(at)} of {len(at)} ready")
        say(f"pool {name}: for runs in other terminals, export FANNO_POOL={file}")
        yield fleet
    finally:
        file.unlink(missing_ok=True)
        stop_all(list(servers.values()))


def _wait(servers: list[Kept]) -> None:
    while servers := [server for server in servers if not server.is_ready()]:
        time.sleep(TICK_S)


def _describe(name: str, serving: Serving, revision: str, at: list[Place]) -> Pool:
    served = serving.served_name or serving.name
    endpoints = tuple(place.endpoint for place in at)
    context_tokens = context_of(endpoints[0], served)
    if not context_tokens:
        raise RunStops(f"{at[0]} stopped answering just after its start; try again")
    return Pool(name, serving.name, served, revision, serving.source, context_tokens, endpoints)
