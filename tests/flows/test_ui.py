"""What a person finds in Prefect's UI after a run, asked of a real server."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.server import ensure_server
from fanno_core.dataset.made import open_made
from fanno_core.dataset.publish import read_manifest
from fanno_core.lineage.sample import Sampled
from fanno_core.lineage.unquoted import quotes
from fanno_core.store.contracts import Document
from tasks.artifacts import as_text, rows_markdown
from tests.conftest import run_here
from tests.processes import wait_until


@pytest.fixture(scope="module")
def out(finished: Path, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run that ends with a report."""
    out = Path(shutil.copytree(finished, tmp_path_factory.mktemp("ui") / "out"))
    run_here([corpus], out, "report.make=true")
    return out


@pytest.fixture(scope="module")
def api(out: Path) -> str:  # noqa: ARG001 - it comes first
    return ensure_server().url


@pytest.fixture(scope="module")
def flow_run(api: str, out: Path) -> dict[str, Any]:
    runs = ask(api, "flow_runs/filter", {"sort": "START_TIME_DESC"})
    return next(run for run in runs if run["parameters"]["out"] == str(out))


@pytest.fixture(scope="module")
def artifacts(api: str, flow_run: dict[str, Any]) -> dict[str, Any]:
    """The run's artifacts by key."""
    found = ask(api, "artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [flow_run["id"]]}}})
    assert len({artifact["key"] for artifact in found}) == len(found), "two of one kind in a run"
    return {artifact["key"]: artifact for artifact in found}


def ask(api: str, path: str, body: dict[str, Any]) -> Any:
    return httpx.post(f"{api}/{path}", json=body).raise_for_status().json()


def test_the_run_is_called_after_its_corpus_and_its_folder(flow_run: dict[str, Any], corpus: Path, out: Path) -> None:
    assert flow_run["name"] == f"{corpus.name} to {out}"


def test_tasks_are_called_after_phase_and_part(api: str, flow_run: dict[str, Any]) -> None:
    runs = ask(api, "task_runs/filter", {"flow_runs": {"id": {"any_": [flow_run["id"]]}}})
    names = {run["name"] for run in runs}
    assert {"ingest, part 1 of 1", "duplicates", "augment, window 1", "publish"} <= names
    assert {"responses, seeds, part 1 of 4", "responses, window 1"} <= names
    rows = read_manifest(Path(flow_run["parameters"]["out"]))["rows"]
    assert f"report of {rows} rows" in names
    assert len(names) == len(runs), "two tasks of one name"


def test_the_arrows_of_the_graph_are_the_shards_that_tasks_read(api: str, flow_run: dict[str, Any]) -> None:
    runs = ask(api, "task_runs/filter", {"flow_runs": {"id": {"any_": [flow_run["id"]]}}})
    names = {run["id"]: run["name"] for run in runs}
    arrows = {
        run["name"]: {
            names[source["id"]].partition(",")[0] for sources in run["task_inputs"].values() for source in sources
        }
        for run in runs
    }
    assert arrows["ingest, part 1 of 1"] == set()
    assert arrows["rules, part 1 of 4"] == {"ingest"}
    assert arrows["duplicates"] == {"rules"}
    assert arrows["queue"] == {"communities"}
    assert arrows["novelty"] == {"seeds"}
    assert arrows["augment, window 2"] == {"queue", "novelty", "augment"}
    assert arrows["responses, window 1"] == {"augment", "verdicts", "encode"}
    assert arrows["publish"] == {"responses"}
    assert [arrows[name] for name in arrows if name.startswith("report of ")] == [{"publish"}]


def test_the_artifacts_are_progress_funnel_rows_figures_and_a_link(artifacts: dict[str, Any]) -> None:
    assert {key: artifact["type"] for key, artifact in artifacts.items()} == {
        "progress": "progress",
        "funnel": "table",
        "sample-rows": "markdown",
        "figures": "markdown",
        "report": "markdown",
    }
    assert all(artifact["description"] for artifact in artifacts.values())


def test_progress_ends_with_the_last_phase_whole(artifacts: dict[str, Any]) -> None:
    assert artifacts["progress"]["data"] == 100.0
    assert artifacts["progress"]["description"].startswith("publish: 1 of 1 tasks, ")


def test_the_link_leads_to_the_report(artifacts: dict[str, Any], out: Path) -> None:
    page = out / "report" / "index.html"
    assert page.is_file()
    assert artifacts["report"]["data"] == f"[{page}]({page.as_uri()})"


def test_figures_are_those_of_the_data_set(artifacts: dict[str, Any], out: Path) -> None:
    told = artifacts["figures"]["data"]
    manifest = read_manifest(out)
    assert f"| rows | {manifest['rows']:,} |" in told
    assert manifest["digest"][:16] in told
    assert "](data:image/png;base64," in told
    assert len(told) < 300_000


def test_rows_are_shown_without_what_documents_say(artifacts: dict[str, Any], out: Path) -> None:
    made = open_made(out)
    examples = {row.id: row for row in made.examples()}
    shown = [line.split(" | ") for line in artifacts["sample-rows"]["data"].splitlines()[2:]]
    assert len(shown) == 5
    documents = [document.text for document in made.kept("ingest", Document)]
    for name, *_, instruction in shown:
        row = examples[name.strip("| `")]
        assert as_text(row.instruction).replace("|", "\\|") in instruction
        assert not any(quotes(row.instruction, text) for text in documents)
        assert row.output not in artifacts["sample-rows"]["data"]


def test_the_data_set_is_an_asset_made_from_its_corpus(
    api: str, flow_run: dict[str, Any], corpus: Path, out: Path
) -> None:
    wanted = {
        "event": {"name": ["prefect.asset.materialization.succeeded"]},
        "resource": {"id": [f"file://{out}/dataset"]},
    }
    wait_until(lambda: ask(api, "events/filter", {"filter": wanted})["total"] > 0, 20)
    (made,) = ask(api, "events/filter", {"filter": wanted})["events"]
    manifest = read_manifest(out)
    assert made["payload"] == {"rows": manifest["rows"], "digest": manifest["digest"], "path": f"{out}/dataset"}
    related = {other["prefect.resource.id"]: other["prefect.resource.role"] for other in made["related"]}
    assert related[f"file://{corpus}"] == "asset"
    assert related[f"prefect.flow-run.{flow_run['id']}"] == "flow-run"


def test_a_row_that_writes_markdown_is_shown_as_it_stands() -> None:
    instruction = "See ![x](http://evil.example/p.png), [a](http://b.example), <script> and a\\|b."
    (line,) = rows_markdown(
        [Sampled("r1", kept=True, source="source", task_type="task", instruction=instruction)]
    ).splitlines()[2:]
    assert line.count(" | ") == 3
    assert "\\!\\[x\\](http" in line
    assert "<script>" not in line
    assert "a\\\\\\|b" in line
