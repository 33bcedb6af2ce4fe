"""A comparison of methods whose numbers are known."""

from __future__ import annotations

from dataclasses import replace

from fanno_core.report.numbers import Overlap
from fanno_core.report.several_runs import Asked, MethodRow, SeveralRuns
from tests.report.numbers import HOSTILE, full_numbers

NAMES = ("fanno", "self-instruct", "evol-instruct")
UNTOLD = Asked(900, 601, None, 5.5, None)


def several_runs(names: tuple[str, ...] = NAMES) -> SeveralRuns:
    """Methods of these names; the second has no tokens, no copied words and no IFD. One more has stopped."""
    first = full_numbers().measures[0]
    rows = tuple(
        MethodRow(
            method=name,
            digest=f"{number:064x}",
            asked=UNTOLD if number == 1 else Asked(900, 600 + number, 123_456.5, 4.5 + number, 901.25),
            measures=replace(first, name=name, rows=130 - 7 * number),
            instruction_words=21.25,
            output_words=140.0,
            copied=None if number == 1 else 0.25,
            ifd=None if number == 1 else 0.731,
            ifd_rows=0 if number == 1 else 120,
            contamination=(Overlap("gsm8k.jsonl", 1319, number, 0, ()), Overlap("mmlu.json", 14, 0, 2, ())),
        )
        for number, name in enumerate(names)
    )
    return SeveralRuns("vllm/model@1", "encoder@1", True, 600, "tiny", rows, {"magpie": f"it cannot: {HOSTILE}"})
