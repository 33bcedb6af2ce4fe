"""The docstrings of a Python file, which is parsed and never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice

from fanno_core.documents.markup.markdown import markdown_text
from fanno_core.documents.markup.rst import rst_text
from fanno_core.documents.readers.contract import RawDocument, Source
from fanno_core.documents.readers.excerpt import excerpt
from fanno_core.documents.readers.opening import read_text
from fanno_core.errors import RowStops
from fanno_core.settings import Ingest

# Shorter ones are signatures in words ("Return the mean.") that no screening keeps.
DOCSTRING_CHARS = 350
# No module may dominate: 5 of about 50 modules are near 2% of the built-in docstrings each.
DOCSTRINGS_PER_FILE = 5

# What only the libraries that write their docstrings in Markdown use: fences, links, admonitions.
MARKDOWN = re.compile(r"```|\]\(|\]\[|^!!! ", re.MULTILINE)

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def read_docstrings(source: Source, settings: Ingest) -> Iterator[RawDocument]:  # noqa: ARG001
    """The first long docstrings of the module, its public classes and their public functions, in order.

    Raises:
        RowStops: as `read_text`; `bad_python`.
    """
    try:
        module = ast.parse(read_text(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RowStops("bad_python", f"cannot be parsed ({type(error).__name__})") from None
    docstrings = ((name, ast.get_docstring(node) or "") for name, node in _public(module))
    texts = ((name, docstring_text(written)) for name, written in docstrings if len(written) >= DOCSTRING_CHARS)
    long_ones = (RawDocument(excerpt(text), location=name) for name, text in texts if len(text) >= DOCSTRING_CHARS)
    yield from islice(long_ones, DOCSTRINGS_PER_FILE)


def docstring_text(docstring: str) -> str:
    """A docstring as prose, read as Markdown where it shows signs of that and as reStructuredText otherwise."""
    return markdown_text(docstring) if MARKDOWN.search(docstring) else rst_text(docstring)


def _public(node: Documented, name: str = "module") -> Iterator[tuple[str, Documented]]:
    yield name, node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    for child in node.body:
        if isinstance(child, Documented) and not child.name.startswith("_"):
            yield from _public(child, child.name if isinstance(node, ast.Module) else f"{name}.{child.name}")
