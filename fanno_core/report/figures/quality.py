"""How good rows are: verdicts, repetition, copied spans, lengths."""

from __future__ import annotations

from fanno_core.report.figures.figure import Figure
from fanno_core.report.figures.histograms import AND_LONGER, histogram_figure, score_figure
from fanno_core.report.numbers import Measures, Quality

SCORES = {
    "answerable": ("Can instructions be answered as they stand?", "teacher's probability of yes"),
    "private": ("Are instructions about private persons?", "teacher's probability of yes"),
    "unsafe": ("Does answering do harm?", "teacher's probability of yes"),
    "document_quality": ("Were the documents worth learning from?", "teacher's probability of yes"),
    "ifd": ("Instruction-following difficulty", "IFD: loss of the response with over without its instruction"),
}
"""Title and axis of the scores that have a name of their own."""


def quality_figures(quality: Quality) -> list[Figure]:
    """A histogram for each score, repetition and copied share; only those that some row has."""
    figures = [
        score_figure(f"score-{name.replace('_', '-')}", *SCORES.get(name, (name.replace("_", " "), name)), score)
        for name, score in quality.scores.items()
    ]
    figures += [
        score_figure(
            "repetition",
            "How much responses repeat themselves",
            "share of 4-grams that repeat an earlier one",
            quality.repetition,
            ".0%",
        ),
        score_figure(
            "copied",
            "How much responses copy from their document",
            "share of words in copied runs of 8 or more",
            quality.copied,
            ".0%",
        ),
    ]
    return [figure for figure in figures if figure]


def length_figures(measures: Measures) -> list[Figure]:
    """How long instructions and responses are, in words."""
    figures = [
        histogram_figure(
            "instruction-words",
            "Length of instructions",
            f"words an instruction{AND_LONGER}",
            measures.instruction_words,
            "rows",
        ),
        histogram_figure(
            "output-words", "Length of responses", f"words a response{AND_LONGER}", measures.output_words, "rows"
        ),
    ]
    return [figure for figure in figures if figure]
