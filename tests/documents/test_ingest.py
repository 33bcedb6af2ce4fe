from __future__ import annotations

import json
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanno_core.documents.ingest import ingest
from fanno_core.documents.readers.contract import Source
from fanno_core.documents.sources import find_sources
from fanno_core.settings import Ingest
from fanno_core.text import stable_id
from tests.documents.conftest import Read
from tests.shared_data import shared


def test_a_document_says_where_it_comes_from(read: Read):
    outcome = read("a.txt", "First part.\n\n" + "x" * 300, segment_chars=200)
    assert [document.location for document in outcome.kept] == ["segment 0", "segment 1", "segment 2"]
    assert all(d.source == "a.txt" and d.id == stable_id(d.source, d.text) for d in outcome.kept)


def test_repeated_segments_are_rejected_with_the_id_they_repeat(read: Read):
    outcome = read("a.jsonl", '{"text": "Same."}\n{"text": "Same."}\n{"text": "Same.", "source": "elsewhere"}')
    assert len(outcome.kept) == 2
    (rejection,) = outcome.rejected
    assert (rejection.reason, rejection.text) == ("exact_duplicate", "Same.")
    assert rejection.detail == f"row 2, segment 0: {outcome.kept[0].id}"
    assert rejection.id == stable_id("a.jsonl", "row 2, segment 0")


def test_a_file_that_breaks_off_leaves_no_rows(read: Read):
    rows = "text\n" + "fine\n" * 50_000
    assert read("a.csv", rows.encode() + b"caf\xe9\n").reasons == {"not_utf8": 1}


ROWS = st.lists(
    st.fixed_dictionaries(
        {"text": st.text(max_size=8) | st.none() | st.integers()},
        optional={"source": st.sampled_from(["s", "t"]), "content": st.text(max_size=3), "x": st.text(max_size=3)},
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, ROWS, st.randoms(use_true_random=False))
def test_neither_order_of_files_nor_of_rows_changes_the_ids(tmp_path: Path, first: list, second: list, random):
    def ids(names: tuple[str, ...], *files: list) -> set[str]:
        sources = []
        for name, rows in zip(names, files, strict=True):
            (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
            sources.append(Source(str(tmp_path / name), name, "jsonl", "", ""))
        outcome = ingest(sources, Ingest())
        all_ids = [row.id for row in [*outcome.kept, *outcome.rejected]]
        assert len(all_ids) == len(set(all_ids)) == outcome.candidates >= len(files)
        return {document.id for document in outcome.kept}

    expected = ids(("a.jsonl", "b.jsonl"), first, second)
    assert ids(("b.jsonl", "a.jsonl"), random.sample(second, len(second)), random.sample(first, len(first))) == expected


def test_web_mix_is_read_whole():
    sources = find_sources([str(shared("corpus/web_mix.jsonl"))])
    start = time.perf_counter()
    outcome = ingest(sources, Ingest())
    took_s = time.perf_counter() - start
    print(f"\nweb_mix: 8,890 rows in {took_s:.2f} s, {8890 / took_s:,.0f} rows/s")
    rows = {d.location.split(",")[0] for d in outcome.kept} | {r.detail.split(",")[0] for r in outcome.rejected}
    assert len(rows) == 8890
    assert set(outcome.reasons) == {"exact_duplicate"}
    assert len({d.id for d in outcome.kept}) == len(outcome.kept) > 8800
    assert all(d.carried_id.startswith("web-") and d.source != "web_mix.jsonl" for d in outcome.kept)
