"""The long description of an installed package: the body of its `METADATA` file."""

from __future__ import annotations

from collections.abc import Iterator
from email.parser import HeaderParser

from fanno_core.documents.markup.markdown import markdown_text
from fanno_core.documents.markup.rst import rst_text
from fanno_core.documents.readers.contract import RawDocument, Source
from fanno_core.documents.readers.excerpt import excerpt
from fanno_core.documents.readers.opening import read_text
from fanno_core.settings import Ingest


def read_metadata(source: Source, settings: Ingest) -> Iterator[RawDocument]:  # noqa: ARG001
    """One document: the beginning of the description.

    Source: core metadata specifications, Description-Content-Type; reStructuredText where it is absent.
    """
    message = HeaderParser().parsestr(read_text(source))
    body = str(message.get_payload())
    markup = str(message.get("Description-Content-Type", "text/x-rst")).partition(";")[0].strip().lower()
    convert = {"text/markdown": markdown_text, "text/x-rst": rst_text}.get(markup, str)
    yield RawDocument(excerpt(convert(body)))
