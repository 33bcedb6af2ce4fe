"""Where an export goes, and which files there it may write over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from fanno_core.errors import RunStops
from fanno_core.store.durable import names_in, read_whole, remove_files, sha256_of, write_durably, write_if_changed
from fanno_core.store.location import Location, open_location

MANIFEST = "export.json"
DATA = {".json", ".jsonl", ".parquet", ".csv", ".txt"}
ROOMS = ("dataset", "work", "rejected", "report", "versions", "current", "building")
"""Folders of a run or of a refresh that an export does not write to."""


@dataclass(frozen=True, slots=True)
class Target:
    """A folder, and the name of the one data file where the user named one.

    Attributes:
        folder: what is written lies right in it.
        file: name of the only data file; empty: files are named by their split.
    """

    folder: Location
    file: str = ""


def beside(file: str, name: str) -> str:
    """The name of what tells about the data: beside one data file, whose folder others use, it begins as that does."""
    return f"{PurePath(file).stem}.{name}" if file else name


def target_of(to: str, suffix: str, out: Location) -> Target:
    """The target that `--to` names: a file where it ends as one does, a folder otherwise.

    Args:
        to: as the user wrote it.
        suffix: of the format's files.
        out: the run's output folder.

    Raises:
        RunStops: the file has another suffix, or the folder is one of the run's own.
    """
    place = open_location(to)
    ending = PurePath(place.name).suffix
    if ending in DATA and ending != suffix:
        raise RunStops(f"--to {to}: files of this format end in {suffix}; name one, or a folder")
    target = Target(place.parent, place.name) if ending == suffix else Target(place)
    if any(f"{target.folder}/".startswith(f"{out}/{room}/") for room in ROOMS):
        raise RunStops(f"--to {to} lies among the run's own files; name a folder outside of them")
    return target


def write_export(target: Target, files: Mapping[str, bytes], told: Mapping[str, Any], force: bool) -> None:
    """Writes the files, without those that an earlier export left here, and a manifest that says whose they are.

    The manifest comes first, with the digests of what is there and of what is to come, and last without the former:
    so an export that is killed is not taken for somebody else's files.

    Args:
        target: where to.
        files: name to bytes.
        told: what the manifest holds beside the files' digests.
        force: whether files that no export wrote, or that were changed since, are written over.

    Raises:
        RunStops: such a file is there and `force` is not given; nothing is written then.
        TryAgain, RunStops: the disk or object store refuses.
    """
    manifest = target.folder / beside(target.file, MANIFEST)
    ours = _ours(manifest)
    digests = {name: sha256_of(data) for name, data in files.items()}
    there = [name for name in names_in(target.folder) if name in digests or name in ours]
    foreign = [name for name in there if not force and not _is_known(target.folder / name, ours, digests)]
    if foreign:
        raise RunStops(
            f"{target.folder / foreign[0]} is there and `fanno export` did not write it as it is; name another place "
            "with --to, or write over it with --force"
        )
    known = {name: sorted({*ours.get(name, ()), *filter(None, [digests.get(name)])}) for name in {*ours, *digests}}
    _write_manifest(manifest, told, known)
    remove_files(target.folder, sorted({*there} - {*digests}))
    for name, data in files.items():
        write_if_changed(target.folder / name, data)
    _write_manifest(manifest, told, {name: [digest] for name, digest in digests.items()})


def _write_manifest(path: Location, told: Mapping[str, Any], known: Mapping[str, list[str]]) -> None:
    document = {**told, "files": dict(sorted(known.items()))}
    write_durably(path, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())


def _ours(manifest: Location) -> dict[str, list[str]]:
    """The digests of each file that an earlier export may have left; none where there is no manifest to be read."""
    try:
        files = json.loads(read_whole(manifest))["files"]
        # A name that leads elsewhere is nobody's: what is ours may be removed.
        return {str(name): list(digests) for name, digests in files.items() if PurePath(name).name == name}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _is_known(path: Location, ours: Mapping[str, list[str]], digests: Mapping[str, str]) -> bool:
    digest = sha256_of(read_whole(path))
    return digest in ours.get(path.name, ()) or digest == digests.get(path.name)
