"""Nights of a data set: what changed is done, what did not stays as it is."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fanno_core.dataset.current import current
from fanno_core.dataset.made import Made, open_made
from fanno_core.errors import RunStops
from fanno_core.settings import Settings, load_settings
from fanno_core.store.contracts import Document, Example
from tests.conftest import SMALL, Fanno, record_of, run_here, sets
from tests.processes import wait_until

# The name of a file is part of its documents' ids.
CORPUS = "stdlib.jsonl"
EDITED = " An editor went over this text and wrote a sentence more, so that its readers know what is new in it."


@dataclass(frozen=True)
class Documents:
    """A corpus in one file, by the documents' own ids."""

    texts: dict[str, str]

    @staticmethod
    def of(path: Path) -> Documents:
        rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        return Documents({row["id"]: row["text"] for row in rows})

    def write(self, path: Path) -> Path:
        path.write_text("".join(json.dumps({"id": k, "text": v}) + "\n" for k, v in self.texts.items()), "utf-8")
        return path

    def without(self, ids: Iterable[str]) -> Documents:
        return Documents({name: text for name, text in self.texts.items() if name not in {*ids}})

    def edited(self, ids: Iterable[str]) -> Documents:
        return Documents({name: text + EDITED * (name in {*ids}) for name, text in self.texts.items()})

    def with_new(self, texts: dict[str, str]) -> Documents:
        return Documents({**self.texts, **texts})


def settings_of(*assignments: str) -> Settings:
    return load_settings(None, [*SMALL, *assignments])


def refresh(corpus: Path, out: Path, *assignments: str, rebuild: bool = False) -> dict[str, Any]:
    """A night in this process; what it tells."""
    from deployments.server import prefect_api
    from flows.refresh import fanno_refresh

    with prefect_api():
        told: dict[str, Any] = asyncio.run(fanno_refresh([str(corpus)], str(out), settings_of(*assignments), rebuild))
    return told


def rows_of(out: Path) -> dict[str, Example]:
    return {row.id: row for row in open_made(out).examples()}


def screened(made: Made) -> set[str]:
    return {row.id for row in made.kept("verdicts", Document)}


def ids_of(made: Made, carried: Sequence[str]) -> set[str]:
    """The segments of these documents, wherever they were rejected or kept."""
    return {row.id for row in made.kept("rules", Document) if row.carried_id in {*carried}}


