"""Which phases run again when a setting is changed: for each setting, those whose fingerprint it is in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fanno_core.settings import Settings, make_settings
from tasks.phase import Phase, make_job
from tests.stub_openai import StubOpenAI
from tests.tasks.test_phase import PHASES

ASKING = {phase.name for phase in PHASES if phase.asks_teacher}
ENCODING = {phase.name for phase in PHASES if phase.encodes}
# Personal data is masked in what these reject, too.
REJECTING = {"ingest", "rules", "duplicates"}
RULES, JUDGED, BANDIT = {"rules"}, {"seeds", "augment"}, {"novelty", "augment"}
VERDICTS, COMMUNITIES, QUEUE, SEEDS, AUGMENT, RESPONSES, DECONTAMINATE, PUBLISH = (
    {name} for name in ("verdicts", "communities", "queue", "seeds", "augment", "responses", "decontaminate", "publish")
)
NONE: set[str] = set()

# Setting: another value, and the phases that it changes. Where a change acts through a phase's rows only, as that of
# a threshold does on what comes after it, the later phases run again just where their input's bytes are others.
CHANGES: dict[str, tuple[Any, set[str]]] = {
    "ingest.text_field": ("body", {"ingest"}),
    "ingest.segment_chars": (3000, {"ingest"}),
    "ingest.segment_min_chars": (100, {"ingest"}),
    "screen.min_words": (31, RULES),
    "screen.max_words": (1999, RULES),
    "screen.languages": (["de"], RULES | PUBLISH),
    "screen.max_repetition": (0.2, RULES),
    "screen.max_boilerplate": (0.4, RULES),
    "screen.min_letters": (0.5, RULES),
    "screen.near_duplicate": (0.7, {"duplicates"}),
    "screen.personal_data": ("reject", {"privacy"} | REJECTING),
    "screen.require_licence": (True, RULES),
    "screen.licences": (["CC-BY"], RULES),
    "screen.min_quality": (0.6, VERDICTS),
    "screen.max_advertisement": (0.6, VERDICTS),
    "screen.max_privacy": (0.6, VERDICTS),
    "screen.prefer": ("shorter", COMMUNITIES),
    "encoder.max_tokens": (128, ENCODING),
    "encoder.runtime": ("torch", ENCODING),
    "communities.partition": ("fast", COMMUNITIES),
    "communities.threshold": (0.6, COMMUNITIES),
    "communities.neighbours": (8, COMMUNITIES),
    "communities.quality": ("rb", COMMUNITIES),
    "communities.resolution": (0.2, COMMUNITIES),
    "communities.min_size": (2, COMMUNITIES),
    "communities.per_community": (2, COMMUNITIES),
    "communities.topic_threshold": (0.5, COMMUNITIES),
    "communities.topic_resolution": (2.0, COMMUNITIES),
    "communities.exact_below": (10, COMMUNITIES | RESPONSES),
    "seeds.documents": (11, QUEUE),
    "seeds.per_document": (24, QUEUE | SEEDS),
    "seeds.max_tokens": (100, SEEDS),
    "seeds.temperature": (0.5, SEEDS),
    "seeds.top_p": (0.5, SEEDS),
    "filters.hard": ("none", JUDGED),
    "filters.max_private": (0.4, JUDGED),
    "filters.max_unsafe": (0.4, JUDGED),
    "filters.min_answerable": (0.4, JUDGED),
    "filters.judge": (False, JUDGED),
    "filters.novelty": (0.8, BANDIT),
    "augment.iterate": (False, NONE),  # decides which windows there are
    "augment.selection": ("random", BANDIT),
    "augment.bandit": ("published", BANDIT),
    "augment.ifd_model": ("model", NONE),  # counts where the bandit learns from it
    "augment.weight": (0.1, AUGMENT),
    "augment.top_share": (0.1, AUGMENT),
    "augment.shots": (2, AUGMENT),
    "augment.shot_words": (50, AUGMENT),
    "augment.window": (100, QUEUE),
    "augment.limit": (500, NONE),  # decides which windows there are
    "augment.max_tokens": (100, BANDIT),
    "augment.temperature": (0.5, BANDIT),
    "augment.top_p": (0.5, BANDIT),
    "responses.mode": ("direct", NONE),  # is named in the job
    "responses.retrieve": (2, RESPONSES),
    "responses.min_score": (0.2, RESPONSES),
    "responses.own_document": (True, RESPONSES),
    "responses.max_tokens": (100, RESPONSES),
    "responses.temperature": (0.5, RESPONSES),
    "responses.top_p": (0.5, RESPONSES),
    "responses.max_repetition": (0.4, RESPONSES),
    "responses.max_copy": (0.7, RESPONSES),
    "decontaminate.files": (["benchmark.txt"], NONE),  # their digests are named in the job
    "decontaminate.field": ("question", DECONTAMINATE),
    "decontaminate.ngram": (8, DECONTAMINATE),
    "decontaminate.similarity": (0.8, DECONTAMINATE),
    "teacher.name": ("extractive", ASKING),
    "teacher.model": ("other", ASKING),
    "teacher.revision": ("r2", ASKING),
    "teacher.context_tokens": (512, ASKING),
    "teacher.min_choice_mass": (0.2, ASKING),
    "teacher.batch": (4, NONE),
    "teacher.api_key": ("OTHER_KEY", NONE),
    "teacher.in_flight": (8, NONE),
    "teacher.timeout_s": (60, NONE),
    "teacher.memory_share": (0.5, NONE),
    "teacher.licence": ("Apache-2.0", NONE),  # is named in the job of publishing
    "teacher.open_only": (True, NONE),
    "publish.name": ("other", PUBLISH),
    "publish.system": ("Be brief.", PUBLISH),
    "publish.shard_rows": (100, PUBLISH),
    "report.make": (False, NONE),
    "report.map_rows": (2000, NONE),  # of the data set, the report changes nothing
    "report.rouge_rows": (500, NONE),
    "report.explained_rows": (0, NONE),
    "report.ifd_model": ("other", NONE),
    "report.ui_rows": (0, NONE),
    "method.name": ("alpaca", NONE),
    "method.options": ({"prompts": 3}, NONE),
    "method.given": (["rows.json"], NONE),
    "method.rows": (20, NONE),
    "method.lot": (20, NONE),
    "method.budget": (100, NONE),
    "select.by": (["length"], NONE),
    "refresh.keep_versions": (3, NONE),  # what a refresh does stands in its versions
    "refresh.max_drift": (0.5, NONE),
    "refresh.max_withdrawn_context": (0.5, NONE),
    "refresh.strict": (True, NONE),
    "refresh.max_calls": (100, NONE),
    "refresh.max_tokens": (100, NONE),
    "refresh.max_seconds": (100.0, NONE),
    "refresh.min_rows": (10, NONE),
    "refresh.min_acceptance": (0.5, NONE),
    "refresh.max_near_duplicates": (0.5, NONE),
    "refresh.min_diversity": (0.5, NONE),
    "refresh.max_shrink": (0.1, NONE),
    "refresh.report": ("always", NONE),
    "run.seed": (43, COMMUNITIES | SEEDS | BANDIT | RESPONSES | PUBLISH),
    "run.shard_rows": (64, NONE),
    "run.concurrency": (4, NONE),
    "run.runner": ("dask", NONE),
    "run.cluster": ("tcp://here:1", NONE),
    "run.journal": ("answers.sqlite", NONE),
}
# What `select` changes stands in tests/tasks/test_methods.py. The others act through the identity of a teacher or an
# encoder that has to be loaded for it: tests/teachers and tests/communities show that it changes with them.
# `teacher.endpoints` is another server here for every test.
ELSEWHERE = {
    "select.keep",
    "select.options",
    "encoder.model",
    "encoder.revision",
    "teacher.tokenizer",
    "teacher.dtype",
    "teacher.tensor_parallel",
    "teacher.endpoints",
}


def keys(settings: Settings, out: Path) -> dict[str, str]:
    """Fingerprint of each phase for work on the same input."""
    return {phase.name: key_of(phase, settings, out) for phase in PHASES}


def key_of(phase: Phase, settings: Settings, out: Path) -> str:
    return make_job(phase, str(out), settings, {}).key


def test_every_setting_is_in_the_table() -> None:
    every = {f"{section}.{key}" for section, group in Settings() for key in type(group).model_fields}
    assert set(CHANGES) | ELSEWHERE == every


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_setting_changes_these_fingerprints_and_no_others(tmp_path: Path, name: str) -> None:
    section, _, key = name.partition(".")
    value, changed = CHANGES[name]
    with StubOpenAI(models=("stub", "other")) as server:
        values = {"teacher": {"name": "openai", "endpoints": [server.url]}}
        before = keys(make_settings(values), tmp_path)
        after = keys(make_settings(values | {section: values.get(section, {}) | {key: value}}), tmp_path)
    assert {phase for phase in before if before[phase] != after[phase]} == changed
