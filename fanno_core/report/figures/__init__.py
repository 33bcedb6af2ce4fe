"""The figures of a report, by the section of the page that shows them."""

from __future__ import annotations

from fanno_core.report.figures.comparison import comparison_figures, distinct_figure
from fanno_core.report.figures.cost import cost_figures
from fanno_core.report.figures.diversity import diversity_figures
from fanno_core.report.figures.figure import Figure, png_bytes
from fanno_core.report.figures.funnel import funnel_figures
from fanno_core.report.figures.growth import bandit_figures, iteration_figures
from fanno_core.report.figures.quality import length_figures, quality_figures
from fanno_core.report.numbers import Numbers

__all__ = ["Figure", "figures_of", "png_bytes"]


def figures_of(numbers: Numbers) -> dict[str, list[Figure]]:
    """The figures by section. A figure that would show nothing is left out."""
    own = numbers.measures[:1]
    distinct = distinct_figure(numbers.measures)
    diversity = diversity_figures(numbers.diversity)
    return {
        "funnel": funnel_figures(numbers.funnel),
        "diversity": diversity + ([distinct] if distinct else []),
        "growth": [
            *(figure for each in own for figure in length_figures(each)),
            *iteration_figures(numbers.iterations),
            *bandit_figures(numbers.bandit),
        ],
        "quality": quality_figures(numbers.quality),
        "cost": cost_figures(numbers.cost),
        "compared": comparison_figures(numbers.measures),
    }