@pytest.fixture(scope="module")
def first(fanno: Fanno, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after its first night; tests that go on work on a copy."""
    assert fanno.state.is_dir()
    folder = tmp_path_factory.mktemp("nightly")
    shutil.copy(corpus, folder / CORPUS)
    refresh(folder / CORPUS, folder / "out")
    return folder


@pytest.fixture
def night(first: Path, tmp_path: Path) -> Path:
    """A copy of that folder: the corpus, and `out`."""
    folder = tmp_path / "nightly"
    shutil.copytree(first, folder, symlinks=True)
    return folder


def test_the_first_night_makes_what_a_run_makes(first: Path, finished: Path) -> None:
    made = record_of(first / "out")
    assert made["dataset"] == record_of(finished)["dataset"]
    counts = {phase["name"]: (phase["candidates"], phase["rows_kept"], phase["rejected"]) for phase in made["phases"]}
    assert counts == {
        phase["name"]: (phase["candidates"], phase["rows_kept"], phase["rejected"])
        for phase in record_of(finished)["phases"]
    }


def test_nothing_changed_costs_nothing(night: Path) -> None:
    before = current(night / "out")
    started = time.perf_counter()
    told = refresh(night / CORPUS, night / "out")
    assert (told["status"], told["calls"]) == ("unchanged", 0)
    assert time.perf_counter() - started < 20
    assert current(night / "out") == before


def test_what_changed_is_done_and_all_else_stays(night: Path) -> None:
    out, documents = night / "out", Documents.of(night / CORPUS)
    before, made = rows_of(out), open_made(out)
    used = sorted({row.carried_id for row in before.values() if row.iteration})
    withdrawn, changed = used[:3], used[3:6]
    gone = ids_of(made, [*withdrawn, *changed])
    new = {f"new-{n}": documents.texts[name][::-1].capitalize() for n, name in enumerate(used[6:8])}
    halves = [documents.texts[name].split() for name in used[8:10]]
    new["new-2"] = " ".join(halves[0][: len(halves[0]) // 2] + halves[1][len(halves[1]) // 2 :])
    documents.without(withdrawn).edited(changed).with_new(new).write(night / CORPUS)
    told = refresh(night / CORPUS, out)
    assert told["status"] == "published"
    assert told["documents"] == {"added": 3, "changed": 3, "withdrawn": 3, "same": len(documents.texts) - 6}
    after = rows_of(out)
    assert not {row.id for row in after.values() if row.document_id in gone or gone & {*row.retrieved}}
    for name, row in before.items():
        if row.document_id not in gone and not gone & {*row.retrieved}:
            assert after[name] == row
    assert told["rows"]["now"] == len(after) == record_of(out)["dataset"]["rows"]
    assert told["rows"]["now"] == len(before) - told["rows"]["retired"] + told["rows"]["added"]
    assert any(row.carried_id in changed for row in after.values())
    with closing(sqlite3.connect(out / "work" / "journal.sqlite")) as journal:
        about = {name for (name,) in journal.execute("SELECT DISTINCT document_id FROM answers")}
    assert about
    assert not about & gone


def test_calls_are_those_that_the_change_needs(night: Path) -> None:
    out, documents = night / "out", Documents.of(night / CORPUS)
    used = sorted({row.carried_id for row in rows_of(out).values() if row.iteration})
    documents.edited(used[:5]).write(night / CORPUS)
    told = refresh(night / CORPUS, out)
    record = {phase["name"]: phase for phase in record_of(out)["phases"]}
    new = ids_of(open_made(out), used[:5])
    # Three verdicts a document; an instruction, its three verdicts and its response from each that stands for others;
    # and the responses that leant on what was withdrawn.
    needed = 3 * len(new) + 5 * len(new) + told["rows"]["answered anew"]
    assert 0 < told["calls"] <= 1.1 * needed
    assert told["calls"] == sum(phase["teacher_calls"] for phase in record.values())


@pytest.mark.slow
def test_another_manner_is_refused_and_a_rebuild_takes_it(night: Path) -> None:
    with pytest.raises(RunStops, match=r"responses .*otherwise than for version 1.*--rebuild"):
        refresh(night / CORPUS, night / "out", "responses.retrieve=2")
    told = refresh(night / CORPUS, night / "out", "responses.retrieve=2", rebuild=True)
    assert (told["version"], told["status"], told["calls"] > 0) == (2, "published", True)
    assert all(len(row.retrieved) <= 2 for row in rows_of(night / "out").values())


def test_a_version_that_fails_a_gate_waits_and_can_be_published(fanno: Fanno, night: Path) -> None:
    out, documents = night / "out", Documents.of(night / CORPUS)
    documents.without(list(documents.texts)[::2]).write(night / CORPUS)
    told = refresh(night / CORPUS, out, "refresh.max_shrink=0.1")
    assert told["status"] == "held"
    assert "max_shrink" in told["reasons"][0]
    found = current(out)
    assert found and found.number == 1
    assert fanno("rollback", out, "2").code == 0
    assert len(rows_of(out)) == told["rows"]["now"]


@pytest.mark.slow
@pytest.mark.usefixtures("fanno")
def test_a_small_budget_takes_several_nights(corpus: Path, tmp_path: Path) -> None:
    few = Documents(dict([*Documents.of(corpus).texts.items()][:40])).write(tmp_path / CORPUS)
    small = ("refresh.max_calls=150", "seeds.per_document=6", "seeds.documents=2", "refresh.max_shrink=1")
    nights = []
    while not nights or nights[-1]["status"] != "unchanged":
        nights.append(refresh(few, tmp_path / "out", *small))
        assert nights[-1]["calls"] <= 150
        assert len(nights) < 12
    assert len(nights) > 2
    whole = refresh(few, tmp_path / "whole", *small[1:])
    assert screened(open_made(tmp_path / "out")) == screened(open_made(tmp_path / "whole"))
    asked = {row.document_id for row in open_made(tmp_path / "out").examples()}
    assert len(asked) > 0.8 * len({row.document_id for row in open_made(tmp_path / "whole").examples()})
    assert sum(told["calls"] for told in nights) <= 1.1 * whole["calls"]


def test_a_run_does_not_write_into_versions(fanno: Fanno, first: Path) -> None:
    ended = fanno("run", "--corpus", first / CORPUS, "--out", first / "out", *sets(*SMALL))
    assert ended.code == 1
    assert "fanno refresh" in ended.err


def test_an_object_store_is_refused(fanno: Fanno, corpus: Path) -> None:
    ended = fanno("refresh", "--corpus", corpus, "--out", "s3://bucket/data", *sets(*SMALL))
    assert ended.code == 1
    assert "local disk" in ended.err


@pytest.mark.slow
def test_a_plain_run_is_taken_over_without_a_call(fanno: Fanno, finished: Path, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    told = refresh(corpus, out)
    assert (told["status"], told["version"], told["calls"]) == ("published", 1, 0)
    assert (out / "dataset").is_symlink()
    assert record_of(out)["dataset"] == record_of(finished)["dataset"]
    for command in (["verify", out], ["report", out], ["sample", "--out", out]):
        ended = fanno(*command)
        assert ended.code == 0, ended.err + ended.out


@pytest.mark.slow
def test_ten_nights_end_with_what_a_fresh_run_screens(night: Path, tmp_path: Path) -> None:
    rng, out, documents = random.Random(7), night / "out", Documents.of(night / CORPUS)
    spare = {name: text + EDITED for name, text in documents.texts.items()}
    for number in range(10):
        names = rng.sample(sorted(documents.texts), 8)
        added = {f"night-{number}-{n}": documents.texts[name].replace(".", "; ", n) for n, name in enumerate(names[:3])}
        back = dict(rng.sample(sorted(spare.items()), 2))
        documents = documents.without(names[:3]).edited(names[3:6]).with_new({**added, **back})
        documents.write(night / CORPUS)
        refresh(night / CORPUS, out, "refresh.max_shrink=1")
    run_here([night / CORPUS], tmp_path / "fresh")
    assert screened(open_made(out)) == screened(open_made(tmp_path / "fresh"))


@pytest.mark.slow
def test_a_night_that_is_killed_goes_on_to_the_same_version(fanno: Fanno, night: Path, tmp_path: Path) -> None:
    documents = Documents.of(night / CORPUS)
    names = sorted({row.carried_id for row in rows_of(night / "out").values()})
    documents.without(names[:4]).edited(names[4:8]).write(night / CORPUS)
    whole = tmp_path / "whole"
    shutil.copytree(night / "out", whole, symlinks=True)
    refresh(night / CORPUS, whole)
    command = [sys.executable, "-m", "deployments", "refresh", "--corpus", night / CORPUS, "--out", night / "out"]
    for phase in ("standing", "joining", "unanswered"):
        started = subprocess.Popen(
            [*map(str, command), *sets(*SMALL)],
            env=fanno.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until((night / "out" / "work" / "ledger" / phase).is_dir, 60)
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        found = current(night / "out")
        assert found
        assert found.number == 1
    told = refresh(night / CORPUS, night / "out")
    assert told["version"] == 2
    assert record_of(night / "out")["dataset"] == record_of(whole)["dataset"]
    assert fanno("verify", night / "out").code == 0
