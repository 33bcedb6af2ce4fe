"""The cache of tasks: what Prefect is told, and when it is not believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fanno_core.errors import RunStops, ShardDamaged, TryAgain
from fanno_core.outcome import Outcome
from fanno_core.settings import Settings, make_settings
from fanno_core.store.contracts import Document
from fanno_core.store.ledger import FileRef, Store
from tasks import communities, decontaminate, ingest, instructions, publish, responses, screen
from tasks.phase import ByFingerprint, Finished, FinishedSerializer, Job, Phase, make_job, perform

PLAIN = Phase("plain", version=1, contract=Document, settings=("screen.min_words",))
PHASES = [
    ingest.PHASE,
    screen.RULES,
    screen.DUPLICATES,
    screen.PRIVACY,
    screen.VERDICTS,
    communities.ENCODE,
    communities.COMMUNITIES,
    communities.QUEUE,
    instructions.SEEDS,
    instructions.NOVELTY,
    instructions.AUGMENT,
    responses.phase_of("rag+"),
    decontaminate.PHASE,
    publish.PHASE,
]


def job(out: Path, settings: Settings | None = None) -> Job:
    inputs = {"documents": (FileRef("shard", 3, "digest"),)}
    return make_job(PLAIN, str(out), settings or Settings(), inputs, part={"n": 1})


async def one_row(_job: Job) -> Outcome[Document]:
    return Outcome([Document("a" * 16, "text", "here", "0")], [], 1)


def finished(out: Path) -> Finished:
    outcome = Outcome([Document("a" * 16, "text", "here", "0")], [], 1)
    entry = Store(out).commit("plain", "k", 3, outcome, {"000": list(outcome.kept)}, Document, {})
    return Finished(str(out), entry)


def test_results_are_small_json_without_rows(tmp_path: Path) -> None:
    done = finished(tmp_path)
    blob = FinishedSerializer().dumps(done)
    assert len(blob) < 500
    assert json.loads(blob) == {"out": str(tmp_path), "phase": "plain", "key": "k"}
    assert FinishedSerializer().loads(blob).entry == done.entry


@pytest.mark.parametrize("damage", ["removed", "changed", "not in the ledger"])
def test_a_cached_result_counts_only_while_its_shards_are_whole(tmp_path: Path, damage: str) -> None:
    done = finished(tmp_path)
    blob = FinishedSerializer().dumps(done)
    shard = tmp_path / done.entry.kept[0].path
    if damage == "removed":
        shard.unlink()
    elif damage == "not in the ledger":
        (tmp_path / "work" / "ledger" / "plain" / "k.json").unlink()
    else:
        shard.write_bytes(shard.read_bytes() + b"x")
    with pytest.raises(ShardDamaged, match="plain"):
        FinishedSerializer().loads(blob)


def test_the_cache_key_names_folder_phase_and_fingerprint(tmp_path: Path) -> None:
    def key(work: Job) -> str | None:
        return ByFingerprint().compute_key(None, {"job": work}, {})

    assert key(job(tmp_path)) == key(job(tmp_path / "sub" / ".."))
    assert key(job(tmp_path)) != key(job(tmp_path / "other"))
    changed = make_settings({"screen": {"min_words": 5}})
    assert key(job(tmp_path)) != key(job(tmp_path, changed))
    unrelated = make_settings({"screen": {"max_words": 500}, "run": {"concurrency": 7}})
    assert key(job(tmp_path)) == key(job(tmp_path, unrelated))


def test_the_tag_pool_is_part_of_the_fingerprint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = make_job(instructions.SEEDS, str(tmp_path), Settings(), {}).key
    monkeypatch.setattr(instructions, "tag_pool", lambda: ())
    assert make_job(instructions.SEEDS, str(tmp_path), Settings(), {}).key != before


@pytest.mark.parametrize(("mode", "again"), [("direct", False), ("document", False), ("rag", True), ("rag+", True)])
def test_settings_of_retrieval_matter_where_something_is_retrieved(tmp_path: Path, mode: str, again: bool) -> None:
    def key(settings: Settings) -> str:
        return make_job(responses.phase_of(mode), str(tmp_path), settings, {}).key

    changed = make_settings({"responses": {"retrieve": 9}})
    assert (key(Settings()) != key(changed)) is again


def test_a_window_that_brings_nothing_leaves_no_shard_to_answer() -> None:
    assert instructions.AUGMENT.shards([], Settings()) == {}


async def test_work_is_done_once(tmp_path: Path) -> None:
    first = await perform(PLAIN, one_row, job(tmp_path))
    again = await perform(PLAIN, one_row, job(tmp_path))
    assert (first.reused, again.reused) == (False, True)
    assert first.entry == again.entry


async def test_retries_are_for_passing_faults_alone() -> None:
    from prefect.states import exception_to_failed_state

    from tasks.phase import is_passing

    for error, again in ((TryAgain("busy"), True), (RunStops("no model"), False), (ValueError("bug"), False)):
        state = await exception_to_failed_state(error)
        assert await is_passing(None, None, state) is again  # type: ignore[arg-type]


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_phases_name_settings_that_exist(phase: Phase) -> None:
    for name in phase.settings:
        section, _, key = name.partition(".")
        assert section in Settings.model_fields
        assert not key or key in type(getattr(Settings(), section)).model_fields


def test_every_setting_that_changes_bytes_is_read_by_a_phase() -> None:
    """Settings that no fingerprint holds are those that act outside of phases."""
    acts_elsewhere = {
        "augment.ifd_model",  # by its content: tests/tasks/test_methods.py
        "augment.iterate",  # decides which windows are asked for
        "augment.limit",
        "decontaminate.files",  # what is in them is part of the job
        "responses.mode",  # is part of the job itself
        "method.name",  # names the phase
        "method.options",  # read by the phases of methods: tests/tasks/test_methods.py
        "method.given",  # what is in them is part of the job
        "method.rows",  # decide which lots are begun
        "method.lot",
        "method.budget",
        "select.by",  # names phases
        "select.keep",  # is part of the job itself
        "select.options",
    }
    read = {name for phase in PHASES for name in phase.settings}
    teacher_and_encoder = {"teacher", "encoder"}
    missing = {
        f"{section}.{key}"
        for section in Settings.model_fields
        for key, field in type(getattr(Settings(), section)).model_fields.items()
        if not {section, f"{section}.{key}"} & read
        and section not in teacher_and_encoder
        and not (isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("bytes") is False)
    }
    assert missing == acts_elsewhere
