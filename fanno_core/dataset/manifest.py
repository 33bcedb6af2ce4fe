"""`OUT/versions/NNNNNN/manifest.json`: what a version holds, and whether it still holds that.

The report may be made again at any time, so it is no part of what the manifest names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from fanno_core.dataset.made import VERSIONS
from fanno_core.errors import RunStops, ShardDamaged
from fanno_core.refresh.state import State
from fanno_core.store.durable import read_whole, sha256_of
from fanno_core.store.fingerprint import canonical
from fanno_core.store.location import Location
from fanno_core.store.objects import at_once

MANIFEST = "manifest.json"
PUBLISHED, HELD = "published", "held"
NAME = re.compile("[0-9]{6}")
# Whatever is named so is loaded as rows.
ROWS = "dataset/train-*"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the data set.

    Attributes:
        number: from 1 on.
        parent: the version that it was made from; 0 where there was none.
        status: `published`, or `held` where it has not passed its gates.
        rows, digest: of its data set; a plain run that makes the same rows has the same digest.
        files: path within its folder to SHA-256.
        reasons: why it is, or was, held: one sentence each.
        made_at: when it was made: ISO 8601, UTC.
    """

    number: int
    parent: int
    status: str
    rows: int
    digest: str
    files: Mapping[str, str]
    reasons: tuple[str, ...] = field(default=())
    made_at: str = ""

    def to_bytes(self) -> bytes:
        """The manifest, with a digest of itself."""
        values = asdict(self)
        return (json.dumps({**values, "sha256": _check_of(values)}, indent=2, ensure_ascii=False) + "\n").encode()


def local(out: Location) -> Path:
    """The same folder, which has to be on a disk of this machine: an object store has no links.

    Raises:
        RunStops: it is not.
    """
    if not isinstance(out, Path):
        raise RunStops(f"{out}: versions are kept on a local disk only; name a folder")
    return out


def folder_of(out: Path, number: int) -> Path:
    """The folder of a version."""
    return out / VERSIONS / f"{number:06d}"


def versions(out: Path) -> list[Version]:
    """Every version, the oldest first; none where there are none.

    Raises:
        ShardDamaged: a manifest is missing or damaged.
    """
    return [read_version(out, number) for number in version_numbers(out)]


def version_numbers(out: Path) -> list[int]:
    """The number of every version's folder, rising."""
    folder = out / VERSIONS
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return [int(name) for name in names if NAME.fullmatch(name)]


def read_version(out: Path, number: int) -> Version:
    """A version, as its manifest tells it.

    Raises:
        RunStops: there is no such version.
        ShardDamaged: its manifest is missing or damaged.
    """
    if not folder_of(out, number).is_dir():
        there = ", ".join(map(str, version_numbers(out))) or "none"
        raise RunStops(f"{out} has no version {number}, but these: {there}")
    path = f"{VERSIONS}/{number:06d}/{MANIFEST}"
    try:
        values = json.loads(read_whole(out / path))
        intact = values.pop("sha256") == _check_of(values)
        version = Version(**{**values, "reasons": tuple(values["reasons"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        intact = False
    if not (intact and version.number == number):
        raise ShardDamaged(f"{path} is missing or damaged; `fanno verify {out}` names what is")
    return version


def read_state(out: Path, number: int) -> State:
    """The tables that a version carries.

    Raises:
        ShardDamaged: they cannot be read.
    """
    path = f"{VERSIONS}/{number:06d}/state.json"
    try:
        return State.from_json(json.loads(read_whole(out / path)))
    except (OSError, ValueError):
        raise ShardDamaged(f"{path} is missing or damaged; `fanno verify {out}` names what is") from None


def wrong_files(out: Path, version: Version) -> list[tuple[str, str]]:
    """Path below OUT and what is wrong, of each file of a version that is not as its manifest says."""
    return list(_wrong(out, version))


def _wrong(out: Path, version: Version) -> Iterator[tuple[str, str]]:
    folder = folder_of(out, version.number)
    for name, what in zip(version.files, at_once(lambda name: _state_of(folder / name), version.files), strict=True):
        if what != version.files[name]:
            damage = (
                "cannot be read: it is not there" if what is None else "is damaged: its bytes are not its version's"
            )
            yield f"{VERSIONS}/{folder.name}/{name}", damage
    there = (f"dataset/{path.name}" for path in sorted(folder.glob("dataset/*")))
    for name in there:
        if name not in version.files and fnmatchcase(name, ROWS):
            yield f"{VERSIONS}/{folder.name}/{name}", "is no file of its version, and would be loaded with it"


def _state_of(path: Path) -> str | None:
    """SHA-256 of a file; None where it cannot be read."""
    try:
        return sha256_of(path.read_bytes())
    except OSError:
        return None


def _check_of(values: Mapping[str, Any]) -> str:
    return sha256_of(canonical(values).encode())
