from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from fanno_core.errors import OutBusy, RunStops
from fanno_core.store.durable import names_in, read_whole
from fanno_core.store.lease import Lease
from fanno_core.store.location import Location, open_location
from fanno_core.store.ownership import owned
from tests.s3 import make_bucket, serving

ROOT = Path(__file__).parents[2]
LEASE_S = 2.0
HOLDER = """
import sys, time
from fanno_core.store.location import open_location
from fanno_core.store.ownership import owned
with owned(open_location(sys.argv[1]), float(sys.argv[2])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def lease_path(bucket: str) -> Location:
    return open_location(f"{bucket}/out/work/lock")


def left_behind(path: Location) -> Lease:
    """A lease whose holder does nothing any more."""
    lease = Lease(path, LEASE_S)
    lease.take()
    return lease


@pytest.fixture
def other_run(anywhere: Location) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder."""
    command = [sys.executable, "-c", HOLDER, str(anywhere), str(LEASE_S)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_folder_is_held_until_its_run_ends_and_then_free(anywhere: Location) -> None:
    for _ in range(2):
        with owned(anywhere, LEASE_S) as still_held:
            still_held()
            with pytest.raises(OutBusy, match="another run"), owned(anywhere, LEASE_S):
                pytest.fail("two runs hold one folder")
    with pytest.raises(ZeroDivisionError), owned(anywhere, LEASE_S):
        _ = 1 / 0
    with owned(anywhere, LEASE_S):
        pass


def test_a_living_process_keeps_its_folder_for_longer_than_a_lease(
    anywhere: Location, other_run: subprocess.Popen[str]
) -> None:
    time.sleep(1.5 * LEASE_S)
    with pytest.raises(OutBusy, match="another run"), owned(anywhere, LEASE_S):
        pytest.fail("two runs hold one folder")
    assert other_run.poll() is None


def test_a_killed_process_leaves_its_folder_to_the_next(anywhere: Location, other_run: subprocess.Popen[str]) -> None:
    other_run.send_signal(signal.SIGKILL)
    other_run.wait()
    started = time.monotonic()
    with owned(anywhere, LEASE_S):
        assert time.monotonic() - started < 3 * LEASE_S


def test_a_folder_that_cannot_be_written_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"a file")
    with pytest.raises(RunStops, match="name a folder"), owned(tmp_path / "out"):
        pytest.fail("held a file")


def test_of_many_that_find_no_lease_one_gets_it(lease_path: Location) -> None:
    assert sorted(all_at_once(lease_path)) == ["busy"] * 5 + ["mine"]


def test_of_many_that_find_a_stale_lease_one_takes_it_over(lease_path: Location) -> None:
    left_behind(lease_path)
    time.sleep(LEASE_S + 1)
    assert sorted(all_at_once(lease_path)) == ["busy"] * 5 + ["mine"]


def all_at_once(path: Location, runs: int = 6) -> list[str]:
    """How it goes for runs that start in the same moment; who gets the lease keeps it until all have tried."""
    start, end = Barrier(runs), Barrier(runs)

    def run(_: int) -> str:
        start.wait()
        try:
            with owned(path.parent.parent, LEASE_S) as still_held:
                end.wait(20)
                still_held()
                return "mine"
        except OutBusy:
            end.wait(20)
            return "busy"

    with ThreadPoolExecutor(runs) as pool:
        return list(pool.map(run, range(runs)))


def test_a_lease_that_was_taken_over_is_not_renewed_and_its_holder_told(lease_path: Location) -> None:
    asleep = left_behind(lease_path)
    time.sleep(LEASE_S + 1)
    with owned(lease_path.parent.parent, LEASE_S) as still_held:
        holder = read_whole(lease_path).split()[0]
        with pytest.raises(OutBusy, match="another run's"):
            asleep.check()
        asleep.release()
        assert read_whole(lease_path).split()[0] == holder, "a holder that was asleep removes nothing"
        still_held()


def test_a_run_whose_lease_is_gone_ends_badly(lease_path: Location) -> None:
    with pytest.raises(OutBusy, match="another run's"), owned(lease_path.parent.parent, LEASE_S) as still_held:
        lease_path.unlink()
        time.sleep(LEASE_S)
        with pytest.raises(OutBusy, match="another run's"):
            still_held()


def test_a_late_holder_goes_on_where_nobody_came(lease_path: Location) -> None:
    lease = left_behind(lease_path)
    time.sleep(LEASE_S + 1)
    before = read_whole(lease_path)
    lease.check()
    assert read_whole(lease_path) != before


def test_a_lease_that_is_given_back_is_gone(lease_path: Location) -> None:
    with owned(lease_path.parent.parent):
        assert names_in(lease_path.parent) == ["lock"]
    assert names_in(lease_path.parent) == []


@pytest.mark.parametrize("ignored", ["HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"])
def test_a_store_that_ignores_conditions_is_refused(ignored: str) -> None:
    with serving(lambda request: request.pop(ignored, None)):
        out = open_location(f"{make_bucket()}/out")
        with pytest.raises(RunStops, match="ignores If-None-Match or If-Match"), owned(out):
            pytest.fail("held a folder that others may hold too")
        assert names_in(out / "work") == []


def test_a_store_that_is_not_there_stops_the_run(bucket: str) -> None:
    with (
        pytest.raises(RunStops, match="there is no bucket absent-bucket"),
        owned(open_location("s3://absent-bucket/x")),
    ):
        pytest.fail("held a folder in no bucket")
    with serving(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(RunStops, match="check the URL"), owned(open_location(f"{bucket}/out")):
            pytest.fail("held a folder that cannot be reached")


def test_missing_credentials_stop_the_run(bucket: str, tmp_path: Path) -> None:
    with serving(), pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_ACCESS_KEY_ID")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "absent"))
        patch.setenv("AWS_CONFIG_FILE", str(tmp_path / "absent"))
        with pytest.raises(RunStops, match="holds no credentials"), owned(open_location(f"{bucket}/out")):
            pytest.fail("held a folder without credentials")
