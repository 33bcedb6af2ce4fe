"""Which reader reads what. A new format is one file beside this one and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fanno_core.documents.markup.html import html_text
from fanno_core.documents.markup.markdown import markdown_text
from fanno_core.documents.markup.rst import rst_text
from fanno_core.documents.readers.contract import Reader
from fanno_core.documents.readers.csv import read_csv
from fanno_core.documents.readers.docstrings import read_docstrings
from fanno_core.documents.readers.jsonl import read_json, read_json_lines
from fanno_core.documents.readers.metadata import read_metadata
from fanno_core.documents.readers.parquet import read_parquet
from fanno_core.documents.readers.refused import refused
from fanno_core.documents.readers.whole import Limits, whole_file

UNKNOWN = "unknown"
NOT_A_FILE = "not_a_file"
COMPRESSIONS = (".gz", ".zst")

# The worst markup that was found takes 8 us a mark as Markdown, 170 us as reStructuredText (a line of a table) and
# 40 us a tag as HTML, on a slow core; prose takes 1 s for 15, 1 and 3 million characters. Each limit stands for 3 to
# 8 s.
MARKDOWN = Limits(marks=tuple("[]()*_`<>|#!~\\\n-"), most_marks=400_000)
RST = Limits(4 * 2**20, marks=("    ", *"[]*_`|:.=\n-"), most_marks=50_000)
HTML = Limits(16 * 2**20, marks=("<",), most_marks=150_000)


@dataclass(frozen=True, slots=True)
class Format:
    """How one format is read, and by which endings its files are known."""

    read: Reader
    endings: tuple[str, ...] = ()
    compressible: bool = True


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "txt": Format(whole_file(str), (".txt", ".text")),
        "md": Format(whole_file(markdown_text, MARKDOWN), (".md", ".markdown")),
        "rst": Format(whole_file(rst_text, RST), (".rst",)),
        "html": Format(whole_file(html_text, HTML), (".html", ".htm", ".xhtml")),
        "jsonl": Format(read_json_lines, (".jsonl", ".ndjson")),
        "json": Format(read_json, (".json",)),
        "csv": Format(read_csv, (".csv",)),
        "tsv": Format(read_csv, (".tsv", ".tab")),
        "parquet": Format(read_parquet, (".parquet", ".pq"), compressible=False),
        "metadata": Format(read_metadata),
        "docstrings": Format(read_docstrings),
        UNKNOWN: Format(refused("unknown_format", "no format is known by this ending; rename or convert the file")),
        NOT_A_FILE: Format(refused("not_a_file", "a pipe, socket or device stands where a file should")),
    }
)


def format_of(file_name: str) -> tuple[str, str]:
    """The format and the compression (`gz`, `zst` or empty) that the endings of a file's name say."""
    name = file_name.lower()
    packed = next((ending for ending in COMPRESSIONS if name.endswith(ending)), "")
    stem = name.removesuffix(packed)
    fitting = (label for label, entry in FORMATS.items() if stem.endswith(entry.endings))
    label = next(fitting, UNKNOWN)
    return UNKNOWN if packed and not FORMATS[label].compressible else label, packed.removeprefix(".")
