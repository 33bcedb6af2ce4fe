"""Instruction data as others publish it: Alpaca, chat messages, ShareGPT, prompt and completion; JSON, CSV, Parquet.

Of a task with instances, as Self-Instruct publishes its seeds, the first is read. Of a conversation the first question
and its answer are read; a system message and later turns are left out. Nothing is passed over in silence: a file with a
row that has no instruction or no response is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fanno_core.documents.readers.contract import Source
from fanno_core.documents.readers.fields import ID_FIELDS, NAMES_SHOWN, find_field
from fanno_core.documents.readers.rows import rows_of_file
from fanno_core.documents.readers.table import format_of
from fanno_core.errors import BadCorpus, RowStops
from fanno_core.store.contracts import question_text

INSTRUCTION_FIELDS = ("instruction", "prompt", "question", "query")
INPUT_FIELDS = ("input", "context")
OUTPUT_FIELDS = ("output", "response", "completion", "answer")
TURNS_FIELDS = ("messages", "conversations", "conversation")
SAYS_FIELDS = ("content", "value")
ROLE_FIELDS = ("role", "from")
ASKS = frozenset({"user", "human", "prompter"})
ANSWERS = frozenset({"assistant", "gpt", "chatgpt", "model", "bot"})
INSTANCES = "instances"
FIELDS = (INSTANCES, *ID_FIELDS, *TURNS_FIELDS, *INSTRUCTION_FIELDS, *INPUT_FIELDS, *OUTPUT_FIELDS)
TABLES = frozenset({"jsonl", "json", "csv", "tsv", "parquet"})


@dataclass(frozen=True, slots=True)
class InstructionRow:
    """One row of instruction data. `input` is the text that the instruction works on, or empty."""

    id: str
    instruction: str
    input: str
    output: str

    @property
    def question(self) -> str:
        """What is put to a model: the instruction, and its input on the lines after it, as `question_of` has it."""
        return question_text(self.instruction, self.input)


def read_instruction_file(path: Path) -> list[InstructionRow]:
    """The rows of a file, in its order; JSON and CSV may be packed with gzip or zstd.

    A row's id is its own (`id`, `uuid`) where every row has one and no two have the same, and its number from 1
    otherwise.

    Raises:
        BadCorpus: the file cannot be read or holds no row; or a row has no instruction or no response. The message
            names file, row and fields, and no text.
    """
    kind, compression = format_of(path.name)
    if kind not in TABLES:
        raise BadCorpus(f"{path} is no instruction file by its ending: name a .json, .jsonl, .csv, .tsv or .parquet")
    source = Source(str(path), path.name, kind, compression, "")
    try:
        rows = [_row(row, number) for number, row in enumerate(rows_of_file(source, FIELDS), 1)]
    except RowStops as stop:
        raise BadCorpus(f"instruction file {path}: {stop}; correct it or name another") from None
    if not rows:
        raise BadCorpus(f"instruction file {path} holds no rows; name another")
    if not all(row.id for row in rows) or len({row.id for row in rows}) < len(rows):
        rows = [InstructionRow(str(n), row.instruction, row.input, row.output) for n, row in enumerate(rows, 1)]
    return rows


def _row(row: Mapping[str, Any], number: int) -> InstructionRow:
    turns = find_field(row, TURNS_FIELDS)
    found = _instance(row) or _plain(row) or (_exchange(row[turns]) if turns else None)
    instruction, given, output = found or (None, "", None)
    if not (instruction and instruction.strip()) or output is None:
        missing = "response" if instruction else "instruction"
        names = ", ".join(sorted(str(name)[:40] for name in row)[:NAMES_SHOWN])
        raise RowStops(f"no_{missing}", f"row {number} has no {missing} (its fields: {names})")
    identity = row.get(find_field(row, ID_FIELDS))
    name = str(identity) if isinstance(identity, str | int) else ""
    try:
        "".join((name, instruction, given, output)).encode()
    except UnicodeEncodeError:
        raise RowStops("not_utf8", f"row {number} holds half a character (a lone surrogate)") from None
    return InstructionRow(name, instruction, given, output)


def _instance(row: Mapping[str, Any]) -> tuple[str, str, str | None] | None:
    """The first instance of a task as Self-Instruct's seed file has it; None where the row is no such task."""
    asked, instances = row.get("instruction"), row.get(INSTANCES)
    first = instances[0] if isinstance(instances, Sequence) and not isinstance(instances, str) and instances else None
    if not (isinstance(asked, str) and isinstance(first, Mapping)):
        return None
    given, output = (first.get(name) for name in ("input", "output"))
    return asked, given if isinstance(given, str) else "", output if isinstance(output, str) else None


def _plain(row: Mapping[str, Any]) -> tuple[str, str, str | None] | None:
    """Instruction, input and response of a row that has them in fields of their own; None where it has not."""
    asked, answered = row.get(find_field(row, INSTRUCTION_FIELDS)), row.get(find_field(row, OUTPUT_FIELDS))
    given = row.get(find_field(row, INPUT_FIELDS))
    if isinstance(asked, Sequence) and not isinstance(asked, str) and isinstance(answered, Sequence):
        return _exchange([*asked, *answered])
    if not isinstance(asked, str) and not isinstance(given, str):
        return None
    output = answered if isinstance(answered, str) else None
    work = given if isinstance(given, str) else ""
    # Evol-Instruct and others call the question `input` and have no instruction beside it.
    return (asked, work, output) if isinstance(asked, str) and asked.strip() else (work, "", output)


def _exchange(turns: Any) -> tuple[str, str, str | None] | None:
    """The first question of a conversation, no input, and what is answered to it; None where nothing is asked."""
    said = [_turn(turn) for turn in turns] if isinstance(turns, Sequence) and not isinstance(turns, str) else []
    asked = next((place for place, (role, _) in enumerate(said) if role in ASKS), None)
    if asked is None:
        return None
    answer = said[asked + 1] if asked + 1 < len(said) else ("", "")
    return said[asked][1], "", answer[1] if answer[0] in ANSWERS else None


def _turn(turn: Any) -> tuple[str, str]:
    if not isinstance(turn, Mapping):
        return "", ""
    role, says = turn.get(find_field(turn, ROLE_FIELDS)), turn.get(find_field(turn, SAYS_FIELDS))
    if isinstance(says, Sequence) and not isinstance(says, str):
        # Parts, as OpenAI has them; an image or a sound is no text, and the row has then no such turn.
        parts = [part.get("text") if isinstance(part, Mapping) else part for part in says]
        texts = [part for part in parts if isinstance(part, str)]
        says = "".join(texts) if len(texts) == len(parts) else None
    return (str(role).lower(), says) if isinstance(says, str) else ("", "")
