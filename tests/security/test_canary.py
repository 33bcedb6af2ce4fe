"""A secret and a sentence of a document stay where they belong, also when every phase fails on them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from fanno_core.errors import BadSettings
from fanno_core.settings import load_settings
from tests.conftest import Fanno, sets
from tests.corpus import write_corpus
from tests.crash.scripted import scripted, told
from tests.security.every_phase_fails import WORK
from tests.stub_openai import status

pytestmark = pytest.mark.slow

SECRET = "q9Canary0fTheKey7x"  # noqa: S105 - made up
SENTENCE = "Quillhaven keeps a canary that nobody may hear"
FEW = ("run.shard_rows=512", "seeds.documents=2", "augment.window=20")


def write_singing_corpus(folder: Path) -> Path:
    """Documents that each hold the sentence."""
    path = write_corpus(folder, 16)
    path.write_text(path.read_text().replace('"text": "', f'"text": "{SENTENCE}. '), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def after(fanno: Fanno, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """State folder, output folder and everything that was printed, after every phase has failed and one run ended."""
    folder = tmp_path_factory.mktemp("canary")
    corpus, out = write_singing_corpus(folder / "corpus"), folder / "out"
    environment = {**fanno.environment, "OPENAI_API_KEY": SECRET, "PREFECT_LOGGING_LEVEL": "DEBUG"}
    with scripted() as teacher:
        module = "tests.security.every_phase_fails"
        command = [sys.executable, "-m", module, str(corpus), str(out), *told(teacher), *FEW]
        ended = subprocess.run(
            command, env=environment, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=200, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout[-3000:]
        assert any(request.headers.get("Authorization") == f"Bearer {SECRET}" for request in teacher.seen)
        assert any(SENTENCE in request.text for request in teacher.seen)
    return fanno.state, out, ended.stdout


def test_every_phase_failed_with_one_sentence_that_says_where(after: tuple[Path, Path, str]) -> None:
    printed = after[2]
    assert f"PHASES {len(WORK)}" in printed
    for part in printed.partition("PHASES ")[0].split("--- ")[1:]:
        name, *lines = part.strip().splitlines()
        assert lines[-1].startswith("fanno_core.errors.RunStops: "), name
        assert "ValueError in " in lines[-1], name
        assert "please report it" in lines[-1], name
        # Neither its message nor its cause: a chain of errors would show both.
        assert "ValueError: " not in part, name
        assert "KeyError" not in part, name


@pytest.mark.parametrize("canary", [SECRET, SENTENCE])
def test_neither_is_printed_or_logged(after: tuple[Path, Path, str], canary: str) -> None:
    assert canary not in after[2]


@pytest.mark.parametrize("canary", [SECRET, SENTENCE])
def test_neither_is_in_prefects_database_logs_results_or_artifacts(after: tuple[Path, Path, str], canary: str) -> None:
    state = after[0]
    database = state / "prefect" / "prefect.db"
    assert hits(database, "phase rules, "), "the database does not even hold what it should"
    assert hits(database, canary) == []
    files = [file for file in state.rglob("*") if file.is_file()]
    assert len(files) > 3
    assert [file.name for file in files if canary.encode() in file.read_bytes()] == []


def test_the_sentence_is_in_no_record_of_the_run(after: tuple[Path, Path, str]) -> None:
    out = after[1]
    records = [out / "run.json", *(out / "work" / "ledger").rglob("*.json"), out / "work" / "lock"]
    assert len(records) > 8
    assert [file.name for file in records if SENTENCE.encode() in file.read_bytes()] == []


def test_the_secret_is_nowhere_in_the_output_folder(after: tuple[Path, Path, str]) -> None:
    import pyarrow.parquet as pq

    out = after[1]
    files = [file for file in out.rglob("*") if file.is_file()]
    assert [file.name for file in files if SECRET.encode() in file.read_bytes()] == []
    tables = [file for file in files if file.suffix == ".parquet"]
    assert any(SENTENCE in str(pq.read_table(file).to_pylist()) for file in tables)
    assert not any(SECRET in str(pq.read_table(file).to_pylist()) for file in tables)


def hits(database: Path, text: str) -> list[str]:
    """Table and column of each value that holds the text."""
    found = []
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for column in [row[1] for row in connection.execute(f'pragma table_info("{table}")')]:
                query = f'select count(*) from "{table}" where instr(cast("{column}" as text), ?)'  # noqa: S608
                if connection.execute(query, (text,)).fetchone()[0]:
                    found.append(f"{table}.{column}")
    return found


@pytest.mark.parametrize(
    "assignment",
    [
        f'teacher.endpoints=["http://user:{SECRET}@127.0.0.1:9/v1"]',
        f'teacher.endpoints=["http://127.0.0.1:9/v1?key={SECRET}"]',
        f"teacher.api_key={SECRET}",
        f"teacher.api_key=sk-{SECRET}",
    ],
)
def test_a_secret_in_a_setting_is_refused_and_not_repeated(assignment: str) -> None:
    with pytest.raises(BadSettings) as refused:
        load_settings(None, [assignment])
    assert "teacher." in str(refused.value)
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(refused.value.__cause__)


def test_a_server_that_refuses_the_key_and_repeats_it_is_not_quoted(fanno: Fanno, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", 3)
    with scripted() as teacher:
        teacher.then(*[status(401, f"no such key: {SECRET}")] * 99)
        settings = sets(*told(teacher))
        ended = fanno("run", "--corpus", corpus, "--out", tmp_path / "out", *settings, OPENAI_API_KEY=SECRET)
    assert ended.code == 1
    assert "error: " in ended.err
    assert SECRET not in ended.out + ended.err
    assert hits(fanno.state / "prefect" / "prefect.db", SECRET) == []
