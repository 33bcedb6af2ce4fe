"""Every answer is written down before it is used: as objects, which machines share that share no disk.

The journal is a row of numbered segments, `00000001.jsonl` and so on, each what one `store` wrote. A segment is put
only where none of its number is, so that all writers agree on the order, and with it on which of two answers to one
question came first: that one stands. (Under random names, the first of a sorted listing could change after it was
used.) Every process reads a segment once, into a copy on its own disk, and asks that.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from fanno_core.errors import RunStops, TryAgain
from fanno_core.store.durable import sha256_of
from fanno_core.store.objects import at_once, create_object, names_after, read_object
from fanno_core.teachers.journal import HOW_TO_MEND, Journal, Line, lines_of, read_line
from fanno_core.teachers.protocol import Answer, Request

if TYPE_CHECKING:
    from upath import UPath

SEGMENT = "{:08d}.jsonl"
# Read at a time, so that a long journal is not held in memory.
SEGMENTS_AT_ONCE = 64
# A number is lost to another writer, whose segment is then read: rarely more than once a writer.
MOST_TRIES = 200
PAUSE_S = 0.05
# Folders that a process remembers; a worker that serves more than that reads one anew.
MOST_COPIES = 8


class ObjectJournal:
    """A teacher's answers as segments in a folder of an object store.

    Several threads may share a journal, and several processes on any machine a folder.

    Args:
        folder: where the segments are; there need not be any.
    """

    def __init__(self, folder: UPath) -> None:
        self._folder = folder

    def fetch(self, keys: Iterable[str]) -> dict[str, Answer]:
        """The answers written down under these keys.

        Raises:
            TryAgain, RunStops: the object store cannot be reached, or refuses.
            RunStops: a segment is not what was put.
        """
        return self._up_to_date().fetch(keys)

    def about(self, row_id: str, prompt: str) -> list[Answer]:
        """The answers to this prompt for this row, in the order of their keys; those that cannot be read are left out.

        Raises:
            TryAgain, RunStops: the object store cannot be reached, or refuses.
        """
        return self._up_to_date().about(row_id, prompt)

    def store(self, answered: Mapping[str, tuple[Request, Answer]]) -> dict[str, Answer]:
        """What the journal holds under these keys once they are put, all of them or none.

        An answer that another process put first stands, so that every reader uses the same.

        Raises:
            TryAgain: the object store cannot be reached, or too many write at once.
            RunStops: the object store refuses, an answer is not what the protocol says, or a segment is not what was
                put.
        """
        if not answered:
            return {}
        lines = lines_of(answered)
        copy = _copy_of(self._folder, os.getpid())
        with copy.lock:
            self._append(copy, segment_bytes(lines))
            return copy.answers.store(answered)

    def close(self) -> None:
        """Does nothing: the copy is the process' own, and serves the next journal of this folder."""

    def _up_to_date(self) -> Journal:
        """The copy of this process, with all that the folder holds."""
        copy = _copy_of(self._folder, os.getpid())
        with copy.lock:
            self._read_new(copy)
        return copy.answers

    def _append(self, copy: _Copy, data: bytes) -> None:
        for _ in range(MOST_TRIES):
            name = SEGMENT.format(copy.number + 1)
            if create_object(self._folder / name, data):
                copy.number += 1
                return
            if not self._read_new(copy):
                time.sleep(PAUSE_S)
        raise TryAgain(f"{self._folder}: others write so often that no segment could be added")

    def _read_new(self, copy: _Copy) -> bool:
        """Brings the copy to where the folder is; whether there was anything new."""
        names = [name for name in names_after(self._folder, SEGMENT.format(copy.number)) if _number(name)]
        for start in range(0, len(names), SEGMENTS_AT_ONCE):
            some = names[start : start + SEGMENTS_AT_ONCE]
            for name, lines in zip(some, at_once(self._lines, some), strict=True):
                copy.answers.add(lines)
                copy.number = _number(name)
        return bool(names)

    def _lines(self, name: str) -> list[Line]:
        try:
            return read_segment(read_object(self._folder / name))
        except FileNotFoundError:  # removed since the folder was listed
            return []
        except ValueError:
            raise RunStops(f"{self._folder / name} is not what was written down; {HOW_TO_MEND}") from None


@dataclass
class _Copy:
    """What this process has read of a folder, up to and with segment `number`."""

    number: int = 0
    answers: Journal = field(default_factory=lambda: Journal(None))
    lock: Lock = field(default_factory=Lock)


@lru_cache(MOST_COPIES)
def _copy_of(folder: UPath, process: int) -> _Copy:  # noqa: ARG001 - a forked process needs a copy of its own
    return _Copy()


def segment_bytes(lines: Sequence[Line]) -> bytes:
    """A segment: a line with the digest of the others, then a JSON line for each answer."""
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return _head(body) + b"\n" + body


def read_segment(data: bytes) -> list[Line]:
    """The lines of a segment.

    Raises:
        ValueError: it is not whole.
    """
    head, _, body = data.partition(b"\n")
    try:
        if head == _head(body):
            return [Line(*json.loads(line)) for line in body.splitlines()]
    except (ValueError, TypeError):
        pass
    raise ValueError("not a whole segment")


def whole_lines(data: bytes) -> list[Line]:
    """The lines of a damaged segment that are what was written, in their order."""
    lines = []
    for text in data.splitlines():
        with suppress(ValueError, TypeError, AttributeError):
            line = Line(*json.loads(text))
            read_line([value.encode() for value in line])
            lines.append(line)
    return lines


def _head(body: bytes) -> bytes:
    return json.dumps({"sha256": sha256_of(body)}).encode()


def _number(name: str) -> int:
    """The number of a segment; 0 for what is none."""
    number, dot, kind = name.partition(".")
    return int(number) if dot and kind == "jsonl" and number.isdecimal() else 0
