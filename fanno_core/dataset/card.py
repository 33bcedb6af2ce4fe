"""The data set's card: what it holds, how it was made, from what, and what it is not."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from statistics import quantiles
from typing import Any

import yaml

from fanno_core.settings import Publish, Settings, bytes_of
from fanno_core.spdx import shown
from fanno_core.store.contracts import FANNO, Example

SIZES = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
MOST_SOURCES = 20
"""Sources that are named of each licence."""
NOT_STATED = "not stated"
DOCUMENTS = "DOCUMENTS"
"""What a command calls documents that lie on this machine."""
BAR = 20
"""Characters of the bar that stands for all rows."""

FILE = "file"
"""What `Example.method` says of a row that stands in an instruction file."""
BY_FANNO = "made from unlabelled documents with FANNO (arXiv 2408.01323)"


def way_of(method: str, iteration: int) -> str:
    """How a row was made, in a word or two: `seed` or `augmented` by FANNO, `as given` in a file, or its method."""
    if method == FANNO:
        return "augmented" if iteration else "seed"
    return "as given" if method == FILE else method


SPREADS: Mapping[str, Callable[[Example], float | None]] = {
    "words of the instruction": lambda row: len(row.instruction.split()),
    "words of the response": lambda row: len(row.output.split()),
    "cosine to the nearest instruction before it": lambda row: row.similarity if row.similarity >= 0 else None,
}
GROUPS: Mapping[str, Callable[[Example], str]] = {
    "task type": lambda row: row.task_type,
    "difficulty": lambda row: row.characteristic,
    "form": lambda row: row.form,
    "how made": lambda row: way_of(row.method, row.iteration),
}

WITHOUT_WEIGHTS = "extractive/"
"""How the teacher begins that is no model."""
PREVIEW = """> **Preview.** The teacher `extractive` has no weights: it fills templates with key phrases and answers
> with sentences of the documents. These rows show the pipeline; they are not training data. Run again with a
> language model as the teacher.
"""

BY_MODEL = """Instructions and responses were written by a language model and filtered by rules and by the model's own
verdicts; nobody has read them all."""
BY_RULES = """Instructions were filled into templates, responses put together from sentences of the documents, and both
filtered by rules; nobody has read them all."""
BY_NOBODY = """No teacher wrote these rows: they stand in the files that they came from, or rules put them together of
those; nobody has read them all."""

LOADING = """```python
from datasets import load_dataset

rows = load_dataset("path/to/this/folder", split="train")
```

`alpaca.json` holds instruction, input and output alone (LLaMA-Factory, Axolotl `type: alpaca`); `messages.jsonl`
holds chats (TRL, Axolotl `type: chat_template`). The Parquet files say of every row which document, tags,
counterexamples, prompts and teacher it came from."""

TEMPLATE = """# {name}

{rows} instruction-response pairs, {how}.

{notice}
## Load it

{loading}

## How it was made

{made_with}

{funnel}
{chosen}
## Figures

{figures}

## Sources

{sources}

## Flags

Links, scripts, chat markup and tool calls stay in the rows as they are; the column `flags` names them, so that they
can be left out.

{flags}

## Limits

{limits} They may be wrong, biased or copied from the sources.

## Make it again
{commands}
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
        command: the `fanno run` that makes it again, from `run_command`, or empty.
        how: how the rows were made, in half a sentence.
    """

    teacher: str
    teacher_licence: str
    encoder: str
    mode: str
    seed: int
    languages: Sequence[str]
    funnel: Sequence[Mapping[str, Any]]
    command: str = ""
    how: str = BY_FANNO


@dataclass(frozen=True, slots=True)
class Contents:
    """The files that a card lies beside; those of `OUT/dataset` where nothing else is said.

    Attributes:
        splits: each split, and the pattern of its files.
        loading: Markdown that says how they are loaded.
        chosen: Markdown that says which of the run's rows these are; empty: all of them.
        command: the command that wrote them after `fanno run`, or empty.
    """

    splits: Mapping[str, str]
    loading: str
    chosen: str = ""
    command: str = ""


PUBLISHED = Contents({"train": "train-*.parquet"}, LOADING)


def card_bytes(
    rows: Sequence[Example], settings: Publish, provenance: Provenance, digest: str, contents: Contents = PUBLISHED
) -> bytes:
    """The card: YAML front matter as the Hugging Face hub reads it, then Markdown."""
    teacher_wrote = written_by_teacher((row.teacher for row in rows), provenance.funnel)
    is_preview = teacher_wrote and provenance.teacher.startswith(WITHOUT_WEIGHTS)
    body = TEMPLATE.format(
        name=settings.name,
        rows=f"{len(rows):,}",
        how=_cell(provenance.how),
        notice=PREVIEW if is_preview else "",
        limits=BY_NOBODY if not teacher_wrote else BY_RULES if is_preview else BY_MODEL,
        made_with=_made_with(rows, provenance, teacher_wrote),
        loading=contents.loading,
        chosen=f"\n## Which rows\n\n{contents.chosen}\n" if contents.chosen else "",
        figures=_figures(rows),
        commands=_commands(provenance.command, contents.command),
        funnel=funnel_table(provenance.funnel),
        sources=_sources(rows),
        flags=_flags(rows),
        digest=digest,
    )
    told = _front_matter(rows, settings, provenance, contents, digest)
    front = yaml.safe_dump(told, sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n{body}".encode()


def written_by_teacher(teachers: Iterable[str], funnel: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a teacher wrote rows, or what they were made of: not where all of it came from files.

    Args:
        teachers: of the rows; empty for one that names none.
        funnel: the phases of the run. Where seeds are among them, a method that asks nobody began with these.
    """
    return any(teachers) or any(phase["name"] == "seeds" and phase["rows_kept"] for phase in funnel)


