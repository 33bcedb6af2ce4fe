"""Each format as its consumer loads it, or held against its documentation where the consumer is not installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
import yaml

from fanno_core.dataset.formats import messages_of
from fanno_core.dataset.made import Made, open_made
from fanno_core.export.formats import FORMATS
from fanno_core.export.make import Export, Wanted, make_export
from fanno_core.export.target import Target, write_export
from fanno_core.store.contracts import Example
from tests.shared_data import shared

SPLIT = {"train": 0.8, "validation": 0.2}
SYSTEMS = ["", "Be kind."]


@pytest.fixture(scope="module")
def made(finished: Path) -> Made:
    return open_made(finished)


def exported(made: Made, folder: Path, form: str, system: str = "", split: bool = True) -> Export:
    wanted = Wanted(form, shares=SPLIT if split else {"train": 1.0}, system=system)
    export = make_export(made, wanted)
    write_export(Target(folder), export.files, export.told, force=False)
    return export


def loaded(folder: Path, cache: Path) -> datasets.DatasetDict:
    return datasets.load_dataset(str(folder), cache_dir=str(cache))


def triple(row: Example) -> dict[str, str]:
    return {"instruction": row.instruction, "input": row.input, "output": row.output}


@pytest.mark.parametrize("form", FORMATS)
def test_datasets_loads_the_folder_with_its_splits(form: str, made: Made, tmp_path: Path) -> None:
    export = exported(made, tmp_path / "out", form)
    found = loaded(tmp_path / "out", tmp_path / "cache")
    assert {name: len(rows) for name, rows in found.items()} == {
        name: len(rows) for name, rows in export.splits.items()
    }


def test_exports_into_folders_of_one_name_are_loaded_as_what_they_hold(made: Made, tmp_path: Path) -> None:
    for number in (1, 2):
        export = make_export(made, Wanted("messages", shares=SPLIT, seed=number))
        write_export(Target(tmp_path / str(number) / "out"), export.files, export.told, force=False)
        found = loaded(tmp_path / str(number) / "out", tmp_path / "cache")["validation"]["messages"][:]
        assert found == [messages_of(row, "") for row in export.splits["validation"]]


@pytest.mark.parametrize("form", ["alpaca", "messages", "parquet"])
def test_datasets_loads_one_file_as_its_card_says(form: str, made: Made, tmp_path: Path) -> None:
    name = f"bees{FORMATS[form].suffix}"
    export = make_export(made, Wanted(form), name)
    write_export(Target(tmp_path / "out", name), export.files, export.told, force=False)
    card = export.files["bees.README.md"].decode()
    builder = "parquet" if form == "parquet" else "json"
    assert f'load_dataset("{builder}", data_files="{name}", split="train")' in card
    rows = datasets.load_dataset(
        builder, data_files=str(tmp_path / "out" / name), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(rows) == len(made.examples())


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_datasets_loads_is_what_the_rows_say(system: str, made: Made, tmp_path: Path) -> None:
    folders = {form: tmp_path / form for form in ("alpaca", "messages", "sharegpt", "parquet")}
    splits = {form: exported(made, folder, form, system).splits for form, folder in folders.items()}
    found = {form: loaded(folder, tmp_path / "cache") for form, folder in folders.items()}
    for split, rows in splits["alpaca"].items():
        more = {"system": system} if system else {}
        assert found["alpaca"][split].to_list() == [{**triple(row), **more} for row in rows]
        chats = [messages_of(row, system) for row in rows]
        assert [row["messages"] for row in found["messages"][split]] == chats
        assert [row["messages"] for row in found["parquet"][split]] == chats
        said = [[(turn["from"], turn["value"]) for turn in row["conversations"]] for row in found["sharegpt"][split]]
        names = {"system": "system", "user": "human", "assistant": "gpt"}
        assert said == [[(names[turn["role"]], turn["content"]) for turn in chat] for chat in chats]


def test_licences_and_flags_stay_in_the_rich_formats(made: Made, tmp_path: Path) -> None:
    for form in ("parquet", "argilla"):
        exported(made, tmp_path / form, form, split=False)
    rows = {row.id: row for row in made.examples()}
    table = pq.read_table(tmp_path / "parquet" / "train-00000-of-00001.parquet").to_pylist()
    records = json.loads((tmp_path / "argilla" / "train.json").read_text("utf-8"))
    assert {row["id"]: (row["licence"], tuple(row["flags"])) for row in table} == {
        record["id"]: (record["metadata"]["licence"], tuple(record["metadata"]["flags"])) for record in records
    }
    assert {row["id"]: row["licence"] for row in table} == {name: row.licence for name, row in rows.items()}


def test_argillas_records_are_as_its_record_reads_them(made: Made, tmp_path: Path) -> None:
    """Source: Argilla 2.8, Record.to_dict and from_dict; metadata is a number, a text or a list of texts."""
    exported(made, tmp_path, "argilla", "Be kind.", split=False)
    records = json.loads((tmp_path / "train.json").read_text("utf-8"))
    for record, row in zip(records, made.examples(), strict=True):
        assert list(record) == ["id", "fields", "metadata", "suggestions", "responses", "vectors"]
        assert record["id"] == row.id
        assert record["fields"] == {"system": "Be kind.", **triple(row)}
        for value in record["metadata"].values():
            assert isinstance(value, str | int | float) or all(isinstance(item, str) for item in value)
    compile((tmp_path / "argilla_import.py").read_text("utf-8"), "argilla_import.py", "exec")


@pytest.mark.parametrize("system", SYSTEMS)
def test_openais_own_checks_find_nothing(system: str, made: Made, tmp_path: Path) -> None:
    """Source: OpenAI cookbook, Chat_finetuning_data_prep: its error types by name."""
    exported(made, tmp_path, "openai", system, split=False)
    lines = (tmp_path / "train.jsonl").read_bytes().splitlines()
    assert len(lines) >= 10
    for line in lines:
        chat = json.loads(line)
        assert isinstance(chat, dict)  # data_type
        assert list(chat) == ["messages"]  # missing_messages_list
        for message in chat["messages"]:
            assert set(message) == {"role", "content"}  # message_missing_key, message_unrecognized_key
            assert message["role"] in {"system", "user", "assistant"}  # unrecognized_role
            assert isinstance(message["content"], str)  # missing_content
            assert message["content"].strip()
        assert chat["messages"][-1]["role"] == "assistant"  # example_missing_assistant_message
        assert [message["role"] for message in chat["messages"]].count("system") == bool(system)


AXOLOTL = {"path", "ds_type", "split", "type", "field_messages", "message_property_mappings", "roles_to_train"}
"""Source: Axolotl, docs/dataset-formats/conversation.qmd, docs/dataset_loading.qmd and its configuration reference."""


def test_axolotls_stanza_names_the_files_and_the_fields_of_their_rows(made: Made, tmp_path: Path) -> None:
    export = exported(made, tmp_path, "axolotl")
    stanza = yaml.safe_load((tmp_path / "axolotl.yaml").read_text("utf-8"))
    assert export.stanza and yaml.safe_load(export.stanza.text) == stanza
    assert list(stanza) == ["datasets", "test_datasets"]
    for part, split in zip(stanza.values(), SPLIT, strict=True):
        (described,) = part
        assert set(described) == AXOLOTL
        assert (described["type"], described["ds_type"], described["split"]) == ("chat_template", "json", "train")
        rows = read_as(described["ds_type"], tmp_path / described["path"], tmp_path / "cache")
        assert len(rows) == len(export.splits[split])
        turns = rows[0][described["field_messages"]]
        mapped = described["message_property_mappings"]
        assert {turn[mapped["role"]] for turn in turns} == {"user", *described["roles_to_train"]}
        assert all(turn[mapped["content"]] for turn in turns)


COLUMNS = {"prompt", "query", "response", "system"}
"""Source: LLaMA-Factory, data/README.md: the columns of a description in alpaca format, and that a column that is
named has to be in every row."""


@pytest.mark.parametrize("system", SYSTEMS)
def test_llama_factorys_descriptions_name_the_files_and_the_columns_of_their_rows(
    system: str, made: Made, tmp_path: Path
) -> None:
    export = exported(made, tmp_path, "llama-factory", system)
    described = json.loads((tmp_path / "dataset_info.json").read_text("utf-8"))
    assert list(described) == ["fanno_train", "fanno_validation"]
    assert export.stanza
    assert "dataset: fanno_train, eval_dataset: fanno_validation" in export.stanza.hint
    for description, split in zip(described.values(), SPLIT, strict=True):
        assert set(description) == {"file_name", "formatting", "columns"}
        assert description["formatting"] == "alpaca"
        assert set(description["columns"]) == (COLUMNS if system else COLUMNS - {"system"})
        rows = read_as("json", tmp_path / description["file_name"], tmp_path / "cache")
        assert len(rows) == len(export.splits[split])
        assert set(rows.column_names) == set(description["columns"].values())


def test_one_split_is_described_by_the_data_sets_name_alone(made: Made, tmp_path: Path) -> None:
    export = exported(made, tmp_path, "llama-factory", split=False)
    assert export.stanza
    assert list(json.loads(export.stanza.text)) == ["fanno"]


def read_as(kind: str, file: Path, cache: Path) -> datasets.Dataset:
    return datasets.load_dataset(kind, data_files=str(file), split="train", cache_dir=str(cache))


TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
TRAINING = """
import json, sys
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

