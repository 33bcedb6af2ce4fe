"""The nightly deployment on a real server: its schedule, overlaps, missed nights and automations."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.server import ensure_server, stop_server
from tasks.nightly import later_night
from tests.conftest import Fanno
from tests.corpus import write_corpus
from tests.deployments.deploying import FILE, deploy_changed, prefect
from tests.deployments.workers import Worker, start_worker
from tests.processes import wait_until

DEPLOYMENTS = Path(__file__).parents[2] / "deployments"
ROOT = DEPLOYMENTS.parent
# Prefect's server as we start it, but for its patience: by default a run waits 30 s for another try at a slot.
HASTY = {
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": 2,
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": 1,
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": 1,
}
SMALL = {
    "report": {"make": False},
    "seeds": {"documents": 3, "per_document": 8},
    "augment": {"iterate": False},
    "screen": {"min_quality": 0.3},
}
# The scheduler looks every 5 s for deployments that have changed.
SCHEDULED_WITHIN_S = 20
LONGEST_S = 240.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def command(fanno: Fanno, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fanno]:  # noqa: ARG001 - environment
    """The command line with a server of this module's own."""
    state = tmp_path_factory.mktemp("nightly")
    (state / "prefect").mkdir()
    settings = "".join(f"{name} = {value}\n" for name, value in HASTY.items())
    (state / "prefect" / "profiles.toml").write_text(f'active = "hasty"\n\n[profiles.hasty]\n{settings}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FANNO_STATE", str(state))
        yield Fanno(state)
        stop_server()


@pytest.fixture(scope="module")
def api(command: Fanno) -> str:  # noqa: ARG001 - whose server it is
    """Its address. Everything is deployed, and the automations are there, by the commands that are documented."""
    url = ensure_server().url
    for pool in ("gpu", "cpu"):
        prefect(url, "work-pool", "create", pool, "--type", "process")
    prefect(url, "--no-prompt", "deploy", "--all", "--prefect-file", str(FILE))
    prefect(url, "automation", "create", "--from-file", str(DEPLOYMENTS / "automations.yaml"))
    return url


@pytest.fixture(scope="module")
def corpus_of_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("documents"), 40)


def ask(url: str, path: str, **body: Any) -> Any:
    return httpx.post(f"{url}/{path}", json=body).raise_for_status().json()


