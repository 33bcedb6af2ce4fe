"""Nights on which something unusual has happened to the corpus or to the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fanno_core.dataset.current import current_number
from fanno_core.dataset.made import open_made
from fanno_core.dataset.manifest import read_state
from fanno_core.errors import RunStops
from fanno_core.refresh.state import contract_of
from fanno_core.refresh.tables import Tables
from fanno_core.store.ledger import Store
from tests.conftest import record_of
from tests.flows.test_refresh import CORPUS, Documents, first, ids_of, night, refresh, rows_of

__all__ = ["first", "night"]  # fixtures
pytestmark = pytest.mark.slow


def keys_of(out: Path, *names: str) -> list[set[str]]:
    """The keys of tables of the current version."""
    tables = Tables(Store(out), read_state(out, current_number(out)))
    assert all(contract_of(name) for name in names)
    return [{*tables.column(name, "id").to_pylist()} for name in names]


def assert_adds_up(out: Path) -> None:
    """Each phase has as many candidates as it kept and rejected, and documents stand in all tables or in none."""
    for phase in record_of(out)["phases"]:
        assert phase["candidates"] == phase["rows_kept"] + sum(phase["rejected"].values()), phase["name"]
    counts = {phase["name"]: phase for phase in record_of(out)["phases"]}
    assert counts["communities"]["candidates"] == counts["verdicts"]["rows_kept"]
    screened, vectors, neighbours, members = keys_of(out, "screened", "vectors", "neighbours", "members")
    assert screened == vectors == neighbours == members


def test_a_document_with_another_licence_finds_its_place_again(night: Path) -> None:
    out, documents = night / "out", Documents.of(night / CORPUS)
    used = sorted({row.carried_id for row in rows_of(out).values() if row.iteration})[:4]
    relabelled = ids_of(open_made(out), used)
    lines = [
        {"id": name, "text": text, **({"license": "MIT"} if name in used else {})}
        for name, text in documents.texts.items()
    ]
    (night / CORPUS).write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    told = refresh(night / CORPUS, out)
    assert told["documents"]["changed"] == len(used)
    assert_adds_up(out)
    assert relabelled & keys_of(out, "members")[0]
    assert {row.licence for row in rows_of(out).values() if row.document_id in relabelled} == {"MIT"}


def test_a_corpus_without_documents_leaves_no_rows(night: Path) -> None:
    out = night / "out"
    Documents({"short": "Too short."}).write(night / CORPUS)
    told = refresh(night / CORPUS, out)
    assert (told["status"], told["rows"]["now"], current_number(out)) == ("held", 0, 1)


def test_a_version_without_rows_can_be_published(night: Path) -> None:
    out = night / "out"
    Documents({"short": "Too short."}).write(night / CORPUS)
    told = refresh(night / CORPUS, out, "refresh.max_shrink=1", "refresh.min_rows=0")
    assert (told["status"], told["reasons"], rows_of(out)) == ("published", [], {})
    assert_adds_up(out)


def test_another_benchmark_needs_a_rebuild(night: Path) -> None:
    benchmark = night / "benchmark.jsonl"
    benchmark.write_text(json.dumps({"question": "What is the capital of France?"}) + "\n", "utf-8")
    with pytest.raises(RunStops, match=r"decontaminate .*--rebuild"):
        refresh(night / CORPUS, night / "out", f'decontaminate.files=["{benchmark}"]')


@pytest.mark.usefixtures("fanno")
def test_a_budget_with_benchmarks_ends_each_night(corpus: Path, tmp_path: Path) -> None:
    few = Documents(dict([*Documents.of(corpus).texts.items()][:24])).write(tmp_path / CORPUS)
    benchmark = tmp_path / "benchmark.jsonl"
    benchmark.write_text(json.dumps({"question": "What is the capital of France?"}) + "\n", "utf-8")
    small = ("refresh.max_calls=110", "seeds.per_document=6", "seeds.documents=2", "refresh.max_shrink=1")
    nights = []
    while not nights or nights[-1]["status"] != "unchanged":
        nights.append(refresh(few, tmp_path / "out", *small, f'decontaminate.files=["{benchmark}"]'))
        assert len(nights) < 12
    assert_adds_up(tmp_path / "out")
    tables = Tables(Store(tmp_path / "out"), read_state(tmp_path / "out", current_number(tmp_path / "out")))
    late = tables.column("members", "represents").to_pylist(), tables.column("members", "asked").to_pylist()
    assert not [1 for represents, asked in zip(*late, strict=True) if represents and not asked]
