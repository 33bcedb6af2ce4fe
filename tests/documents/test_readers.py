from __future__ import annotations

import gzip
import json
import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from fanno_core.documents.readers import opening
from fanno_core.documents.readers.contract import Source
from fanno_core.documents.readers.table import COMPRESSIONS, FORMATS, format_of
from fanno_core.documents.sources import BUILT_IN
from fanno_core.settings import Ingest
from tests.documents.conftest import Read


def texts(outcome) -> list[str]:
    return [document.text for document in outcome.kept]


def parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


SMALL = {
    "a.txt": "One thought.",
    "a.md": "# One *thought*.",
    "a.rst": "One :ref:`thought <there>`.",
    "a.html": "<p>One <b>thought</b>.</p>",
    "a.jsonl": '{"text": "One thought."}\n',
    "a.json": '[{"text": "One thought."}]',
    "a.csv": 'text\n"One thought."\n',
    "a.tsv": "id\ttext\n1\tOne thought.\n",
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("packed", ["", ".gz", ".zst"])
def test_every_text_format_is_read_plain_and_compressed(read: Read, name: str, packed: str):
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}[packed]
    outcome = read(name + packed, pack(SMALL[name].encode()))
    assert [text.rstrip(".") for text in texts(outcome)] == ["One thought"]
    assert outcome.kept[0].source == name + packed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", SMALL)
def test_byte_order_marks_are_read_and_dropped(read: Read, name: str, encoding: str):
    content = SMALL[name].replace("One", "Ünï 𝔸").encode(encoding)
    assert [text.rstrip(".") for text in texts(read(name, content))] == ["Ünï 𝔸 thought"]


def test_every_ending_leads_to_one_format():
    endings = [ending for entry in FORMATS.values() for ending in entry.endings]
    assert len(endings) == len(set(endings))
    assert all(format_of(f"X{ending.upper()}")[0] in FORMATS for ending in endings)
    assert {format_of("a.txt" + packed) for packed in COMPRESSIONS} == {("txt", "gz"), ("txt", "zst")}
    assert format_of("a.parquet.gz") == ("unknown", "gz")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", "café".encode("latin-1"), "not_utf8"),
        ("a.txt", "wide".encode("utf-16-le"), "binary"),
        ("a.txt", b"\xff\xfea", "not_utf8"),
        ("a.md", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        ("a.csv", "text\ncafé\n".encode("latin-1"), "not_utf8"),
        ("a.jsonl", b"PAR1\0\0\0", "binary"),
        ("a.txt", b"", "empty"),
        ("a.txt", " \n\t", "empty"),
        ("a.md", "[![build](b.svg)](https://x.y)", "empty"),
        ("a.html", "<script>1</script>", "empty"),
        ("a.jsonl", "\n\n", "empty"),
        ("a.json", "", "empty"),
        ("a.json", "[]", "empty"),
        ("a.csv", "", "empty"),
        ("a.csv", "text\n", "empty"),
        ("a.txt.gz", gzip.compress(b"text " * 9999, mtime=0)[:-20], "bad_gzip"),
        ("a.txt.gz", b"no gzip at all", "bad_gzip"),
        ("a.txt.gz", b"", "bad_gzip"),
        ("a.jsonl.zst", zstandard.compress(b'{"text": "x"}\n' * 9999)[:-3], "bad_zstd"),
        ("a.json", '[{"text": "x"},', "bad_json"),
        ("a.json", "[" * 100_000, "bad_json"),
        ("a.csv", 'text,"never closed', "bad_csv"),
        ("a.parquet", b"PAR1 this is none PAR1", "bad_parquet"),
        ("a.parquet", b"", "bad_parquet"),
        ("a.docx", b"PK", "unknown_format"),
        ("README", "text", "unknown_format"),
        ("a.jsonl", '{"n": 1}\n{"n": 2}', "no_text_field"),
        ("a.jsonl", '{"a": "x", "b": "y"}', "no_text_field"),
        ("a.csv", "a,b\nx,y\n", "no_text_field"),
        ("a.rst", "".join("  " * n + "- a\n\n" for n in range(400)), "too_deep"),
    ],
)
def test_a_bad_file_is_rejected_with_one_reason(read: Read, name: str, content: str | bytes, reason: str):
    outcome = read(name, content)
    assert (outcome.reasons, len(outcome.kept)) == ({reason: 1}, 0)
    rejection = outcome.rejected[0]
    assert (rejection.phase, rejection.source, rejection.text) == ("ingest", name, "")


