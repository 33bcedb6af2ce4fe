"""Whatever lies in a corpus is kept or rejected with a reason, in bounded time and memory, and its neighbours stay."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import socket
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.documents.marks import MOST_MARKS, with_few_marks
from tests.hostile.conftest import GOOD, Put, Read

KEPT: list[str] = []
MEGA = 10**6


def file(name: str, content: bytes | str) -> Put:
    """Puts a file between the neighbours."""
    return lambda folder: (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def packed(member: bytes) -> bytes:
    """A zip file in a tar file in a gzip file."""
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("m.txt", member)
    with tarfile.open(fileobj=outer, mode="w") as tar:
        info = tarfile.TarInfo("m.zip")
        info.size = len(inner.getvalue())
        tar.addfile(info, io.BytesIO(inner.getvalue()))
    return gzip.compress(outer.getvalue())


SMALL: dict[str, tuple[str, bytes | str, list[str]]] = {
    "invalid utf-8": ("m.txt", GOOD.encode() + b"\xc3\x28\xf0\x28\x8c\xbc", ["not_utf8"]),
    "overlong utf-8": ("m.txt", b"\xc0\xaf" + GOOD.encode(), ["not_utf8"]),
    "utf-8 mark": ("m.txt", b"\xef\xbb\xbfSome words on rivers.", KEPT),
    "marks everywhere": ("m.txt", "\ufeff".join("Some words on rivers."), KEPT),
    "utf-16 with a mark": ("m.txt", "Some words on rivers.".encode("utf-16"), KEPT),
    "utf-16 without a mark": ("m.txt", "Some words on rivers.".encode("utf-16-be"), ["binary"]),
    "half of utf-16": ("m.txt", "Some words.".encode("utf-16")[:-1], ["not_utf8"]),
    "a lone surrogate in utf-16": ("m.txt", b"\xff\xfe\x00\xd8a\x00", ["not_utf8", "binary"]),
    "utf-32": ("m.txt", "Some words.".encode("utf-32"), ["binary"]),
    "nul": ("m.txt", "Some\0words.", ["binary"]),
    "nul far in": ("m.txt", GOOD * 900 + "\0", ["binary"]),
    "control characters": ("m.txt", "Some \x1b[31mwords\x07 on\x7f \x85rivers\x0b.", KEPT),
    "right-to-left overrides": ("m.txt", "Some \u202ewords\u2066 on\u2069 rivers\u200f.", KEPT),
    "nothing but controls": ("m.txt", "\x01\x02\u202e\u200b", ["empty"]),
    "private use and noncharacters": ("m.txt", "Words \ue000 \ufffe \uffff \U0010ffff of rivers.", KEPT),
    "surrogates in json": ("m.jsonl", '{"text": "Words \\ud800 of \\udfff rivers.", "id": "\\ud83d"}', KEPT),
    "surrogate names": ("m.json", '[{"\\ud800": "x", "text": "Words of rivers."}]', KEPT),
    "deep json": ("m.jsonl", '{"text":' * 50_000, ["bad_json"]),
    "deep json list": ("m.json", "[" * MEGA, ["bad_json"]),
    "long number": ("m.jsonl", '{"text": ' + "9" * MEGA + "}", ["bad_json"]),
    "not a number": ("m.jsonl", '{"text": NaN}\n{"text": 1e999}', ["no_text"]),
    "doubled keys": ("m.jsonl", '{"text": "First on rivers.", "text": "Second on rivers."}', KEPT),
    "gzip in gzip": ("m.txt.gz", gzip.compress(gzip.compress(GOOD.encode())), ["not_utf8", "binary"]),
    "gzip named twice": ("m.txt.gz.gz", gzip.compress(gzip.compress(GOOD.encode())), ["unknown_format"]),
    "nested archives": ("m.tar.gz", packed(GOOD.encode()), ["unknown_format"]),
    "nested archives as text": ("m.txt.gz", packed(GOOD.encode()), ["binary"]),
    "zip": ("m.zip", packed(GOOD.encode()), ["unknown_format"]),
    "pickle": ("m.pkl", b"\x80\x04cos\nsystem\n", ["unknown_format"]),
    "xml entities": ("m.html", '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><p>Words &c; of rivers.</p>', KEPT),
    "xml of a file": ("m.html", '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><p>Words &b;.</p>', KEPT),
    "rst of a file": ("m.rst", "Words.\n\n.. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n", KEPT),
    "csv formulas": ("m.csv", 'text\n"=cmd|\' /C calc\'!A0 and words"\n', KEPT),
}  # fmt: skip


@pytest.mark.parametrize("case", SMALL)
def test_odd_bytes_are_kept_or_rejected_with_a_reason(read_beside: Read, case: str) -> None:
    name, content, reasons = SMALL[case]
    found = read_beside(file(name, content))
    assert set(found.reasons.get(name, KEPT)) <= set(reasons)
    assert bool(found.kept.get(name)) == (reasons == KEPT)
    for row in found.kept.values():
        assert not {"root:x:0", "daemon"} & set(row.decode("latin-1").split())


def test_links_pipes_sockets_and_devices_are_never_opened(read_beside: Read) -> None:
    def put(folder: Path) -> None:
        (folder / "loop.txt").symlink_to(folder / "loop.txt")
        (folder / "up").symlink_to(folder)
        (folder / "gone.txt").symlink_to(folder / "nowhere")
        os.mkfifo(folder / "pipe.txt")
        (folder / "zero.txt").symlink_to("/dev/zero")
        (folder / "tty.jsonl").symlink_to("/dev/tty")
        with socket.socket(socket.AF_UNIX) as listening:
            here = Path.cwd()
            os.chdir(folder)  # the path of a socket may have 107 bytes at most
            try:
                listening.bind("socket.txt")
            finally:
                os.chdir(here)

    found = read_beside(put)
    unread = {"loop.txt": ["unreadable"], "gone.txt": ["unreadable"]}
    special = {name: ["not_a_file"] for name in ("pipe.txt", "zero.txt", "tty.jsonl", "socket.txt")}
    assert found.reasons == unread | special


NAMES = [
    "new\nline.txt",
    "..txt",
    "...txt",
    "a\\..\\b.txt",
    "\u202etxt.exe.txt",
    "$(id).txt",
    "-rf.txt",
    "a" * 240 + ".txt",
]


def test_names_cannot_climb_break_a_line_or_turn_around(read_beside: Read) -> None:
    def put(folder: Path) -> None:
        for number, name in enumerate(NAMES):
            (folder / name).write_text(f"Words on river number {number}.")
        (folder / os.fsdecode(b"bad\xff.txt")).write_text("Words on another river.")

    found = read_beside(put)
    assert len({*found.kept, *found.reasons}) >= len(NAMES)
    for name in {*found.kept, *found.reasons}:
        assert name.isprintable()
        assert not name.startswith("/")
        assert ".." not in name.split("/")


def fifty_mb(pattern: str) -> str:
    return (pattern * (50 * MEGA // len(pattern) + 1))[: 50 * MEGA]


WORDS = "a river and the sea "
REPEATED = {"exact_duplicate", "near_duplicate"}
"""How segments of one pattern end; the first of them is kept, or repeats a neighbour."""
LARGE: dict[str, tuple[str, Put, set[str]]] = {
    "50 MB line": ("m.txt", lambda f: (f / "m.txt").write_text(fifty_mb(WORDS)), REPEATED),
    "50 MB word": ("m.txt", lambda f: (f / "m.txt").write_text("😀" + fifty_mb("a")), REPEATED),
    "50 MB json line": (
        "m.jsonl",
        lambda f: (f / "m.jsonl").write_text('{"text": "' + fifty_mb(WORDS) + '"}'),
        REPEATED,
    ),
    "50 MB of json keys": (
        "m.jsonl",
        lambda f: (f / "m.jsonl").write_text("{" + ",".join(f'"k{n}": 0' for n in range(3 * MEGA)) + "}"),
        {"too_many_fields"},
    ),
    "50 MB csv header": ("m.csv", lambda f: (f / "m.csv").write_text(fifty_mb("ab,")), {"too_many_fields"}),
    "50 MB csv quote": ("m.csv", lambda f: (f / "m.csv").write_text('text\n"' + fifty_mb(WORDS)), {"bad_csv"}),
    "50 MB Markdown": ("m.md", lambda f: (f / "m.md").write_text(fifty_mb("*a ")), {"too_large"}),
    "50 MB HTML": ("m.html", lambda f: (f / "m.html").write_text(fifty_mb("<div>")), {"too_large"}),
    "50 MB reStructuredText": ("m.rst", lambda f: (f / "m.rst").write_text(fifty_mb("[a]_ ")), {"too_large"}),
    "a million marks": (
        "m.txt",
        lambda f: (f / "m.txt").write_text("a" + "\u0300\u0316" * (MEGA // 2)),
        REPEATED,
    ),
    "a million marks with joiners": (
        "m.txt",
        lambda f: (f / "m.txt").write_text("a" + ("\u0300\u0316\u200d" * 10 + "\u202e") * (MEGA // 20)),
        REPEATED,
    ),
    "a million marks as entities": (
        "m.html",
        lambda f: (f / "m.html").write_text("<p>" + GOOD + "&#x300;&#x316;" * (MEGA // 2)),
        REPEATED,
    ),
    "gzip bomb": (
        "m.txt.gz",
        lambda f: (f / "m.txt.gz").write_bytes(gzip.compress(b"words " * (60 * MEGA), 1)),
        {"bomb", "too_large"},
    ),
    "zstd bomb of lines": (
        "m.jsonl.zst",
        lambda f: (f / "m.jsonl.zst").write_bytes(zstandard.compress(b"{}\n" * (300 * MEGA // 3))),
        {"bomb"},
    ),
    "zstd bomb of blank lines": (
        "m.jsonl.zst",
        lambda f: (f / "m.jsonl.zst").write_bytes(zstandard.compress(b"\n" * (300 * MEGA))),
        {"bomb"},
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", LARGE)
def test_large_files_end_in_time_and_memory(read_beside: Read, case: str) -> None:
    name, put, allowed = LARGE[case]
    found = read_beside(put)
    assert set(found.reasons.get(name, KEPT)) <= allowed
    assert bool(found.kept.get(name)) <= (allowed == REPEATED)
    assert found.rows > 2


MARKUP = {
    "md": ["[", "*a ", "- a\n", "|a|b|\n", "> ", "`a", "<", "&amp;", "[a](b "],
    "rst": ["- a\n", "[a]_ ", "a_ ", ".. _a:\n\n", ".. a::\n\n", "a::\n\n  b\n\n", "= =\n", ".. [a] b\n\n", "a\n  b\n"],
    "html": ["<div>", "<p>a", "<table><tr><td>a", "<a href=x>y</a> ", "<!--", "&#x300;&#x316;"],
}


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "pattern"), [(e, p) for e, patterns in MARKUP.items() for p in patterns])
def test_no_markup_of_any_length_takes_long(read_beside: Read, ending: str, pattern: str) -> None:
    """As much of each as the reader takes, and then more than it takes."""
    from fanno_core.documents.readers.table import HTML, MARKDOWN, RST

    limits = {"md": MARKDOWN, "rst": RST, "html": HTML}[ending]
    each = sum(pattern.count(mark) for mark in limits.marks)
    most = limits.most_marks // each if each else MEGA // len(pattern)
    read_beside(file(f"m.{ending}", pattern * most))


TEXTS = st.text(st.sampled_from("ab \n\u0300\u0316\u0327\u200d\u202eé蜂\ud800"), max_size=200)


@given(TEXTS)
def test_few_marks_stay_as_they_are_and_many_never_grow(text: str) -> None:
    bounded = with_few_marks(text)
    assert with_few_marks(bounded) == bounded
    assert len(bounded) <= len(text)
    if len(text) <= MOST_MARKS:
        assert bounded == text
    letters = [c for c in text if c in "ab \né蜂"]
    assert [c for c in bounded if c in "ab \né蜂"] == letters
    assert not re.search(f"[\u0300\u0316\u0327]{{{MOST_MARKS + 2}}}", unicodedata.normalize("NFD", bounded))


@given(st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3))
def test_any_json_object_is_a_row_or_a_rejection(tmp_path_factory: pytest.TempPathFactory, row: dict[str, str]) -> None:
    from fanno_core.documents.ingest import ingest
    from fanno_core.documents.sources import find_sources
    from fanno_core.settings import Ingest

    folder = tmp_path_factory.mktemp("json")
    (folder / "a.jsonl").write_text(json.dumps(row))
    outcome = ingest(find_sources([str(folder)]), Ingest())
    assert outcome.candidates >= 1
    assert all(r.reason for r in outcome.rejected)
