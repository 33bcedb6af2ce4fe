"""`fanno forget`: nothing of the document is left, in files or in Prefect, and all else is as it was."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deployments.server import prefect_api
from fanno_core.dataset.made import Made, open_made
from fanno_core.refresh.passages import WINDOW, Passages
from fanno_core.refresh.taking_out import gone_of
from fanno_core.refresh.traces import traces
from fanno_core.refresh.wanted import find_wanted
from fanno_core.store.contracts import Document, Example
from fanno_core.teachers.journal import Journal
from tests.conftest import SMALL, Fanno, _let_prefect_finish, sets

pytestmark = pytest.mark.slow

# So long nothing came from Prefect when it has no more to bring.
QUIET_S = 6.0


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "out"))


def rows_of(out: Path) -> dict[str, Example]:
    return {row.id: row for row in open_made(out).examples()}


def much_used(made: Made) -> Document:
    """A document with rows of its own, and rows that retrieved it."""
    own = Counter(row.document_id for row in made.examples())
    near = Counter(name for row in made.examples() for name in row.retrieved)
    best = max(own, key=lambda name: (bool(near[name]), own[name]))
    return next(row for row in made.kept("rules", Document) if row.id == best)


def literal_hits(folder: Path, text: str) -> list[str]:
    """Files below a folder whose strings hold a window, searched window by window, with other means than ours."""
    import pyarrow.parquet as pq

    windows = {text[i : i + WINDOW] for i in range(len(text) - WINDOW + 1)}
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if not path.exists():  # SQLite takes away what it keeps beside a database
            continue
        said = [path.read_bytes().decode("utf-8", "replace")]
        if path.suffix == ".parquet":
            said = [json.dumps(pq.read_table(path).to_pylist(), ensure_ascii=False, default=str)]
        elif path.suffix in {".sqlite", ".db"}:
            with closing(sqlite3.connect(path)) as connection:
                said += [line.encode("utf-8", "replace").decode("utf-8", "replace") for line in connection.iterdump()]
        escaped = {json.dumps(window, ensure_ascii=plain)[1:-1] for window in windows for plain in (True, False)}
        if any(window in each for each in said for window in windows | escaped):
            found.append(str(path.relative_to(folder)))
    return found


def told(fanno: Fanno, *arguments: str | Path) -> dict[str, Any]:
    ended = fanno("forget", *arguments, "--json")
    assert ended.code == 0, ended.err + ended.out
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_nothing_of_it_is_left_and_all_else_is_as_it_was(fanno: Fanno, out: Path) -> None:
    document, before = much_used(open_made(out)), rows_of(out)
    assert literal_hits(out, document.text)
    found = told(fanno, out, document.id)
    after = rows_of(out)
    leaving = {name for name, row in before.items() if document.id in (row.document_id, *row.retrieved)}
    assert leaving
    assert leaving <= {*found["rows"]} == before.keys() - after.keys()
    assert found["counts"]["rows"] == len(before) - len(after)
    assert all(row == before[name] for name, row in after.items())
    assert found["traces"] == []
    if not found["others_with_the_same_passages"]:
        assert literal_hits(out, document.text) == []
        assert literal_hits(fanno.state, document.text) == []
    assert fanno("verify", out).code == 0
    assert fanno("export", "--out", out, "--to", out.parent / "export", "--format", "alpaca").code in {0, 2}
    journal = Journal(out / "work" / "journal.sqlite")
    assert journal.about(document.id, "document_quality") == []
    journal.close()
    again = fanno("forget", out, document.id)
    assert (again.code, len(again.err.strip().splitlines())) == (1, 1)


def test_a_dry_run_says_the_same_and_changes_nothing(fanno: Fanno, out: Path) -> None:
    document = much_used(open_made(out))
    files = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and "journal" not in path.name}
    dry = told(fanno, out, document.id, "--dry-run")
    assert {path: path.read_bytes() for path in files} == files
    real = told(fanno, out, document.id)
    assert (dry["counts"], dry["rows"]) == (real["counts"], real["rows"])


def test_strict_takes_rows_that_were_shown_its_instructions(out: Path) -> None:
    made = open_made(out)
    shown = Counter(name for row in made.examples() for name in row.counterexamples)
    seed = next(row for row in made.examples() if shown[row.id])
    wanted = find_wanted(made, [seed.document_id])
    loose, strict = (gone_of(made, wanted.segments, wanted.passages, strict=strict) for strict in (False, True))
    assert {row.id for row in made.examples() if seed.id in row.counterexamples} <= strict.rows
    assert loose.rows < strict.rows


def test_a_source_and_the_corpus_own_id_are_names_too(out: Path) -> None:
    made = open_made(out)
    document = much_used(made)
    everything = {row.id for row in made.kept("ingest", Document) if row.source == document.source}
    assert everything <= find_wanted(made, [document.source]).segments


def test_what_nobody_knows_is_refused_in_one_sentence(fanno: Fanno, out: Path) -> None:
    for name in ("0123456789abcdef", "no such document", ""):
        ended = fanno("forget", out, name)
        assert ended.code == 1
        assert ended.err.startswith("error: nothing in "), ended.err
        assert len(ended.err.strip().splitlines()) == 1


KILLED = """
import sys
from pathlib import Path
from deployments.cli import forget
from fanno_core.refresh import forget_run, taking_out
import os
count = int(sys.argv[3])
def dying(function):
    def one(*arguments, **named):
        global count
        count -= 1
        if count < 0:
            os._exit(9)
        return function(*arguments, **named)
    return one
