"""Every row of a real run says where it comes from."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fanno_core.prompts.loader import load_prompt
from tests.conftest import record_of
from tests.tasks.test_phase import PHASES


@pytest.fixture(scope="module")
def rows(finished: Path) -> list[dict[str, object]]:
    found = [row for file in (finished / "dataset").glob("*.parquet") for row in pq.read_table(file).to_pylist()]
    assert found
    return found


def test_every_row_names_its_source_teacher_prompts_and_seed(finished: Path, rows: list[dict[str, str]]) -> None:
    record = record_of(finished)
    for row in rows:
        assert row["source"]
        assert row["document_id"]
        assert isinstance(row["licence"], str)  # empty: none is stated
        assert row["teacher"] == record["teacher"]
        assert re.fullmatch(r"[\w-]+/.+@.+", row["teacher"])
        for prompt in (row["instruction_prompt"], row["response_prompt"]):
            assert prompt == load_prompt(prompt.partition("@")[0]).label
        for sampling in (row["instruction_sampling"], row["response_sampling"]):
            assert f"seed={record['settings']['run']['seed']}" in sampling


def test_every_row_names_its_phases_and_their_versions(rows: list[dict[str, str]]) -> None:
    versions = {phase.name: phase.version for phase in PHASES}
    for row in rows:
        named = [part.partition("@") for part in row["phases"].split()]
        assert [name for name, _, _ in named][:2] == ["ingest", "rules"]
        assert [name for name, _, _ in named][-1] == "responses"
        assert ("augment" in row["phases"]) == (row["iteration"] != 0)
        for name, _, version in named:
            assert int(version) == versions[name]
