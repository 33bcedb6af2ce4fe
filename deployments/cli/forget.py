"""`fanno forget`: documents taken back, with all that was made from them, and the proof of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from deployments.cli.options import AsJson, one_sentence_errors
from deployments.server import prefect_api, state_folder
from fanno_core.dataset.made import Made, open_made
from fanno_core.dataset.manifest import local
from fanno_core.refresh.forget_run import Removed, take_out, to_take_out
from fanno_core.refresh.forgetting import Gone
from fanno_core.refresh.names import names_in
from fanno_core.refresh.taking_out import gone_of
from fanno_core.refresh.traces import Trace, traces
from fanno_core.refresh.wanted import Wanted, find_wanted
from fanno_core.store.location import open_location
from fanno_core.store.ownership import owned

Out = Annotated[str, typer.Argument(metavar="OUT", help="Folder of a run or of a refresh.")]
Documents = Annotated[
    list[str], typer.Argument(metavar="DOC_ID...", help="Id of a segment, the corpus' own id, or a source.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Take rows, too, that were only shown an instruction of it as counterexample.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")]
MOST_NAMED = 10


def forget(
    out: Out, documents: Documents, strict: Strict = False, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Take documents back, with every row that came of them.

    Rows that were written from them or retrieved them go, and so do the shards that held them, the teacher's answers
    about them, versions that hold them, and what Prefect's database has of them. Copies that were dropped as duplicates
    of them go, too. Then every 50-character window of their text is searched for in all files of OUT and in Prefect's
    database, and their names, where nothing else is called so, in the files. The exit code is 1 where any is left. Take
    them out of the corpus as well before another `fanno run`; `fanno refresh` remembers them by digests.

    Examples:
        fanno forget ./data 1a2b3c4d5e6f7081
        fanno forget ./data article-17.html --dry-run
        fanno forget ./data customer-4711 customer-4712 --strict --json
    """
    with one_sentence_errors():
        told = _forget(local(open_location(out)), documents, strict, dry_run)
    if as_json:
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        for line in _lines({**told, "documents": len(documents)}, out, dry_run):
            typer.echo(line)
    if told["traces"] and not dry_run:
        raise typer.Exit(1)


def _forget(out: Path, names: list[str], strict: bool, dry_run: bool) -> dict[str, Any]:
    made = open_made(out)
    if dry_run:
        wanted, gone = _found(made, names, strict)
        return _document(wanted, gone, to_take_out(made, wanted, gone))
    with owned(out), prefect_api() as (_, ours):
        # Prefect is asked first: where its server does not answer, nothing is changed.
        wanted, gone = _found(made, names, strict)
        from tasks.forget import clear_prefect

        database = state_folder() / "prefect" / "prefect.db" if ours else None
        named = gone.rows | gone.instructions
        cleared = asyncio.run(clear_prefect(wanted.passages, named, database))
        removed = take_out(made, wanted, gone)
        left = [*traces(out, wanted.passages), *names_in(out, wanted.names), *cleared.traces]
        return _document(wanted, gone, removed, left, cleared.deleted)


def _found(made: Made, names: list[str], strict: bool) -> tuple[Wanted, Gone]:
    wanted = find_wanted(made, names)
    return wanted, gone_of(made, wanted.segments, wanted.passages, strict, wanted.names)


def _document(
    wanted: Wanted,
    gone: Gone,
    removed: Removed,
    left: list[Trace] | None = None,
    deleted: dict[str, int] | None = None,
) -> dict[str, Any]:
    lists = ("segments", "instructions", "rows", "written", "leaning", "shown", "quoting")
    return {
        "counts": {**gone.counts, "copies": len(wanted.copies)},
        **{name: sorted(getattr(gone, name)) for name in lists},
        "copies": sorted(wanted.copies),
        "others_with_the_same_passages": list(wanted.others),
        "removed": asdict(removed),
        "names": sorted(wanted.names),
        "prefect": deleted or {},
        "traces": [asdict(trace) for trace in left or ()],
    }


def _lines(told: dict[str, Any], out: str, dry_run: bool) -> Iterator[str]:
    counts, removed = told["counts"], told["removed"]
    copies = f"{counts['segments']:,} segments, {counts['copies']:,} of them copies"
    yield f"{copies}; {counts['instructions']:,} instructions"
    kinds = {
        "written from it": counts["rows_written_from_it"],
        "that retrieved it": counts["rows_that_retrieved_it"],
        "shown an instruction of it": counts["rows_shown_an_instruction_of_it"],
        "that quote it": counts["rows_that_quote_it"],
    }
    yield f"{counts['rows']:,} rows: " + ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
    if others := told["others_with_the_same_passages"]:
        named = ", ".join(others[:MOST_NAMED]) + (", ..." if len(others) > MOST_NAMED else "")
        yield f"{len(others):,} other documents hold some of its passages, too, and stay; to forget them: {named}"
    if dry_run:
        shards = f"{len(removed['shards']):,} shards would go or be written anew"
        yield f"{removed['answers']:,} answers would go; {shards}"
        if removed["versions"]:
            versions = ", ".join(map(str, removed["versions"]))
            yield f"versions that hold it and would go, so that none of them can be rolled back to: {versions}"
        yield f"{removed['rows']:,} rows would be left; nothing was changed: --dry-run"
        return
    of_prefect = "".join(f", {count:,} {kind} of Prefect" for kind, count in told["prefect"].items())
    yield f"removed: {removed['answers']:,} answers, {len(removed['shards']):,} shards{of_prefect}"
    if removed["versions"]:
        yield f"removed versions: {', '.join(map(str, removed['versions']))}"
    now = f"{removed['rows']:,} rows are left"
    yield f"version {removed['version']} is published: {now}" if removed["version"] else now
    yield from (f"left: {trace['path']} {trace['place']}".rstrip() for trace in told["traces"])
    if told["traces"]:
        count = len(told["traces"])
        yield f"{count:,} places still hold text or a name of it: remove what is not FANNO's, then forget it again"
    else:
        yield f"0 traces of the text of {told['documents']:,} documents under {out} and in Prefect's database"
        if told["names"]:
            yield f"0 traces of {len(told['names']):,} names of theirs under {out}"
