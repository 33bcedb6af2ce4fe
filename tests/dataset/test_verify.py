from __future__ import annotations

import json
from pathlib import Path

import pytest

from fanno_core.dataset.publish import publish_dataset
from fanno_core.dataset.verify import PATH, check_dataset
from fanno_core.settings import Publish
from fanno_core.store.durable import read_whole, remove_files, write_durably
from fanno_core.store.ledger import Entry, Store
from fanno_core.store.location import Location
from fanno_core.store.verify import check_ledger, take_out
from tests.dataset.test_publish import PROVENANCE, examples


def publish(out: Location, key: str, rows: int) -> None:
    kept, others = publish_dataset(examples(rows), out, Publish(), PROVENANCE)
    Store(out).record(Entry("publish", key, rows, rows, kept, (), others))


def entries(out: Location) -> dict[str, Entry]:
    return check_ledger(Store(out))[0]


def test_the_last_of_several_publications_is_the_one_that_counts(anywhere: Location) -> None:
    assert check_dataset(anywhere, entries(anywhere)) == []
    publish(anywhere, "k1", 3)
    publish(anywhere, "k2", 5)
    assert len(entries(anywhere)) == 2
    assert check_dataset(anywhere, entries(anywhere)) == []


@pytest.mark.parametrize("name", ["README.md", "alpaca.json", "messages.jsonl", "train-00000-of-00001.parquet"])
def test_a_changed_or_missing_file_is_named(anywhere: Location, name: str) -> None:
    publish(anywhere, "k1", 3)
    path = anywhere / "dataset" / name
    write_durably(path, read_whole(path) + b"x")
    (damage,) = check_dataset(anywhere, entries(anywhere))
    assert (damage.path, damage.what) == (f"dataset/{name}", "is damaged: its bytes are not those that were committed")
    remove_files(path.parent, [name])
    (damage,) = check_dataset(anywhere, entries(anywhere))
    assert damage.path == f"dataset/{name}"
    take_out(anywhere, [damage])
    assert entries(anywhere) == {}
    assert check_dataset(anywhere, entries(anywhere)) == []
    publish(anywhere, "k1", 3)
    assert check_dataset(anywhere, entries(anywhere)) == []


@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
def test_a_manifest_that_no_entry_names_is_damage(tmp_path: Path, damage: str) -> None:
    publish(tmp_path, "k1", 3)
    path = tmp_path / PATH
    manifest = json.loads(path.read_text())
    if damage == "missing":
        path.unlink()
    else:
        changed = json.dumps(manifest | {"rows": 4}).encode()
        path.write_bytes(changed if damage == "changed" else path.read_bytes()[:40])
    found = check_dataset(tmp_path, entries(tmp_path))
    assert [one.path for one in found] == [PATH]
    take_out(tmp_path, found)
    assert check_dataset(tmp_path, entries(tmp_path)) == []
