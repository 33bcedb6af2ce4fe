"""The real corpus that stands beside a checkout, for tests that measure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fanno_core.store.contracts import Document

FILE = Path(__file__).parents[3] / "shared" / "data" / "corpus" / "web_mix.jsonl"


def web_mix(rows: int) -> list[Document]:
    """The first rows of the corpus; skips the test where it is absent."""
    if not FILE.is_file():
        pytest.skip("the corpus web_mix.jsonl does not stand beside this checkout")
    with FILE.open(encoding="utf-8") as lines:
        read = [json.loads(line) for line, _ in zip(lines, range(rows), strict=False)]
    return [Document(id=row["id"], text=row["text"], source=row["source"], location="") for row in read]