model, data, out, template = sys.argv[1:]
rows = load_dataset(data, cache_dir=f"{out}/cache")
tokenizer = AutoTokenizer.from_pretrained(model)
tokenizer.pad_token = tokenizer.eos_token
tokenizer.chat_template = template
how = SFTConfig(output_dir=out, max_steps=1, per_device_train_batch_size=2, report_to=[], use_cpu=True, bf16=False,
                max_length=256, save_strategy="no", eval_strategy="no", logging_strategy="no")
trainer = SFTTrainer(AutoModelForCausalLM.from_pretrained(model), how, train_dataset=rows["train"],
                     eval_dataset=rows["validation"], processing_class=tokenizer)
before = {n: p.detach().clone() for n, p in trainer.model.named_parameters()}
loss = trainer.train().training_loss
changed = sum(not p.equal(before[n]) for n, p in trainer.model.named_parameters())
text = tokenizer.decode(trainer.train_dataset[0]["input_ids"])
print(json.dumps({"loss": loss, "changed": changed, "rows": len(trainer.train_dataset), "text": text}))
"""


@pytest.mark.slow
def test_trl_trains_a_step_on_the_chats(made: Made, tmp_path: Path) -> None:
    pytest.importorskip("trl")
    export = exported(made, tmp_path / "data", "messages", "Be kind.")
    told = trained(shared("tiny_models/llama_tiny"), tmp_path)
    assert 0 < told["loss"] < 20
    assert told["changed"] > 10
    assert told["rows"] == len(export.splits["train"])
    first = export.splits["train"][0]
    assert "<|system|>\nBe kind." in told["text"]
    assert "<|assistant|>" in told["text"]
    assert first.instruction.split()[0] in told["text"]


def trained(model: Path, folder: Path) -> Mapping[str, Any]:
    command = [sys.executable, "-c", TRAINING, str(model), str(folder / "data"), str(folder / "trained"), TEMPLATE]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_trl_takes_the_chats_for_conversations_and_renders_them(made: Made, tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(shared("tiny_models/llama_tiny"))
    tokenizer.chat_template = TEMPLATE
    export = exported(made, tmp_path / "data", "messages", split=False)
    rows = loaded(tmp_path / "data", tmp_path / "cache")["train"]
    for loaded_row, row in zip(rows, export.splits["train"], strict=True):
        assert trl.is_conversational(loaded_row)
        text = trl.apply_chat_template(loaded_row, tokenizer)["text"]
        asked, _, answered = text.partition("<|assistant|>\n")
        assert row.instruction in asked
        assert answered == f"{row.output}{tokenizer.eos_token}\n"
