"""What a forged ledger or a forged cache can make this project open: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanno_core.errors import ContractBroken, ShardDamaged
from fanno_core.store.contracts import Document
from fanno_core.store.durable import sha256_of
from fanno_core.store.ledger import Entry, FileRef, Store
from fanno_core.store.location import Location
from fanno_core.store.tables import to_parquet
from fanno_core.store.verify import check_files, check_ledger, take_out

FORGED = (
    "../secret.parquet",
    "work/shards/../../../secret.parquet",
    "work/shards/rules/../../secret.parquet",
    "/etc/passwd",
    "work/shards/rules/..",
    "dataset/../../secret",
    "work\\..\\secret",
    "work/shards/rules/\x00",
    "s3://bucket/secret",
    "run.json",
    "",
)


def forge(out: Location, path: str) -> Store:
    """A store whose ledger holds an entry, with a digest that fits, that names a file of this path."""
    store = Store(out)
    data = to_parquet([Document("a" * 16, "text", "here", "0")], Document)
    store.record(Entry("rules", "k", 1, 1, (FileRef(path, 1, sha256_of(data), "000"),), ()))
    return store


@pytest.mark.parametrize("path", FORGED)
def test_a_forged_entry_opens_nothing_outside_of_what_phases_write(anywhere: Location, path: str) -> None:
    assert forge(anywhere, path).find("rules", "k") is None
    with pytest.raises(ShardDamaged, match="no phase writes"):
        Store(anywhere).read([FileRef(path, 1, "")], Document)


def test_a_forged_entry_makes_repair_remove_itself_and_no_other_file(tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    store = forge(tmp_path / "out", "../victim.txt")
    entries, damages = check_ledger(store)
    take_out(store.out, [*damages, *check_files(store, entries)])
    assert victim.read_text() == "mine"
    assert check_ledger(store) == ({}, [])


@pytest.mark.parametrize("name", ["..", "../x", "a/b", "/a", "", ".hidden", "a\x00", "a\n"])
def test_names_that_are_no_names_reach_no_path(anywhere: Location, name: str) -> None:
    store = Store(anywhere)
    for phase, key, label in ((name, "k", "000"), ("rules", name, "000"), ("rules", "k", name)):
        with pytest.raises(ContractBroken, match="part of a file's name"):
            store.write_shard(phase, key, label, [], Document)
    for phase, key in ((name, "k"), ("rules", name)):
        with pytest.raises(ContractBroken, match="part of a file's name"):
            store.find(phase, key)
