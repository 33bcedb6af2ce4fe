"""Which teachers there are: one line each. What a teacher needs is imported when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from threading import Lock

from fanno_core import settings
from fanno_core.errors import BadSettings
from fanno_core.teachers.protocol import Teacher


def _extractive(_chosen: settings.Teacher) -> Teacher:
    from fanno_core.teachers.extractive import ExtractiveTeacher

    return ExtractiveTeacher()


def _transformers(chosen: settings.Teacher) -> Teacher:
    from fanno_core.teachers.transformers import TransformersTeacher

    if not chosen.model:
        raise BadSettings(
            "teacher.model is empty, but teacher.name=transformers needs a model: set it to a folder or a hub name"
        )
    return TransformersTeacher(
        chosen.model,
        chosen.revision,
        chosen.dtype,
        context_tokens=chosen.context_tokens,
        batch=chosen.batch,
        min_choice_mass=chosen.min_choice_mass,
    )


def _vllm(chosen: settings.Teacher) -> Teacher:
    from fanno_core.teachers.vllm import VllmTeacher

    return VllmTeacher(
        chosen.model or settings.MISTRAL,
        chosen.revision,
        chosen.dtype,
        context_tokens=chosen.context_tokens,
        tensor_parallel=chosen.tensor_parallel,
        memory_share=chosen.memory_share,
        min_choice_mass=chosen.min_choice_mass,
    )


def _openai(chosen: settings.Teacher) -> Teacher:
    from fanno_core.teachers.openai import OpenAITeacher
    from fanno_core.teachers.openai.keys import find_key

    return OpenAITeacher(
        chosen.endpoints,
        find_key(chosen.api_key),
        chosen.model,
        chosen.revision,
        chosen.tokenizer,
        context_tokens=chosen.context_tokens,
        min_choice_mass=chosen.min_choice_mass,
        in_flight=chosen.in_flight,
        timeout_s=chosen.timeout_s,
    )


TEACHERS: dict[str, Callable[[settings.Teacher], Teacher]] = {
    "extractive": _extractive,
    "transformers": _transformers,
    "vllm": _vllm,
    "openai": _openai,
}

_OPENING = Lock()


def open_teacher(chosen: settings.Teacher) -> Teacher:
    """The teacher of these settings; opened once a process, whichever thread asks first.

    Raises:
        BadSettings: a setting that this teacher needs is missing.
        MissingExtra: an optional package is not installed.
        RunStops: the teacher cannot be used as it is set up.
        TryAgain: none of its servers answers.
    """
    with _OPENING:  # `cache` alone would let two threads load the same model at the same time
        return _open(chosen)


@cache
def _open(chosen: settings.Teacher) -> Teacher:
    return TEACHERS[chosen.name](chosen)
