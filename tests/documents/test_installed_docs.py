from __future__ import annotations

from collections import Counter

from fanno_core.documents.ingest import ingest
from fanno_core.documents.readers.table import FORMATS
from fanno_core.documents.sources import find_sources
from fanno_core.settings import Ingest


def test_the_built_in_corpus_is_stable_balanced_and_of_the_promised_size():
    sources = find_sources(["installed-docs"])
    assert sources == find_sources(["installed-docs"])
    assert {"numpy.linalg._linalg (docstrings)", "numpy.fft (docstrings)"} <= {source.name for source in sources}
    assert {source.format for source in sources} == {"metadata", "docstrings"} <= set(FORMATS)

    outcome = ingest(sources, Ingest())
    assert 500 <= len(outcome.kept) <= 800
    assert set(outcome.reasons) <= {"empty", "exact_duplicate"}
    assert max(Counter(document.source for document in outcome.kept).values()) <= 20
    assert sum(bool(document.licence) for document in outcome.kept) > 0.9 * len(outcome.kept)
