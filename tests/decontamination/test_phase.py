"""Decontamination within the flow: planted rows are left out and told of, and without files there is no such phase."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from fanno_core.errors import BadSettings
from tests.conftest import record_of, run_here


def rows_of(out: Path) -> pd.DataFrame:
    """The published rows."""
    return pd.concat(pd.read_parquet(file) for file in sorted((out / "dataset").glob("train-*.parquet")))


def phases(out: Path) -> dict[str, dict[str, object]]:
    """The phases of the last run, by name."""
    return {phase["name"]: phase for phase in record_of(out)["phases"]}


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "out"))


def test_planted_rows_are_left_out_and_nothing_else_runs_again(copy: Path, corpus: Path, tmp_path: Path) -> None:
    out, before, entries = copy, rows_of(copy), record_of(copy)["work"]
    long = before[before["output"].map(lambda text: len(text.split())) > 20].iloc[0]
    asked = before[~before["id"].isin([long["id"]]) & (before["input"] == "")].iloc[0]
    benchmark = tmp_path / "secret-benchmark.txt"
    quoted = " ".join(long["output"].upper().split()[:20])
    benchmark.write_text(f"{quoted}\nPlease tell me: {asked['instruction']}\n", encoding="utf-8")

    run_here([corpus], out, f"decontaminate.files=['{benchmark}']")

    dropped = pd.read_parquet(out / "rejected").query("phase == 'decontaminate'").set_index("id")
    assert dropped.loc[long["id"], "reason"] == "contaminated_ngram"
    assert dropped.loc[asked["id"], "reason"].startswith("contaminated_")
    assert dropped["detail"].str.fullmatch(r"secret-benchmark\.txt: (\d+ runs of 13 words|cosine \d\.\d{3})").all()
    assert set(rows_of(out)["id"]) == set(before["id"]) - set(dropped.index)
    assert phases(out)["decontaminate"]["candidates"] == len(before)
    assert list(phases(out))[-3:] == ["responses", "decontaminate", "publish"]
    after = record_of(out)["work"]
    assert {name: after[name] for name in entries if name != "publish"} == {
        name: keys for name, keys in entries.items() if name != "publish"
    }
    assert "decontaminate@1" in rows_of(out)["phases"].iloc[0].split()


@pytest.mark.slow
def test_the_content_of_a_benchmark_counts_and_not_its_place(copy: Path, corpus: Path, tmp_path: Path) -> None:
    keys = []
    for folder, text in (("here", "One question?"), ("there", "One question?"), ("there", "Another question?")):
        benchmark = tmp_path / folder / "test.txt"
        benchmark.parent.mkdir(exist_ok=True)
        benchmark.write_text(text)
        run_here([corpus], copy, f"decontaminate.files=['{benchmark}']")
        keys.append(record_of(copy)["work"]["decontaminate"])
    assert keys[0] == keys[1] != keys[2]


def test_without_files_there_is_no_such_phase(finished: Path) -> None:
    assert "decontaminate" not in phases(finished)
    assert "decontaminate" not in record_of(finished)["work"]
    assert not (finished / "work" / "shards" / "decontaminate").exists()


@pytest.mark.usefixtures("fanno")
def test_a_missing_file_stops_the_run_before_any_work(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"benchmark file .*absent\.jsonl: No such file or directory; correct"):
        run_here([corpus], tmp_path / "out", f"decontaminate.files=['{tmp_path / 'absent.jsonl'}']")
    assert not record_of(tmp_path / "out")["phases"]
