from __future__ import annotations

from fanno_core.report.measures.growth import iterations_of
from tests.report.measures.rows import example


def test_nobody_judged_and_nothing_to_be_like() -> None:
    (seeds, window) = iterations_of([example("b", iteration=1, answerable=0.5, similarity=0.25), example("a")])
    assert (seeds.iteration, seeds.quality, seeds.similarity) == (0, None, None)
    assert (window.iteration, window.quality, window.similarity) == (1, 0.5, 0.25)


def test_unknown_values_are_left_out_of_the_mean() -> None:
    (only,) = iterations_of(
        [example("a", similarity=-1.0), example("b", similarity=0.5), example("c", similarity=-0.1)]
    )
    assert (only.rows, only.similarity) == (3, 0.2)
