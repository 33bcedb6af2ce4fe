"""What forgotten documents were called, sources and own ids, wherever it still stands as a name.

In a table a name is a whole value. In any other file it is a word of its own; there names of fewer than four characters
and mere numbers are passed over, since they stand for many things. A name within the text of another document is that
document's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from fanno_core.refresh.traces import PARQUET, SQLITE, Trace, contents, readings

LEAST = 4
"""Characters of a name that is looked for as a word."""


def names_in(out: Path, names: Collection[str]) -> list[Trace]:
    """Every place below a folder, or in one file, where a name stands; links are not followed, nothing is changed.

    Args:
        out: the folder or file; one that is not there holds nothing.
        names: sources and own ids of documents.
    """
    values = [name.encode("utf-8", "surrogatepass") for name in names]
    words = _words(values)
    found = []
    for path in sorted(path for path in (out, *out.rglob("*")) if path.is_file() and not path.is_symlink()):
        name = str(path.relative_to(out)) if out.is_dir() else path.name
        found += [Trace(name, place, count) for place, count in _places(path, values, words)]
    return sorted(set(found))


def _places(path: Path, values: Collection[bytes], words: re.Pattern[bytes] | None) -> Iterator[tuple[str, int]]:
    """Columns, tables, or the whole of a file, and how many names stand there."""
    for place, data in contents(path):
        if place:
            held = b"\0" + data + b"\0"
            count = sum(b"\0" + value + b"\0" in held for value in values)
        elif data.startswith((PARQUET, SQLITE)) or not words:
            count = 0
        else:
            count = max((len({*words.findall(reading)}) for reading in readings(data)), default=0)
        if count:
            yield f"{place} (a name)".strip(), count


def _words(values: Collection[bytes]) -> re.Pattern[bytes] | None:
    telling = sorted(value for value in values if len(value.decode("utf-8", "replace")) >= LEAST)
    telling = [value for value in telling if not value.isdigit()]
    if not telling:
        return None
    return re.compile(rb"(?<![\w/.-])(?:" + b"|".join(map(re.escape, telling)) + rb")(?![\w/-])")
