"""The real corpus that stands beside a checkout, for tests that measure."""

from __future__ import annotations

from fanno_core.store.contracts import Document
from tests.shared_data import shared_rows


def web_mix(rows: int) -> list[Document]:
    """The first rows of the corpus; skips the test where it is absent."""
    read = shared_rows("corpus/web_mix.jsonl")[:rows]
    return [Document(id=row["id"], text=row["text"], source=row["source"], location="") for row in read]
