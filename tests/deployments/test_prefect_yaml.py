from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.server import ensure_server
from fanno_core.settings import Settings
from tests.conftest import Fanno, record_of
from tests.corpus import write_corpus
from tests.deployments.deploying import FILE, deploy_changed, prefect
from tests.deployments.workers import Worker, start_worker
from tests.processes import wait_until

SMALL = {"seeds": {"documents": 3, "per_document": 8}, "augment": {"iterate": False}}
LIMITS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def api(fanno: Fanno) -> str:  # noqa: ARG001 - it sets the environment
    """Address of the server to which everything is deployed, with the commands that the documentation shows."""
    url = ensure_server().url
    for pool in ("gpu", "cpu"):
        prefect(url, "work-pool", "create", pool, "--type", "process")
    prefect(url, "--no-prompt", "deploy", "--all", "--prefect-file", str(FILE))
    return url


@pytest.fixture(scope="module")
def worker(fanno: Fanno, api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A worker of pool cpu, without a model."""
    started = start_worker(fanno, tmp_path_factory.mktemp("cpu"), "--pool", "cpu", PREFECT_API_URL=api)
    yield started
    started.clean()


def deployment(url: str, name: str, flow: str = "fanno") -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{url}/deployments/name/{flow}/{name}").raise_for_status().json()
    return found


@pytest.mark.parametrize(("name", "pool", "teacher"), [("full", "gpu", "openai"), ("demo", "cpu", "extractive")])
def test_a_deployment_runs_one_at_a_time_in_its_pool(api: str, name: str, pool: str, teacher: str) -> None:
    deployed = deployment(api, name)
    assert deployed["work_pool_name"] == pool
    assert deployed["global_concurrency_limit"]["limit"] == 1
    assert deployed["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    assert deployed["tags"] == ["fanno", pool]
    assert deployed["description"]
    settings = Settings.model_validate(deployed["parameters"]["settings"])
    assert settings.teacher.name == teacher


@pytest.mark.parametrize("flow", ["fanno", "fanno-method", "fanno-compare"])
def test_every_parameter_shows_in_the_form_with_its_meaning_and_limits(api: str, flow: str) -> None:
    schema = deployment(api, "full", flow)["parameter_openapi_schema"]
    for name, parameter in schema["properties"].items():
        assert parameter.get("description"), f"parameter {name} has no description"
    numbers = 0
    for section, shown in schema["definitions"].items():
        assert shown["additionalProperties"] is False
        for name, field in shown["properties"].items() if section != "Settings" else ():
            assert field.get("description"), f"{section}.{name} has no description"
            if field.get("type") in ("integer", "number"):
                numbers += 1
                assert LIMITS & set(field), f"{section}.{name} has no limit"
    assert numbers > 30


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"settings": {"seeds": {"documents": 0}}}, "documents"),
        ({"settings": {"seeds": {"document": 1}}}, "document"),
        ({"settings": {"teacher": {"name": "oracle"}}}, "oracle"),
        ({"corpus": "no list"}, "no list"),
    ],
)
def test_values_that_do_not_fit_are_refused_before_a_run_exists(api: str, parameters: Any, named: str) -> None:
    body = {"parameters": parameters}
    refused = httpx.post(f"{api}/deployments/{deployment(api, 'demo')['id']}/create_flow_run", json=body)
    assert refused.status_code == 409
    assert named in refused.text


def test_the_demo_runs_in_its_pool_below_the_folder_of_the_worker(api: str, worker: Worker, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", 40)
    words = ["--param", f"corpus={json.dumps([str(corpus)])}", "--param", f"settings={json.dumps(SMALL)}"]
    told = prefect(api, "deployment", "run", "fanno/demo", "--watch", *words)
    assert "Flow run finished successfully in 'Completed'" in told
    assert record_of(Path(worker.mark) / "fanno-demo")["dataset"]["rows"] > 0


@pytest.mark.parametrize(
    ("flow", "named", "made"),
    [
        ("fanno-method", {"settings": {"method": {"name": "backtranslation"}}}, ["fanno-method"]),
        (
            "fanno-compare",
            {"methods": ["fanno", "backtranslation"]},
            ["fanno-compare/fanno", "fanno-compare/backtranslation"],
        ),
    ],
)
def test_other_methods_run_from_their_deployments(
    api: str, worker: Worker, tmp_path: Path, flow: str, named: Any, made: list[str]
) -> None:
    corpus = write_corpus(tmp_path / "corpus", 40)
    small = SMALL | {"teacher": {"name": "extractive"}} | named.get("settings", {})
    parameters = {"out": flow, "corpus": [str(corpus)], **named, "settings": small}
    entrypoint = {"fanno-method": "flows.methods.fanno_method", "fanno-compare": "flows.comparison.fanno_compare"}[flow]
    changed = {"name": "small", "work_pool": {"name": "cpu"}, "parameters": parameters}
    deploy_changed(api, tmp_path, entrypoint, changed)
    told = prefect(api, "deployment", "run", f"{flow}/small", "--watch")
    assert "Flow run finished successfully in 'Completed'" in told
    for out in made:
        assert record_of(Path(worker.mark) / out)["dataset"]["rows"] > 0


def test_a_run_is_told_to_end_before_its_worker_and_ends_as_crashed(api: str, worker: Worker) -> None:
    told = prefect(api, "deployment", "run", "fanno/demo", "--param", 'out="interrupted"')
    address = f"{api}/flow_runs/{told.partition('UUID: ')[2].split()[0]}"
    wait_until(lambda: (Path(worker.mark) / "interrupted" / "work" / "lock").exists(), 60)
    assert httpx.get(address).json()["state_type"] == "RUNNING"
    assert worker.end(signal.SIGTERM) == 0
    assert httpx.get(address).json()["state_type"] == "CRASHED"
