"""The data set's card: what it holds, how it was made, from what, and what it is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from fanno_core.settings import Publish
from fanno_core.spdx import shown
from fanno_core.store.contracts import Example

SIZES = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
MOST_SOURCES = 20
"""Sources that are named of each licence."""
NOT_STATED = "not stated"

PREVIEW = """> **Preview.** The teacher `extractive` has no weights: it fills templates with key phrases and answers
> with sentences of the documents. These rows show the pipeline; they are not training data. Run again with a
> language model as the teacher.
"""

TEMPLATE = """# {name}

{rows} instruction-response pairs, made from unlabelled documents with FANNO (arXiv 2408.01323).

{notice}
## Load it

```python
from datasets import load_dataset

rows = load_dataset("path/to/this/folder", split="train")
```

`alpaca.json` holds instruction, input and output alone (LLaMA-Factory, Axolotl `type: alpaca`); `messages.jsonl`
holds chats (TRL, Axolotl `type: chat_template`). The Parquet files say of every row which document, tags,
counterexamples, prompts and teacher it came from.

## How it was made

Teacher `{teacher}` (licence `{licence}`), encoder `{encoder}`, responses `{mode}`, random seed {seed}.

{funnel}

## Sources

{sources}

## Flags

Links, scripts, chat markup and tool calls stay in the rows as they are; the column `flags` names them, so that they
can be left out.

{flags}

## Limits

Instructions and responses were written by a language model and filtered by rules and by the model's own
verdicts; nobody has read them all. They may be wrong, biased or copied from the sources.

Data set digest: `{digest}`
"""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the card tells beside the rows.

    Attributes:
        teacher, encoder: their identities.
        teacher_licence: what the teacher's model declares, or empty.
        mode: how responses were made.
        seed: the run's seed.
        languages: ISO 639-1 codes that were kept.
        funnel: for each phase its name, candidates, kept rows and rejections by reason.
    """

    teacher: str
    teacher_licence: str
    encoder: str
    mode: str
    seed: int
    languages: Sequence[str]
    funnel: Sequence[Mapping[str, Any]]


def card_bytes(rows: Sequence[Example], settings: Publish, provenance: Provenance, digest: str) -> bytes:
    """The card: YAML front matter as the Hugging Face hub reads it, then Markdown."""
    body = TEMPLATE.format(
        name=settings.name,
        rows=f"{len(rows):,}",
        notice=PREVIEW if provenance.teacher.startswith("extractive/") else "",
        teacher=provenance.teacher,
        licence=_cell(provenance.teacher_licence or NOT_STATED),
        encoder=provenance.encoder,
        mode=provenance.mode,
        seed=provenance.seed,
        funnel=funnel_table(provenance.funnel),
        sources=_sources(rows),
        flags=_flags(rows),
        digest=digest,
    )
    front = yaml.safe_dump(_front_matter(rows, settings, provenance), sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n{body}".encode()


def funnel_table(funnel: Sequence[Mapping[str, Any]]) -> str:
    """The funnel as a Markdown table."""
    lines = ["| phase | candidates | kept | rejected by reason |", "| --- | ---: | ---: | --- |"]
    for phase in funnel:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in phase["rejected"].items()) or "-"
        lines.append(f"| {phase['name']} | {phase['candidates']:,} | {phase['rows_kept']:,} | {reasons} |")
    return "\n".join(lines)


def _front_matter(rows: Sequence[Example], settings: Publish, provenance: Provenance) -> dict[str, Any]:
    front: dict[str, Any] = {"pretty_name": settings.name}
    if provenance.languages:
        front["language"] = list(provenance.languages)
    return front | {
        "license": "other",
        "license_name": "see-sources",
        "task_categories": ["text-generation"],
        "size_categories": [next((name for most, name in SIZES if len(rows) < most), "n>1M")],
        "tags": ["instruction-tuning", "synthetic", "fanno"],
        # One builder reads all configurations, so the JSON files beside the Parquet cannot be some of them.
        "configs": [
            {"config_name": "default", "data_files": [{"split": "train", "path": "train-*.parquet"}]},
        ],
    }


def _sources(rows: Sequence[Example]) -> str:
    """Rows by licence, then the sources of each licence, most rows first."""
    by_licence: dict[str, Counter[str]] = {}
    for row in rows:
        by_licence.setdefault(shown(row.licence) or NOT_STATED, Counter())[row.source] += 1
    totals = _ranked(Counter({name: sources.total() for name, sources in by_licence.items()}))
    lines = ["| licence of the documents | sources | rows |", "| --- | ---: | ---: |"]
    lines += [f"| {_cell(name)} | {len(by_licence[name]):,} | {count:,} |" for name, count in totals]
    lines += ["", "| licence | source | rows |", "| --- | --- | ---: |"]
    for name, _ in totals:
        ranked = _ranked(by_licence[name])
        lines += [f"| {_cell(name)} | {_cell(source)} | {count:,} |" for source, count in ranked[:MOST_SOURCES]]
        if len(ranked) > MOST_SOURCES:
            rest = sum(count for _, count in ranked[MOST_SOURCES:])
            lines.append(f"| {_cell(name)} | {len(ranked) - MOST_SOURCES:,} more | {rest:,} |")
    return "\n".join(lines)


def _flags(rows: Sequence[Example]) -> str:
    counts = Counter(flag for row in rows for flag in row.flags)
    lines = ["| flag | rows |", "| --- | ---: |"]
    lines += [f"| {_cell(name)} | {count:,} |" for name, count in _ranked(counts)]
    return "\n".join(lines) if counts else "No row has any."


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _cell(text: str) -> str:
    """Text that cannot break out of its table cell."""
    return " ".join(text.replace("|", "\\|").replace("`", "'").split())[:120]
