"""A finished run to the files of an export: rows are filtered, thinned out, split, written and described."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from fanno_core.dataset.card import Contents, Provenance, card_bytes, how_made, run_command
from fanno_core.dataset.formats import digest_of
from fanno_core.dataset.made import Made
from fanno_core.errors import RunStops, ShardDamaged
from fanno_core.export.condition import rows_where
from fanno_core.export.formats import Format, format_of
from fanno_core.export.split import kind_of, missing_kinds, split_rows
from fanno_core.export.stanzas import TRAIN, Stanza
from fanno_core.export.target import beside
from fanno_core.selection.farthest import farthest_first
from fanno_core.store.contracts import Example, Vector
from fanno_core.teachers.licences import declared_licence

CARD = "README.md"
EMBEDDED = ("novelty", "augment")
"""Phases whose extra table `vectors` holds the instructions' vectors."""
LOADING = """```python
from datasets import load_dataset

rows = load_dataset({loaded}, split="{split}")
```

Format `{format}`: {meaning}."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export is asked for.

    Attributes:
        format: name of the format.
        condition: SQL condition that rows have to fit; empty: all of them.
        max_rows: most rows, the most diverse first; 0: all of them, in the order of their ids.
        shares: split to its share.
        seed: of the draw of communities for splits.
        system: system message of the rows, or empty.
    """

    format: str
    condition: str = ""
    max_rows: int = 0
    shares: Mapping[str, float] = field(default_factory=lambda: {TRAIN: 1.0})
    seed: int = 42
    system: str = ""

    def command(self) -> str:
        """The `fanno export` that asks for this, with the places left open."""
        split = ",".join(f"{name}={share:g}" for name, share in self.shares.items())
        options = {
            "--filter": self.condition,
            "--max-rows": str(self.max_rows or ""),
            "--split": "" if split == f"{TRAIN}=1" else split,
            "--seed": "" if len(self.shares) == 1 else str(self.seed),
            "--system": self.system,
        }
        told = [f"{name} {shlex.quote(value)}" for name, value in options.items() if value]
        return " ".join([f"fanno export OUT --format {self.format} --to FOLDER", *told])


@dataclass(frozen=True, slots=True)
class Export:
    """What an export writes.

    Attributes:
        splits: the rows of each split.
        files: name to bytes; data first, then what tells about them.
        stanza: what to paste into the consumer's configuration, where it needs any.
        told: what the manifest says, and `--json`.
    """

    splits: Mapping[str, Sequence[Example]]
    files: Mapping[str, bytes]
    stanza: Stanza | None
    told: Mapping[str, Any]


def make_export(made: Made, wanted: Wanted, file: str = "") -> Export:
    """The files of an export, before anything is written.

    Args:
        made: the run.
        wanted: what is asked for.
        file: name of the one data file; empty: files are named by their split.

    Raises:
        RunStops: the format is unknown, the condition fits no row, there are too few communities for the splits, or
            several splits are to go into one file.
        ShardDamaged: a file of the run is missing or damaged.
    """
    form = format_of(wanted.format)
    if file and len(wanted.shares) > 1:
        raise RunStops(f"{len(wanted.shares)} splits do not go into the one file {file}; name a folder with --to")
    every = made.examples()
    rows = rows_where(every, wanted.condition) if wanted.condition else every
    if 0 < wanted.max_rows < len(rows):
        rows = most_diverse(made, rows, wanted.max_rows)
    splits = split_rows(rows, wanted.shares, wanted.seed)
    pieces = {split: _pieces(split, chosen, form, made, file) for split, chosen in splits.items()}
    files = {name: form.write(part, wanted.system) for parts in pieces.values() for name, part in parts.items()}
    firsts = {split: next(iter(parts)) for split, parts in pieces.items()}
    name = made.settings.publish.name
    stanza = form.stanza(name, firsts, wanted.system) if form.stanza else None
    digest = digest_of(rows, wanted.system)
    told = _told(wanted, splits, len(every), digest)
    if stanza:
        files[beside(file, stanza.file)] = stanza.text.encode()
    contents = _contents(wanted, form, splits, stanza, file, len(every))
    files[beside(file, CARD)] = card_bytes(rows, made.settings.publish, provenance_of(made), digest, contents)
    return Export(splits, files, stanza, told)


