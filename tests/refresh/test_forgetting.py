"""What goes with a document: every row that was made from it or leant on it, and no other."""

from __future__ import annotations

import pyarrow as pa
import pytest

from fanno_core.refresh.forgetting import COLUMNS, Gone, closure
from fanno_core.settings import Refresh

A, B, C = "a" * 16, "b" * 16, "c" * 16


def instructions(*rows: tuple[str, str, list[str]]) -> pa.Table:
    columns: list[list[object]] = [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], []]
    kinds = [pa.string(), pa.string(), pa.list_(pa.string())]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    return pa.table(dict(zip(COLUMNS["instructions"], arrays, strict=True)))


def examples(*rows: tuple[str, str, list[str], list[str]]) -> pa.Table:
    columns: list[list[object]] = [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], []]
    kinds = [pa.string(), pa.string(), pa.list_(pa.string()), pa.list_(pa.string())]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
    return pa.table(dict(zip(COLUMNS["examples"], arrays, strict=True)))


TABLES = {
    "instructions.novelty": instructions(("i1", A, []), ("i2", B, []), ("i3", C, [])),
    "instructions.augment": instructions(("i4", A, ["i2"]), ("i5", B, ["i3", "i1"]), ("i6", C, ["i5"])),
    "examples": examples(
        ("i1", A, [B, C], []),
        ("i2", B, [C, A], []),
        ("i3", C, [B], []),
        ("i4", A, [], ["i2"]),
        ("i5", B, [], ["i3", "i1"]),
        ("i6", C, [B, C], ["i5"]),
    ),
    "members": pa.table({"id": [A, B, C]}),
}


def gone(**settings: object) -> Gone:
    return closure(TABLES, {A}, Refresh.model_validate(settings))


def test_a_document_takes_what_was_written_from_it_and_what_leant_on_it() -> None:
    found = gone()
    assert found.instructions == {"i1", "i4"}
    assert found.written == {"i1", "i4"}
    assert found.leaning == {"i2"}
    assert not found.shown
    assert found.rows == {"i1", "i2", "i4"}


def test_strict_also_takes_what_was_shown_an_instruction_of_it_but_not_what_was_shown_that() -> None:
    found = gone(strict=True)
    assert found.instructions == {"i1", "i4", "i5"}
    assert found.written == {"i1", "i4"}
    assert found.leaning == {"i2"}
    assert found.shown == {"i5"}


@pytest.mark.parametrize(("most", "leaning"), [(0.0, {"i2"}), (0.49, {"i2"}), (0.5, set()), (1.0, set())])
def test_a_share_of_the_context_may_be_withdrawn(most: float, leaning: set[str]) -> None:
    assert gone(max_withdrawn_context=most).leaning == leaning


def test_each_table_loses_what_its_key_is_of() -> None:
    found = gone(strict=True)
    assert found.of("screened") == found.of("members") == found.of("placed") == {A}
    assert found.of("instructions.novelty") == found.of("questions.augment") == found.of("bandit") == {"i1", "i4", "i5"}
    assert found.of("examples") == {"i1", "i2", "i4", "i5"}
    assert found.of("rejected.rules.too_short") == {A, "i1", "i4", "i5"}
    assert found.of("files") == frozenset()


def test_nothing_gone_takes_nothing() -> None:
    found = closure(TABLES, (), Refresh(strict=True))
    assert not any(found.counts.values())
    assert not any(found.of(name) for name in ("screened", "instructions.augment", "examples", "rejected.rules.x"))


def test_tables_without_rows_are_no_fault() -> None:
    tables = {"instructions.novelty": instructions(), "examples": examples()}
    assert closure(tables, {A}, Refresh(strict=True)).counts["segments"] == 1


def test_cost_does_not_lie_in_python_objects() -> None:
    import time

    count = 200_000
    ids = [f"{i:016x}" for i in range(count)]
    lists = pa.ListArray.from_arrays(range(0, 2 * count + 1, 2), pa.array(ids * 2))
    table = pa.table({"id": ids, "document_id": ids[::-1], "retrieved": lists, "counterexamples": lists})
    started = time.perf_counter()
    found = closure({"instructions.augment": table, "examples": table}, ids[:100], Refresh(strict=True))
    assert len(found.rows) >= 200
    assert time.perf_counter() - started < 2.0
