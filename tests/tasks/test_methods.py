"""The phases of methods and selectors: what does them anew, and how lots are dealt."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from fanno_core.errors import BadSettings, TryAgain
from fanno_core.instructions.within import within_budget
from fanno_core.methods.table import TRANSFORMS
from fanno_core.outcome import Outcome
from fanno_core.settings import Settings, make_settings
from fanno_core.store.contracts import Example
from fanno_core.teachers.protocol import Request, Sampling, ask
from tasks.methods import changing, open_method, writing
from tasks.phase import Job, Phase, Step, make_job, perform
from tasks.select import choosing, chosen_by, scoring

BASE: dict[str, Any] = {"method": {"name": "alpaca"}, "select": {"by": ["length", "judge"]}}


def key(step: Step, settings: Settings, out: Path) -> str:
    # A phase is made for one method; the options of the settings have to be its own.
    name = step.phase.name
    if name in TRANSFORMS and settings.method.name != name:
        settings = settings.model_copy(
            update={"method": settings.method.model_copy(update={"name": name, "options": {}})}
        )
    return make_job(step.phase, str(out), settings, {}).key


def settings(**changed: dict[str, Any]) -> Settings:
    return make_settings({name: {**BASE.get(name, {}), **changed.get(name, {})} for name in {*BASE, *changed}})


@pytest.mark.parametrize(
    ("changed", "anew"),
    [
        ({"method": {"options": {"temperature": 0.5}}}, {"alpaca"}),
        ({"run": {"seed": 7}}, {"alpaca", "mosaic", "length-score", "length-select", "judge-score"}),
        ({"select": {"options": {"judge": {"dimension": "helpfulness"}}}}, {"judge-score"}),
        ({"select": {"keep": ["10%"]}}, set()),
        ({"method": {"rows": 5}}, set()),
    ],
    ids=["method options", "seed", "selector options", "keep", "rows"],
)
def test_what_does_a_phase_anew(tmp_path: Path, changed: dict[str, Any], anew: set[str]) -> None:
    steps = (writing("alpaca"), changing("mosaic"), scoring("length"), choosing("length"), scoring("judge"))
    before, after = settings(), settings(**changed)
    assert {step.phase.name for step in steps if key(step, before, tmp_path) != key(step, after, tmp_path)} == anew


def test_each_selector_has_what_it_keeps_or_its_own_default() -> None:
    found = chosen_by(settings(select={"keep": [">=3"]}))
    assert [how.name for how, _ in found] == ["length", "judge"]
    assert str(found[0][1]) == ">=3"
    assert str(found[1][1]) == ">=4.5"


def test_a_smallest_score_is_refused_where_there_are_no_scores() -> None:
    with pytest.raises(BadSettings, match="diverse chooses by no score"):
        chosen_by(make_settings({"select": {"by": ["diverse"], "keep": [">=1"]}}))


@pytest.mark.parametrize(
    ("select", "says"),
    [
        ({"by": ["length", "length"]}, "twice"),
        ({"by": ["length"], "keep": ["1", "2"]}, "2 values for 1 selectors"),
        ({"by": ["length"], "options": {"ifd": {"model": "x"}}}, "options are for ifd"),
    ],
)
def test_selections_that_contradict_themselves_are_refused(select: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSettings, match=says):
        make_settings({"select": select})


def test_what_a_method_needs() -> None:
    needs = {
        name: open_method(make_settings({"method": {"name": name}}))
        for name in ("alpaca", "oss-instruct", "mosaic", "")
    }
    assert [name for name, found in needs.items() if found.generates] == ["alpaca", "oss-instruct"]
    assert [name for name, found in needs.items() if found.reads_documents] == ["oss-instruct"]
    assert [name for name, found in needs.items() if found.begins_with_rows] == ["alpaca", "mosaic", ""]


def test_a_model_that_was_trained_anew_scores_anew_and_one_that_was_moved_does_not(tmp_path: Path) -> None:
    def by(folder: Path) -> str:
        chosen = make_settings({"select": {"by": ["ifd"], "options": {"ifd": {"model": str(folder)}}}})
        return key(scoring("ifd"), chosen, tmp_path)

    student, elsewhere = tmp_path / "student", tmp_path / "elsewhere"
    student.mkdir()
    (student / "model.safetensors").write_bytes(b"first")
    shutil.copytree(student, elsewhere)
    before = by(student)
    assert by(elsewhere) == before
    (student / "model.safetensors").write_bytes(b"second, and longer")
    assert by(student) != before


def test_options_count_with_their_defaults(tmp_path: Path) -> None:
    default = changing("mosaic").phase.options(make_settings({"method": {"name": "mosaic"}}))
    spelled = settings(method={"name": "mosaic", "options": {"epochs": default["epochs"]}})
    plain = settings(method={"name": "mosaic"})
    assert key(changing("mosaic"), spelled, tmp_path) == key(changing("mosaic"), plain, tmp_path)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"select": {"by": ["ifd"]}}, "ifd needs a model"),
        ({"select": {"by": ["pre-experience"]}}, "pre-experience needs a model"),
        ({"select": {"by": ["superfilter-d"], "keep": [" >=0.5"]}}, "superfilter-d chooses by no score"),
        ({"select": {"by": ["diverse"], "keep": [" >=2"]}}, "diverse chooses by no score"),
    ],
)
def test_what_would_fail_after_the_scoring_is_refused_before_it(values: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSettings, match=says):
        chosen_by(make_settings(values))


def test_a_method_without_what_it_needs_is_refused_before_any_work() -> None:
    with pytest.raises(BadSettings, match="selective-reflect"):
        open_method(make_settings({"method": {"name": "selective-reflect"}}))


def test_a_budget_without_room_for_a_seed_is_refused() -> None:
    with pytest.raises(BadSettings, match=r"method\.budget=3.*set 10 or more"):
        within_budget(make_settings({"method": {"budget": 3}}))


async def test_what_each_attempt_asks_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    phase = Phase("asking", 1, Example, (), asks_teacher=True)
    job = make_job(phase, str(tmp_path), Settings(), {})
    question = Request("row", "response_direct", "Name a fish.", Sampling(20), {"instruction": "Name a fish."})
    attempts = 0

    async def work(job: Job) -> Outcome[Example]:
        nonlocal attempts
        attempts += 1
        await ask(job.teacher, [question])
        if attempts == 1:
            raise TryAgain("busy")
        return Outcome([], [], 0)

    with pytest.raises(TryAgain):
        await perform(phase, work, job)
    finished = await perform(phase, work, job)  # Prefect hands the same job to each attempt
    assert finished.entry.usage.questions == 1
