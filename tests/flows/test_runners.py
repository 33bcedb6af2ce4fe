"""The same corpus gives the same bytes wherever its tasks are done and its shards lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanno_core.store.location import open_location
from tests.conftest import SMALL, Fanno, record_of, sets
from tests.flows.test_fanno import digests

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("runner", ["dask", "ray"])
def test_a_cluster_gives_the_same_bytes(
    fanno: Fanno, corpus: Path, finished: Path, tmp_path: Path, runner: str
) -> None:
    pytest.importorskip(f"prefect_{runner}", reason=f"needs fanno[{runner}]")
    record = fanno.run(corpus, tmp_path / "out", f"run.runner={runner}", "run.concurrency=2")
    assert digests(tmp_path / "out") == digests(finished)
    assert record["dataset"] == record_of(finished)["dataset"]


def test_an_object_store_gives_the_same_bytes(
    fanno: Fanno, corpus: Path, finished: Path, tmp_path: Path, bucket: str
) -> None:
    out = f"{bucket}/out"
    ended = fanno("run", "--corpus", corpus, "--out", out, *sets(*SMALL))
    assert ended.code == 0, ended.err + ended.out
    assert f"{out}/dataset" in ended.out
    remote = open_location(out)
    for file in remote.rglob("*"):
        if file.is_file():
            copy = tmp_path / str(file).removeprefix(out).lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    assert digests(tmp_path) == digests(finished)
    assert list((tmp_path / "work" / "results").iterdir()), "Prefect's results lie with the run"
    again = fanno("run", "--corpus", corpus, "--out", out, *sets(*SMALL))
    assert again.code == 0, again.err
    assert "\n0 teacher calls" in again.out


def test_an_address_without_a_cluster_is_one_sentence(fanno: Fanno, corpus: Path, tmp_path: Path) -> None:
    pytest.importorskip("prefect_dask", reason="needs fanno[dask]")
    chosen = sets("run.runner=dask", "run.cluster=tcp://127.0.0.1:9")
    ended = fanno("run", "--corpus", corpus, "--out", tmp_path / "out", *chosen)
    assert ended.code == 1
    assert "no cluster at tcp://127.0.0.1:9" in ended.err
    assert "Traceback" not in ended.err