@pytest.mark.parametrize("name", SMALL)
def test_a_piece_that_does_not_fit_in_memory_is_never_read_whole(
    read: Read, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setattr(opening, "LIMIT_CHARS", 10)
    content = SMALL[name].replace("thought", "thought" * 9)
    assert read(name + ".gz", gzip.compress(content.encode())).reasons == {"too_large": 1}


def test_a_damaged_parquet_page_rejects_the_file(read: Read):
    content = bytearray(parquet(pa.table({"text": [f"A text of its own, number {n}" for n in range(5000)]})))
    content[2000:2600] = b"\xff" * 600
    assert read("a.parquet", bytes(content)).reasons == {"bad_parquet": 1}


def test_one_bad_line_of_json_rejects_that_row_only(read: Read):
    lines = [
        b'{"text": "first"}',
        b"{not json",
        b"[1]",
        b'{"id": 1}',
        b'{"text": 5}',
        b'{"text": null}',
        b'{"text": " "}',
    ]
    lines += [b'{"text": "caf\xe9"}', b"", b"[" * 100_000, b'{"text": ' + b"9" * 5000 + b"}", b'{"text": "last"}']
    outcome = read("a.jsonl", b"\n".join(lines))
    assert texts(outcome) == ["first", "last"]
    assert outcome.kept[1].location == "row 12, segment 0"
    assert [(r.detail.split(":")[0], r.reason) for r in outcome.rejected] == [
        ("row 2", "bad_json"),
        ("row 3", "bad_json"),
        ("row 4", "no_text"),
        ("row 5", "no_text"),
        ("row 6", "no_text"),
        ("row 7", "empty"),
        ("row 8", "not_utf8"),
        ("row 10", "bad_json"),
        ("row 11", "bad_json"),
    ]


def test_json_may_be_a_list_an_object_or_objects_by_line(read: Read):
    rows = [{"text": "one"}, {"text": "two"}]
    assert texts(read("a.json", json.dumps(rows, indent=1))) == ["one", "two"]
    assert texts(read("a.json", json.dumps(rows[0], indent=1))) == ["one"]
    assert texts(read("a.json", "\n".join(map(json.dumps, rows)))) == ["one", "two"]


def test_rows_may_hold_their_text_under_different_names(read: Read):
    outcome = read("a.jsonl", '{"title": "t", "n": "x"}\n{"Content": "one"}\n{"BODY": "b", "text": "two"}')
    assert texts(outcome) == ["one", "two"]
    assert outcome.reasons == {"no_text": 1}


@pytest.mark.parametrize(
    ("row", "settings", "expected"),
    [
        ({"abstract": "a", "document": "b"}, {}, ["b"]),
        ({"Markdown": "a", "other": "b"}, {}, ["a"]),
        ({"sentence": "a", "n": 1}, {}, ["a"]),
        ({"sentence": "a", "id": "7", "url": "u"}, {}, ["a"]),
        ({"text": "a", "mine": "b"}, {"text_field": "mine"}, ["b"]),
        ({"text": "a", "mine": "b"}, {"text_field": "MINE"}, ["b"]),
        ({"text": "a"}, {"text_field": "mine"}, []),
        ({"id": "a"}, {}, []),
    ],
)
def test_the_text_field_is_found_alike_in_every_table(read: Read, row: dict, settings: dict, expected: list[str]):
    header, values = ",".join(row), ",".join(map(str, row.values()))
    assert texts(read("a.jsonl", json.dumps(row), **settings)) == expected
    assert texts(read("a.parquet", parquet(pa.Table.from_pylist([row])), **settings)) == expected
    if "n" not in row:  # CSV has no types: every field is one of strings
        assert texts(read("a.csv", f"{header}\n{values}\n", **settings)) == expected


def test_a_file_without_a_text_field_says_what_it_has(read: Read):
    outcome = read("a.csv", "first,second\nx,y\n")
    assert "first, second" in outcome.rejected[0].detail


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_id_source_and_licence_are_carried(read: Read, name: str):
    row = {"doc_id": 7, "URL": "https://x.y/ \u202e\n z", "license": "CC0-1.0", "text": "One."}
    content = {
        "a.jsonl": json.dumps(row).encode(),
        "a.csv": b'doc_id,URL,license,text\n7,"https://x.y/ \n z",CC0-1.0,One.\n',
        "a.parquet": parquet(pa.Table.from_pylist([row])),
    }[name]
    document = read(name, content).kept[0]
    assert (document.carried_id, document.source, document.licence) == ("7", "https://x.y/ z", "CC0-1.0")


def test_lone_surrogates_never_leave_the_reader(read: Read):
    outcome = read("a.jsonl", '{"text": "a \\ud800 b", "id": "\\udfff", "url": "\\ud83d"}\n{"text": 1, "\\ud800": 2}')
    for row in [*outcome.kept, *outcome.rejected]:
        repr([getattr(row, name) for name in row.__slots__]).encode()
        assert all(value.isprintable() for value in (row.source, row.id))
    assert read("b.jsonl", '{"\\ud800": 2}').rejected[0].detail.encode()


def test_csv_records_keep_their_line_ends_and_delimiters(read: Read):
    outcome = read("a.csv", 'id;text\r\n1;"Said ""so"".\r\n\r\nAnd; then"\r\n\r\n2;plain\r\n')
    assert texts(outcome) == ['Said "so".\n\nAnd; then', "plain"]


def test_one_bad_csv_record_rejects_that_row_only(read: Read):
    outcome = read("a.csv", 'id,text\n1,one\n2,a,b\n3,"x"y\n4\n5,five\n6,"never closed\n')
    assert texts(outcome) == ["one", "five"]
    assert [r.detail.split(":")[0] for r in outcome.rejected] == ["row 2", "row 3", "row 4", "row 6"]
    assert outcome.reasons == {"bad_csv": 4}


def test_csv_fields_may_be_long(read: Read):
    long = " ".join(map(str, range(60_000)))
    assert " ".join(texts(read("a.csv", f"text\n{long}\n"))) == long


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_parquet_reads_every_kind_of_string(read: Read, kind: pa.DataType):
    column = pa.array(["one", None, "two"]).cast(kind)
    outcome = read("a.parquet", parquet(pa.table({"text": column, "n": [1, 2, 3]})))
    assert (texts(outcome), outcome.reasons) == (["one", "two"], {"no_text": 1})


@pytest.mark.parametrize("column", [pa.array([1, 2]), pa.array([["a"], ["b"]]), pa.array([b"a", b"b"])])
def test_a_parquet_text_column_of_another_type_is_no_text_field(read: Read, column: pa.Array):
    assert read("a.parquet", parquet(pa.table({"text": column}))).reasons == {"no_text_field": 1}


def test_parquet_strings_that_are_not_utf8_reject_their_row_only(read: Read):
    data = b"goodcaf\xe9good too"
    offsets = pa.py_buffer(struct.pack("<4i", 0, 4, 8, 16))
    column = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(data)])
    outcome = read("a.parquet", parquet(pa.table({"text": column})))
    assert (texts(outcome), outcome.reasons) == (["good", "good too"], {"not_utf8": 1})


