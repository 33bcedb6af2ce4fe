"""A finished run as a night's tables: the full build of a first night, or what `fanno run` had left in the folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fanno_core.communities.joining import first_members
from fanno_core.communities.standing_graph import update_neighbours
from fanno_core.dataset.current import REPORT, current_number, publish
from fanno_core.dataset.made import Made, open_made
from fanno_core.dataset.manifest import folder_of
from fanno_core.dataset.publish import FOLDER as DATASET
from fanno_core.documents.sources import Source
from fanno_core.errors import RunStops, ShardDamaged
from fanno_core.outcome import Outcome
from fanno_core.refresh.adopting import Adopted, left_over, of_known_segments, unanswered
from fanno_core.refresh.adopting import adopt as tables_of
from fanno_core.refresh.changes import compare
from fanno_core.refresh.contracts import Waiting
from fanno_core.refresh.entries import rejections_of
from fanno_core.refresh.state import State
from fanno_core.refresh.tables import Tables
from fanno_core.screening.personal_data import mask_rejected
from fanno_core.screening.standing import join
from fanno_core.store.contracts import Document
from fanno_core.store.ledger import Store
from tasks.joining import RESPONSE
from tasks.manners import manners, same_manner
from tasks.new_version import measures_of, write_as
from tasks.night import Night
from tasks.phase import stack
from tasks.run import Run


def take_over(run: Run, folder: Path, sources: Sequence[Source], rebuild: bool) -> int:
    """Makes what `fanno run` has left in the folder its first version: the number, or 0 where nothing was there.

    The corpus may be another by now: the night that follows sees what of the run's is gone, and its limits hold.

    Args:
        run: tonight's, which owns the folder.
        folder: where it lies.
        sources: the corpus as it is now.
        rebuild: everything is made anew after that: the run may have worked otherwise, or not be whole.

    Raises:
        RunStops: the run cannot be taken over, or works otherwise than tonight, and `rebuild` is not set.
    """
    dataset = folder / DATASET
    if current_number(folder) or dataset.is_symlink() or not dataset.is_dir():
        return 0
    try:
        made = open_made(folder)
        of_then = replace(run, settings=made.settings, teacher=made.teacher, encoder=str(made.record["encoder"]))
        night = Night(of_then, Tables(Store(folder), State()))
        adopt(night, made, sources)
    except (RunStops, ShardDamaged) as error:
        if rebuild:
            return 0
        raise RunStops(
            f"{dataset} holds the rows of a run that cannot be taken over ({error}); name another --out, or let go of "
            "them with --rebuild"
        ) from None
    manner = _manner_of(made, run)
    if not rebuild:
        same_manner(manner, manners(run.settings), f"the run that lies in {folder}")
    version = write_as(night, measures_of(night, made.examples()), manner)
    report = folder / REPORT
    if report.is_dir() and not report.is_symlink():  # which tells of the very same rows
        shutil.copytree(report, folder_of(folder, version.number) / REPORT, dirs_exist_ok=True)
    publish(folder, version.number)
    return version.number


def adopt(night: Night, made: Made, sources: Sequence[Source]) -> None:
    """Takes a finished run's tables into the night, and makes those that only a version has.

    A document that the corpus does not hold as the run has read it stands as the run had it until the next night.

    Raises:
        ShardDamaged: a shard of the run is missing or damaged.
    """
    tables, how = night.tables, night.run.settings
    adopted = tables_of(made)
    night.built = made
    found = compare(sources, tables.empty("files"), tables.empty("origins"), how.ingest, night.forgotten)
    read = made.kept("ingest", Document)
    known = of_known_segments(found.origins, frozenset(row.id for row in read))
    others = left_over(read, known)
    tables.change("origins", new=[*known, *others])
    # A file with a document that the run has not read, or that is gone from it, has to be opened again.
    ids = {origin.id for origin in known}
    late = {origin.file for origin in (*found.origins, *others) if origin.id not in ids}
    tables.change("files", new=[file for file in found.files if file.name not in late])
    for table, rows in adopted.tables.items():
        # Ingest's rejections are those of the second reading: origins name them.
        if not table.startswith(rejections_of("ingest", "")):
            tables.change(table, new=rows)
    bad_rows = {name for origin in known for name in origin.bad_rows}
    bad = [row for row in found.rejected if row.id in bad_rows]
    tables.reject(mask_rejected(Outcome([], bad, len(bad)), how.screen).rejected)
    tables.set_states(adopted.states)
    tables.change("waiting", new=[Waiting(name, RESPONSE) for name in unanswered(adopted)])
    _place(night, adopted)
    night.next_order, night.next_iteration = adopted.next_order, adopted.next_iteration
    night.counts |= {**found.counts, "rows added": tables.rows("examples")}


def _place(night: Night, adopted: Adopted) -> None:
    """The tables of the near-duplicate index, the neighbour graph and the communities."""
    tables, how = night.tables, night.run.settings
    ruled, screened = adopted.tables["ruled"], sorted(adopted.tables["screened"], key=lambda row: row.id)
    sketches = join(ruled, (), tables.empty("sketches"), lambda _: [], how.screen).sketches
    vectors = {row.id: row.vector for row in adopted.tables["vectors"]}
    ids = [row.id for row in screened]
    graph = update_neighbours(ids, stack(vectors, ids), tables.empty("neighbours"), how.communities, how.run.seed)
    members = first_members(screened, graph, how.communities, how.screen.prefer, how.run.seed)
    tables.change("sketches", new=sketches)
    tables.change("neighbours", new=graph.changed)
    tables.change("members", new=[replace(row, asked=row.id in adopted.asked) for row in members])


def _manner_of(made: Made, run: Run) -> Mapping[str, str]:
    """How the run's phases worked, with tonight's teacher where that is the same; nothing where it is another."""
    if made.teacher != run.teacher:
        return {}
    settings = made.settings.model_copy(update={"teacher": run.settings.teacher})
    versions = dict(part.split("@") for row in made.examples() for part in row.phases.split())
    return manners(settings, {name: int(version) for name, version in versions.items()})
