from __future__ import annotations

from pathlib import Path

import pytest

from fanno_core.errors import RunStops
from fanno_core.settings import MISTRAL, Teacher
from fanno_core.teachers.licences import declared_licence, require_open
from tests.conftest import Fanno, run_here

CARD = "---\nlanguage: en\nlicense: {}\n---\n# A model\n"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def model(folder: Path, card: str = "", config: str = "") -> Teacher:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("README.md", card), ("config.json", config)):
        if text:
            (folder / name).write_text(text, encoding="utf-8")
    return Teacher(name="transformers", model=str(folder))


def cached(hub: Path, model: str, card: str) -> None:
    """A card in the hub's cache, laid down as the hub's own client does."""
    repository = hub / f"models--{model.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("c0ffee")
    (repository / "snapshots" / "c0ffee").mkdir(parents=True)
    (repository / "snapshots" / "c0ffee" / "README.md").write_text(card)


@pytest.mark.parametrize(
    ("card", "config", "licence"),
    [
        (CARD.format("apache-2.0"), "", "Apache-2.0"),
        (CARD.format("MIT License"), "", "MIT"),
        ("", '{"license": "mit"}', "MIT"),
        (CARD.format("gemma"), '{"license": "mit"}', "Gemma"),
        (CARD.format("other\nlicense_name: acme-research"), "", "acme-research"),
        (CARD.format("other"), "", "other"),
        (CARD.format("[mit, apache-2.0]"), "", "mit AND apache-2.0"),
        ("# No front matter\nlicense: mit\n", "", ""),
        ("---\nlicense: [\n---\n", '{"license": "mit"}', "MIT"),
        ("---\n- a list\n---\n", "[]", ""),
        (CARD.format("{a: b}"), "{", ""),
        ("", "[" * 100_000, ""),
    ],
)
def test_the_licence_of_a_folder_is_what_its_card_or_configuration_says(
    tmp_path: Path, card: str, config: str, licence: str
) -> None:
    assert declared_licence(model(tmp_path / "model", card, config)) == licence


def test_the_setting_comes_first(tmp_path: Path) -> None:
    chosen = model(tmp_path / "model", CARD.format("gemma"))
    assert declared_licence(chosen.model_copy(update={"licence": "apache 2.0"})) == "Apache-2.0"


def test_a_model_of_the_hub_declares_what_its_card_in_the_cache_says(hub: Path) -> None:
    cached(hub, "acme/model", CARD.format("apache-2.0"))
    assert declared_licence(Teacher(name="transformers", model="acme/model")) == "Apache-2.0"
    assert declared_licence(Teacher(name="transformers", model="acme/other")) == ""


def test_a_server_is_taken_at_the_word_of_its_model_or_tokenizer(tmp_path: Path, hub: Path) -> None:  # noqa: ARG001
    folder = model(tmp_path / "tokenizer", CARD.format("mit")).model
    assert declared_licence(Teacher(name="openai", model="served-as")) == ""
    assert declared_licence(Teacher(name="openai", model="served-as", tokenizer=folder)) == "MIT"


@pytest.mark.parametrize(
    ("chosen", "licence"),
    [
        (Teacher(), "Apache-2.0"),
        (Teacher(name="vllm"), "Apache-2.0"),
        (Teacher(name="transformers", model=MISTRAL), "Apache-2.0"),
        (Teacher(name="transformers", model="not a name of the hub!"), ""),
        (Teacher(name="openai"), ""),
    ],
)
def test_what_is_known_without_a_card(hub: Path, chosen: Teacher, licence: str) -> None:  # noqa: ARG001
    assert declared_licence(chosen) == licence


@pytest.mark.parametrize("licence", ["apache-2.0", "MIT", "mit OR gemma", "OpenMDW", "cc-by-sa-4.0"])
def test_an_open_teacher_is_let_through(licence: str) -> None:
    require_open(Teacher(name="openai", licence=licence))


@pytest.mark.parametrize("licence", ["llama3.1", "gemma", "cc-by-nc-4.0", "openrail", "acme-research", "mit AND gemma"])
def test_a_teacher_that_is_not_open_is_refused_in_one_sentence(licence: str) -> None:
    with pytest.raises(RunStops, match="no open licence that is known here") as refused:
        require_open(Teacher(name="openai", model="big", licence=licence))
    assert "\n" not in str(refused.value)


def test_a_run_is_refused_before_it_does_anything(fanno: Fanno, corpus: Path, tmp_path: Path) -> None:  # noqa: ARG001
    with pytest.raises(RunStops, match="no open licence that is known here"):
        run_here([corpus], tmp_path / "out", "teacher.licence=gemma", "teacher.open_only=true")
    assert not (tmp_path / "out").exists()


def test_a_teacher_that_declares_nothing_is_refused_too(hub: Path) -> None:  # noqa: ARG001
    with pytest.raises(RunStops, match=r"declares no licence.*--set teacher\.licence="):
        require_open(Teacher(name="openai", model="acme/model"))
