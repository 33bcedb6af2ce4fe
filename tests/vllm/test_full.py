"""`prefect deployment run fanno/full` on a pool of two real vLLM servers, with a model trained a moment ago."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from deployments.server import QUIET
from tests.conftest import record_of

ROOT = Path(__file__).parents[2]
POOL = "gpu"
SERVERS = 2
SETTINGS = {
    "teacher": {"name": "openai", "licence": "Apache-2.0"},
    "ingest": {"segment_min_chars": 1000},
    "screen": {"min_words": 60},
    "seeds": {"documents": 8, "max_tokens": 64},
    "augment": {"window": 60, "max_tokens": 64},
    "responses": {"max_tokens": 96},
    "run": {"shard_rows": 512},
}
COUNTERS = {
    "prompt_tokens": "vllm:prompt_tokens_total",
    "completion_tokens": "vllm:generation_tokens_total",
    "cached_tokens": "vllm:prefix_cache_hits_total",
    "calls": "vllm:request_success_total",
}


@dataclass(frozen=True)
class Stage:
    """A Prefect server with the deployments, and a worker whose pool serves the tiny Mistral."""

    state: Path
    environment: dict[str, str]
    corpus: Path

    @property
    def pool(self) -> dict[str, Any]:
        """What the worker tells of its servers."""
        told: dict[str, Any] = json.loads((self.state / "pools" / f"{POOL}.json").read_text(encoding="utf-8"))
        return told

    def call(self, *command: str, limit_s: float = 300) -> str:
        """Output of a Python module's command that has to end well."""
        done = subprocess.run(
            [sys.executable, "-m", *command],
            env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=limit_s, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    def start(self, out: Path, **seeds: int) -> subprocess.Popen[bytes]:
        """`prefect deployment run fanno/full --watch` for an output folder."""
        settings = SETTINGS | {"seeds": {**SETTINGS["seeds"], **seeds}}
        chosen = {"corpus": [str(self.corpus)], "out": str(out), "settings": settings}
        return subprocess.Popen(
            [sys.executable, "-m", "prefect", "deployment", "run", "fanno/full", "--watch",
             "--params", json.dumps(chosen)],
            env=self.environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, out: Path) -> dict[str, Any]:
        """The record of a run that has to end well."""
        assert self.start(out).wait(timeout=600) == 0, self.said_by_the_worker()
        return record_of(out)

    def counters(self) -> Counter[str]:
        """Sums of the servers' own counters."""
        total: Counter[str] = Counter()
        for endpoint in self.pool["endpoints"]:
            with urllib.request.urlopen(endpoint.removesuffix("/v1") + "/metrics", timeout=30) as page:  # noqa: S310 - ours
                text = page.read().decode()
            for name, metric in COUNTERS.items():
                values = re.findall(rf"^{metric}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
                total[name] += int(sum(map(float, values)))
        return total

    def said_by_the_worker(self) -> str:
        """The end of what the worker printed."""
        return (self.state / "worker.log").read_text(encoding="utf-8")[-6000:]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, tiny_mistral: Path) -> Iterator[Stage]:
    state = tmp_path_factory.mktemp("state")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    ours |= {**QUIET, "FANNO_STATE": str(state), "HF_HUB_OFFLINE": "1"}
    first = Stage(state, ours, real_documents(tmp_path_factory.mktemp("corpus")))
    url = re.findall(r"PREFECT_API_URL=(\S+)", first.call("deployments", "server", "start"))[0]
    stage = Stage(state, {**ours, "PREFECT_API_URL": url}, first.corpus)
    for name in (POOL, "cpu"):
        stage.call("prefect", "work-pool", "create", name, "--type", "process")
    stage.call("prefect", "--no-prompt", "deploy", "--all", "--prefect-file", "deployments/prefect.yaml")
    with (state / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "deployments", "worker", "--pool", POOL, "--model", str(tiny_mistral),
             "--servers", str(SERVERS), "--gpus", "none"],
            env=stage.environment, cwd=ROOT, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            wait_until(lambda: (state / "pools" / f"{POOL}.json").exists(), 300, worker, stage)
            yield stage
        finally:
            worker.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                worker.wait(timeout=60)
            worker.kill()
            stage.call("deployments", "server", "stop")


def wait_until(ready: Any, limit_s: float, worker: subprocess.Popen[bytes], stage: Stage) -> None:
    end = time.monotonic() + limit_s
    while not ready():
        assert worker.poll() is None, stage.said_by_the_worker()
        assert time.monotonic() < end, stage.said_by_the_worker()
        time.sleep(0.2)


def real_documents(folder: Path) -> Path:
    """The docstrings of the standard library's modules: real prose, on every machine, at least 200 segments of it."""
    from tests.corpus import write_corpus

    return write_corpus(folder, 1000)


@pytest.fixture(scope="module")
def before(stage: Stage) -> Counter[str]:
    return stage.counters()


@pytest.fixture(scope="module")
def out(stage: Stage, before: Counter[str], tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001 - order
    folder = tmp_path_factory.mktemp("full") / "out"
    stage.run(folder)
    return folder


@pytest.fixture(scope="module")
def record(out: Path) -> dict[str, Any]:
    return record_of(out)


def phase(record: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (phase for phase in record["phases"] if phase["name"] == name)
    return dict(found)


def rows_of(out: Path) -> pd.DataFrame:
    return pd.concat(pd.read_parquet(file) for file in sorted((out / "dataset").glob("train-*.parquet")))


def test_the_run_makes_a_data_set(out: Path, record: dict[str, Any]) -> None:
    rows = rows_of(out)
    print(f"\n{len(rows)} rows from {phase(record, 'ingest')['rows_kept']} segments")
    assert phase(record, "ingest")["rows_kept"] >= 200
    assert len(rows) == record["dataset"]["rows"] >= 100
    assert rows["id"].is_unique
    assert rows["instruction"].str.len().min() > 0
    assert rows["output"].str.len().min() > 0
    assert rows["teacher"].str.fullmatch(r"openai/.+@[0-9a-f]{12}#[0-9a-f]{8}").all()
    assert rows["response_sampling"].str.contains("max_tokens=96").all()
    assert (rows["iteration"] > 0).any(), "windows of Think Different brought rows too"


def test_the_funnel_accounts_for_every_candidate(record: dict[str, Any]) -> None:
    for told in record["phases"]:
        assert told["candidates"] == told["rows_kept"] + sum(told["rejected"].values()), told["name"]
    verdicts = phase(record, "verdicts")
    assert verdicts["rejected"].get("unreadable_verdict", 0) < 0.1 * verdicts["candidates"]


def test_tokens_are_those_that_the_servers_counted(stage: Stage, before: Counter[str], record: dict[str, Any]) -> None:
    counted = stage.counters() - before
    told = {name: sum(phase[name] for phase in record["phases"]) for name in COUNTERS if name != "calls"}
    print(f"\nservers: {dict(counted)}; run.json: {told}")
    assert told["prompt_tokens"] == counted["prompt_tokens"]
    assert told["completion_tokens"] == counted["completion_tokens"]
    assert told["cached_tokens"] == pytest.approx(counted["cached_tokens"], rel=0.01)
    assert sum(phase["teacher_calls"] for phase in record["phases"]) == counted["calls"]


def cached_share(used: dict[str, Any]) -> float:
    return float(used["cached_tokens"] / used["prompt_tokens"])


def test_the_prompts_of_a_seed_document_share_its_prefix(record: dict[str, Any]) -> None:
    seeds = phase(record, "seeds")
    for name, used in seeds["prompts"].items():
        print(f"\n{name}: {cached_share(used):.1%} of {used['prompt_tokens']:,} prompt tokens from the prefix cache")
    assert seeds["prompts"]["seed_instruction"]["calls"] == SETTINGS["seeds"]["documents"] * 96
    assert cached_share(seeds["prompts"]["seed_instruction"]) >= 0.85


def test_the_verdicts_on_a_document_share_its_prefix(record: dict[str, Any]) -> None:
    verdicts = phase(record, "verdicts")
    print(f"\nprompt tokens from the prefix cache, verdicts: {cached_share(verdicts):.1%}")
    assert cached_share(verdicts) >= 0.55


def test_a_second_run_asks_nothing(stage: Stage, out: Path, record: dict[str, Any]) -> None:
    calls = stage.counters()["calls"]
    again = stage.run(out)
    assert sum(phase["teacher_calls"] for phase in again["phases"]) == 0
    assert stage.counters()["calls"] == calls
    assert again["dataset"] == record["dataset"]


def test_a_server_that_dies_costs_retries_and_no_row(stage: Stage, tmp_path: Path) -> None:
    out = tmp_path / "out"
    victim = serving_pid(stage.pool["endpoints"][0])
    calls = stage.counters()["calls"]
    running = stage.start(out, documents=9)
    wait_for_calls(stage, calls + 300)
    os.kill(victim, signal.SIGKILL)
    assert running.wait(timeout=600) == 0, stage.said_by_the_worker()
    record = record_of(out)
    rows = rows_of(out)
    seeds = phase(record, "seeds")
    assert seeds["candidates"] == 9 * 96
    assert seeds["candidates"] == seeds["rows_kept"] + sum(seeds["rejected"].values())
    assert "request_refused" not in seeds["rejected"]
    assert rows["id"].is_unique
    assert len(rows) == record["dataset"]["rows"]
    end = time.monotonic() + 120
    while True:
        with suppress(OSError):
            if serving_pid(stage.pool["endpoints"][0]) != victim and stage.counters():
                break
        assert time.monotonic() < end, stage.said_by_the_worker()
        time.sleep(0.5)


def wait_for_calls(stage: Stage, most: int) -> None:
    end = time.monotonic() + 300
    while stage.counters()["calls"] < most:
        assert time.monotonic() < end
        time.sleep(0.1)


def serving_pid(endpoint: str) -> int:
    """The process that runs the server of an endpoint."""
    port = endpoint.split(":")[-1].split("/")[0]
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().split(b"\0") if folder.name.isdigit() else []
            if command[1:3] == [b"-m", b"vllm.entrypoints.openai.api_server"] and port.encode() in command:
                return int(folder.name)
    raise OSError(f"no server on port {port}")
