from __future__ import annotations

from pathlib import Path

import pytest

from fanno_core.errors import RunStops
from fanno_core.teachers.pool import Pool, read_pool, write_pool

POOL = Pool("gpu", "tiny", "tiny-served", "0123456789ab", "/models/tiny", 4096, ("http://127.0.0.1:8101/v1",))


def test_a_pool_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_pool(tmp_path / "gpu.json", POOL)
    assert read_pool(tmp_path / "gpu.json") == POOL


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "gpu"}', '{"name": 1, "endpoints": 2}'])
def test_what_is_no_pool_is_refused_with_the_name_of_the_file(tmp_path: Path, content: str) -> None:
    file = tmp_path / "gpu.json"
    file.write_text(content)
    with pytest.raises(RunStops, match=r"gpu\.json is no pool"):
        read_pool(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunStops, match=r"gpu\.json: No such file"):
        read_pool(tmp_path / "gpu.json")
