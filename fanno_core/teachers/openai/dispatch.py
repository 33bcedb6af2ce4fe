"""Which request goes when, and where; what happens when it fails. All of this lives in the background loop."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import aiohttp

from fanno_core.errors import RunStops, TryAgain
from fanno_core.teachers.openai.background import Outbox
from fanno_core.teachers.openai.endpoints import Endpoint, Endpoints
from fanno_core.teachers.openai.exchange import post
from fanno_core.teachers.openai.faults import Passing, TooLong, Unfit
from fanno_core.teachers.openai.limiter import Limiter
from fanno_core.teachers.openai.questions import Question, Way
from fanno_core.teachers.openai.watch import OUTAGE_S, Watch
from fanno_core.teachers.protocol import Answer

ATTEMPTS = 6
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# Requests in a row, with no answer between them, that failed for good: it is not about single requests.
HOPELESS = 8
_REFUSES_A_FIELD = re.compile(
    r"extra|unknown|unexpected|unrecogni[sz]ed|unsupported|not (?:supported|permitted|allowed)|invalid (?:field|param)"
)

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Call:
    """The requests of one `answers()`, and where its answers go. An exception in the outbox ends it.

    Attributes:
        outbox: leads to the one who waits.
        missing: how many requests have neither an answer nor been given up.
    """

    outbox: Outbox[tuple[int, Answer] | Exception]
    missing: int
    given_up: TryAgain | None = None
    is_over: bool = False
    under_way: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass(eq=False, slots=True)
class _Job:
    """One question on its way to an answer."""

    call: Call
    place: int
    question: Question
    attempts: int = 0


class Dispatch:
    """Sends questions in the order in which they came, as many at a time as the limiter lets.

    Args:
        endpoints: the servers.
        way: how they are asked.
        limiter: how many requests may be under way.
        session: of aiohttp.
        outage_s: how long requests wait while no server is there, in seconds.
        jitter: what share of the longest pause a request waits before its next attempt, in [0, 1].
    """

    def __init__(
        self,
        endpoints: Endpoints,
        way: Way,
        limiter: Limiter,
        session: aiohttp.ClientSession,
        outage_s: float = OUTAGE_S,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._endpoints = endpoints
        self._way = way
        self._limiter = limiter
        self._session = session
        self._jitter = jitter
        self._watch = Watch(endpoints, limiter, session, self._start_some, self._all_gone, outage_s)
        self._urls = {endpoint: endpoint.url.joinpath(*way.path.split("/")) for endpoint in endpoints.members}
        self._queue: deque[_Job] = deque()
        self._calls: set[Call] = set()
        self._in_flight = 0
        self._given_up_in_a_row = 0
        self._refused = 0
        self._has_answered = False
        self._waking: asyncio.TimerHandle | None = None

    def submit(self, call: Call, questions: Sequence[tuple[int, Question | None]]) -> None:
        """Queues questions of a call; None is answered at once: it does not fit the model's context."""
        if call.is_over:
            return
        if not self._calls:
            self._given_up_in_a_row = 0
            self._watch.start()
        self._calls.add(call)
        for place, question in questions:
            if question:
                self._queue.append(_Job(call, place, question))
            else:
                self._deliver(call, place, Answer("", "context"))
        self._start_some()

    def end(self, call: Call, error: Exception | None = None) -> None:
        """Forgets a call, cancels what is under way for it and tells it the error, if there is one."""
        if call.is_over:
            return
        call.is_over = True
        if error:
            call.outbox.put(error)
        for task in call.under_way - {asyncio.current_task()}:
            task.cancel()
        self._calls.discard(call)
        if not self._calls:
            self._queue.clear()
            self._watch.stop()

    def _all_gone(self) -> None:
        for call in list(self._calls):
            self.end(call, TryAgain(f"none of the teacher's endpoints answers: {self._endpoints}; are they running?"))

    def _start_some(self) -> None:
        """Sends what may be sent now."""
        while self._queue and self._in_flight < self._limiter.window:
            job = self._queue[0]
            if not job.call.is_over:
                request = job.question.request
                endpoint = self._endpoints.choose(request.document_id or request.row_id, self._limiter.window)
                if endpoint is None:
                    self._wake_later()
                    return
                self._in_flight += 1
                endpoint.in_flight += 1
                task = asyncio.get_running_loop().create_task(self._attempt(job, endpoint))
                job.call.under_way.add(task)
                # Not at the task's own end: a task that is cancelled before its first step has none.
                task.add_done_callback(partial(self._ended, job.call, endpoint))
            self._queue.popleft()

    def _ended(self, call: Call, endpoint: Endpoint, task: asyncio.Task[None]) -> None:
        call.under_way.discard(task)
        self._in_flight -= 1
        endpoint.in_flight -= 1
        self._start_some()

    def _wake_later(self) -> None:
        seconds = self._endpoints.wakes_in()
        if seconds is not None and self._waking is None:
            self._waking = asyncio.get_running_loop().call_later(seconds, self._wake)

    def _wake(self) -> None:
        self._waking = None
        self._start_some()

    async def _attempt(self, job: _Job, endpoint: Endpoint) -> None:
        started = time.monotonic()
        without = frozenset(endpoint.without)
        try:
            reply = await post(self._session, endpoint, self._urls[endpoint], job.question.encoded(without))
            answer = self._way.answer(job.question, reply, without)
        except Passing as fault:
            self._fail(job, endpoint, fault, started)
        except TooLong as said:
            endpoint.answered()
            self._shorten(job, said)
        except Unfit as refusal:
            endpoint.answered()
            self._ask_for_less(job, endpoint, refusal, without)
        except Exception as error:  # raised again by the one who waits in another thread
            self.end(job.call, error)
        else:
            endpoint.answered()
            self._given_up_in_a_row = 0
            self._has_answered = True
            self._limiter.succeeded(job.question.request.prompt, started, answer.completion_tokens, self._in_flight)
            self._deliver(job.call, job.place, answer)

    def _deliver(self, call: Call, place: int, answer: Answer) -> None:
        if not call.is_over:
            call.outbox.put((place, answer))
            self._settle(call)

    def _settle(self, call: Call) -> None:
        call.missing -= 1
        if not call.missing:
            self.end(call, call.given_up)

    def _fail(self, job: _Job, endpoint: Endpoint, fault: Passing, started: float) -> None:
        if fault.overloaded:
            self._limiter.overloaded(started)
        endpoint.rests_until = max(endpoint.rests_until, time.monotonic() + fault.rest_s)
        if not fault.alive and endpoint.failed(unreachable=fault.unreachable):
            self._watch.await_return(endpoint)
        job.attempts += 1
        if job.attempts == ATTEMPTS:
            self._give_up(job.call, TryAgain(f"teacher endpoint {endpoint.shown}: {fault.what}, {ATTEMPTS} times"))
        elif endpoint.is_down:  # another server takes it at once, or it waits until one is back
            self._queue.appendleft(job)
        else:
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (job.attempts - 1)) * self._jitter()
            asyncio.get_running_loop().call_later(pause, self._again, job)

    def _again(self, job: _Job) -> None:
        self._queue.appendleft(job)
        self._start_some()

    def _give_up(self, call: Call, error: TryAgain) -> None:
        """Leaves one request alone; the others go on, so that the next try has to ask only for this one."""
        self._given_up_in_a_row += 1
        call.given_up = error
        if self._given_up_in_a_row >= HOPELESS:
            self.end(call, error)
        elif not call.is_over:
            self._settle(call)

    def _shorten(self, job: _Job, said: TooLong) -> None:
        shorter = self._way.shorter(job.question, said)
        if shorter is None:
            self._deliver(job.call, job.place, Answer("", "context"))
        else:
            job.question = shorter
            self._queue.appendleft(job)

    def _ask_for_less(self, job: _Job, endpoint: Endpoint, refusal: Unfit, without: frozenset[str]) -> None:
        """Without the optional part that the server complains about; a request that has none left is refused."""
        left = [name for name in job.question.options if name not in without]
        named = [name for name in left if name in refusal.complaint]
        if left and (named or _REFUSES_A_FIELD.search(refusal.complaint)):
            unwanted = (named or left)[-1]
            if unwanted not in endpoint.without:
                log.warning("teacher endpoint %s refuses %s and is asked without", endpoint.shown, unwanted)
            endpoint.without.add(unwanted)
            self._queue.appendleft(job)
        else:
            self._refuse(job, endpoint)

    def _refuse(self, job: _Job, endpoint: Endpoint) -> None:
        """Rejects one request; where nothing else ever came back, it is not about single requests."""
        self._refused += 1
        if self._refused >= HOPELESS and not self._has_answered:
            problem = f"teacher endpoint {endpoint.shown} refuses every request (400, 413 or 422); its log says why"
            self.end(job.call, RunStops(problem))
        else:
            self._deliver(job.call, job.place, Answer("", "refused"))