for module, name in ((taking_out, "remove_files"), (taking_out, "write_durably"), (forget_run, "write_durably"),
                     (forget_run, "remove_files"), (forget_run, "forget_answers"), (forget_run, "publish_dataset")):
    setattr(module, name, dying(getattr(module, name)))
made = forget.open_made(Path(sys.argv[1]))
forget.take_out(made, *forget._found(made, [sys.argv[2]], False))
"""


@pytest.mark.parametrize("steps", [0, 1, 2, 5, 9, 14, 20])
def test_a_killed_one_can_be_given_again(fanno: Fanno, out: Path, steps: int) -> None:
    document, before = much_used(open_made(out)), rows_of(out)
    passages = Passages([document.text])
    command = [sys.executable, "-c", KILLED, str(out), document.id, str(steps)]
    code = subprocess.run(command, env=fanno.environment, check=False, cwd=Path(__file__).parents[2]).returncode
    assert code in {0, 9}
    ended = fanno("forget", out, document.id)
    if ended.code:
        assert "nothing in" in ended.err
        assert code == 0, ended.err
    wanted = {name for name, row in before.items() if document.id in (row.document_id, *row.retrieved)}
    assert not wanted & rows_of(out).keys()
    assert all(row == before[name] for name, row in rows_of(out).items())
    assert traces(out, passages) == []
    assert fanno("verify", out).code == 0


def test_versions_that_hold_it_go_and_the_next_night_does_not_bring_it_back(
    fanno: Fanno, corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "nights"
    night: list[str | Path] = ["refresh", "--corpus", corpus, "--out", out, *sets(*SMALL)]
    assert fanno(*night).code == 0
    document, before = much_used(open_made(out)), rows_of(out)
    passages = Passages([document.text])
    found = told(fanno, out, document.id)
    after = rows_of(out)
    assert (found["removed"]["versions"], found["removed"]["version"]) == ([1], 2)
    assert sorted(path.name for path in (out / "versions").iterdir()) == ["000002"]
    assert before.keys() - after.keys() == {*found["rows"]}
    assert all(row == before[name] for name, row in after.items())
    assert json.loads((out / "current" / "gone.json").read_bytes())["rows"] == sorted(found["rows"])
    assert traces(out, passages) == []
    assert fanno("verify", out).code == 0
    assert fanno(*night).code == 0
    later = rows_of(out)
    # What leant on it has another response now.
    assert {*found["leaning"]} <= later.keys()
    assert not {*found["written"]} & later.keys()
    assert all(row == later[name] for name, row in after.items())
    assert traces(out, passages) == []


async def _planted(text: str) -> None:
    """An artifact, a flow run with its parameters, and a line of a log that quote a document."""
    from prefect import flow, get_run_logger
    from prefect.artifacts import acreate_markdown_artifact

    @flow(name="careless", validate_parameters=False)
    async def careless(note: str) -> None:
        get_run_logger().info("it says %s", note)
        await acreate_markdown_artifact(f"| text |\n|---|\n| {note} |\n", key="careless")

    await careless(text)


def _let_events_arrive(database: Path, passages: Passages) -> None:
    """Waits until nothing more of what was planted comes in; Prefect brings events when it finds time."""
    found, changed, end = 0, time.monotonic(), time.monotonic() + 60
    while not found or time.monotonic() - changed < QUIET_S:
        assert time.monotonic() < end, "the event of the artifact did not arrive"
        now = sum(trace.windows for trace in traces(database, passages) if trace.place == "events")
        if now != found:
            found, changed = now, time.monotonic()
        time.sleep(0.5)


def test_prefects_database_is_cleared_through_its_api(fanno: Fanno, out: Path) -> None:
    document = much_used(open_made(out))
    with prefect_api():
        asyncio.run(_planted(document.text))
    _let_prefect_finish()
    database = fanno.state / "prefect" / "prefect.db"
    passages = Passages([document.text])
    _let_events_arrive(database, passages)
    found = told(fanno, out, document.id)
    assert found["prefect"]["artifacts"] >= 1
    assert found["prefect"]["flow runs"] == 1
    assert found["prefect"]["events"] >= 1
    assert [trace for path in database.parent.glob("prefect.db*") for trace in traces(path, passages)] == []
