"""A corpus of real prose that every machine has: what the standard library says about itself."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path

MODULES = (
    "argparse", "ast", "asyncio.tasks", "bisect", "calendar", "cmd", "codecs", "collections", "concurrent.futures",
    "configparser", "contextlib", "copy", "csv", "ctypes", "datetime", "decimal", "difflib", "doctest", "email.message",
    "fractions", "ftplib", "functools", "gettext", "glob", "hashlib", "heapq", "http.client", "imaplib", "inspect",
    "ipaddress", "json", "locale", "logging", "mailbox", "multiprocessing.pool", "numbers", "optparse", "pathlib",
    "pdb", "pickle", "pickletools", "platform", "pprint", "profile", "queue", "random", "re", "sched", "selectors",
    "shelve", "shutil", "smtplib", "socketserver", "sqlite3", "statistics", "string", "subprocess", "tarfile",
    "tempfile", "textwrap", "threading", "timeit", "tokenize", "trace", "tracemalloc", "turtle", "types",
    "unittest", "unittest.mock", "urllib.request", "uuid", "weakref", "xml.dom", "xml.sax", "zipfile",
    "bdb", "code", "codeop", "compileall", "concurrent.futures.thread", "concurrent.futures.process", "dataclasses",
    "dis", "email.policy", "filecmp", "fileinput", "graphlib", "html.parser", "http.cookiejar", "http.cookies",
    "importlib.abc", "importlib.machinery", "importlib.metadata", "json.decoder", "json.encoder", "mimetypes",
    "modulefinder", "multiprocessing.managers", "multiprocessing.shared_memory", "netrc", "plistlib", "poplib",
    "pstats", "pyclbr", "secrets", "ssl", "stat", "symtable", "sysconfig", "tabnanny", "token", "traceback",
    "typing", "urllib.error", "urllib.parse", "urllib.robotparser", "wave", "webbrowser", "wsgiref.handlers",
    "wsgiref.headers", "wsgiref.simple_server", "xml.dom.minidom", "xml.etree.ElementTree", "xmlrpc.client",
    "xmlrpc.server", "zipapp", "zipimport", "zoneinfo",
)  # fmt: skip
SHORTEST_WORDS = 45


def documents() -> Iterator[str]:
    """Docstrings of modules and classes that are long enough to be documents, each once."""
    seen: set[str] = set()
    for name in MODULES:
        module = importlib.import_module(name)
        members = [value for _, value in sorted(vars(module).items()) if inspect.isclass(value)]
        for thing in (module, *members):
            text = inspect.getdoc(thing) or ""
            if len(text.split()) >= SHORTEST_WORDS and text not in seen:
                seen.add(text)
                yield text


def write_corpus(folder: Path, most: int) -> Path:
    """A JSONL file of up to `most` documents."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"id": f"d{i}", "text": text} for i, text in zip(range(most), documents(), strict=False)]
    path = folder / "stdlib.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
