"""What a corpus is made of: files, folders, globs and built-in names to a list of sources."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from fanno_core.documents.installed_docs import installed_docs
from fanno_core.documents.readers.contract import Source
from fanno_core.documents.readers.opening import digest_of
from fanno_core.documents.readers.table import NOT_A_FILE, format_of
from fanno_core.errors import BadCorpus

__all__ = ["BUILT_IN", "Source", "find_sources"]

BUILT_IN: Mapping[str, Callable[[], list[Source]]] = MappingProxyType({"installed-docs": installed_docs})
"""Corpora by name. A folder of the same name is written with a path, such as `./installed-docs`."""


def find_sources(corpus: Sequence[str]) -> list[Source]:
    """Every file of the corpus once, sorted by name and digest.

    Neither the order of the entries nor that of the file system changes the result. Of a file that several
    entries or links reach, the name that sorts first stays.

    Args:
        corpus: files, folders (read recursively without hidden files), globs (`**` too, which does not follow
            links to folders), names of `BUILT_IN`.

    Raises:
        BadCorpus: there are no entries, or one of them is missing, matches nothing or is an empty folder.
    """
    if not corpus:
        raise BadCorpus(f"no corpus is given: name files, folders, globs or {', '.join(BUILT_IN)}")
    found = [source for entry in corpus for source in _entry_sources(entry)]
    once: dict[object, Source] = {}
    for source in sorted(found, key=lambda source: (source.name, source.path)):
        once.setdefault((_identity(source.path), source.format), source)
    return sorted(once.values(), key=lambda source: (source.name, source.digest))


def _entry_sources(entry: str) -> list[Source]:
    if entry in BUILT_IN:
        return BUILT_IN[entry]()
    path = Path(os.path.abspath(entry))  # noqa: PTH100 - `resolve` would follow links and change names
    if not entry or not (os.path.lexists(path) or _is_glob(entry)):
        raise BadCorpus(f"corpus {entry!r}: there is no such file or folder; correct the path")
    if path.is_dir():
        files = [(file, path) for file in _walk(path)]
        problem = "the folder holds no files (hidden ones are not read); name another or put documents into it"
    elif os.path.lexists(path):
        files, problem = [(path, path.parent)], ""
    else:
        files, problem = _glob(path), "nothing matches this glob; correct it, and quote it against the shell"
    if not files:
        raise BadCorpus(f"corpus {entry!r}: {problem}")
    return [_source(file, root) for file, root in files]


def _is_glob(entry: str) -> bool:
    return any(mark in entry for mark in "*?[")


def _glob(pattern: Path) -> list[tuple[Path, Path]]:
    """Every file that matches, or stands in a folder that does, with the folder above the first wildcard."""
    parts = pattern.parts
    first = next(n for n, part in enumerate(parts) if _is_glob(part))
    root = Path(*parts[:first])
    try:
        hits = sorted(root.glob(str(Path(*parts[first:]))))
    except ValueError:
        return []
    visible = [hit for hit in hits if not any(part.startswith(".") for part in hit.relative_to(root).parts)]
    return [(file, root) for hit in visible for file in (_walk(hit) if hit.is_dir() else [hit])]


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below the folder that is not hidden, in order of names; each real folder once."""
    seen: set[tuple[int, int]] = set()
    for here, folders, files in os.walk(folder, onerror=_unlistable, followlinks=True):
        place = os.stat(here)  # noqa: PTH116
        if (place.st_dev, place.st_ino) in seen:
            folders.clear()
            continue
        seen.add((place.st_dev, place.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here, name) for name in sorted(files) if not name.startswith("."))


def _unlistable(error: OSError) -> None:
    raise BadCorpus(f"corpus folder {error.filename!r}: {error.strerror}; make it readable or name another") from None


def _source(path: Path, root: Path) -> Source:
    kind, compression = format_of(path.name)
    digest = ""
    try:
        if stat.S_ISREG(path.stat().st_mode):
            digest = digest_of(path)
        else:
            kind = NOT_A_FILE
    except OSError:
        pass  # its reader meets the same fault and rejects the file with a reason
    return Source(str(path), _portable(path.relative_to(root).as_posix()), kind, compression, digest)


def _portable(name: str) -> str:
    """The name in printable characters; others, and bytes that are not UTF-8, are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def _identity(path: str) -> object:
    """The same for every path to one real file."""
    try:
        place = os.stat(path)  # noqa: PTH116
    except OSError:
        return path
    return place.st_dev, place.st_ino
