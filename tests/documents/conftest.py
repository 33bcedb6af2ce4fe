"""What several tests of this room share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fanno_core.documents.ingest import ingest
from fanno_core.documents.sources import find_sources
from fanno_core.outcome import Outcome
from fanno_core.settings import Ingest
from fanno_core.store.contracts import Document

Read = Callable[..., Outcome[Document]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes one file and ingests it."""

    def write_and_ingest(name: str, content: str | bytes, **settings: object) -> Outcome[Document]:
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return ingest(find_sources([str(file)]), Ingest(**settings))

    return write_and_ingest
