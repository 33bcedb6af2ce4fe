"""`fanno forget`: what a document is called goes with it, and the next night does not bring it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from fanno_core.dataset.made import Made, open_made
from fanno_core.dataset.manifest import version_numbers
from fanno_core.refresh.names import names_in
from fanno_core.store.contracts import Document
from tests.conftest import Fanno, run_here
from tests.flows.test_refresh import Documents, refresh

SMALL_CORPUS = 24
EXACT = ("seeds.documents=3", "seeds.per_document=8", "augment.window=8")


def called(folder: Path, name: str) -> list[str]:
    """Files below a folder that hold a name, found with other means than ours."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        said = path.read_bytes()
        if path.suffix == ".parquet":
            said += json.dumps(pq.read_table(path).to_pylist(), default=str).encode()
        if name.encode() in said:
            found.append(str(path.relative_to(folder)))
    return found


@pytest.fixture
def documents(corpus: Path, tmp_path: Path) -> Path:
    """A corpus of one file a document."""
    folder = tmp_path / "documents"
    folder.mkdir()
    for number, text in enumerate([*Documents.of(corpus).texts.values()][:SMALL_CORPUS]):
        (folder / f"Customer-{number:04}.txt").write_text(text, encoding="utf-8")
    return folder


def sources(made: Made, used: bool) -> list[str]:
    """Sources with rows in the data set, or those from which nothing came."""
    rows = made.examples()
    here = {row.document_id for row in rows} | {name for row in rows for name in row.retrieved}
    of = {row.id: row.source for row in made.kept("ingest", Document)}
    with_rows = {of[name] for name in here}
    return sorted(with_rows if used else {*of.values()} - with_rows)


def forget(fanno: Fanno, out: Path, *words: str) -> dict[str, Any]:
    ended = fanno("forget", out, *words, "--json")
    assert ended.code == 0, ended.err + ended.out
    told: dict[str, Any] = json.loads(ended.out)
    return told


@pytest.mark.slow
def test_a_name_goes_and_the_next_nights_do_not_bring_it_back(fanno: Fanno, documents: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    refresh(documents, out, *EXACT)
    name = sources(open_made(out), used=True)[0]
    assert called(out, name)
    dry = forget(fanno, out, name, "--dry-run")["removed"]
    assert version_numbers(out) == [1]
    told = forget(fanno, out, name)
    real = told["removed"]
    assert told["names"] == [name]
    assert (dry["answers"], dry["versions"], dry["rows"]) == (real["answers"], real["versions"], real["rows"])
    assert dry["answers"] > 0
    assert {*dry["shards"]} <= {*real["shards"]}
    assert called(out, name) == []
    assert (documents / name).is_file()
    refresh(documents, out, *EXACT)
    assert called(out, name) == []
    assert refresh(documents, out, *EXACT)["status"] == "unchanged"
    assert fanno("verify", out).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("stays", [True, False])
def test_a_night_after_nothing_but_forgetting_is_no_version(
    fanno: Fanno, documents: Path, tmp_path: Path, stays: bool
) -> None:
    out = tmp_path / "out"
    refresh(documents, out, *EXACT)
    name = sources(open_made(out), used=False)[0]
    forget(fanno, out, name)
    numbers = version_numbers(out)
    if not stays:
        (documents / name).unlink()
    assert refresh(documents, out, *EXACT)["status"] == "unchanged"
    assert version_numbers(out) == numbers


@pytest.mark.slow
def test_a_name_goes_from_a_run(fanno: Fanno, documents: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_here([documents], out, *EXACT)
    name = sources(open_made(out), used=True)[0]
    forget(fanno, out, name)
    assert called(out, name) == []
    told = refresh(documents, out, *EXACT)
    assert (told["took_over"], called(out, name)) == (1, [])


def test_names_are_found_as_values_and_as_words(tmp_path: Path) -> None:
    import pyarrow as pa

    pq.write_table(pa.table({"source": ["owls.txt", "b"], "text": ["On owls.txt and 17.", ""]}), tmp_path / "a.parquet")
    (tmp_path / "a.json").write_text(json.dumps({"sources": ["owls.txt"], "rows": 17}))
    (tmp_path / "b.md").write_text("| my-owls.txt | owls.txts | sub/owls.txt | 17 |")
    found = [(trace.path, trace.place) for trace in names_in(tmp_path, {"owls.txt", "17"})]
    assert found == [("a.json", "(a name)"), ("a.parquet", "source (a name)")]
