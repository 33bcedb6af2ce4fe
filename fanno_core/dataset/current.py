"""`OUT/current`: the version that readers get, and the names under which they know its files.

`OUT/current` is a link to `versions/NNNNNN`, and `OUT/dataset`, `OUT/run.json` and `OUT/rejected` are links through it.
All move at once, because only `current` ever does. `OUT/report` is one where the version has a report. Where it has
none, there is nothing, until `fanno report` makes one there: it goes into the version when another is published.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from fanno_core.dataset.made import VERSIONS
from fanno_core.dataset.manifest import MANIFEST, PUBLISHED, Version, folder_of, read_version, wrong_files
from fanno_core.dataset.publish import TRAIN, read_manifest
from fanno_core.errors import RunStops, ShardDamaged
from fanno_core.store.durable import sync_folder, write_durably

CURRENT = "current"
# The record comes first: it says in the ledger's words where everything lies, whatever stands under the other names.
THROUGH = ("run.json", "dataset", "rejected")
REPORT = "report"
ASIDE = ".{name}.of-run"
OWN = "{name}-own"
"""What people had put into the folder of a plain run is moved here."""


def current(out: Path) -> Version | None:
    """The version that readers get; None where none was published yet.

    Raises:
        ShardDamaged: the link or the version's manifest is damaged.
    """
    number = current_number(out)
    return read_version(out, number) if number else None


def current_number(out: Path) -> int:
    """The number of the version that readers get; 0 where none was published yet.

    Raises:
        ShardDamaged: what stands there leads to no version.
    """
    link = out / CURRENT
    if not link.is_symlink():
        if link.exists():
            raise ShardDamaged(f"{link} is no link; remove it, and publish a version: fanno rollback {out} V")
        return 0
    found = re.fullmatch(rf"{VERSIONS}/([0-9]{{6}})/?", str(link.readlink()))
    if not (found and (out / found[0]).is_dir()):
        raise ShardDamaged(f"{link} leads to no version; publish one: fanno rollback {out} V")
    return int(found[1])


def publish(out: Path, number: int) -> Version:
    """The version that readers get from now on: this one, also where it was held or is an earlier one.

    A reader sees the version before it or this one; so does one who comes after a publisher was killed. Only for the
    one who owns the folder.

    Raises:
        RunStops: there is no such version, or a link cannot be made.
        ShardDamaged: it is not whole.
    """
    version = read_version(out, number)
    for path, what in wrong_files(out, version):
        raise ShardDamaged(f"{path} {what}; version {number} is not published: `fanno verify {out}` names what is")
    version = replace(version, status=PUBLISHED)
    try:
        if read_version(out, number) != version:
            write_durably(folder_of(out, number) / MANIFEST, version.to_bytes())
        _put_report_away(out)
        _lead(out / CURRENT, f"{VERSIONS}/{number:06d}")
        for name in THROUGH:
            _take_over(out, name)
        lead_to_report(out)
    except OSError as error:
        raise RunStops(f"{out}: version {number} cannot be published ({error.strerror}); see to the disk") from None
    return version


def rollback(out: Path, number: int) -> Version:
    """The version that readers get again: an earlier one, or one that was held. Errors are those of `publish`."""
    return publish(out, number)


def keep_report(out: Path) -> None:
    """Moves a report that was made in the folder to the version that it tells of, the current one."""
    number, report = current_number(out), out / REPORT
    if number and report.is_dir() and not report.is_symlink():
        kept = folder_of(out, number) / REPORT
        if kept.is_dir():
            shutil.rmtree(kept)
        report.rename(kept)


def lead_to_report(out: Path) -> None:
    """Makes `OUT/report` lead to the current version's report; where that has none, nothing stands there."""
    if (folder_of(out, current_number(out)) / REPORT).is_dir():
        _lead(out / REPORT, f"{CURRENT}/{REPORT}")
    elif (out / REPORT).is_symlink():
        (out / REPORT).unlink()


def _put_report_away(out: Path) -> None:
    """Keeps a report with its version, before another is published; one of no version would tell of other rows."""
    with suppress(ShardDamaged):  # then nobody knows of which version it tells
        keep_report(out)
    if (out / REPORT).is_dir() and not (out / REPORT).is_symlink():
        shutil.rmtree(out / REPORT)


def _lead(link: Path, target: str) -> None:
    """Makes a link lead there, in one step and so that it lasts."""
    if link.is_symlink() and str(link.readlink()) == target:
        return
    temporary = link.with_name(f".{link.name}.link")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
    sync_folder(link.parent)


def _take_over(out: Path, name: str) -> None:
    """Lets a name lead through `current`, where a plain run may have left a file or a folder."""
    path, aside = out / name, out / ASIDE.format(name=name)
    if path.is_dir() and not path.is_symlink():
        path.rename(aside)
    _lead(path, f"{CURRENT}/{name}")
    if aside.is_dir():  # also what a publisher left that was killed here
        _keep_what_is_not_of_the_run(aside, out / OWN.format(name=name))
        shutil.rmtree(aside)
        sync_folder(out)


def _keep_what_is_not_of_the_run(aside: Path, own: Path) -> None:
    """Moves what people have put into the data set's folder to where they find it."""
    if aside.name != ASIDE.format(name="dataset"):
        return
    made = {*read_manifest(aside.parent, aside.name)["files"], MANIFEST}
    for path in sorted(aside.iterdir()):
        if path.name not in made and not fnmatchcase(path.name, TRAIN.format("?" * 5, "?" * 5)):
            own.mkdir(exist_ok=True)
            path.rename(own / path.name)
