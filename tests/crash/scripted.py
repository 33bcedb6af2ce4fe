"""A teacher over real HTTP that answers from the request alone, and a small run that it teaches."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from fanno_core.store.durable import sha256_of
from tests.stub_openai import Seen, StubOpenAI

IN_FLIGHT = 4
CONCURRENCY = 2
DOCUMENTS = 48
# Two seed lots, three windows, several shards; some 600 questions, and a second or two without the encoder's start.
SMALL = (
    "report.make=false",
    "teacher.name=openai",
    f"teacher.in_flight={IN_FLIGHT}",
    f"run.concurrency={CONCURRENCY}",
    "run.shard_rows=32",
    "seeds.documents=4",
    "seeds.per_document=16",
    "augment.window=12",
    "screen.min_quality=0.2",
    "screen.max_advertisement=0.9",
    "screen.max_privacy=0.9",
    "filters.max_private=0.9",
    "filters.max_unsafe=0.9",
    "filters.min_answerable=0.1",
    "filters.novelty=0.99",
)


def scripted(**how: Any) -> StubOpenAI:
    """The server. Its answers carry the number of their question as `prompt_tokens`, so that a journal shows it."""
    return StubOpenAI(respond=_numbered, **how)


def told(server: StubOpenAI, *assignments: str) -> tuple[str, ...]:
    """The settings of a small run with this teacher."""
    return (*SMALL, f'teacher.endpoints=["{server.url}"]', *assignments)


def number_of(body: dict[str, Any]) -> int:
    """A number that stands for a question: for what is asked and how, not for when or how often."""
    return int(sha256_of(json.dumps(body, sort_keys=True).encode())[:10], 16)


def numbers(seen: Iterable[Seen]) -> Counter[int]:
    """How often each question was asked."""
    return Counter(number_of(one.body) for one in seen)


def journalled(out: Path) -> Counter[int]:
    """How often each question has its answer in the journal, of which a copy is read: opening it would mend it."""
    work = out / "work"
    with tempfile.TemporaryDirectory() as folder:
        for file in work.glob("journal.sqlite*"):
            shutil.copy(file, folder)
        with closing(sqlite3.connect(Path(folder) / "journal.sqlite")) as connection:
            try:
                rows = connection.execute("SELECT answer FROM answers").fetchall()
            except sqlite3.OperationalError:  # the run was killed before it asked anything
                rows = []
    return Counter(int(json.loads(answer)["prompt_tokens"]) for (answer,) in rows)


def temporaries(out: Path) -> list[str]:
    """Files that a killed writer left."""
    return sorted(str(path.relative_to(out)) for path in out.rglob("*.tmp"))


def _numbered(body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
    usage = reply["usage"] | {"prompt_tokens": number_of(body)}
    return reply | {"usage": usage, "choices": [_worded(body, choice) for choice in reply["choices"]]}


def _worded(body: dict[str, Any], choice: dict[str, Any]) -> dict[str, Any]:
    """The stub's words as a sentence, so that no filter takes them for noise."""
    if body["max_tokens"] == 1:
        return choice
    message = choice["message"] | {"content": f"Explain in your own words: {choice['message']['content']}."}
    return choice | {"message": message}
