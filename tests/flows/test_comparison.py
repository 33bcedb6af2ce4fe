"""Several methods by one command: a run each, one budget, one journal, one table."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fanno_core.dataset.made import open_made
from fanno_core.store.location import open_location
from tasks.questions import SCREENING
from tests.conftest import Ended, Fanno, record_of, sets
from tests.flows.test_fanno import digests
from tests.flows.test_interruptions import wait_for

pytestmark = pytest.mark.slow

METHODS = ("fanno", "oss-instruct", "mosaic")
BUDGET = 200
CHOSEN = ("run.shard_rows=64", "screen.min_quality=0.3")


def words(corpus: Path, out: Path, *more: str) -> list[str]:
    named = ["--methods", ",".join(METHODS), "--budget-calls", str(BUDGET), *more]
    return ["compare", *named, "--corpus", str(corpus), "--out", str(out), *sets(*CHOSEN)]


@pytest.fixture(scope="module")
def compared(fanno: Fanno, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    out = tmp_path_factory.mktemp("compared") / "out"
    ended = fanno(*words(corpus, out))
    assert ended.code == 0, ended.err + ended.out
    return out, ended


def told_of(out: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((out / "comparison" / "comparison.json").read_text(encoding="utf-8"))
    return told


def files_of(out: Path) -> dict[str, str | bytes]:
    """The data sets of all methods and the comparison."""
    found: dict[str, str | bytes] = {
        f"{name}/{file}": digest for name in METHODS for file, digest in digests(out / name).items()
    }
    return found | {str(file.relative_to(out)): file.read_bytes() for file in (out / "comparison").rglob("*.*")}


def test_each_method_keeps_to_the_budget(compared: tuple[Path, Ended]) -> None:
    out, _ = compared
    for row in told_of(out)["rows"]:
        made = open_made(open_location(str(out / row["method"])))
        assert made.settings.method.name == row["method"]
        entries = [(phase, entry) for phase, entries in made.entries.items() for entry in entries]
        questions = sum(entry.usage.questions for phase, entry in entries if phase not in SCREENING)
        assert 0 < row["asked"]["questions"] == questions <= BUDGET
        assert row["measures"]["rows"] == record_of(out / row["method"])["dataset"]["rows"] > 0


def test_documents_are_judged_once_for_all(compared: tuple[Path, Ended]) -> None:
    out, _ = compared
    calls = [
        sum(phase["teacher_calls"] for phase in record_of(out / name)["phases"] if phase["name"] == "verdicts")
        for name in METHODS
    ]
    assert calls[0] > 100
    assert calls[1:] == [0, 0]
    assert len({row["asked"]["screening"] for row in told_of(out)["rows"]}) == 1
    assert not (out / "fanno" / "work" / "journal.sqlite").exists()


def test_one_table_is_printed_and_one_page_is_written(compared: tuple[Path, Ended]) -> None:
    out, ended = compared
    rows = told_of(out)["rows"]
    head, *lines = ended.out.partition("\n\n")[2].splitlines()
    assert head.split() == [*METHODS]
    assert len({len(line) for line in lines[:15]}) == 1, "columns are aligned"
    (line,) = [line for line in lines if line.startswith("rows ")]
    assert line.split() == ["rows", *(f"{row['measures']['rows']:,}" for row in rows)]
    assert ended.out.rstrip().endswith(f"{out}/comparison/index.html")
    assert (out / "comparison" / "index.html").is_file()
    assert not (out / "fanno" / "report").exists()


def test_again_nothing_is_asked_and_nothing_changes(fanno: Fanno, corpus: Path, compared: tuple[Path, Ended]) -> None:
    out, _ = compared
    before = files_of(out)
    ended = fanno(*words(corpus, out, "--json"))
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert [row["method"] for row in told["rows"]] == [*METHODS]
    assert {line["measure"] for line in told["table"]} >= {"rows", "questions a row", "Vendi score"}
    assert files_of(out) == before
    phases = [phase for name in METHODS for phase in record_of(out / name)["phases"]]
    assert sum(phase["teacher_calls"] for phase in phases) == 0


def test_killed_and_started_again_it_ends_in_the_same_bytes(
    fanno: Fanno, corpus: Path, compared: tuple[Path, Ended], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "deployments", *words(corpus, out)],
        env=fanno.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    wait_for(out / "fanno" / "work" / "ledger" / "seeds", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "comparison").exists()
    ended = fanno(*words(corpus, out))
    assert ended.code == 0, ended.err
    assert files_of(out) == files_of(compared[0])


def test_a_method_that_is_left_with_nothing_is_told_and_the_others_go_on(
    fanno: Fanno, corpus: Path, tmp_path: Path
) -> None:
    given = tmp_path / "given.jsonl"
    row = {"instruction": "Name the three largest rivers of Europe.", "output": "They are Volga, Danube and Ural."}
    given.write_text(f"{json.dumps(row)}\n", encoding="utf-8")
    named = ["--methods", "oss-instruct,mosaic", "--given", str(given), *sets("screen.min_quality=1")]
    ended = fanno("compare", *named, "--corpus", corpus, "--out", tmp_path / "out")
    assert ended.code == 0, ended.err
    told = told_of(tmp_path / "out")
    assert [row["method"] for row in told["rows"]] == ["mosaic"]
    assert told["rows"][0]["asked"]["questions"] == 0
    assert told["stopped"]["oss-instruct"].startswith("nothing is left after phase verdicts: low_quality")
    assert f"oss-instruct: {told['stopped']['oss-instruct']}" in ended.out


def test_where_no_method_made_anything_the_command_fails(fanno: Fanno, corpus: Path, tmp_path: Path) -> None:
    chosen = sets("screen.min_quality=1")
    ended = fanno("compare", "--methods", "oss-instruct,fanno", "--corpus", corpus, "--out", tmp_path, *chosen)
    assert ended.code == 1
    assert "error: no method made a data set: oss-instruct: nothing is left after phase verdicts" in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "comparison").exists()
