"""Every number of a report once more, from the Parquet files of a run, with nothing of the measures' code.

What is read in texts - verbs, languages, personal data - is in `test_recomputed_texts.py`.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from fanno_core.instructions.tags import tags_for
from fanno_core.report.numbers import Numbers
from tests.report import plain
from tests.report.measured import SMALL
from tests.report.recompute import assert_score, binned, count_edges, grams, rouge, score_edges, words


def test_who_made_it(numbers: Numbers, finished: Path) -> None:
    run = plain.record(finished)
    assert (numbers.name, numbers.digest) == (run["settings"]["publish"]["name"], run["dataset"]["digest"])
    assert (numbers.teacher, numbers.encoder) == (run["teacher"], run["encoder"])
    assert numbers.preview == (run["identity"]["name"] == "extractive")


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
    assert numbers.measures[0].vendi == numbers.diversity.vendi == pytest.approx(expected, rel=1e-5)
    assert 1 < expected < len(vectors)


def test_nearest_by_all_pairs(numbers: Numbers, finished: Path) -> None:
    vectors = plain.vectors(finished)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    nearest = cosines.max(axis=1)
    assert numbers.diversity.nearest.mean == pytest.approx(nearest.mean(), abs=1e-6) == numbers.measures[0].nearest
    assert numbers.diversity.nearest.rows == len(vectors)
    edges = np.array(numbers.diversity.nearest.histogram.edges)
    assert list(edges) == score_edges(nearest)
    if np.abs(nearest[:, None] - edges).min() > 1e-6:
        assert numbers.diversity.nearest.histogram == binned(nearest, edges)
    threshold = plain.record(finished)["settings"]["filters"]["novelty"]
    assert numbers.quality.near_duplicates == (nearest >= threshold).sum() == numbers.measures[0].near_duplicates


def test_self_rouge(numbers: Numbers, rows: pd.DataFrame) -> None:
    drawn = sorted(random.Random("42:report:self_rouge").sample(range(len(rows)), SMALL.rouge_rows))
    texts = [rows.instruction[row] for row in drawn]
    largest = [max(rouge(a, b) for m, b in enumerate(texts) if m != n) for n, a in enumerate(texts)]
    found = numbers.diversity
    assert found.self_rouge_sample == SMALL.rouge_rows < len(rows)
    assert_score(found.self_rouge, largest)
    assert numbers.measures[0].self_rouge == found.self_rouge.mean


def test_topics_by_scikit_learn_alone(numbers: Numbers, rows: pd.DataFrame, finished: Path) -> None:
    drawn = sorted(random.Random("42:report:topics").sample(range(len(rows)), SMALL.map_rows))
    points = numbers.diversity.topics
    assert [point.id for point in points] == list(rows.id[drawn])
    vectors = plain.vectors(finished)[drawn].astype(np.float32)
    with threadpool_limits(1):
        narrow = PCA(50, svd_solver="full", random_state=42).fit_transform(vectors - vectors.mean(axis=0, dtype=float))
        places = TSNE(2, init="pca", perplexity=30, max_iter=500, random_state=42).fit_transform(narrow)
    assert np.array([(point.x, point.y) for point in points]) == pytest.approx(places, abs=6e-4)


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


def test_bandit(numbers: Numbers, finished: Path) -> None:
    tables = [*plain.extras(finished, "novelty", "bandit"), *plain.extras(finished, "augment", "bandit")]
    assert len(numbers.bandit.steps) == len(tables) - 1 >= 2
    for number, (step, before, after) in enumerate(zip(numbers.bandit.steps, tables, tables[1:], strict=False), 1):
        shown = after.shown.sum() - before.shown.sum()
        assert (step.iteration, step.seeds, step.shown) == (number, len(after), (after.shown > 0).sum())
        assert step.reward == pytest.approx((after.reward.sum() - before.reward.sum()) / shown, abs=1e-6)
    last = tables[-1]
    assert sum(numbers.bandit.shown.counts) == len(last)
    assert numbers.bandit.shown == binned(last.shown, count_edges(last.shown, share=1))
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
        assert_score(numbers.quality.scores[name], values)


def test_responses(numbers: Numbers, rows: pd.DataFrame) -> None:
    repeated = []
    for output in rows.output:
        found = grams(words(output.lower()), 4)
        repeated.append(1 - len(set(found)) / len(found) if found else 0)
    assert_score(numbers.quality.repetition, repeated)
    assert numbers.measures[0].repetition == numbers.quality.repetition.mean


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
    assert_score(numbers.quality.copied, shares)
    assert np.mean(shares) > 0.02


def test_lengths(numbers: Numbers, rows: pd.DataFrame) -> None:
    (own,) = numbers.measures
    assert (own.name, own.rows) == (numbers.name, len(rows))
    for texts, histogram in ((rows.instruction, own.instruction_words), (rows.output, own.output_words)):
        counts = [len(words(text)) for text in texts]
        assert histogram == binned(counts, count_edges(counts))
