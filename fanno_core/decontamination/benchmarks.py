"""Benchmark files to what they ask, read whole before a run begins.

Nothing of a benchmark may be passed over in silence, so a file with one row that cannot be read is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from fanno_core.documents.readers.contract import Source
from fanno_core.documents.readers.fields import NAMES_SHOWN, find_field
from fanno_core.documents.readers.opening import digest_of
from fanno_core.documents.readers.rows import Row, rows_of_file
from fanno_core.documents.readers.table import format_of
from fanno_core.errors import BadSettings, RowStops, RunStops
from fanno_core.settings import Decontaminate

TEXT_FIELDS = (
    "question", "prompt", "instruction", "problem", "query", "text", "content",
    "turns", "ctx", "goal", "sentence", "inputs", "input",
)  # fmt: skip
"""Where the benchmarks in use have what they ask, the likeliest first. Choices and answers are not looked at."""
INPUT_FIELD = "input"
"""What an instruction works on: part of what is asked."""


@dataclass(frozen=True, slots=True)
class BenchmarkFile:
    """A file of benchmark texts.

    `path` opens it and stays out of every row; `name` tells it from the others and goes into details. `digest` is
    the SHA-256 of its bytes in hex.
    """

    path: str
    name: str
    digest: str


def find_benchmarks(settings: Decontaminate) -> tuple[BenchmarkFile, ...]:
    """The files that the settings name, each once; every one of them can be read to its end.

    Raises:
        BadSettings: one is missing, unreadable, of an unknown format or without a text; the message names it.
    """
    paths = list(dict.fromkeys(Path(name).absolute() for name in settings.files))
    return tuple(_found(path, name, settings.field) for path, name in zip(paths, _short_names(paths), strict=True))


def _found(path: Path, name: str, field: str) -> BenchmarkFile:
    try:
        file = BenchmarkFile(str(path), name, digest_of(path))
    except OSError as error:
        raise BadSettings(f"benchmark file {path}: {error.strerror}; correct decontaminate.files") from None
    if not sum(1 for _ in _texts(file, field)):
        raise BadSettings(f"benchmark file {path}: it holds no text; correct decontaminate.files")
    return file


def benchmark_texts(file: BenchmarkFile, field: str) -> list[str]:
    """What the benchmark asks, row after row; blank ones are left out.

    Args:
        file: from `find_benchmarks`.
        field: the column or key that holds the text; empty: the first of `TEXT_FIELDS` that a row has, and its
            `input` after it. The texts of a list are one, as the turns of a conversation are.

    Raises:
        RunStops: the file is not here, or was changed since it was found.
        BadSettings: it cannot be read; the message names the file, the place and the fault, and no text.
    """
    try:
        same = digest_of(Path(file.path)) == file.digest
    except OSError:
        same = False
    if not same:
        raise RunStops(
            f"benchmark file {file.name}: not here, or changed since the run began; run again, and on a cluster put "
            "it under the same path on every machine"
        )
    return list(_texts(file, field))


def _short_names(paths: Sequence[Path]) -> list[str]:
    """The ends of these paths, as short as they differ: many benchmarks are called `test.jsonl`."""
    ends = (["/".join(path.parts[-parts:]) for path in paths] for parts in count(1))
    return next(names for names in ends if len(set(names)) == len(names))


def _texts(file: BenchmarkFile, field: str) -> Iterator[str]:
    kind, compression = format_of(file.path)
    source = Source(file.path, file.name, kind, compression, file.digest)
    fields = (field,) if field else TEXT_FIELDS
    try:
        for number, row in enumerate(rows_of_file(source, fields), 1):
            text = _text(row, fields, f"row {number}")
            if text:
                yield text
    except RowStops as error:
        raise BadSettings(f"benchmark file {file.path}: {error}") from None


def _text(row: Row, fields: Sequence[str], place: str) -> str:
    """What a row asks; empty where it asks nothing.

    Raises:
        RowStops: it has none of the fields, or something else than text in it.
    """
    row = {str(name): value for name, value in row.items() if value is not None}
    name = find_field(row, fields)
    if not name:
        shown = ", ".join(key[:40] for key in list(row)[:NAMES_SHOWN]) or "none"
        wanted = fields[0] if len(fields) == 1 else "a usual name of the field with the text (set decontaminate.field)"
        raise RowStops("no_text_field", f"{place}: looked for {wanted}; fields that it has: {shown}")
    names = dict.fromkeys(filter(None, (name, find_field(row, (INPUT_FIELD,)) if len(fields) > 1 else "")))
    parts = chain.from_iterable(row[key] if isinstance(row[key], list) else [row[key]] for key in names)
    texts = [part.strip() if isinstance(part, str) else None for part in parts]
    if None in texts:
        raise RowStops("no_text", f"{place}: {' or '.join(names)} is no text; name another as decontaminate.field")
    return "\n".join(filter(None, texts))
