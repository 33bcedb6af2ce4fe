from __future__ import annotations

from pathlib import Path

import pytest

from fanno_core.documents.sources import find_sources
from fanno_core.errors import RunStops
from fanno_core.settings import Settings
from tasks.ingest import PHASE, ingest
from tasks.phase import Job, make_job


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "bees.txt"
    file.write_text("Bees dance to tell each other where flowers are. " * 20, encoding="utf-8")
    return file


def job(document: Path, out: Path) -> Job:
    sources = [
        {"path": s.path, "name": s.name, "format": s.format, "compression": s.compression, "digest": s.digest}
        for s in find_sources([str(document)])
    ]
    return make_job(PHASE, str(out), Settings(), {}).with_part({"sources": sources})


async def test_a_document_is_read_as_the_run_found_it(document: Path, tmp_path: Path) -> None:
    assert (await ingest.task.fn(job(document, tmp_path / "out"))).entry.rows_kept == 1


@pytest.mark.parametrize("change", [lambda file: file.unlink(), lambda file: file.write_text("Wasps.")])
async def test_one_that_is_not_here_or_changed_meanwhile_stops_the_run(
    document: Path, tmp_path: Path, change: object
) -> None:
    found = job(document, tmp_path / "out")
    change(document)  # type: ignore[operator]
    with pytest.raises(RunStops, match=r"bees\.txt: not here, or changed"):
        await ingest.task.fn(found)
