"""Settings files that are wrong, hostile or none: refused in one sentence that names what is wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.errors import BadSettings
from fanno_core.settings import MOST_BYTES, Settings, load_settings

REFUSED: dict[str, tuple[str, str]] = {
    "unknown section": ("[seed]\ndocuments = 1", "seed"),
    "unknown key": ("[seeds]\ndocs = 1", "seeds.docs"),
    "key at the top": ("documents = 1", "documents"),
    "key in capitals": ("[seeds]\nDocuments = 1", "seeds.Documents"),
    "dunder": ("[seeds]\n__class__ = 1", "seeds.__class__"),
    "section twice": ("[seeds]\n[seeds]", "seeds"),
    "key twice": ("[seeds]\ndocuments = 1\ndocuments = 2", "setting documents"),
    "key twice, dotted": ("seeds.documents = 1\nseeds.documents = 2\n", "setting seeds.documents"),
    "section is a number": ("seeds = 3", "seeds"),
    "section is a list": ("seeds = [1]", "seeds"),
    "list of sections": ("[[seeds]]\ndocuments = 1", "seeds"),
    "word for a number": ('[seeds]\ndocuments = "many"', "seeds.documents"),
    "digits in quotes": ('[seeds]\ndocuments = "3"', "seeds.documents"),
    "truth for a number": ("[seeds]\ndocuments = true", "seeds.documents"),
    "truth for a share": ("[filters]\nnovelty = true", "filters.novelty"),
    "number for a truth": ("[filters]\njudge = 1", "filters.judge"),
    "word for a truth": ('[filters]\njudge = "yes"', "filters.judge"),
    "part of a number": ("[seeds]\ndocuments = 1.5", "seeds.documents"),
    "list for a number": ("[seeds]\ndocuments = [1]", "seeds.documents"),
    "table for a number": ("[seeds]\ndocuments = {a = 1}", "seeds.documents"),
    "date for a number": ("[seeds]\ndocuments = 2026-01-01", "seeds.documents"),
    "date for a text": ("[publish]\nsystem = 2026-01-01", "publish.system"),
    "text for a list": ('[screen]\nlanguages = "en"', "screen.languages"),
    "list of numbers for texts": ("[screen]\nlanguages = [[1]]", "screen.languages"),
    "truth for a text": ("[publish]\nsystem = true", "publish.system"),
    "below": ("[seeds]\ndocuments = 0", "seeds.documents"),
    "above": ("[seeds]\nper_document = 97", "seeds.per_document"),
    "far above": ("[run]\nseed = 9223372036854775808", "run.seed"),
    "not a number": ("[filters]\nnovelty = nan", "filters.novelty"),
    "infinite": ("[communities]\nresolution = inf", "communities.resolution"),
    "infinite wait": ("[teacher]\ntimeout_s = inf", "teacher.timeout_s"),
    "none of the choices": ('[teacher]\nname = "gpt"', "teacher.name"),
    "two that do not fit": ("[screen]\nmin_words = 30\nmax_words = 20", "min_words 30"),
    "path that climbs": ('[publish]\nname = "../up"', "publish.name"),
    "dots": ('[publish]\nname = ".."', "publish.name"),
    "absolute path": ('[publish]\nname = "/etc/passwd"', "publish.name"),
    "line feed at the end": ('[publish]\nname = "fanno\\n"', "publish.name"),
    "nul": ('[publish]\nname = "fanno\\u0000"', "publish.name"),
    "a key instead of its place": ('[teacher]\napi_key = "sk-1234"', "teacher.api_key"),
    "line feed in a name": ('"a\\nb" = 1', "a b"),
    "writing turned around in a name": ('"a\\u202eb" = 1', "a b"),
    "escape sequence in a name": ('"a\\u001b[31mb" = 1', "a [31mb"),
    "long name": ('"' + "a" * 100_000 + '" = 1', "aaa..."),
    "deep list": ("x = " + "[" * 100_000, "nested too deeply"),
    "deep table": ("x = " + "{a = " * 100_000, "nested too deeply"),
    "deep key": ("[" + "a." * 100_000 + "b]", "a"),
    "huge": ("# " + "x" * MOST_BYTES, "larger than"),
    "no toml": ("seeds: {documents: 1}", "line 1"),
    "json": ('{"seeds": {"documents": 1}}', "line 1"),
    "open string": ('[seeds]\ndocuments = "', "setting documents"),
    "control character": ("[seeds]\ndocuments = 1\x00", "line 2"),
}


def refused(file: Path) -> str:
    started = time.process_time()
    with pytest.raises(BadSettings) as error:
        load_settings(file)
    assert time.process_time() - started < 5
    return str(error.value)


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_file_is_refused_by_name_in_one_sentence(tmp_path: Path, case: str) -> None:
    content, named = REFUSED[case]
    (tmp_path / "s.toml").write_text(content, encoding="utf-8")
    message = refused(tmp_path / "s.toml")
    assert named in message
    assert message.isprintable(), "one line, and nothing that a terminal acts on"
    assert len(message) < 500 + len(str(tmp_path))
    assert "sk-1234" not in message


@pytest.mark.parametrize("content", [b"\xff\xfe[\0s\0", b"[seeds]\n# caf\xe9", b"\x89PNG\r\n"])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.toml").write_bytes(content)
    assert "s.toml" in refused(tmp_path / "s.toml")


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "loop.toml").symlink_to(tmp_path / "loop.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    (tmp_path / "folder.toml").mkdir()
    for name in ("pipe", "loop", "zero", "folder", "missing"):
        assert f"{name}.toml" in refused(tmp_path / f"{name}.toml")


def test_a_byte_order_mark_is_no_setting(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_bytes(b"\xef\xbb\xbf[seeds]\ndocuments = 3\n")
    assert load_settings(tmp_path / "s.toml").seeds.documents == 3


@pytest.mark.parametrize(
    ("assignment", "named"),
    [
        ("seeds.documents=" + "[" * 100_000, "seeds.documents"),
        ("seeds.documents=1\nfoo = 2", "seeds.documents"),
        ("seeds.documents=true", "seeds.documents"),
        ("seeds.documents=nan", "seeds.documents"),
        ("seeds.documents.a=1", "seeds.documents.a"),
        ("publish.name=..", "publish.name"),
        ("publish.name=../x", "publish.name"),
    ],
)
def test_a_bad_assignment_is_refused_by_name(assignment: str, named: str) -> None:
    with pytest.raises(BadSettings, match=named):
        load_settings(None, [assignment])


KEYS = st.sampled_from(["seeds", "screen", "run", "teacher", "documents", "seed", "languages", "x", "", "a.b"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_values_are_settings_or_refused(values: dict[str, object]) -> None:
    from fanno_core.settings import make_settings

    try:
        assert isinstance(make_settings(values), Settings)
    except BadSettings as error:
        assert str(error).isprintable()