METADATA = """Metadata-Version: 2.4
Name: thing
Version: 1
Content-Type: multipart/mixed
{kind}
One *thought*
of `many`_.

.. _many: https://x.y
"""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("", "One thought of many."),
        ("Description-Content-Type: text/x-rst; charset=UTF-8\n", "One thought of many."),
        ("Description-Content-Type: text/markdown\n", "One thought of many_.\n\n.. _many: https://x.y"),
        ("Description-Content-Type: text/plain\n", "One *thought*\nof `many`_.\n\n.. _many: https://x.y"),
    ],
)
def test_a_package_description_is_read_as_its_content_type_says(tmp_path, kind: str, expected: str):
    file = tmp_path / "METADATA"
    file.write_text(METADATA.format(kind=kind))
    source = Source(str(file), "thing (package description)", "metadata", "", "")
    assert [raw.text.strip() for raw in FORMATS["metadata"].read(source, Ingest())] == [expected]


def test_docstrings_of_what_is_public_and_long_are_read(tmp_path):
    long = "A sentence\n    that goes on. " * 20
    code = f'''"""{long}"""
class Public:
    """{long} `class`"""
    def method(self): """{long} ```fenced```"""
    def _private(self): """{long}"""
    def inner(self):
        def local(): """{long}"""
def short(): """Short."""
async def later(): """{long}"""
'''
    file = tmp_path / "module.py"
    file.write_text(code)
    found = list(FORMATS["docstrings"].read(Source(str(file), "module", "docstrings", "", ""), Ingest()))
    assert [raw.location for raw in found] == ["module", "Public", "Public.method", "later"]
    assert found[0].text.startswith("A sentence that goes on. A sentence")


def test_every_format_has_an_ending_or_a_builder():
    without = {name for name, entry in FORMATS.items() if not entry.endings}
    built = {source.format for build in BUILT_IN.values() for source in build()}
    assert without == built | {"unknown", "not_a_file"}
