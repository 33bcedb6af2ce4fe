"""Keys of assets: URIs that Prefect takes, of whatever a folder is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from prefect.assets import Asset

from fanno_core.settings import Settings
from fanno_core.store.location import open_location
from tasks.assets import asset_key, corpus_assets, dataset_asset


def test_a_plain_place_is_its_own_key(tmp_path: Path) -> None:
    assert dataset_asset(open_location(str(tmp_path)), Settings()).key == f"file://{tmp_path}/dataset"
    assert dataset_asset(open_location("s3://bucket/notes"), Settings()).key == "s3://bucket/notes/dataset"
    assert [asset.key for asset in corpus_assets(["installed-docs", "/data/*.md"])] == [
        "fanno://installed-docs",
        "file:///data/*.md",
    ]


@pytest.mark.parametrize("odd", ["my notes", "100%", "a#b", "q?", "[x]", "it's", "line\nbreak", "x" * 600])
def test_any_other_place_has_a_key_that_prefect_takes_and_no_other_place_has(odd: str) -> None:
    key = asset_key(f"file:///data/{odd}")
    assert Asset(key=key).key == key
    assert key != asset_key(f"file:///data/{odd}_")
    assert asset_key("file:///a b") != asset_key("file:///a_b") != asset_key("file:///a#b")
