"""Explanations of many rows at a time: the same as one by one, each shard read once."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from fanno_core.dataset.made import Made, open_made
from fanno_core.errors import ShardDamaged
from fanno_core.lineage import shelves
from fanno_core.lineage.explain import explain, explain_each
from fanno_core.lineage.explanation import Explanation
from fanno_core.lineage.find import SCREENING
from fanno_core.store.ledger import FileRef, Store


async def each_of(made: Made, ids: list[tuple[str, bool]]) -> list[Explanation]:
    return [told async for told in explain_each(made, ids)]


def some_ids(made: Made) -> list[tuple[str, bool]]:
    """Rows of the data set, and a rejection of each reason."""
    rejected = {(row.phase, row.reason): row for row in made.rejections()}
    documents = [(row.id, row.phase in SCREENING) for row in rejected.values()]
    return list(dict.fromkeys([*((row.id, False) for row in made.examples()[::9]), *documents]))


async def test_they_are_the_same_as_one_by_one(finished: Path) -> None:
    made = open_made(finished)
    ids = some_ids(made)
    assert len({is_document for _, is_document in ids}) == 2
    assert await each_of(made, ids) == [await explain(made, name) for name, _ in ids]


async def test_each_shard_is_read_once(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()

    class Counting(Store):
        def bytes_of(self, ref: FileRef) -> bytes:
            read[ref.path] += 1
            return super().bytes_of(ref)

    monkeypatch.setattr(shelves, "Store", Counting)
    made = open_made(finished)
    await each_of(made, [(row.id, False) for row in made.examples()[:20]])
    assert len(read) > 5
    assert set(read.values()) == {1}


async def test_without_its_journal_a_run_says_so(finished: Path, tmp_path: Path) -> None:
    out = shutil.copytree(finished, tmp_path / "out")
    (out / "work/journal.sqlite").unlink()
    made = open_made(out)
    for told in await each_of(made, [(row.id, False) for row in made.examples()[:3]]):
        assert all("journal.sqlite cannot be read" in asked.note for asked in told.questions)
        assert told.questions and told.response


async def test_a_damaged_shard_is_named(finished: Path, tmp_path: Path) -> None:
    made = open_made(shutil.copytree(finished, tmp_path / "out"))
    ids = [(row.id, False) for row in made.examples()[:2]]
    for path in (tmp_path / "out/work/shards/verdicts").iterdir():
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ShardDamaged, match="work/shards/verdicts/"):
        await each_of(made, ids)
