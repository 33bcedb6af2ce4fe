"""The teacher of a run: which servers it asks, and the key that it needs for them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from prefect.blocks.system import Secret

from fanno_core.errors import RunStops
from fanno_core.settings import Settings
from fanno_core.teachers.pool import POOL_VARIABLE, read_pool
from fanno_core.teachers.protocol import Teacher
from fanno_core.teachers.table import open_teacher


def with_servers(settings: Settings) -> Settings:
    """The settings, with the servers of the pool that this process runs in, where its teacher names none.

    Raises:
        RunStops: the pool's file cannot be read.
    """
    teacher = settings.teacher
    file = os.environ.get(POOL_VARIABLE)
    if teacher.name != "openai" or teacher.endpoints or not file:
        return settings
    pool = read_pool(Path(file))
    found = {
        "endpoints": pool.endpoints,
        "model": teacher.model or pool.served,
        # The revision is also that of the tokenizer: a pool's belongs to its own.
        "revision": teacher.revision or ("" if teacher.tokenizer else pool.revision),
        "tokenizer": teacher.tokenizer or pool.tokenizer,
    }
    return settings.model_copy(update={"teacher": teacher.model_copy(update=found)})


def teacher_of(settings: Settings) -> Teacher:
    """The teacher, opened once a process.

    Raises:
        BadSettings, MissingExtra, RunStops: it cannot be used as it is set up.
    """
    if settings.teacher.name == "openai":
        _provide_key(settings.teacher.api_key)
    return open_teacher(settings.teacher)


def _provide_key(place: str) -> None:
    """Fetches a key that is in Prefect; the others are in the environment already."""
    from fanno_core.teachers.openai import keys

    if place.startswith(keys.PREFECT):
        keys.provide(place, _secret(place.removeprefix(keys.PREFECT)))


@cache
def _secret(block: str) -> str:
    """The value of a Prefect Secret block; read once a process."""
    load: Any = Secret.load  # whose signature hides that it can be told to wait
    try:
        return str(load(block, _sync=True).get())
    except ValueError:
        raise RunStops(f"teacher.api_key: this Prefect server has no Secret block {block}; create it there") from None


def teacher_name(settings: Settings) -> str:
    """The teacher's name, model, revision and chat template."""
    return str(teacher_of(settings).identity)


def needs_context(settings: Settings) -> bool:
    """Whether the teacher can only answer from documents."""
    return teacher_of(settings).needs_context
