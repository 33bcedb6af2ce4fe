"""A teacher that answers from the journal alone, so that the phases' own code makes the prompts again.

An answer is written down under a digest of all that it depends on, the prompt's text among it. So a prompt whose
answer stands there is, to the letter, what was sent. Where a prompt file was changed since, the answer is still known
by its row and the prompt's name, but not the text that was sent: then that is said and no text is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from fanno_core.dataset.made import Made
from fanno_core.errors import RunStops
from fanno_core.lineage.explanation import Asked
from fanno_core.prompts.loader import load_prompt
from fanno_core.teachers.answer_journal import FILE, FOLDER
from fanno_core.teachers.journal import JournalReader
from fanno_core.teachers.journalled import request_key
from fanno_core.teachers.object_journal import ObjectJournal
from fanno_core.teachers.protocol import Answer, Identity, Request
from fanno_core.teachers.verdict import read_verdict

CHANGED = "the prompt as sent cannot be told: its file, or what goes into it, was changed since"
ABSENT = "neither prompt nor answer can be told: the journal holds no answer to this prompt, or it was refused"
CUT = "sent without the last {:,} tokens of its documents, for which the teacher's context had no room"


class Answers(Protocol):
    """A journal to look answers up in."""

    def fetch(self, keys: Iterable[str]) -> Mapping[str, Answer]:
        """The answers written down under these keys."""
        ...

    def about(self, row_id: str, prompt: str) -> Sequence[Answer]:
        """The answers to this prompt for this row."""
        ...


class Lookup:
    """A journal that is asked once for what several explanations, which are made at the same time, want to know.

    Args:
        journal: what was answered.
    """

    def __init__(self, journal: Answers) -> None:
        self._journal = journal
        self._wanted: set[str] = set()
        self._asking: asyncio.Task[Mapping[str, Answer]] | None = None

    async def fetch(self, keys: Iterable[str]) -> Mapping[str, Answer]:
        """The answers written down under these keys, and maybe others.

        Raises:
            RunStops: the journal cannot be read.
        """
        self._wanted |= {*keys}
        self._asking = self._asking or asyncio.create_task(self._ask())
        return await self._asking

    def about(self, row_id: str, prompt: str) -> Sequence[Answer]:
        """The answers to this prompt for this row.

        Raises:
            RunStops: the journal cannot be read.
        """
        return self._journal.about(row_id, prompt)

    async def _ask(self) -> Mapping[str, Answer]:
        # A task starts after those that can go on now: by then each of them has said what it wants.
        wanted, self._wanted, self._asking = self._wanted, set(), None
        return self._journal.fetch(wanted)


class Replay:
    """Answers from the journal; every question that was put to it is in `asked`, with its answer.

    Args:
        identity: who answered in the run.
        journal: what was answered.
    """

    def __init__(self, identity: Identity, journal: Lookup) -> None:
        self.identity = identity
        self.needs_context = False
        self.can_continue = True
        self.asked: list[Asked] = []
        self._journal = journal
        self._recognised: dict[str, Answer] = {}

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        """The place of each request with its answer.

        Raises:
            RunStops: the journal does not hold one, or cannot be read; the question is noted without its answer.
        """
        for place, request in enumerate(requests):
            try:
                asked, answer = await self._look_up(request)
            except RunStops as error:
                self.asked.append(_unanswered(request, str(error)))
                raise
            self.asked.append(asked)
            yield place, answer

    async def known(self, requests: Sequence[Request]) -> dict[int, Answer]:
        """The answers that the journal holds, by the place of their request; nothing is noted.

        Raises:
            RunStops: the journal cannot be read.
        """
        keys = [request_key(request, self.identity) for request in requests]
        held = await self._journal.fetch(keys)
        return {place: held[key] for place, key in enumerate(keys) if key in held}

    def about(self, request: Request) -> Sequence[Answer]:
        """The answers that the journal holds for the row and the prompt's name of a request, whatever its text.

        Raises:
            RunStops: the journal cannot be read.
        """
        return self._journal.about(request.row_id, request.prompt)

    def recognise(self, request: Request, answer: Answer) -> None:
        """Takes this for the answer to a request that the journal does not hold as it would be sent now."""
        self._recognised[request_key(request, self.identity)] = answer

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Zeros: lengths stand in the rows, and there is no tokenizer here to count them anew."""
        return [0] * len(texts)

    async def _look_up(self, request: Request) -> tuple[Asked, Answer]:
        if answer := (await self.known([request])).get(0):
            return _told(request, answer), answer
        recognised = self._recognised.get(request_key(request, self.identity))
        possible = [recognised] if recognised else self.about(request)
        if len(possible) != 1:
            raise RunStops(ABSENT)
        return _told(request, possible[0], as_sent=False), possible[0]


def open_journal(made: Made) -> Lookup:
    """The journal of a run. Nothing is read before the first question."""
    work, shared = made.out / "work", made.settings.run.journal
    if isinstance(work, Path):
        return Lookup(JournalReader(Path(shared) if shared else work / FILE))
    return Lookup(ObjectJournal(work / FOLDER))


def _told(request: Request, answer: Answer, as_sent: bool = True) -> Asked:
    cut = CUT.format(answer.cut_tokens) if answer.cut_tokens else ""
    return Asked(
        about=request.row_id,
        # The file's digest is that of today. The opening of a user's turn comes from no file.
        prompt=load_prompt(request.prompt).label if as_sent and not request.bare else request.prompt,
        sampling=str(request.sampling),
        text=request.text if as_sent else None,
        answer=answer.text,
        finish=answer.finish,
        probability=read_verdict(answer) if request.choices else None,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        cached_tokens=answer.cached_tokens,
        cut_tokens=answer.cut_tokens,
        note=cut if as_sent else CHANGED,
    )


def _unanswered(request: Request, why: str) -> Asked:
    return Asked(request.row_id, request.prompt, str(request.sampling), None, None, note=why)
