"""How rows are written for each consumer. A format is a function and a line in FORMATS.

Not covered: formats with more than one turn a side. A row has an instruction and its response.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fanno_core.dataset.formats import alpaca_bytes, list_bytes, messages_bytes, messages_of, parquet_bytes
from fanno_core.errors import RunStops
from fanno_core.export.stanzas import Stanza, argilla_stanza, axolotl_stanza, llama_factory_stanza
from fanno_core.store.contracts import Example

SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}
TEXTS = ("instruction", "input", "output")


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write the rows of a split.

    Attributes:
        write: rows and system message (or empty) to the bytes of one file.
        suffix: of its files.
        meaning: what it is and who reads it, in one line.
        stanza: what to paste into the consumer's configuration, where it needs any.
        pieces: whether a split may lie in several files.
    """

    write: Callable[[Sequence[Example], str], bytes]
    suffix: str
    meaning: str
    stanza: Callable[[str, Mapping[str, str], str], Stanza] | None = None
    pieces: bool = False


def sharegpt_bytes(rows: Sequence[Example], system: str) -> bytes:
    """A JSON list of conversations between `human` and `gpt`, as ShareGPT's exports have them; one row a line."""
    return list_bytes(
        {
            "conversations": [
                {"from": SPEAKERS[turn["role"]], "value": turn["content"]} for turn in messages_of(row, system)
            ]
        }
        for row in rows
    )


def argilla_bytes(rows: Sequence[Example], system: str) -> bytes:
    """A JSON list of records as `argilla.Record.from_dict` reads them: texts are fields, the rest is metadata."""
    return list_bytes(_record(row, system) for row in rows)


def _record(row: Example, system: str) -> dict[str, Any]:
    values = asdict(row)
    name = values.pop("id")
    texts = {text: values.pop(text) for text in TEXTS}
    return {
        "id": name,
        "fields": {"system": system, **texts} if system else texts,
        "metadata": values,
        "suggestions": {},
        "responses": {},
        "vectors": {},
    }


FORMATS: Mapping[str, Format] = {
    "alpaca": Format(alpaca_bytes, ".json", "instruction, input and output alone"),
    "sharegpt": Format(sharegpt_bytes, ".json", "conversations between human and gpt"),
    "messages": Format(messages_bytes, ".jsonl", "chats by role and content, for TRL and transformers"),
    "openai": Format(messages_bytes, ".jsonl", "chats for OpenAI's fine-tuning, which wants ten or more"),
    "axolotl": Format(messages_bytes, ".jsonl", "chats, and Axolotl's configuration", axolotl_stanza),
    "llama-factory": Format(
        alpaca_bytes, ".json", "Alpaca, and LLaMA-Factory's dataset_info.json", llama_factory_stanza
    ),
    "parquet": Format(parquet_bytes, ".parquet", "every column, with the row's origin and flags", pieces=True),
    "argilla": Format(argilla_bytes, ".json", "records to annotate, origin and flags as metadata", argilla_stanza),
}


def format_of(name: str) -> Format:
    """The format of that name.

    Raises:
        RunStops: there is none.
    """
    if name not in FORMATS:
        raise RunStops(f"there is no format {name!r}; --format is one of {', '.join(FORMATS)}")
    return FORMATS[name]
