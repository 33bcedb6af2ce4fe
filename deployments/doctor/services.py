"""What a run talks to: Prefect's API, the encoder and the teacher."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from contextlib import nullcontext

from deployments.doctor.finding import Finding
from deployments.server import prefect_api, running_server, state_folder
from fanno_core.errors import FannoError
from fanno_core.settings import Settings

ANSWER_S = 10.0
QUESTION_S = 120.0


def prefect_server() -> Finding:
    """Whether the configured Prefect server answers, or ours can be used."""
    from prefect.settings import PREFECT_API_URL

    configured = PREFECT_API_URL.value()
    if not configured:
        server = running_server()
        if server:
            return Finding("prefect", "works", f"our own server, Prefect {server.prefect}, answers at {server.ui}")
        return Finding("prefect", "works", f"our own server is not running; a run starts it, state in {state_folder()}")
    advice = "start it, correct PREFECT_API_URL, or unset it for a server of our own"
    try:
        with urllib.request.urlopen(f"{configured}/health", timeout=ANSWER_S) as response:  # noqa: S310
            said = f"PREFECT_API_URL {configured} answers"
            return Finding("prefect", "works" if response.status == 200 else "broken", said)
    except (OSError, ValueError, urllib.error.URLError):
        return Finding("prefect", "broken", f"PREFECT_API_URL {configured} does not answer", advice)


def encoder(settings: Settings) -> Finding:
    """Whether the encoder's weights are there and give a vector."""
    from fanno_core.communities.encoder import Encoder

    started = time.perf_counter()
    try:
        chosen = Encoder(settings.encoder)
        width = chosen.encode(["A sentence for the encoder."]).shape[1]
    except FannoError as error:
        return Finding("encoder", "broken", str(error), "mend that, or name another encoder.model")
    took_s = time.perf_counter() - started
    return Finding("encoder", "works", f"{chosen.identity}: {width} numbers a text, loaded in {took_s:.1f} s")


def teacher(settings: Settings) -> Finding:
    """Whether the teacher is there and answers a question of one token."""
    from fanno_core.teachers.protocol import Request, Sampling, ask
    from tasks.teachers import teacher_of, with_servers

    name = settings.teacher.name
    if name == "extractive":
        return Finding("teacher", "works", "extractive: no weights, for previews; --set teacher.name=... for a model")
    try:
        settings = with_servers(settings)
        if name == "openai":
            asyncio.run(_someone_answers(settings))
        key_in_prefect = settings.teacher.api_key.startswith("prefect:")
        with prefect_api() if key_in_prefect else nullcontext():
            opened = teacher_of(settings)
        question = Request("doctor", "doctor", "Say yes.", Sampling(max_tokens=1))
        started = time.perf_counter()
        (answer,) = asyncio.run(asyncio.wait_for(ask(opened, [question]), QUESTION_S))
    except FannoError as error:
        return Finding("teacher", "broken", str(error), "mend that, or change the settings of section teacher")
    except TimeoutError:
        return Finding("teacher", "broken", f"{name}: no answer within {QUESTION_S:.0f} s", "see to the server's load")
    if answer.finish == "refused":
        return Finding("teacher", "broken", f"{opened.identity} refuses a plain question", "see the server's log")
    took_s = time.perf_counter() - started
    return Finding("teacher", "works", f"{opened.identity} answered {answer.completion_tokens} token in {took_s:.1f} s")


async def _someone_answers(settings: Settings) -> None:
    """Returns once a server has answered; a run would wait for it a good deal longer.

    Raises:
        RunStops: none answers, or one refuses the key or does not have the model.
    """
    from fanno_core.errors import RunStops
    from fanno_core.teachers.openai.exchange import new_session
    from fanno_core.teachers.openai.keys import find_key
    from fanno_core.teachers.openai.opening import look_around, read_addresses

    chosen = settings.teacher
    members = read_addresses(chosen.endpoints)
    key = None if chosen.api_key.startswith("prefect:") else find_key(chosen.api_key)
    async with new_session(key, ANSWER_S) as session:
        try:
            await asyncio.wait_for(look_around(session, members, chosen.model, chosen.context_tokens), ANSWER_S)
        except TimeoutError:
            names = ", ".join(member.shown for member in members)
            raise RunStops(f"none of teacher.endpoints answers: {names}; start the server or correct it") from None
    down = [member.shown for member in members if member.is_down]
    if down:
        raise RunStops(f"teacher endpoints that do not answer: {', '.join(down)}; start them, or take them out")
