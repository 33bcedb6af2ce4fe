"""The journal under any sequence of answers, closings, rivals and damage, held against a dictionary."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fanno_core.errors import RunStops
from fanno_core.teachers.journal import Journal
from fanno_core.teachers.protocol import Answer, Request, Sampling
from fanno_core.teachers.verify import PATH, check_journal, mend_journal

KEYS = ("a", "b", "c", "d")
ANSWERED = st.dictionaries(
    st.sampled_from(KEYS),
    st.builds(
        Answer,
        text=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        finish=st.sampled_from(["stop", "length"]),
        probability=st.none() | st.floats(0, 1),
    ),
    min_size=1,
)


class Answers(RuleBasedStateMachine):
    """Two processes' journals on one file; what either has written down stands."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="fanno-journal-"))
        self.path = self.folder / PATH
        self.path.parent.mkdir()
        self.journals = [Journal(self.path), Journal(self.path)]
        self.written: dict[str, Answer] = {}
        self.rotten: set[str] = set()

    def teardown(self) -> None:
        for journal in self.journals:
            journal.close()
        shutil.rmtree(self.folder)

    @rule(who=st.integers(0, 1), answers=ANSWERED)
    def store(self, who: int, answers: dict[str, Answer]) -> None:
        """The first answer stands, and everybody is told so, or that it has rotted."""
        request = Request("row", "prompt", "text", Sampling(1))
        pairs = {key: (request, answer) for key, answer in answers.items()}
        self.written = {**answers, **self.written}
        if self.rotten & answers.keys():
            with pytest.raises(RunStops, match="not what was written down"):
                self.journals[who].store(pairs)
        else:
            assert self.journals[who].store(pairs) == {key: self.written[key] for key in answers}

    @rule(who=st.integers(0, 1))
    def close(self, who: int) -> None:
        self.journals[who].close()

    @rule()
    def die(self) -> None:
        """A process goes without closing: its connection is dropped, its file and log stay."""
        self.journals[0] = Journal(self.path)

    @rule(key=st.sampled_from(KEYS), bad=st.sampled_from(["", "{", '{"text": 1}', "null", '{"text": "another"}']))
    def damage(self, key: str, bad: str) -> None:
        """An answer rots, be it into another that can be read."""
        if key in self.written:
            with closing(sqlite3.connect(self.path)) as connection, connection:
                connection.execute("UPDATE answers SET answer = ? WHERE key = ?", [bad, key])
            self.rotten.add(key)

    @rule()
    def mend(self) -> None:
        """What has rotted counts as never given, and nothing else does."""
        assert len(check_journal(self.folder)) == len(self.rotten)
        mend_journal(self.folder)
        self.written = {key: answer for key, answer in self.written.items() if key not in self.rotten}
        self.rotten.clear()

    @invariant()
    def everybody_reads_what_was_written_down(self) -> None:
        for journal in self.journals:
            assert journal.fetch(set(KEYS) - self.rotten) == {
                key: answer for key, answer in self.written.items() if key not in self.rotten
            }
            for key in self.rotten:
                with pytest.raises(RunStops, match="not what was written down"):
                    journal.fetch([key])


TestAnswers = Answers.TestCase
TestAnswers.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
