from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from fanno_core.errors import MissingExtra, RunStops
from fanno_core.store.ledger import Store
from fanno_core.store.location import open_location


def test_a_path_is_absolute_and_names_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert open_location("out") == tmp_path.resolve() / "out"
    assert open_location("~/out") == tmp_path / "home" / "out"
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert open_location("link/out") == tmp_path.resolve() / "real" / "out"
    assert open_location(str(open_location("out"))) == open_location("out")


@pytest.mark.parametrize("text", ["s3://bucket/runs/one", "s3://bucket/runs/one/", "S3://bucket//runs/one"])
def test_a_url_is_a_location_that_joins_like_a_path(text: str) -> None:
    pytest.importorskip("s3fs")
    out = open_location(text)
    assert str(out) == "s3://bucket/runs/one"
    assert str(out / "work" / "[a] b?.json") == "s3://bucket/runs/one/work/[a] b?.json"
    assert (out / "x").name == "x"
    assert open_location(str(out)) == out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("s3://key:hunter2@bucket/out", "give credentials as"),
        ("s3://bucket/out?secret=hunter2", "give credentials as"),
        ("s3://bucket/out#hunter2", "give credentials as"),
        ("gs://bucket/out", "only paths and s3://"),
        ("file:///tmp/out", "only paths and s3://"),
        ("s3:///out", "name a bucket and a folder"),
        ("s3://bucket/a/../b", "name a bucket and a folder"),
        ("s3://bucket", "name a bucket and a folder"),
    ],
)
def test_what_is_no_place_for_an_output_folder_is_refused_without_telling_a_secret(text: str, told: str) -> None:
    with pytest.raises(RunStops, match=told) as caught:
        open_location(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("package", ["s3fs", "upath"])
def test_a_missing_package_is_named_with_its_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=r"pip install -e '\.\[s3\]' in FANNO's clone$"):
        open_location("s3://bucket/out")


def test_a_store_travels_as_bytes(tmp_path: Path) -> None:
    pytest.importorskip("s3fs")
    for store in (Store(tmp_path), Store(open_location("s3://bucket/out"))):
        assert pickle.loads(pickle.dumps(store)) == store  # noqa: S301 - our own bytes
        assert len(pickle.dumps(store)) < 1000