def deployed(url: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{url}/deployments/name/{name}").raise_for_status().json()
    return found


def runs_of(url: str, name: str) -> list[dict[str, Any]]:
    """The runs of a deployment, in the order of the times for which they were scheduled."""
    chosen = {"id": {"any_": [deployed(url, name)["id"]]}}
    found: list[dict[str, Any]] = ask(url, "flow_runs/filter", deployments=chosen, sort="EXPECTED_START_TIME_ASC")
    return found


def schedule_nights(url: str, folder: Path, name: str, corpus: Path, nights: int) -> None:
    """Deploys `fanno-refresh/nightly` under another name, in a pool of its own, with so many nights 3 s apart."""
    parameters = {"corpus": [str(corpus)], "out": "night", "settings": SMALL}
    changed = {"name": name, "work_pool": {"name": name}, "parameters": parameters, "schedules": []}
    prefect(url, "work-pool", "create", name, "--type", "process", "--overwrite")  # a worker may have made it
    deploy_changed(url, folder, "flows.refresh.fanno_refresh", changed)
    # By the API, since the command takes longer than the nights are apart.
    first = datetime.now(UTC) + timedelta(seconds=SCHEDULED_WITHIN_S)
    rule = f"DTSTART:{first:%Y%m%dT%H%M%SZ}\nRRULE:FREQ=SECONDLY;INTERVAL=3;COUNT={nights}"
    address = f"{url}/deployments/{deployed(url, f'fanno-refresh/{name}')['id']}/schedules"
    httpx.post(address, json=[{"schedule": {"rrule": rule, "timezone": "UTC"}}]).raise_for_status()
    wait_until(lambda: len(runs_of(url, f"fanno-refresh/{name}")) == nights, SCHEDULED_WITHIN_S)


@pytest.fixture
def worker_of(command: Fanno, api: str, tmp_path: Path) -> Iterator[Any]:
    """Starts a worker of a pool, without a model, that ends with the test."""
    started: list[Worker] = []

    def begin(pool: str) -> Worker:
        started.append(start_worker(command, tmp_path, "--pool", pool, PREFECT_API_URL=api))
        return started[-1]

    yield begin
    for worker in started:
        worker.clean()


def ended(runs: list[dict[str, Any]]) -> bool:
    return all(run["state_type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} for run in runs)


def names_of_states(url: str, run: dict[str, Any]) -> list[str]:
    states = httpx.get(f"{url}/flow_run_states/", params={"flow_run_id": run["id"]}).raise_for_status().json()
    return [state["name"] for state in states]


def events(url: str, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(url, "events/filter", filter={"event": {"name": [name]}})["events"]
    return found


def fired(url: str, automation: str) -> int:
    """How often an automation fired."""
    return sum(
        event["resource"]["prefect.resource.name"] == automation
        for event in events(url, "prefect.automation.triggered")
    )


def test_the_deployment_has_its_next_run_at_three(api: str) -> None:
    nightly = deployed(api, "fanno-refresh/nightly")
    assert nightly["global_concurrency_limit"]["limit"] == 1
    assert nightly["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    wait_until(lambda: bool(runs_of(api, "fanno-refresh/nightly")), SCHEDULED_WITHIN_S)
    following = runs_of(api, "fanno-refresh/nightly")[0]
    due = datetime.fromisoformat(following["expected_start_time"])
    assert (due.hour, due.minute, due.utcoffset()) == (3, 0, timedelta(0))
    assert timedelta(0) < due - datetime.now(UTC) <= timedelta(days=1)


def test_its_alias_is_the_same_and_comes_only_when_it_is_called(api: str) -> None:
    nightly, alias = deployed(api, "fanno-refresh/nightly"), deployed(api, "fanno/nightly")
    for name in ("parameters", "parameter_openapi_schema", "work_pool_name", "tags", "concurrency_options"):
        assert alias[name] == nightly[name]
    assert [schedule["schedule"]["cron"] for schedule in nightly["schedules"]] == ["0 3 * * *"]
    assert alias["schedules"] == []


def test_a_night_that_is_due_during_another_waits_for_it(
    api: str, worker_of: Any, tmp_path: Path, corpus_of_nights: Path
) -> None:
    worker_of("overlap").wait_for("Worker 'overlap on ")
    schedule_nights(api, tmp_path, "overlap", corpus_of_nights, nights=1)
    # Takes its slot at once, and with that many documents longer than the night is away.
    path = f"deployments/{deployed(api, 'fanno-refresh/overlap')['id']}/create_flow_run"
    ask(api, path, parameters={"corpus": ["installed-docs"], "out": "long"})
    wait_until(lambda: ended(runs_of(api, "fanno-refresh/overlap")), LONGEST_S)
    first, second = runs_of(api, "fanno-refresh/overlap")
    assert (first["state_name"], second["state_name"]) == ("Completed", "Completed")
    assert "AwaitingConcurrencySlot" in names_of_states(api, second)
    assert datetime.fromisoformat(second["start_time"]) >= datetime.fromisoformat(first["end_time"])


def test_missed_nights_are_caught_up_once(api: str, worker_of: Any, tmp_path: Path, corpus_of_nights: Path) -> None:
    schedule_nights(api, tmp_path, "missed", corpus_of_nights, nights=3)
    wait_until(lambda: all(run["state_name"] == "Late" for run in runs_of(api, "fanno-refresh/missed")), 60)
    worker_of("missed")
    wait_until(lambda: ended(runs_of(api, "fanno-refresh/missed")), LONGEST_S)
    nights = runs_of(api, "fanno-refresh/missed")
    assert [night["state_name"] for night in nights] == ["Skipped", "Skipped", "Completed"]
    last = datetime.fromisoformat(nights[-1]["expected_start_time"])
    assert nights[0]["state"]["message"].startswith(f"the night that was due at {last:%Y-%m-%d %H:%M:%S} UTC")
    assert [later_than(api, night["id"]) for night in nights] == [last, last, None]
    by_hand = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2026-01-01T00:00:00Z"}}}
    run = ask(api, f"deployments/{nights[0]['deployment_id']}/create_flow_run", **by_hand)
    assert later_than(api, run["id"]) is None, "what a person has started is never overtaken"


def later_than(url: str, run: str) -> datetime | None:
    """What that flow run would find out."""
    with pytest.MonkeyPatch.context() as patch, temporary_settings({PREFECT_API_URL: url}):
        patch.setenv("PREFECT__FLOW_RUN_ID", run)
        return asyncio.run(later_night())


def test_a_night_that_fails_reaches_its_automation_and_a_good_one_does_not(
    api: str, worker_of: Any, corpus_of_nights: Path
) -> None:
    worker_of("gpu").wait_for("Worker 'gpu on ")
    for corpus, out, code in (([str(corpus_of_nights)], "good", "Completed"), (["no-such-folder"], "bad", "Failed")):
        before = fired(api, "fanno-night-failed")
        values = {"corpus": corpus, "out": out, "settings": SMALL, "open_teachers_only": False}
        words = [word for name, value in values.items() for word in ("--param", f"{name}={json.dumps(value)}")]
        prefect(api, "deployment", "run", "fanno/nightly", *words)
        wait_until(lambda: ended(runs_of(api, "fanno/nightly")), LONGEST_S)
        assert runs_of(api, "fanno/nightly")[-1]["state_name"] == code
        if code == "Failed":
            wait_until(lambda before=before: fired(api, "fanno-night-failed") == before + 1, 30)  # type: ignore[misc]
    assert fired(api, "fanno-night-failed") == 1


class Hook(BaseHTTPRequestHandler):
    """Whoever is to be told: keeps what is sent."""

    told: list[dict[str, Any]] = []  # noqa: RUF012 - one list for all requests

    def do_POST(self) -> None:
        self.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def hook() -> Iterator[str]:
    """Address of a web server that takes notifications."""
    server = HTTPServer(("127.0.0.1", 0), Hook)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_a_version_that_is_held_back_reaches_its_automation_and_the_person(api: str, hook: str, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "nightly.md").read_text(encoding="utf-8")
    script = tmp_path / "notify.py"
    script.write_text(page.partition('title="notify.py"\n')[2].partition("```")[0], encoding="utf-8")
    python(api, str(script), hook)
    reason = "it has 3 rows, fewer than refresh.min_rows 5"
    python(api, "-c", f"from tasks.events import emit_held; emit_held(7, [{reason!r}], 'data')")
    wait_until(lambda: fired(api, "fanno-version-held") == 1, 30)
    [held] = events(api, "fanno.version.held")
    assert held["payload"] == {"version": 7, "reasons": [reason], "out": "data"}
    wait_until(lambda: bool(Hook.told), 30)
    assert reason in json.dumps(Hook.told)


def python(url: str, *words: str) -> None:
    """A script of a user of that server; it has to end well."""
    variables = {**os.environ, "PREFECT_API_URL": url, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *words], env=variables, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
