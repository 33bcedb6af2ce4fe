from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deployments.cli.export import export
from fanno_core.dataset.made import open_made
from fanno_core.export.formats import FORMATS
from fanno_core.store.durable import file_digest, names_in

ALONE = typer.Typer()
ALONE.command()(export)


def fanno_export(*arguments: str | Path, code: int = 0) -> str:
    """What the command prints, and its error where it ends with one."""
    ended = CliRunner().invoke(ALONE, [str(word) for word in arguments], catch_exceptions=False)
    assert ended.exit_code == code, ended.output
    return ended.output


def test_it_says_what_came_out_and_where_it_lies(finished: Path, tmp_path: Path) -> None:
    said = fanno_export(finished, "--format", "axolotl", "--to", tmp_path / "ax", "--split", "train=0.8,validation=0.2")
    rows = len(open_made(finished).examples())
    assert f"{rows:,} of {rows:,} rows as axolotl" in said
    assert "where 20.00% was asked for" in said
    assert "datasets:\n- path: train.jsonl" in said
    names = ["README.md", "axolotl.yaml", "export.json", "train.jsonl", "validation.jsonl"]
    assert names_in(tmp_path / "ax") == names
    assert all(str(tmp_path / "ax" / name) in said for name in names if name != "export.json")


def test_kinds_and_task_types_of_each_split_are_told_and_what_is_missing(finished: Path, tmp_path: Path) -> None:
    arguments = [finished, "--format", "alpaca", "--to", tmp_path / "a", "--split", "train=0.99,validation=0.01"]
    told = json.loads(fanno_export(*arguments, "--json"))
    rows = open_made(finished).examples()
    for kind, iterations in (("seed", {0}), ("augmented", {row.iteration for row in rows} - {0})):
        count = sum(row.iteration in iterations for row in rows)
        assert sum(split["kinds"].get(kind, 0) for split in told["splits"].values()) == count
    assert all(sum(split["task_types"].values()) == split["rows"] for split in told["splits"].values())
    said = fanno_export(*arguments).splitlines()
    assert told["missing"]
    for missing in told["missing"]:
        start = f"warning: {missing['split']} has no {missing['kind']} rows: "
        assert sum(line.startswith(start) for line in said) == 1


def test_json_holds_the_files_and_their_digests(finished: Path, tmp_path: Path) -> None:
    arguments = [finished, "--format", "alpaca", "--to", tmp_path / "a.json", "--filter", "iteration = 0", "--json"]
    told = json.loads(fanno_export(*arguments))
    assert told["rows"] < told["of"]
    assert told["filter"] == "iteration = 0"
    assert [Path(file["path"]).name for file in told["files"]] == ["a.json", "a.README.md"]
    for file in told["files"]:
        assert file_digest(Path(file["path"])) == file["sha256"]
        assert Path(file["path"]).stat().st_size == file["bytes"]
    assert told["stanza"] is None
    assert told["pushed"] is None


def test_the_runs_seed_and_system_message_hold_unless_others_are_given(finished: Path, tmp_path: Path) -> None:
    told = json.loads(fanno_export(finished, "--format", "messages", "--to", tmp_path, "--json"))
    assert (told["seed"], told["system"]) == (42, "")
    given = ["--seed", "7", "--system", "Be kind.", "--json"]
    told = json.loads(fanno_export(finished, "--format", "messages", "--to", tmp_path, *given))
    assert (told["seed"], told["system"]) == (7, "Be kind.")
    first = (tmp_path / "train.jsonl").read_bytes().splitlines()[0]
    assert json.loads(first)["messages"][0] == {"role": "system", "content": "Be kind."}


def test_without_a_token_a_push_is_a_rehearsal(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    said = fanno_export(finished, "--push-to-hub", "me/bees")
    assert "nothing was uploaded" in said
    assert "the private data set me/bees" in said
    assert "train-00000-of-00001.parquet  " in said
    assert "README.md  " in said
    assert "the public data set" in fanno_export(finished, "--push-to-hub", "me/bees", "--public")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "x"], "--format is missing: name one of alpaca"),
        (["--format", "alpaca"], "--to is missing"),
        (["--format", "csv", "--to", "x"], "there is no format 'csv'"),
        (["--format", "alpaca", "--push-to-hub", "me/x"], "leave out --format alpaca"),
        (["--to", "x.parquet", "--push-to-hub", "me/x"], "what goes to the hub is a folder"),
        (["--format", "alpaca", "--to", "x", "--filter", "colour = 1"], "--filter names colour"),
        (["--format", "alpaca", "--to", "x", "--split", "train=2"], "--split 'train=2'"),
        (["--format", "alpaca", "--to", "x.csv"], "end in .json"),
    ],
)
def test_whatever_is_wrong_is_told_in_one_sentence_and_nothing_is_written(
    arguments: list[str], said: str, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = fanno_export(finished, *arguments, code=1)
    assert told.startswith("error: ")
    assert said in told
    assert len(told.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_others_files_are_kept_unless_it_is_forced(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text("mine", encoding="utf-8")
    arguments = [finished, "--format", "alpaca", "--to", tmp_path]
    assert "train.json is there" in fanno_export(*arguments, code=1)
    fanno_export(*arguments, "--force")
    fanno_export(*arguments)
    assert len(json.loads((tmp_path / "train.json").read_bytes())) == len(open_made(finished).examples())


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    assert "no finished run" in fanno_export(tmp_path, "--format", "alpaca", "--to", tmp_path / "x", code=1)


def test_help_names_every_format() -> None:
    said = " ".join(fanno_export("--help").replace("│", " ").split())
    assert all(f"{name}:" in said for name in FORMATS)
