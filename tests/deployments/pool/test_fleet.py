from __future__ import annotations

import os
from pathlib import Path

import pytest

from deployments.pool.fleet import Fleet
from deployments.pool.services import Kept, Service
from fanno_core.errors import RunStops
from fanno_core.teachers.pool import Pool, read_pool


def test_a_server_that_is_given_up_leaves_the_pool_and_the_last_one_ends_it(tmp_path: Path) -> None:
    endpoints = ("http://127.0.0.1:8101/v1", "http://127.0.0.1:8102/v1")
    service = Service("it", ("true",), os.environ, tmp_path)
    servers = {endpoint: Kept(service, 0, print, given_up=True) for endpoint in endpoints}
    servers[endpoints[0]].service = Service("sleeps", ("sleep", "60"), os.environ, tmp_path)
    servers[endpoints[0]].given_up = False
    lock = os.open(tmp_path, os.O_RDONLY)
    servers[endpoints[0]].lock = lock
    fleet = Fleet(tmp_path / "gpu.json", Pool("gpu", "m", "m", "r", "m", 64, endpoints), servers)
    try:
        fleet.tick()
        assert read_pool(fleet.file).endpoints == endpoints[:1]
        servers[endpoints[0]].given_up = True
        with pytest.raises(RunStops, match="no server of pool gpu is left"):
            fleet.tick()
    finally:
        servers[endpoints[0]].close()
        servers[endpoints[0]].join()
        os.close(lock)
