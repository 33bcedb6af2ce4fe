"""Every number of a report once more, from the Parquet files of a run, with nothing of the measures' code."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fanno_core.dataset.made import open_made
from fanno_core.instructions.tags import tags_for
from fanno_core.report.instruction_files import InstructionRow, read_instruction_file
from fanno_core.report.measure import measure
from fanno_core.report.measures.verbs import root_of
from fanno_core.report.measures.verbs.words import count_verbs
from fanno_core.report.numbers import Histogram, Numbers, Overlap
from fanno_core.screening.language import languages_of
from fanno_core.screening.personal_data import find_personal_data
from fanno_core.settings import Report
from fanno_core.store.contracts import Floats
from tests.report import plain

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
SMALL = Report(map_rows=150, rouge_rows=40)
DIM = 64


def encode(texts: Sequence[str]) -> Floats:
    """Unit vectors of counted letters: enough to be held against each other."""
    vectors = np.zeros((len(texts), DIM), np.float32)  # of the run's own instructions none is asked
    for row, text in enumerate(texts):
        for a, b in pairwise(text):
            vectors[row, (ord(a) * 31 + ord(b)) % DIM] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def never(texts: Sequence[str]) -> Floats:
    assert not texts, "the run's own vectors are there"
    return np.zeros((0, 0), np.float32)


@pytest.fixture(scope="module")
def numbers(finished: Path) -> Numbers:
    return measure(open_made(finished), never, SMALL)


@pytest.fixture(scope="module")
def rows(finished: Path) -> pd.DataFrame:
    return plain.dataset(finished)


def words(text: str) -> list[str]:
    return WORD.findall(text)


def grams(items: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(items[i : i + n]) for i in range(len(items) - n + 1)]


def counted(values: Sequence[float], histogram: Histogram) -> bool:
    """Whether the histogram holds these values, the larger ones in its last bin."""
    counts = [0] * len(histogram.counts)
    for value in values:
        counts[max([n for n, edge in enumerate(histogram.edges[:-1]) if value >= edge], default=0)] += 1
    return tuple(counts) == histogram.counts


def lcs(a: list[str], b: list[str]) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        above, row = row, [0]
        for j, y in enumerate(b):
            row.append(above[j] + 1 if x == y else max(row[j], above[j + 1]))
    return row[-1]


def rouge(a: str, b: str) -> float:
    one, other = (re.findall("[a-z0-9]+", text.lower()) for text in (a, b))
    return 2 * lcs(one, other) / (len(one) + len(other)) if one or other else 0.0


def test_who_made_it(numbers: Numbers, finished: Path) -> None:
    run = plain.record(finished)
    assert (numbers.name, numbers.digest) == (run["settings"]["publish"]["name"], run["dataset"]["digest"])
    assert (numbers.teacher, numbers.encoder) == (run["teacher"], run["encoder"])
    assert numbers.preview


def test_funnel(numbers: Numbers, finished: Path) -> None:
    table = pd.read_parquet(finished / "rejected" / "rejected.parquet")
    assert len(table) == sum(sum(phase.rejected.values()) for phase in numbers.funnel) > 0
    for phase, recorded in zip(numbers.funnel, plain.record(finished)["phases"], strict=True):
        assert (phase.name, phase.candidates, phase.kept) == (
            recorded["name"],
            recorded["candidates"],
            recorded["rows_kept"],
        )
        its_rows = table[table.phase == phase.name]
        assert dict(phase.rejected) == its_rows.groupby("reason").size().to_dict()
        assert phase.kept + len(its_rows) == phase.candidates
        for reason, shown in phase.examples.items():
            chosen = its_rows[its_rows.reason == reason].sort_values(["id", "detail", "text"])[:3]
            assert [(e.id, e.source, e.detail, e.text) for e in shown] == [
                (r.id, r.source, r.detail, r.text[:300]) for r in chosen.itertuples()
            ]


def test_costs(numbers: Numbers, finished: Path) -> None:
    phases = plain.record(finished)["phases"]
    assert [each.phase for each in numbers.cost] == [phase["name"] for phase in phases]
    assert sum(each.calls for each in numbers.cost) > 0
    for each, phase in zip(numbers.cost, phases, strict=True):
        asked = [usage for entry in plain.entries(finished, each.phase) for usage in entry["asked"].values()]
        for name in ("calls", "prompt_tokens", "cached_tokens", "completion_tokens"):
            assert getattr(each, name) == sum(usage[name] for usage in asked)
        assert each.seconds == (0 if phase["tasks_cached"] else phase["seconds"])


def test_verbs(numbers: Numbers, rows: pd.DataFrame) -> None:
    roots = pd.DataFrame([root_of(text) for text in rows.instruction], columns=["verb", "object"])
    found = roots[roots.verb != ""]
    assert numbers.diversity.with_verb == numbers.measures[0].with_verb == len(found) > len(rows) / 3
    assert numbers.measures[0].verbs == found.verb.nunique()
    pairs = found.groupby(["verb", "object"]).size()
    frequent = found.verb.value_counts()
    shown = {each.verb for each in numbers.diversity.verb_objects}
    assert len(shown) == min(20, len(frequent))
    assert min(frequent[verb] for verb in shown) >= max((n for v, n in frequent.items() if v not in shown), default=0)
    for each in numbers.diversity.verb_objects:
        assert each.count == pairs[each.verb, each.object]
    for verb in shown:
        objects = [e.count for e in numbers.diversity.verb_objects if e.verb == verb and e.object]
        assert objects == sorted((n for o, n in pairs[verb].items() if o), reverse=True)[:4]


def test_distinct_ngrams(numbers: Numbers, rows: pd.DataFrame) -> None:
    for n in range(1, 5):
        found = [gram for text in rows.instruction for gram in grams(words(text.lower()), n)]
        assert numbers.diversity.distinct[str(n)] == pytest.approx(len(set(found)) / len(found), abs=1e-6)
    assert numbers.diversity.distinct == numbers.measures[0].distinct


def test_vendi_score_by_the_kernel_of_all_pairs(numbers: Numbers, finished: Path) -> None:
    vectors = plain.vectors(finished)
    values = np.linalg.eigvalsh(vectors @ vectors.T / len(vectors))
    values = values[values > 1e-12]
    expected = np.exp(-(values * np.log(values)).sum())
    assert numbers.diversity.vendi == pytest.approx(expected, rel=1e-5)
    assert 1 < expected < len(vectors)


def test_nearest_by_all_pairs(numbers: Numbers, finished: Path) -> None:
    vectors = plain.vectors(finished)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    nearest = cosines.max(axis=1)
    assert numbers.diversity.nearest.mean == pytest.approx(nearest.mean(), abs=1e-6) == numbers.measures[0].nearest
    assert numbers.diversity.nearest.rows == len(vectors)
    edges = np.array(numbers.diversity.nearest.histogram.edges)
    if np.abs(nearest[:, None] - edges).min() > 1e-6:
        assert counted(nearest, numbers.diversity.nearest.histogram)
    threshold = plain.record(finished)["settings"]["filters"]["novelty"]
    assert numbers.quality.near_duplicates == (nearest >= threshold).sum() == numbers.measures[0].near_duplicates


def test_self_rouge(numbers: Numbers, rows: pd.DataFrame) -> None:
    drawn = sorted(random.Random("42:report:self_rouge").sample(range(len(rows)), SMALL.rouge_rows))
    texts = [rows.instruction[row] for row in drawn]
    largest = [max(rouge(a, b) for m, b in enumerate(texts) if m != n) for n, a in enumerate(texts)]
    found = numbers.diversity
    assert found.self_rouge_sample == found.self_rouge.rows == SMALL.rouge_rows < len(rows)
    assert found.self_rouge.mean == pytest.approx(np.mean(largest), abs=1e-6) == numbers.measures[0].self_rouge
    assert counted([round(value, 6) for value in largest], found.self_rouge.histogram)


def test_topics_hold_a_sample_whose_neighbours_stay_neighbours(
    numbers: Numbers, rows: pd.DataFrame, finished: Path
) -> None:
    points = numbers.diversity.topics
    table = rows.set_index("id")
    assert len({point.id for point in points}) == len(points) == min(len(rows), SMALL.map_rows)
    for point in points:
        row = table.loc[point.id]
        assert (point.community, point.topic, point.instruction) == (row.community, row.topic, row.instruction)
    places = np.array([(point.x, point.y) for point in points])
    drawn = plain.vectors(finished)[[list(rows.id).index(point.id) for point in points]]
    cosines = drawn @ drawn.T
    np.fill_diagonal(cosines, -2)
    apart = np.linalg.norm(places[:, None] - places[None, :], axis=2)
    to_nearest = apart[np.arange(len(points)), cosines.argmax(axis=1)]
    assert np.median(to_nearest) < np.median(apart) / 3


def test_tags(numbers: Numbers, rows: pd.DataFrame, finished: Path) -> None:
    settings = plain.record(finished)["settings"]
    documents = plain.kept(finished, "queue", "seeds").id
    asked: Counter[tuple[str, ...]] = Counter()
    for document in documents:
        for tags in tags_for(document, settings["seeds"]["per_document"], settings["run"]["seed"]):
            asked[tags.task_type.key, tags.form.key, tags.characteristic.key] += 1
    seeds = rows[rows.iteration == 0]
    kept = Counter(zip(seeds.task_type, seeds.form, seeds.characteristic, strict=True))
    cells = {(c.task_type, c.form, c.characteristic): (c.asked, c.kept) for c in numbers.diversity.tags}
    assert cells == {cell: (asked[cell], kept[cell]) for cell in asked}
    candidates = next(p["candidates"] for p in plain.record(finished)["phases"] if p["name"] == "seeds")
    assert sum(c.asked for c in numbers.diversity.tags) == candidates == 6 * 24
    assert sum(c.kept for c in numbers.diversity.tags) == len(seeds) > 0


def test_iterations(numbers: Numbers, rows: pd.DataFrame) -> None:
    assert [each.iteration for each in numbers.iterations] == sorted(set(rows.iteration))
    assert len(numbers.iterations) >= 3
    for each in numbers.iterations:
        group = rows[rows.iteration == each.iteration]
        assert each.rows == len(group)
        assert each.instruction_words == pytest.approx(np.mean([len(words(t)) for t in group.instruction]), abs=1e-6)
        assert each.output_tokens == pytest.approx(group.output_tokens.mean(), abs=1e-6)
        assert each.quality == pytest.approx(group[group.answerable >= 0].answerable.mean(), abs=1e-6)
        assert each.similarity == pytest.approx(group[group.similarity != -1].similarity.mean(), abs=1e-6)
        assert each.complexity == pytest.approx(np.mean([count_verbs(text) for text in group.instruction]), abs=1e-6)


def test_bandit(numbers: Numbers, finished: Path) -> None:
    tables = [*plain.extras(finished, "novelty", "bandit"), *plain.extras(finished, "augment", "bandit")]
    assert len(numbers.bandit.steps) == len(tables) - 1 >= 2
    for number, (step, before, after) in enumerate(zip(numbers.bandit.steps, tables, tables[1:], strict=False), 1):
        shown = after.shown.sum() - before.shown.sum()
        assert (step.iteration, step.seeds, step.shown) == (number, len(after), (after.shown > 0).sum())
        assert step.reward == pytest.approx((after.reward.sum() - before.reward.sum()) / shown, abs=1e-6)
    last = tables[-1]
    assert sum(numbers.bandit.shown.counts) == len(last)
    assert counted(list(last.shown), numbers.bandit.shown)
    texts = pd.concat([plain.kept(finished, "novelty"), plain.kept(finished, "augment")]).set_index("id").instruction
    ranked = last[last.shown > 0].sort_values(["shown", "seed_id"], ascending=[False, True])[:20]
    assert [(s.id, s.instruction, s.shown) for s in numbers.bandit.seeds] == [
        (r.seed_id, texts[r.seed_id], r.shown) for r in ranked.itertuples()
    ]
    assert [s.reward for s in numbers.bandit.seeds] == pytest.approx(list(ranked.reward / ranked.shown), abs=1e-6)


def test_scores(numbers: Numbers, rows: pd.DataFrame, finished: Path) -> None:
    quality = plain.kept(finished, "queue").set_index("id").quality
    expected = {name: list(rows[name][rows[name] >= 0]) for name in ("answerable", "private", "unsafe")}
    expected["document_quality"] = [quality[document] for document in rows.document_id]
    assert set(numbers.quality.scores) == set(expected)
    for name, values in expected.items():
        score = numbers.quality.scores[name]
        assert score.rows == len(values) == sum(score.histogram.counts)
        assert score.mean == pytest.approx(np.mean(values), abs=1e-6)
        assert counted([round(value, 6) for value in values], score.histogram)


def test_responses(numbers: Numbers, rows: pd.DataFrame) -> None:
    repeated = []
    for output in rows.output:
        found = grams(words(output.lower()), 4)
        repeated.append(1 - len(set(found)) / len(found) if found else 0)
    repetition = numbers.quality.repetition
    assert repetition.mean == pytest.approx(np.mean(repeated), abs=1e-6) == numbers.measures[0].repetition
    assert counted([round(value, 6) for value in repeated], repetition.histogram)
    assert numbers.quality.refusals == numbers.measures[0].refusals == 0  # the filter of responses lets none pass


def test_copied_spans(numbers: Numbers, rows: pd.DataFrame, finished: Path) -> None:
    texts = plain.kept(finished, "queue").set_index("id").text
    shares = []
    for row in rows.itertuples():
        said = words(row.output.lower())
        document = " ".join(["", *words(texts[row.document_id].lower()), ""])
        copied = set()
        for start in range(len(said) - 7):
            if f" {' '.join(said[start : start + 8])} " in document:
                copied |= set(range(start, start + 8))
        if said:
            shares.append(len(copied) / len(said))
    assert numbers.quality.copied.rows == len(shares)
    assert numbers.quality.copied.mean == pytest.approx(np.mean(shares), abs=1e-6)
    assert np.mean(shares) > 0.02
    assert counted([round(value, 6) for value in shares], numbers.quality.copied.histogram)


def test_languages_personal_data_and_flags(numbers: Numbers, rows: pd.DataFrame) -> None:
    texts = ["\n".join(filter(None, triple)) for triple in zip(rows.instruction, rows.input, rows.output, strict=True)]
    assert dict(numbers.quality.languages) == Counter(language or "und" for language, _ in languages_of(texts))
    assert sum(numbers.quality.languages.values()) == len(rows)
    kinds = Counter(kind for text in texts for kind in {finding.kind for finding in find_personal_data(text)})
    assert dict(numbers.quality.personal_data) == kinds
    assert dict(numbers.quality.flags) == Counter(flag for flags in rows["flags"] for flag in flags)


def test_lengths(numbers: Numbers, rows: pd.DataFrame) -> None:
    (own,) = numbers.measures
    assert own.rows == len(rows) == sum(own.instruction_words.counts) == sum(own.output_words.counts)
    assert counted([len(words(text)) for text in rows.instruction], own.instruction_words)
    assert counted([len(words(text)) for text in rows.output], own.output_words)


def test_the_same_again(numbers: Numbers, finished: Path) -> None:
    assert measure(open_made(finished), never, SMALL) == numbers


def test_held_against_another_file(numbers: Numbers, finished: Path) -> None:
    own = read_instruction_file(finished / "dataset" / "alpaca.json")
    other = [InstructionRow(str(n), row.instruction, row.input, f"{row.output} word" * 40) for n, row in enumerate(own)]
    other[1:3] = [other[0], other[0]]
    both = measure(open_made(finished), encode, SMALL, against={"theirs": other})
    ours, theirs = both.measures
    assert (ours.name, theirs.name) == ("fanno", "theirs")
    assert ours.instruction_words.edges == theirs.instruction_words.edges
    assert ours.output_words.edges == theirs.output_words.edges
    assert counted([len(words(row.output)) for row in other], theirs.output_words)
    assert replace(ours, output_words=numbers.measures[0].output_words) == numbers.measures[0]
    assert theirs.near_duplicates >= 3
    assert theirs.repetition > 0.5
    assert both.diversity == numbers.diversity


def test_what_others_have_measured_is_carried(numbers: Numbers, finished: Path, rows: pd.DataFrame) -> None:
    overlap = Overlap("bench.jsonl", 10, 1, 0, (rows.id[0],))
    ifd = {rows.id[0]: 0.5, rows.id[1]: 1.7, "gone": 9.0}
    found = measure(open_made(finished), never, SMALL, (overlap,), scores={"ifd": ifd})
    assert found.quality.contamination == (overlap,)
    score = found.quality.scores["ifd"]
    assert (score.rows, score.mean, score.histogram.edges[-1]) == (2, 1.1, 2.0)
    assert replace(found.quality, contamination=(), scores=numbers.quality.scores) == numbers.quality
