"""The teacher that asks servers with OpenAI's API."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, TypeVar

import aiohttp
from pydantic import SecretStr

from fanno_core.teachers.chat import PromptEncoder
from fanno_core.teachers.checkpoint import Tokenizer, find_tokenizer, folder_revision
from fanno_core.teachers.openai.background import THREAD, Outbox, background_loop
from fanno_core.teachers.openai.chat import Chat
from fanno_core.teachers.openai.dispatch import Call, Dispatch
from fanno_core.teachers.openai.endpoints import Endpoints
from fanno_core.teachers.openai.exchange import new_session
from fanno_core.teachers.openai.ids import Ids
from fanno_core.teachers.openai.limiter import Limiter
from fanno_core.teachers.openai.opening import Offer, look_around, read_addresses
from fanno_core.teachers.openai.questions import Way
from fanno_core.teachers.protocol import Answer, Identity, Request

Result = TypeVar("Result")

# Requests that are encoded at a time: the first are under way while the next are encoded.
CHUNK = 256
# Of English; other languages have fewer, which servers then say.
BYTES_A_TOKEN = 4
CLOSING_S = 2.0


class OpenAITeacher:
    """Answers by asking one or several servers of one model. May be shared by threads, each with a loop of its own.

    Where every server is vLLM and the tokenizer is known, they are sent token ids, otherwise chat messages.

    Args:
        endpoints: addresses of the servers.
        key: what they want to be shown; None: nothing.
        model: name of the model on the servers; empty: their first.
        revision: for the identity, and for a tokenizer from the hub; empty: the tokenizer's, where there is one.
        tokenizer: folder or hub name; empty: lengths are estimated.
        context_tokens: longest prompt and answer together; 0: what the servers say.
        min_choice_mass: probability that the choices must have together for an answer to be one of them, in [0, 1].
        in_flight: most requests at the same time, >= 1.
        timeout_s: longest wait for one answer, in seconds.

    Raises:
        TryAgain: no server answers.
        BadSettings: an address or the model's name is missing.
        MissingExtra: a tokenizer is named, but transformers is not installed.
        RunStops: a server refuses the key or does not have the model, or the tokenizer cannot be loaded.
    """

    needs_context = False

    def __init__(
        self,
        endpoints: Sequence[str],
        key: SecretStr | None = None,
        model: str = "",
        revision: str = "",
        tokenizer: str = "",
        context_tokens: int = 0,
        min_choice_mass: float = 0.1,
        in_flight: int = 256,
        timeout_s: float = 600.0,
    ) -> None:
        members = read_addresses(endpoints)
        known = find_tokenizer("openai", tokenizer, revision) if tokenizer else None
        self._encoder = PromptEncoder(known.tokenizer, tokenizer) if known else None
        self._loop = background_loop()
        session = self._await(_opened(key, timeout_s))
        self.close = weakref.finalize(self, _close, session, self._loop)
        """Closes the connections; also done when the process ends."""
        offer = self._await(look_around(session, members, model, context_tokens))
        self._way = _way(offer, self._encoder, min_choice_mass)
        self._dispatch = Dispatch(Endpoints(members), self._way, Limiter(in_flight), session)
        revision = revision or (_model_revision(tokenizer, known) if known else "unknown")
        self.identity = _identity(offer, known, self._way.name, revision, min_choice_mass)

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        """The place of each request with its answer, as the answers come.

        Raises:
            TryAgain: a server failed several times in a row, or none is there.
            RunStops: a server refuses the key, the address or the model.
        """
        call = Call(Outbox(), len(requests))
        sending = asyncio.create_task(self._send(call, requests))
        try:
            missing = len(requests)
            while missing:
                for item in await call.outbox.group():
                    if isinstance(item, Exception):
                        raise item
                    missing -= 1
                    yield item
        finally:
            sending.cancel()
            self._loop.call_soon_threadsafe(self._dispatch.end, call)

    @property
    def can_continue(self) -> bool:
        """Whether prompts are sent as ids, and the model has a chat template with an opening."""
        return isinstance(self._way, Ids) and bool(self._encoder and self._encoder.can_continue)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text without special tokens: exact with a tokenizer, otherwise a quarter of its bytes."""
        return self._encoder.count(texts) if self._encoder else [estimate(text) for text in texts]

    async def _send(self, call: Call, requests: Sequence[Request]) -> None:
        try:
            for start in range(0, len(requests), CHUNK):
                questions = await asyncio.to_thread(self._way.questions, requests[start : start + CHUNK])
                self._loop.call_soon_threadsafe(self._dispatch.submit, call, list(enumerate(questions, start)))
        except Exception as error:  # raised again by the one who waits
            call.outbox.put(error)

    def _await(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def estimate(text: str) -> int:
    """About how many tokens a text has."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_A_TOKEN)


def _way(offer: Offer, encoder: PromptEncoder | None, min_choice_mass: float) -> Way:
    """Ids where they can be made and are understood, otherwise messages."""
    if encoder is None:
        # vLLM's own numbers are better than an estimate; what other servers do with long prompts is not known.
        lengths: Callable[[Sequence[str]], list[int]] | None = None if offer.is_vllm else _estimates
        return Chat(offer.model, offer.context, min_choice_mass, lengths, estimate, is_vllm=offer.is_vllm)
    if offer.is_vllm and offer.context:
        return Ids(offer.model, encoder, offer.context, min_choice_mass)

    def exact(texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in encoder.prompts(texts)]

    return Chat(
        offer.model, offer.context, min_choice_mass, exact, lambda text: exact([text])[0], is_vllm=offer.is_vllm
    )


def _estimates(texts: Sequence[str]) -> list[int]:
    return [estimate(text) for text in texts]


def _identity(offer: Offer, known: Tokenizer | None, way: str, revision: str, min_choice_mass: float) -> Identity:
    """Who answers. The template is known where prompts are made from it here; otherwise the server has it."""
    server = "vLLM" if offer.is_vllm else "a server"
    counted = f"counted by {known.revision}" if known else "estimated"
    return Identity(
        "openai",
        _without_folder(offer.model),
        revision,
        known.template if known and way == Ids.name else "server",
        f"{way} to {server}, {offer.context or 'unknown'} tokens, {counted}, choices from {min_choice_mass}",
    )


def _model_revision(source: str, known: Tokenizer) -> str:
    """The commit of a hub model; of a folder the digest of all that is in it, which may be the model as well."""
    return folder_revision(Path(source)) if Path(source).is_dir() else known.revision


def _without_folder(model: str) -> str:
    """A model's name on its server; of a folder on the server's machine only the last part."""
    if PurePosixPath(model).is_absolute() or model.startswith((".", "~")):
        return PurePosixPath(model).name
    return PureWindowsPath(model).name if PureWindowsPath(model).drive else model


async def _opened(key: SecretStr | None, timeout_s: float) -> aiohttp.ClientSession:
    return new_session(key, timeout_s)  # in the loop that will use it


def _close(session: aiohttp.ClientSession, loop: asyncio.AbstractEventLoop) -> None:
    closing = asyncio.run_coroutine_threadsafe(session.close(), loop)
    if threading.current_thread().name != THREAD:  # which would wait for itself
        with suppress(TimeoutError):
            closing.result(CLOSING_S)
