"""Rows that a user brings: any instruction file, for methods that begin with rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fanno_core.methods.contract import Origin
from fanno_core.methods.rows import made_row
from fanno_core.outcome import Outcome
from fanno_core.report.instruction_files import read_instruction_file
from fanno_core.store.contracts import Example
from fanno_core.text import stable_id

FILE = "file"


def given_rows(path: Path, name: str) -> Outcome[Example]:
    """The rows of an instruction file, in its order.

    Args:
        path: of the file.
        name: under which rows tell where they come from.

    Raises:
        BadCorpus: the file cannot be read, or a row has no instruction or no response.
    """
    rows = [
        replace(
            made_row(Origin(FILE), row.instruction, row.input, row.output),
            id=stable_id(FILE, name, row.id, row.instruction, row.input, row.output),
            source=name,
            carried_id=row.id,
        )
        for row in read_instruction_file(path)
    ]
    return Outcome(rows, [], len(rows))
