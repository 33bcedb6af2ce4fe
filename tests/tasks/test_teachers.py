"""Where a run's teacher finds its servers and its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployments.server import prefect_api
from fanno_core.errors import RunStops
from fanno_core.settings import Settings, make_settings
from fanno_core.teachers.openai import keys
from fanno_core.teachers.pool import POOL_VARIABLE, Pool, write_pool
from tasks.teachers import teacher_of, with_servers
from tests.conftest import Fanno
from tests.stub_openai import StubOpenAI

POOL = Pool("gpu", "mistral", "m", "r1", "folder", 2048, ("http://127.0.0.1:8101/v1", "http://127.0.0.1:8102/v1"))


def openai(**teacher: object) -> Settings:
    return make_settings({"teacher": {"name": "openai", **teacher}})


def test_servers_are_those_of_the_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pool(tmp_path / "gpu.json", POOL)
    monkeypatch.setenv(POOL_VARIABLE, str(tmp_path / "gpu.json"))
    found = with_servers(openai()).teacher
    assert (found.endpoints, found.model, found.revision, found.tokenizer) == (POOL.endpoints, "m", "r1", "folder")
    assert with_servers(openai(endpoints=["http://127.0.0.1:9/v1"])).teacher.model == ""
    assert with_servers(Settings()) == Settings()


def test_without_a_pool_settings_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(POOL_VARIABLE, raising=False)
    assert with_servers(openai()) == openai()


def test_a_pool_file_that_is_none_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(POOL_VARIABLE, str(tmp_path / "absent.json"))
    with pytest.raises(RunStops, match=r"absent\.json"):
        with_servers(openai())


def test_a_key_comes_from_a_prefect_secret_block(fanno: Fanno) -> None:  # noqa: ARG001 - its server
    from prefect.blocks.system import Secret

    with prefect_api(), StubOpenAI() as server:
        settings = openai(endpoints=[server.url], api_key="prefect:teacher-key")
        with pytest.raises(RunStops, match="no Secret block teacher-key"):
            teacher_of(settings)
        Secret(value="sk-canary").save("teacher-key", _sync=True)
        assert str(teacher_of(settings).identity).startswith("openai/stub@")
    found = keys.find_key("prefect:teacher-key")
    assert found is not None
    assert found.get_secret_value() == "sk-canary"
    assert "canary" not in repr(found)
