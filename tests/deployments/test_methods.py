from __future__ import annotations

import json
from typing import get_args

from deployments.cli.methods import choices_of, every_kind
from fanno_core.settings import Settings, Teacher
from fanno_core.teachers.table import TEACHERS
from tasks.runners import RUNNERS
from tests.deployments.words import Here


def test_everything_that_can_be_chosen_has_a_name_and_a_line() -> None:
    for name, kind in every_kind().items():
        assert kind.choices, name
        for choice in kind.choices:
            assert choice.says, (name, choice.name)
            assert "\n" not in choice.says


def test_no_choice_of_a_setting_is_left_out() -> None:
    chosen_by = {kind.chosen_by for kind in every_kind().values()}
    numbers = {"teacher.dtype"}  # which say what they are
    for section, group in Settings():
        for key, field in type(group).model_fields.items():
            if get_args(field.annotation) and "Literal" in str(field.annotation) and f"{section}.{key}" not in numbers:
                assert f"--set {section}.{key}=..." in chosen_by


def test_the_tables_are_those_of_the_code(here: Here) -> None:
    told = json.loads(here("methods", "--json").out)
    assert {choice["name"] for choice in told["teachers"]["choices"]} == {*TEACHERS}
    assert {choice["name"] for choice in told["task runners"]["choices"]} == {*RUNNERS}


def test_the_built_in_corpus_says_what_it_is_for(here: Here) -> None:
    corpora = json.loads(here("methods", "--json").out)["corpora"]["choices"]
    (says,) = [choice["says"] for choice in corpora if choice["name"] == "installed-docs"]
    assert "to try FANNO without documents of your own" in says


def test_a_line_is_read_from_the_setting_it_belongs_to() -> None:
    lines = {choice.name: choice.says for choice in choices_of("teacher.name")}
    assert [*lines] == [*get_args(Teacher.model_fields["name"].annotation)]
    assert lines["extractive"] == "no weights, for previews"
