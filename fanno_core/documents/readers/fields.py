"""Which field of a row is its text, and what else of the row is carried along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fanno_core.documents.readers.contract import BadRow, RawDocument
from fanno_core.errors import RowStops

TEXT_FIELDS = ("text", "content", "doc", "document", "body", "raw_content", "markdown", "passage", "abstract")
ID_FIELDS = ("id", "doc_id", "document_id", "uuid")
SOURCE_FIELDS = ("source", "url", "title")
LICENCE_FIELDS = ("licence", "license")
CARRIED_FIELDS = (*ID_FIELDS, *SOURCE_FIELDS, *LICENCE_FIELDS)

# Carried values are labels, not texts; a longer one is a text in the wrong field.
CARRIED_CHARS = 500
NAMES_SHOWN = 20
MOST_FIELDS = 10_000
"""A row of more fields is refused: no table for people has as many, and each field is looked at."""


def find_field(names: Iterable[str], wanted: Sequence[str]) -> str:
    """The first wanted name that is among the names, as it is written there; empty where none is.

    Case is ignored; of names that differ by case only, the one in the wanted spelling wins.
    """
    given = {name.lower(): name for name in sorted(names, key=lambda name: name in wanted)}
    return next((given[name.lower()] for name in wanted if name.lower() in given), "")


def choose_text_field(names: Sequence[str], string_names: Sequence[str], named: str) -> str:
    """The field that holds the text of a table's rows.

    It is the named one; or else the first of `TEXT_FIELDS`; or else the only field of strings that is not
    carried along.

    Args:
        names: every field.
        string_names: the fields that hold strings.
        named: the field that the settings name, or empty.

    Raises:
        RowStops: `no_text_field`, with the fields that there are.
    """
    field = find_field(string_names, (named,) if named else TEXT_FIELDS)
    others = [name for name in string_names if not find_field((name,), CARRIED_FIELDS)]
    if not field and not named and len(others) == 1:
        field = others[0]
    if not field:
        shown = ", ".join(name[:40] for name in names[:NAMES_SHOWN])
        wanted = named or "a text field by name (set ingest.text_field)"
        raise RowStops("no_text_field", f"looked for {wanted}; fields that it has: {shown or 'none'}")
    return field


def row_document(row: Mapping[str, Any], text_field: str, location: str) -> RawDocument | BadRow:
    """The row as a document, or `no_text` where its text is missing or is no string."""
    text = row.get(text_field)
    if not isinstance(text, str):
        found = "missing" if text is None else f"of type {type(text).__name__}"
        return BadRow("no_text", location, f"{text_field or 'text'} is {found}")
    return RawDocument(
        text,
        location,
        source=_carried(row, SOURCE_FIELDS),
        carried_id=_carried(row, ID_FIELDS),
        licence=_carried(row, LICENCE_FIELDS),
    )


def _carried(row: Mapping[str, Any], wanted: Sequence[str]) -> str:
    value = row.get(find_field(row, wanted))
    return str(value)[:CARRIED_CHARS] if isinstance(value, str | int | float) else ""
