"""What a consumer's configuration has to say so that it finds the files of an export, ready to paste."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

TRAIN = "train"


@dataclass(frozen=True, slots=True)
class Stanza:
    """A piece of configuration.

    Attributes:
        file: name of the file that holds it, beside the data.
        language: of its code block in the card.
        text: what to paste.
        hint: how it is used, in one line.
    """

    file: str
    language: str
    text: str
    hint: str


def llama_factory_stanza(name: str, files: Mapping[str, str], system: str) -> Stanza:
    """The descriptions of the splits' files in `dataset_info.json`.

    Args:
        name: of the data set.
        files: split to its file.
        system: the rows' system message, or empty: a column that is named has to be there.

    Source: LLaMA-Factory, data/README.md: file_name, formatting and columns of a dataset description.
    """
    names = {split: name if len(files) == 1 else f"{name}_{split}" for split in files}
    columns = {"prompt": "instruction", "query": "input", "response": "output"}
    if system:
        columns["system"] = "system"
    described = {
        names[split]: {"file_name": file, "formatting": "alpaca", "columns": columns} for split, file in files.items()
    }
    used = [f"{'eval_dataset' if _is_test(split, files) else 'dataset'}: {names[split]}" for split in files]
    return Stanza(
        "dataset_info.json",
        "json",
        json.dumps(described, indent=2, ensure_ascii=False) + "\n",
        f"LLaMA-Factory: set dataset_dir to this folder, and {', '.join(used)}",
    )


def axolotl_stanza(_name: str, files: Mapping[str, str], _system: str) -> Stanza:
    """The `datasets` of a configuration; the other splits become `test_datasets`.

    Args:
        _name: of the data set, which Axolotl does not ask for.
        files: split to its file.
        _system: the rows' system message, which their messages hold.

    Source: Axolotl, docs/dataset-formats/conversation.qmd (chat_template) and docs/dataset_loading.qmd (path, ds_type);
    test_datasets want a split, and that of a JSON file is called train.
    """
    parts: dict[str, list[dict[str, Any]]] = {}
    for split, file in files.items():
        parts.setdefault("test_datasets" if _is_test(split, files) else "datasets", []).append(
            {
                "path": file,
                "ds_type": "json",
                "split": "train",
                "type": "chat_template",
                "field_messages": "messages",
                "message_property_mappings": {"role": "role", "content": "content"},
                "roles_to_train": ["assistant"],
            }
        )
    text = yaml.safe_dump(parts, sort_keys=False, allow_unicode=True)
    return Stanza("axolotl.yaml", "yaml", text, "Axolotl: paste this; paths start where axolotl does")


def argilla_stanza(name: str, files: Mapping[str, str], _system: str) -> Stanza:
    """The few lines of Python that put the records on an Argilla server.

    Args:
        name: of the data set.
        files: split to its file.
        _system: the rows' system message, which their fields hold.

    Source: Argilla 2, reference of Settings, Dataset and Record.
    """
    text = ARGILLA.format(name=name, files=json.dumps([*files.values()], ensure_ascii=False))
    return Stanza("argilla_import.py", "python", text, "Argilla: set ARGILLA_API_URL and ARGILLA_API_KEY, and run this")


def _is_test(split: str, files: Mapping[str, str]) -> bool:
    return split != TRAIN and TRAIN in files


ARGILLA = """import json
from pathlib import Path

import argilla as rg

folder = Path(__file__).parent
records = [rg.Record.from_dict(r) for name in {files} for r in json.loads((folder / name).read_text("utf-8"))]
settings = rg.Settings(
    fields=[rg.TextField(name=name, required=name != "input") for name in records[0].fields],
    questions=[rg.RatingQuestion(name="quality", values=[1, 2, 3, 4, 5])],
    allow_extra_metadata=True,
)
dataset = rg.Dataset(name="{name}", settings=settings)
dataset.create()
dataset.records.log(records)
"""
