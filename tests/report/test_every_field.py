"""No number of a report without a second computation, and none that would not notice a wrong number."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pandas as pd
import pytest

from fanno_core.report.numbers import Numbers
from tests.report import test_recomputed as of_run
from tests.report import test_recomputed_texts as of_texts
from tests.report.planted import Planted

Test = Callable[..., None]

SCORE = ("rows", "mean", "histogram.edges", "histogram.counts")
HISTOGRAM = ("edges", "counts")
RECOMPUTED: Mapping[Test, tuple[str, ...]] = {
    of_run.test_who_made_it: ("name", "digest", "teacher", "encoder", "preview"),
    of_run.test_funnel: (
        *(f"funnel.{name}" for name in ("name", "candidates", "kept", "rejected")),
        *(f"funnel.examples.{name}" for name in ("id", "source", "detail", "text")),
    ),
    of_run.test_costs: tuple(
        f"cost.{name}"
        for name in ("phase", "calls", "prompt_tokens", "cached_tokens", "completion_tokens", "seconds")
    ),
    of_texts.test_verbs_that_are_known: (
        *(f"diversity.verb_objects.{name}" for name in ("verb", "object", "count")),
        "diversity.with_verb", "measures.with_verb", "measures.verbs",
    ),
    of_run.test_distinct_ngrams: ("diversity.distinct", "measures.distinct"),
    of_run.test_vendi_score_by_the_kernel_of_all_pairs: ("diversity.vendi", "measures.vendi"),
    of_run.test_nearest_by_all_pairs: (
        *(f"diversity.nearest.{name}" for name in SCORE),
        "measures.nearest", "measures.near_duplicates", "quality.near_duplicates",
    ),
    of_run.test_self_rouge: (
        *(f"diversity.self_rouge.{name}" for name in SCORE), "diversity.self_rouge_sample", "measures.self_rouge",
    ),
    of_run.test_topics_by_scikit_learn_alone: tuple(f"diversity.topics.{name}" for name in ("id", "x", "y")),
    of_run.test_topics_hold_a_sample_whose_neighbours_stay_neighbours: tuple(
        f"diversity.topics.{name}" for name in ("community", "topic", "instruction")
    ),
    of_run.test_tags: tuple(
        f"diversity.tags.{name}" for name in ("task_type", "form", "characteristic", "asked", "kept")
    ),
    of_run.test_iterations: tuple(
        f"iterations.{name}"
        for name in ("iteration", "rows", "instruction_words", "output_tokens", "quality", "similarity")
    ),
    of_texts.test_complexity_that_is_known: ("iterations.complexity",),
    of_run.test_bandit: (
        *(f"bandit.steps.{name}" for name in ("iteration", "seeds", "shown", "reward")),
        *(f"bandit.shown.{name}" for name in HISTOGRAM),
        *(f"bandit.seeds.{name}" for name in ("id", "instruction", "shown", "reward")),
    ),
    of_run.test_scores: tuple(f"quality.scores.{name}" for name in SCORE),
    of_run.test_responses: (
        *(f"quality.repetition.{name}" for name in SCORE), "measures.repetition",
        ),
    of_texts.test_refusals: ("quality.refusals", "measures.refusals"),
    of_run.test_copied_spans: tuple(f"quality.copied.{name}" for name in SCORE),
    of_texts.test_languages_that_are_known: ("quality.languages",),
    of_texts.test_personal_data_that_is_known: ("quality.personal_data",),
    of_texts.test_flags: ("quality.flags",),
    of_texts.test_contamination: tuple(
        f"quality.contamination.{name}" for name in ("name", "items", "by_ngram", "by_embedding", "rows")
    ),
    of_run.test_lengths: (
        "measures.name", "measures.rows",
        *(f"measures.{what}.{name}" for what in ("instruction_words", "output_words") for name in HISTOGRAM),
    ),
}  # fmt: skip
BY_FIELD = [(path, test) for test, paths in RECOMPUTED.items() for path in paths]


def paths_of(kind: Any) -> Iterator[str]:
    """The paths of all fields that hold no dataclass; tuples and the values of mappings add no part to a path."""
    for name, hint in get_type_hints(kind).items():
        held = hint
        while get_origin(held) in {tuple, Mapping}:
            held = next(each for each in reversed(get_args(held)) if each is not ...)
        yield from (f"{name}.{path}" for path in paths_of(held)) if is_dataclass(held) else [name]


def changed(value: Any, path: str) -> Any:
    """The same with what stands at that path a little wrong; equal where nothing stands there."""
    if not path:
        return wrong(value)
    if isinstance(value, Mapping):
        return {key: changed(each, path) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(changed(each, path) for each in value)
    name, _, rest = path.partition(".")
    return replace(value, **{name: changed(getattr(value, name), rest)})


def wrong(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: wrong(each) for key, each in value.items()}
        case tuple():
            return (*map(wrong, value[:1]), *value[1:])
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value + 0.01
        case str():
            return f"{value}x"
        case _:
            return 0.5  # a mean that is not known


def test_every_field_is_computed_a_second_time() -> None:
    named = [path for path, _ in BY_FIELD]
    assert len(named) == len(set(named))
    assert set(named) == set(paths_of(Numbers))


@pytest.mark.parametrize(("path", "test"), BY_FIELD, ids=[path for path, _ in BY_FIELD])
def test_a_wrong_number_is_noticed(
    path: str,
    test: Test,
    numbers: Numbers,
    planted_numbers: Numbers,
    planted: Planted,
    rows: pd.DataFrame,
    finished: Path,
    language_of: Callable[[str], str],
) -> None:
    given = {
        "numbers": changed(numbers, path),
        "planted_numbers": changed(planted_numbers, path),
        "planted": planted,
        "rows": rows,
        "finished": finished,
        "language_of": language_of,
    }
    with pytest.raises((AssertionError, KeyError)):
        test(**{name: given[name] for name in inspect.signature(test).parameters})
