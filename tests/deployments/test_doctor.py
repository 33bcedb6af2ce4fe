from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deployments.doctor import machine, packages, services
from deployments.doctor.finding import Finding
from fanno_core.settings import Settings, load_settings
from tests.conftest import Fanno
from tests.deployments.words import Here
from tests.stub_openai import StubOpenAI


def asking(server: StubOpenAI, *assignments: str) -> Settings:
    endpoints = f'teacher.endpoints=["{server.url}"]'
    return load_settings(None, ["teacher.name=openai", endpoints, "teacher.api_key=NO_SUCH_KEY", *assignments])


def test_this_machine_can_run_the_demo(here: Here, tmp_path: Path) -> None:
    ended = here("doctor", "--quick", "--out", tmp_path / "not" / "there")
    assert ended.code == 0, ended.out
    assert ended.out.endswith("everything works that these settings need\n")
    assert [*tmp_path.iterdir()] == []


def test_what_these_settings_need_and_does_not_work_ends_with_1_and_what_to_do(here: Here, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = here("doctor", "--quick", "--json", "--out", tmp_path / "file" / "out")
    told = json.loads(ended.out)
    assert (ended.code, told["works"]) == (1, False)
    found = {finding["name"]: finding for finding in told["findings"]}
    assert found["out"]["says"] == f"{tmp_path / 'file'} is no folder"
    assert found["out"]["do"] == "name another --out"
    assert all(set(finding) == {"name", "state", "says", "do", "needed"} for finding in told["findings"])
    assert all(finding["do"] for finding in told["findings"] if finding["needed"] and finding["state"] != "works")


def test_bad_settings_are_one_sentence(here: Here) -> None:
    ended = here("doctor", "--set", "seeds.docs=1")
    assert (ended.code, ended.err) == (1, "error: there is no setting seeds.docs; `fanno settings` lists them all\n")


def declared(monkeypatch: pytest.MonkeyPatch, **extras: str) -> None:
    found = {extra: [Requirement(line)] for extra, line in extras.items()}
    monkeypatch.setattr(packages, "requirements", lambda: {"": [Requirement("pydantic>=2")], **found})


def findings(*assignments: str, out: str = "out") -> dict[str, Finding]:
    return {finding.name: finding for finding in packages.packages(load_settings(None, assignments), out)}


def test_an_extra_is_needed_by_the_settings_that_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, ray="no-such-package>=1", s3="no-such-package>=1")
    assert not any(finding.stops_a_run for finding in findings().values())
    ray = findings("run.runner=ray")["extra ray"]
    assert ray.stops_a_run
    assert (ray.state, ray.says) == ("absent", "no-such-package not installed")
    assert ray.do == "pip install -e '.[ray]' in FANNO's clone"
    assert findings(out="s3://bucket/out")["extra s3"].stops_a_run


def test_a_package_of_another_version_is_told_with_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, models="pytest>=999")
    models = findings()["extra models"]
    assert models.stops_a_run
    assert models.says == f"pytest {pytest.__version__} of another version than asked for"


def test_every_extra_that_is_declared_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import distribution

    monkeypatch.setattr(packages, "NOT_LISTED", set())
    extras = distribution("fanno").metadata.get_all("Provides-Extra")
    assert {f"extra {extra}" for extra in extras} <= {*findings()}


def test_two_faiss_wheels_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "FAISS", ("pytest", "pydantic"))
    faiss = findings()["faiss"]
    assert faiss.stops_a_run
    assert "overwrite each other's files" in faiss.says
    monkeypatch.setattr(packages, "FAISS", ("no-such-package",))
    assert findings()["faiss"].do.startswith("pip install -e '.[cpu]' in FANNO's clone")


def test_a_gpu_is_needed_by_vllm_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not machine.gpu(Settings()).stops_a_run
    assert machine.gpu(load_settings(None, ["teacher.name=vllm"])).stops_a_run


def test_a_gpu_that_pytorch_cannot_use_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H200, 143771 MiB, 570.1'\necho 'NVIDIA H200, 143771 MiB, 570.1'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = machine.gpu(Settings())
    assert found.says.startswith("2 x NVIDIA H200, 143771 MiB, 570.1; ")
    assert (found.state == "works") == ("PyTorch cannot use it" not in found.says)


def test_too_little_room_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "LEAST_FREE_BYTES", 2**60)
    assert machine.disk(str(tmp_path)).do == "free at least 1 GiB, or name another --out"
    assert machine.disk("ftp://host/folder").state == "broken"


def test_our_own_prefect_server_is_found_and_a_dead_one_that_is_configured_is_told(fanno: Fanno) -> None:
    fanno("server", "start")
    assert "our own server" in services.prefect_server().says
    ended = fanno("doctor", "--quick", "--json", PREFECT_API_URL="http://127.0.0.1:9/api")
    (found,) = [finding for finding in json.loads(ended.out)["findings"] if finding["name"] == "prefect"]
    assert ended.code == 1
    assert found["says"] == "PREFECT_API_URL http://127.0.0.1:9/api does not answer"
    assert "unset it" in found["do"]


def test_a_teacher_that_answers_a_question_works() -> None:
    with StubOpenAI() as server:
        found = services.teacher(asking(server))
        (seen,) = server.seen
    assert found.state == "works", found
    assert found.says.startswith("openai/stub@")
    assert next(value for key, value in seen.body.items() if key.startswith("max_")) == 1


@pytest.mark.parametrize(
    ("assignment", "said"), [("teacher.model=other", "serves stub, not other"), ("teacher.endpoints=[]", "is empty")]
)
def test_a_teacher_that_a_run_could_not_use_is_told_in_its_own_sentence(assignment: str, said: str) -> None:
    with StubOpenAI() as server:
        found = services.teacher(asking(server, assignment))
    assert found.stops_a_run
    assert said in found.says


def test_a_server_that_is_not_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "ANSWER_S", 1.0)
    gone = load_settings(None, ["teacher.name=openai", 'teacher.endpoints=["http://127.0.0.1:9/v1"]'])
    started = time.monotonic()
    found = services.teacher(gone)
    assert found.says.startswith("none of teacher.endpoints answers: http://127.0.0.1:9/v1")
    assert time.monotonic() - started < 10
    with StubOpenAI() as server:
        both = f'teacher.endpoints=["{server.url}", "http://127.0.0.1:9/v1"]'
        found = services.teacher(asking(server, both))
    assert found.says.startswith("teacher endpoints that do not answer: http://127.0.0.1:9/v1;")


@pytest.mark.slow  # imports PyTorch
def test_an_encoder_without_weights_is_told(tmp_path: Path) -> None:
    found = services.encoder(load_settings(None, [f"encoder.model={tmp_path}"]))
    assert found.stops_a_run
    assert "cannot be loaded" in found.says
