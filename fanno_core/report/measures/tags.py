"""Which tag combinations seeds were asked with, and how many of their instructions became rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fanno_core.dataset.made import Made
from fanno_core.instructions.tags import tags_for
from fanno_core.report.numbers import TagCell
from fanno_core.store.contracts import FANNO, Example, Placed
from fanno_core.store.ledger import Store

Cell = tuple[str, str, str]


def tag_cells(made: Made, rows: Sequence[Example]) -> tuple[TagCell, ...]:
    """Each combination that was asked for, by task type, form and characteristic, with the rows that it gave.

    Only seeds are asked with all three: instructions of later iterations are left out. None where there were no seeds.

    Raises:
        ShardDamaged: the queue's shards are missing or damaged.
    """
    if "seeds" not in made.entries:
        return ()
    settings = made.settings
    asked: Counter[Cell] = Counter(
        (tags.task_type.key, tags.form.key, tags.characteristic.key)
        for document in _seed_documents(made)
        for tags in tags_for(document.id, settings.seeds.per_document, settings.run.seed)
    )
    seeds = [row for row in rows if not row.iteration and row.method == FANNO]
    kept: Counter[Cell] = Counter((row.task_type, row.form, row.characteristic) for row in seeds)
    return tuple(TagCell(*cell, asked[cell], kept[cell]) for cell in sorted(asked.keys() | kept.keys()))


def _seed_documents(made: Made) -> list[Placed]:
    refs = [ref for entry in made.entries.get("queue", ()) for ref in entry.kept if ref.label.startswith("seeds")]
    return Store(made.out).read(refs, Placed)
