from __future__ import annotations

from collections.abc import Iterator

import pytest
from huggingface_hub import constants

from fanno_core.errors import RunStops, TryAgain
from fanno_core.export.push import MANIFEST, Pushed, push
from tests.export.hub import Hub, hub_here

FILES = {"train-00000-of-00001.parquet": b"PAR1" * 20, "README.md": b"---\npretty_name: bees\n---\n\n# bees\n"}
TOKEN = "hf_" + "secret" * 5


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with hub_here(Hub()) as here:
        yield here


def test_without_a_token_nothing_is_asked_of_the_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", "/nowhere/token")
    assert push(FILES, "me/bees", private=True, endpoint=hub.address) == Pushed("me/bees", private=True)
    assert hub.repositories == []
    assert hub.tokens == set()


@pytest.mark.parametrize("private", [True, False])
def test_with_a_token_every_file_is_uploaded_as_it_is(hub: Hub, private: bool) -> None:
    pushed = push(FILES, "me/bees", private=private, endpoint=hub.address)
    assert {name: data for name, data in hub.files.items() if name != MANIFEST} == FILES
    assert hub.tokens == {f"Bearer {TOKEN}"}
    (made,) = hub.repositories
    assert (made["organization"], made["name"], made["type"]) == ("me", "bees", "dataset")
    assert made.get("private", made.get("visibility")) in (private, "private" if private else "public")
    assert pushed == Pushed("me/bees", private, f"{hub.url}/commit/1")


def test_pieces_of_an_earlier_export_go_and_nothing_else_does(hub: Hub) -> None:
    stays = [MANIFEST, "notes.md", "data/train-00001-of-00002.parquet", "train.parquet", "README.md"]
    hub.earlier = dict.fromkeys([*stays, "train-00000-of-00002.parquet", "train-00001-of-00002.parquet"], b"")
    push(FILES, "me/bees", private=True, endpoint=hub.address)
    assert sorted(hub.deleted) == ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet"]


def test_what_no_export_wrote_is_written_over_only_on_demand(hub: Hub) -> None:
    hub.earlier = {"train-00000-of-00002.parquet": b"", ".gitattributes": b""}
    with pytest.raises(RunStops, match="no export wrote"):
        push(FILES, "me/bees", private=True, endpoint=hub.address)
    assert (hub.files, hub.deleted) == ({}, [])
    push(FILES, "me/bees", private=True, force=True, endpoint=hub.address)
    assert FILES.items() <= hub.files.items()


def test_a_public_repository_gets_no_rows_that_are_meant_to_be_private(hub: Hub) -> None:
    hub.public = True
    with pytest.raises(RunStops, match="me/bees is public"):
        push(FILES, "me/bees", private=True, endpoint=hub.address)
    assert hub.files == {}
    assert push(FILES, "me/bees", private=False, endpoint=hub.address).private is False


@pytest.mark.parametrize("name", ["me/be/es", "me/../bees", "", "me/bees.git", "a b"])
def test_a_name_that_is_none_is_refused(hub: Hub, name: str) -> None:
    with pytest.raises(RunStops, match="owner/name"):
        push(FILES, name, private=True, endpoint=hub.address)
    assert hub.repositories == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_hub_that_refuses_is_named_without_the_token(hub: Hub, status: int) -> None:
    hub.status = status
    with pytest.raises(RunStops, match=f"refused me/bees .status {status}.") as refused:
        push(FILES, "me/bees", private=True, endpoint=hub.address)
    assert TOKEN not in str(refused.value)
    assert hub.files == {}


@pytest.mark.usefixtures("hub")
def test_a_hub_that_is_not_there_may_be_tried_again() -> None:
    with pytest.raises(TryAgain, match="cannot be reached"):
        push(FILES, "me/bees", private=True, endpoint="http://127.0.0.1:9")


def test_offline_is_said(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(TryAgain, match="HF_HUB_OFFLINE"):
        push(FILES, "me/bees", private=True, endpoint=hub.address)