def most_diverse(made: Made, rows: Sequence[Example], most: int) -> list[Example]:
    """The most diverse of the rows by their instructions' vectors, each next one the farthest from those before it.

    Raises:
        ShardDamaged: the run has no vector of a row.
    """
    tables = [made.extra(phase, "vectors", contract=Vector) for phase in EMBEDDED]  # noqa: S610 - no Django here
    vectors = {row.id: row.vector for table in tables for row in table}
    missing = next((row.id for row in rows if row.id not in vectors), None)
    if missing:
        raise ShardDamaged(
            f"the run holds no vector of row {missing}, which --max-rows needs; run `fanno verify` on it"
        )
    places = farthest_first(np.stack([vectors[row.id] for row in rows]), most)
    return [rows[place] for place in places]


def provenance_of(made: Made) -> Provenance:
    """What the card tells of the run that made the rows."""
    settings = made.settings
    return Provenance(
        teacher=str(made.record["teacher"]),
        teacher_licence=declared_licence(settings.teacher),
        encoder=str(made.record["encoder"]),
        mode=", ".join(sorted({row.response_mode for row in made.examples()})),
        seed=settings.run.seed,
        languages=settings.screen.languages,
        funnel=[phase for phase in made.record["phases"] if phase["name"] != "publish"],
        command=run_command(settings),
        how=how_made(settings),
    )


def _pieces(split: str, rows: Sequence[Example], form: Format, made: Made, file: str) -> dict[str, Sequence[Example]]:
    """The rows of a split by the name of their file."""
    if file:
        return {file: rows}
    if not form.pieces:
        return {f"{split}{form.suffix}": rows}
    most = made.settings.publish.shard_rows
    parts = [rows[start : start + most] for start in range(0, len(rows), most)]
    return {f"{split}-{n:05d}-of-{len(parts):05d}{form.suffix}": part for n, part in enumerate(parts)}


def _contents(
    wanted: Wanted, form: Format, splits: Mapping[str, Sequence[Example]], stanza: Stanza | None, file: str, of: int
) -> Contents:
    patterns = {split: f"{split}-*{form.suffix}" if form.pieces else f"{split}{form.suffix}" for split in splits}
    loaded = '"path/to/this/folder"'
    if file:
        patterns = dict.fromkeys(patterns, file)
        builder = "parquet" if form.suffix == ".parquet" else "json"
        loaded = f'"{builder}", data_files="{file}"'
    loading = LOADING.format(loaded=loaded, split=next(iter(splits)), format=wanted.format, meaning=form.meaning)
    if stanza:
        loading += f"\n\n{stanza.hint} (`{beside(file, stanza.file)}`):\n\n```{stanza.language}\n{stanza.text}```"
    return Contents(patterns, loading, _chosen(wanted, splits, of), wanted.command())


def _chosen(wanted: Wanted, splits: Mapping[str, Sequence[Example]], of: int) -> str:
    """Which of the run's rows these are; the condition itself stands in the command at the card's end."""
    count = sum(map(len, splits.values()))
    lines = [f"{count:,} of the run's {of:,} rows."]
    if wanted.condition:
        lines.append("Only those that fit the condition of the command below (`--filter`).")
    if wanted.max_rows:
        lines.append(f"At most {wanted.max_rows:,}, the most diverse first (farthest-first over instruction vectors).")
    if len(splits) > 1:
        lines.append("Split by community, so that near-equal documents never stand in two splits.")
        lines += ["", "| split | rows | asked for | communities |", "| --- | ---: | ---: | ---: |"]
        for split, rows in splits.items():
            communities = len({row.community for row in rows})
            lines.append(f"| {split} | {len(rows):,} | {wanted.shares[split]:.2%} | {communities:,} |")
    return "\n".join(lines)


def _counts(values: Iterable[str]) -> dict[str, int]:
    """How often each value stands, in the order of their names."""
    return dict(sorted(Counter(values).items()))


def _told(wanted: Wanted, splits: Mapping[str, Sequence[Example]], of: int, digest: str) -> dict[str, Any]:
    return {
        "format": wanted.format,
        "rows": sum(map(len, splits.values())),
        "of": of,
        "splits": {
            split: {
                "rows": len(rows),
                "share": round(wanted.shares[split], 6),
                "communities": len({row.community for row in rows}),
                "kinds": _counts(map(kind_of, rows)),
                "task_types": _counts(row.task_type or "none" for row in rows),
            }
            for split, rows in splits.items()
        },
        "missing": [asdict(missing) for missing in missing_kinds(splits)],
        "filter": wanted.condition,
        "max_rows": wanted.max_rows,
        "seed": wanted.seed,
        "system": wanted.system,
        "digest": digest,
        "command": wanted.command(),
    }