def _made_with(rows: Sequence[Example], provenance: Provenance, teacher_wrote: bool) -> str:
    """The teacher where one wrote rows, the mode of responses where FANNO did, and what every run has."""
    licence = _cell(provenance.teacher_licence or NOT_STATED)
    told = [f"teacher `{provenance.teacher}` (licence `{licence}`)"] if teacher_wrote else []
    told.append(f"encoder `{provenance.encoder}`")
    if teacher_wrote and any(row.method == FANNO for row in rows):
        told.append(f"responses `{provenance.mode}`")
    sentence = ", ".join([*told, f"random seed {provenance.seed}."])
    return sentence[0].upper() + sentence[1:]


def funnel_table(funnel: Sequence[Mapping[str, Any]]) -> str:
    """The funnel as a Markdown table."""
    lines = ["| phase | candidates | kept | rejected by reason |", "| --- | ---: | ---: | --- |"]
    for phase in funnel:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in phase["rejected"].items()) or "-"
        lines.append(f"| {phase['name']} | {phase['candidates']:,} | {phase['rows_kept']:,} | {reasons} |")
    return "\n".join(lines)


def how_made(settings: Settings) -> str:
    """How the rows of a run were made, in half a sentence."""
    name, files = settings.method.name, ", ".join(PurePath(path).name for path in settings.method.given)
    chosen = f", chosen by {', '.join(settings.select.by)}" if settings.select.by else ""
    if name == FANNO:
        return f"{BY_FANNO}{chosen}"
    if not name:
        return f"rows of {files}{chosen}"
    of = f" from the rows of {files}" if files else ""
    return f"made with {name}{of}{chosen}"


def run_command(settings: Settings, corpus: Sequence[str] | None = None) -> str:
    """The `fanno run` of these settings, with each that is not the default and can change a byte.

    Output and corpus are left open; of a folder on this machine only its name is told.

    Args:
        settings: all settings.
        corpus: what can be told of the corpus: names of built-in ones, `DOCUMENTS` for all others; None: `DOCUMENTS`
            where the run began with no files of rows.
    """
    if corpus is None:
        corpus = () if settings.method.given else (DOCUMENTS,)
    default, ours = (bytes_of(made, Settings.model_fields) for made in (Settings(), settings))
    changed = [f"--set {shlex.quote(f'{key}={_word(value)}')}" for key, value in ours.items() if value != default[key]]
    return " ".join(["fanno run", *(f"--corpus {name}" for name in corpus), "--out OUT", *changed])


def _word(value: Any) -> str:
    """A setting's value as `--set` reads it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {_inner(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return json.dumps([_named(each) if isinstance(each, str) else each for each in value], ensure_ascii=False)
    return _named(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _inner(value: Any) -> str:
    """A value within a table."""
    return json.dumps(_named(value), ensure_ascii=False) if isinstance(value, str) else _word(value)


def _named(text: str) -> str:
    """A text; of a path on this machine, its name."""
    return PurePath(text).name if text.startswith(("/", "~", ".")) and "\n" not in text else text


def _commands(*commands: str) -> str:
    lines = "\n".join(filter(None, commands))
    if not lines:
        return ""
    fence = "`" * max(3, 1 + max(len(run) for run in re.findall("`*", lines)))
    return f"\n{fence}sh\n{lines}\n{fence}\n"


def _front_matter(
    rows: Sequence[Example], settings: Publish, provenance: Provenance, contents: Contents, digest: str
) -> dict[str, Any]:
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
            {
                "config_name": "default",
                # `datasets` keeps what it has loaded under the folder's name and what stands here, not the files.
                "description": " ".join(filter(None, ("digest", digest, contents.command))),
                "data_files": [{"split": split, "path": path} for split, path in contents.splits.items()],
            },
        ],
    }


def _figures(rows: Sequence[Example]) -> str:
    """How the rows are spread: their lengths, and their shares by tag."""
    if not rows:
        return "There are no rows."
    lines = ["| of each row | least | a quarter below | half below | three quarters below | most |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name, measure in SPREADS.items():
        values = [measured for row in rows if (measured := measure(row)) is not None]
        if not values:
            continue
        spread = [f"{point:,.2f}".removesuffix(".00") for point in _spread(values)]
        lines.append(f"| {name} | {' | '.join(spread)} |")
    for name, group in GROUPS.items():
        lines += ["", f"| {name} | rows | share |", "| --- | ---: | :--- |"]
        for value, count in _ranked(Counter(map(group, rows))):
            bar = "█" * round(BAR * count / len(rows))
            lines.append(f"| {_cell(value) or 'none'} | {count:,} | {bar} {count / len(rows):.1%} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> list[float]:
    between = quantiles(values, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return [min(values), *between, max(values)]


def _sources(rows: Sequence[Example]) -> str:
    """Rows by licence, then the sources of each licence, most rows first."""
    by_licence: dict[str, Counter[str]] = {}
    for (licence, source), count in Counter((row.licence, row.source) for row in rows).items():
        by_licence.setdefault(shown(licence) or NOT_STATED, Counter())[source] += count
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
