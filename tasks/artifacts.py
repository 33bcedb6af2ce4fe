"""What Prefect's UI shows of a finished run: its report's figures and place, and rows that quote no document."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect import runtime
from prefect.artifacts import acreate_link_artifact, acreate_markdown_artifact

from fanno_core.dataset.made import Made
from fanno_core.lineage.sample import Sampled
from fanno_core.lineage.unquoted import unquoted_rows
from fanno_core.store.durable import names_in, read_whole
from fanno_core.store.location import Location

LIVE = re.compile(r"[\\`*_\[\]!~#]")
"""What Markdown takes for more than text."""
FIGURES = ("funnel-instructions.png",)
# Artifacts lie in Prefect's database, which every page of its UI asks.
MOST_BYTES = 250_000
ROWS_TOLD = (
    "Rows of the data set. Inputs and responses, and rows whose instruction repeats words of a document, are left out: "
    "documents do not belong into Prefect's database. `fanno sample` shows rows whole."
)
LINK_TOLD = (
    "The report is one file; it needs no network. A browser does not follow a link from this page to a file: copy it."
)


async def leave_rows(made: Made) -> None:
    """Shows as many rows as the settings allow."""
    count = made.settings.report.ui_rows
    if count:
        rows = unquoted_rows(made, count, made.settings.run.seed)
        await acreate_markdown_artifact(rows_markdown(rows), key="sample-rows", description=ROWS_TOLD)


async def leave_figures(report: Location) -> None:
    """Shows the headline figures of the report in this folder, and its funnel."""
    numbers = json.loads(read_whole(report / "report.json"))
    pictures = [read_whole(report / "figures" / name) for name in names_in(report / "figures") if name in FIGURES]
    text = figures_markdown(numbers) + "".join(map(_shown, pictures))
    await acreate_markdown_artifact(text, key="figures", description=f"Headline figures of data set {numbers['name']}.")


async def leave_link(page: Location) -> None:
    """Shows where the report lies: as the run's parameters name it, with its full address behind that."""
    out = str(runtime.flow_run.parameters.get("out") or page.parent.parent).rstrip("/")
    link = page.as_uri() if isinstance(page, Path) else str(page)
    text = f"{out}/{page.parent.name}/{page.name}"
    await acreate_link_artifact(link, link_text=text, key="report", description=LINK_TOLD)


def rows_markdown(rows: Sequence[Sampled]) -> str:
    """Rows as a Markdown table."""
    cells = [[f"`{row.id}`", *map(as_text, (row.task_type, row.source, row.instruction))] for row in rows]
    return _table(["id", "task type", "source", "instruction"], cells)


def as_text(text: str) -> str:
    """The Markdown of a text as it stands: nothing in it is a link, a picture or markup."""
    return LIVE.sub(r"\\\g<0>", text.replace("&", "&amp;").replace("<", "&lt;"))


def figures_markdown(numbers: Mapping[str, Any]) -> str:
    """The headline figures of a report as a Markdown table."""
    own, quality, cost = numbers["measures"][0], numbers["quality"], numbers["cost"]
    tokens = sum(phase["prompt_tokens"] + phase["completion_tokens"] for phase in cost)
    figures = {
        "rows": f"{own['rows']:,}",
        "teacher": numbers["teacher"],
        "digest": f"`{numbers['digest'][:16]}`",
        "effectively different instructions (Vendi score)": f"{own['vendi']:,.1f}",
        "distinct 2-grams": f"{own['distinct']['2']:.1%}",
        "likeness to the most alike other instruction (ROUGE-L, mean)": f"{own['self_rouge']:.2f}",
        "near-duplicates": f"{own['near_duplicates']:,}",
        "refusals": f"{quality['refusals']:,}",
        "words copied from the row's own document": f"{quality['copied']['mean']:.1%}",
        "rows with personal data": f"{sum(quality['personal_data'].values()):,}",
        "teacher calls": f"{sum(phase['calls'] for phase in cost):,}",
        "tokens a row": f"{tokens / max(own['rows'], 1):,.0f}",
    }
    return _table(["figure", "value"], figures.items())


def _shown(picture: bytes) -> str:
    if len(picture) > MOST_BYTES:
        return ""
    return f"\n![funnel](data:image/png;base64,{base64.b64encode(picture).decode()})\n"


def _table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
