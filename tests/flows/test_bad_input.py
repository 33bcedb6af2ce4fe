"""Whatever is wrong with what a user gives: one clear sentence, and an exit code that is not 0."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import SMALL, Fanno, record_of, sets


def empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def parquet_without_text(folder: Path) -> Path:
    pq.write_table(pa.table({"count": [1, 2]}), folder / "numbers.parquet")
    return folder / "numbers.parquet"


def not_what_its_name_says(folder: Path) -> Path:
    (folder / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00")
    return folder / "picture.txt"


def nothing_survives(folder: Path) -> Path:
    (folder / "short.txt").write_text("Too short to learn from.")
    return folder / "short.txt"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: folder / "missing", "missing"),
        (empty_folder, "empty"),
        (parquet_without_text, "such as numbers.parquet: no_text_field"),
        (not_what_its_name_says, "such as picture.txt: binary"),
        (nothing_survives, "such as short.txt: too_short"),
    ],
)
def test_a_bad_corpus_ends_in_one_sentence(
    fanno: Fanno, tmp_path: Path, make: Callable[[Path], Path], told: str
) -> None:
    ended = fanno("run", "--corpus", make(tmp_path), "--out", tmp_path / "out", *sets(*SMALL))
    assert ended.code == 1
    assert told in ended.err
    assert ended.err.startswith("error: ")
    assert len(ended.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("seeds.docs=1", "there is no setting seeds.docs"),
        ("seed.documents=1", "there is no setting seed"),
        ("seeds.documents=many", "seeds.documents"),
        ("seeds.per_document=97", "seeds.per_document"),
        ("seeds", "section.key=value"),
        ("teacher.name=transformers", "teacher.model"),
        ("encoder.model=/no/such/model", "encoder.model"),
        ("augment.bandit=published", "augment"),
    ],
)
def test_a_bad_setting_is_refused_by_name(fanno: Fanno, tmp_path: Path, corpus: Path, setting: str, told: str) -> None:
    few = "seeds.documents=1"  # too few seeds for the published bandit
    ended = fanno("run", "--corpus", corpus, "--out", tmp_path / "out", *sets(*SMALL, few, setting))
    assert ended.code == 1
    assert told in ended.err
    assert "Traceback" not in ended.err


def test_one_bad_file_among_good_ones_is_rejected_and_the_rest_goes_on(
    fanno: Fanno, tmp_path: Path, corpus: Path
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "good.jsonl").write_bytes(corpus.read_bytes())
    parquet_without_text(folder)
    not_what_its_name_says(folder)
    (folder / "broken.jsonl.gz").write_bytes(b"no gzip at all")
    record = fanno.run(folder, tmp_path / "out", "augment.iterate=false", "seeds.documents=2")
    assert record["phases"][0]["rejected"].keys() >= {"no_text_field", "binary", "bad_gzip"}
    assert record["dataset"]["rows"] > 0


def test_a_run_that_ends_early_still_tells_what_it_did(fanno: Fanno, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fanno("run", "--corpus", nothing_survives(tmp_path), "--out", out, *sets(*SMALL))
    record = record_of(out)
    assert [phase["name"] for phase in record["phases"]] == ["ingest", "rules"]
    assert record["dataset"]["rows"] == 0
    assert (out / "rejected" / "rejected.parquet").is_file()


def test_a_failed_run_does_not_claim_the_data_set_of_an_earlier_one(
    fanno: Fanno, finished: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    (out / "dataset" / "notes-of-mine.txt").write_text("keep")
    assert fanno("run", "--corpus", nothing_survives(tmp_path), "--out", out, *sets(*SMALL)).code == 1
    assert record_of(out)["dataset"] == {"rows": 0, "digest": ""}
    assert (out / "dataset" / "notes-of-mine.txt").exists()


def test_a_configured_server_that_is_away_is_named(fanno: Fanno, corpus: Path, tmp_path: Path) -> None:
    away = "http://127.0.0.1:9/api"
    ended = fanno("run", "--corpus", corpus, "--out", tmp_path / "out", PREFECT_API_URL=away)
    assert ended.code == 1
    assert ended.err.strip() == f"error: the configured Prefect server {away} does not answer; start it, or unset it"
