"""The phases of methods and selectors: what does them anew, and how lots are dealt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fanno_core.errors import BadSettings
from fanno_core.settings import Settings, make_settings
from tasks.methods import changing, open_method, writing
from tasks.phase import Step, make_job
from tasks.select import choosing, chosen_by, scoring

BASE: dict[str, Any] = {"method": {"name": "alpaca"}, "select": {"by": ["length", "judge"]}}


def key(step: Step, settings: Settings, out: Path) -> str:
    return make_job(step.phase, str(out), settings, {}).key


def settings(**changed: dict[str, Any]) -> Settings:
    return make_settings({name: {**BASE.get(name, {}), **changed.get(name, {})} for name in {*BASE, *changed}})


@pytest.mark.parametrize(
    ("changed", "anew"),
    [
        ({"method": {"options": {"temperature": 0.5}}}, {"alpaca", "mosaic"}),
        ({"run": {"seed": 7}}, {"alpaca", "mosaic", "length-score", "length-select", "judge-score"}),
        ({"select": {"options": {"judge": {"about": "helpfulness"}}}}, {"judge-score"}),
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
    with pytest.raises(BadSettings, match="diverse gives rows no score"):
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
