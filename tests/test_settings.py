from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from fanno_core.errors import BadSettings
from fanno_core.settings import Run, Settings, bytes_of, load_settings, make_settings


def test_file_and_assignments_come_together(tmp_path: Path) -> None:
    file = tmp_path / "fanno.toml"
    file.write_text('[seeds]\ndocuments = 7\n[screen]\nlanguages = ["de", "en"]\n')
    settings = load_settings(file, ["seeds.documents=9", "teacher.name=extractive", "responses.mode=rag+"])
    assert settings.seeds.documents == 9
    assert settings.screen.languages == ("de", "en")
    assert settings.responses.mode == "rag+"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"seed": {}}, "no setting seed"),
        ({"seeds": {"docs": 1}}, "no setting seeds.docs"),
        ({"seeds": {"documents": 0}}, "seeds.documents"),
        ({"seeds": {"documents": "many"}}, "seeds.documents"),
        ({"screen": {"personal_data": "keep"}}, "screen.personal_data"),
        ({"publish": {"name": "../up"}}, "publish.name"),
        ({"seeds": 3}, "seeds"),
        ({"run": {"seed": 2**40}}, "run.seed"),
        ({"screen": {"min_words": 30, "max_words": 20}}, "min_words 30 is above max_words 20"),
    ],
)
def test_what_is_refused_is_named(values: dict[str, object], told: str) -> None:
    with pytest.raises(BadSettings, match=told):
        make_settings(values)


def test_a_string_of_digits_needs_no_quotes() -> None:
    assert load_settings(None, ["publish.name=2024", "teacher.revision=1234567"]).teacher.revision == "1234567"


@pytest.mark.parametrize("content", ["[seeds", "seeds.documents = 1\nseeds.documents = 2", "\xff"])
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "broken.toml"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(BadSettings, match=r"broken\.toml"):
        load_settings(file)


@pytest.mark.parametrize("assignment", ["seeds", "seeds=1", "seeds.documents", "=1", ".a=1"])
def test_a_broken_assignment_is_quoted(assignment: str) -> None:
    with pytest.raises(BadSettings, match="--set"):
        load_settings(None, [assignment])


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().run.seed = 1  # type: ignore[misc]


def test_what_cannot_change_bytes_is_in_no_fingerprint() -> None:
    names = ("run", "seeds.documents")
    assert bytes_of(Settings(), names) == {"run.seed": 42, "seeds.documents": 10}
    assert bytes_of(Settings(run=Run(concurrency=9, shard_rows=7)), names) == bytes_of(Settings(), names)


def test_every_setting_has_a_meaning() -> None:
    for section in Settings.model_fields:
        for name, field in type(getattr(Settings(), section)).model_fields.items():
            assert field.description, f"{section}.{name}"


@pytest.mark.parametrize("endpoint", ["http://user:secret@h/v1", "http://h/v1?key=secret", "http://h/v1#secret"])
def test_an_address_with_a_secret_is_refused_without_repeating_it(endpoint: str) -> None:
    with pytest.raises(BadSettings, match=r"teacher\.endpoints") as caught:
        make_settings({"teacher": {"endpoints": [endpoint]}})
    assert "secret" not in str(caught.value)
