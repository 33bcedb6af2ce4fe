"""The comparison of several runs, its numbers computed a second time from the Parquet files and the ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from fanno_core.dataset.made import Made, open_made
from fanno_core.outcome import Usage
from fanno_core.report.figures.methods import method_figures
from fanno_core.report.numbers import Numbers
from fanno_core.report.several_runs import Comparing, SeveralRuns, asked_of, measure_runs
from fanno_core.report.side_by_side import table_of
from fanno_core.report.write_comparison import write_comparison
from fanno_core.selection.ifd import ifd_scores
from fanno_core.store.contracts import Floats
from fanno_core.teachers.journal import JournalReader
from tests.report import plain
from tests.report.methods import NAMES, several_runs
from tests.report.numbers import HOSTILE
from tests.report.planted import Planted, benchmark_vectors
from tests.report.recompute import words
from tests.report.test_page import Elements
from tests.shared_data import shared

SCREENING = ("verdicts",)
WHY = "nothing is left after phase oss-instruct"


def replayed(used: Usage) -> Usage:
    """The same questions, had the journal answered all of them."""
    return Usage(replayed=used.questions)


def all_replayed(whole: Made) -> Made:
    """The same run, had the journal answered all of its questions."""
    resumed = replace(whole)
    resumed.__dict__["entries"] = {
        phase: tuple(replace(entry, asked={p: replayed(used) for p, used in entry.asked.items()}) for entry in entries)
        for phase, entries in whole.entries.items()
    }
    return resumed


def how(planted: Planted, **more: Any) -> Comparing:
    def encode(texts: Sequence[str]) -> Floats:
        return benchmark_vectors(texts, planted.out)

    tokens = JournalReader(planted.out / "work" / "journal.sqlite").asked()
    return replace(Comparing(encode, SCREENING, tokens), **more)


@pytest.fixture(scope="module")
def mades(finished: Path, planted: Planted) -> dict[str, Made]:
    return {"fanno": open_made(finished), "other": open_made(planted.out)}


@pytest.fixture(scope="module")
def found(mades: dict[str, Made], planted: Planted) -> SeveralRuns:
    return measure_runs(mades, how(planted, benchmarks=[planted.benchmark]), {"oss-instruct": WHY})


def test_rows_and_digests_are_those_of_the_data_sets(found: SeveralRuns, finished: Path, planted: Planted) -> None:
    for row, out in zip(found.rows, (finished, planted.out), strict=True):
        assert (row.rows, row.digest) == (len(plain.dataset(out)), plain.record(out)["dataset"]["digest"])
    assert [row.method for row in found.rows] == [row.measures.name for row in found.rows] == ["fanno", "other"]
    assert found.stopped == {"oss-instruct": WHY}
    assert (found.teacher, found.preview) == (plain.record(finished)["teacher"], True)


def test_questions_and_tokens_are_those_of_the_ledger(found: SeveralRuns, finished: Path) -> None:
    used: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for phase in plain.record(finished)["work"]:
        for entry in plain.entries(finished, phase):
            for prompt, usage in entry["asked"].items():
                used["screening" if phase == "verdicts" else prompt].update(usage)
    screening = used.pop("screening")
    questions = sum(each["calls"] + each["replayed"] for each in used.values())
    # The run has a journal of its own, and was not interrupted: it holds the answers to these calls.
    tokens = sum(
        (each["prompt_tokens"] + each["completion_tokens"]) / each["calls"] * (each["calls"] + each["replayed"])
        for each in used.values()
    )
    asked, rows = found.rows[0].asked, plain.record(finished)["dataset"]["rows"]
    assert (asked.screening, asked.questions) == (screening["calls"], questions)
    assert screening["calls"] > 100 < questions
    assert asked.tokens == pytest.approx(tokens)
    assert asked.questions_a_row == pytest.approx(questions / rows)
    assert asked.tokens_a_row == pytest.approx(tokens / rows)


def test_an_interruption_changes_no_cost(mades: dict[str, Made], found: SeveralRuns, finished: Path) -> None:
    tokens = JournalReader(finished / "work" / "journal.sqlite").asked()
    assert asked_of(all_replayed(mades["fanno"]), SCREENING, tokens) == found.rows[0].asked


def test_tokens_that_no_journal_knows_are_not_told(mades: dict[str, Made], finished: Path) -> None:
    tokens = JournalReader(finished / "work" / "journal.sqlite").asked()
    known = {prompt: used for prompt, used in tokens.items() if not prompt.startswith("response")}
    assert len(known) < len(tokens)
    asked = asked_of(all_replayed(mades["fanno"]), SCREENING, known)
    assert (asked.tokens, asked.tokens_a_row) == (None, None)
    assert asked.questions > 0


def test_what_others_asked_moves_no_tokens_of_a_run_that_the_teacher_answered(
    mades: dict[str, Made], found: SeveralRuns, finished: Path
) -> None:
    tokens = JournalReader(finished / "work" / "journal.sqlite").asked()
    shared = {prompt: used + Usage(calls=100, prompt_tokens=10**6) for prompt, used in tokens.items()}
    assert asked_of(mades["fanno"], SCREENING, shared) == found.rows[0].asked
    assert asked_of(mades["fanno"], SCREENING, {}) == found.rows[0].asked


def test_a_question_that_the_journal_answered_counts_as_the_runs_others_with_its_prompt(mades: dict[str, Made]) -> None:
    entry = next(entry for entries in mades["fanno"].entries.values() for entry in entries)
    partly = replace(entry, asked={"a@1": Usage(2, 30, 10, 0, 1), "b@1": Usage(replayed=3), "c@1": Usage()})
    made = Made(mades["fanno"].out, {"dataset": {"rows": 4}})
    made.__dict__["entries"] = {"seeds": (partly,)}
    journal = {"a@1": Usage(1, 9_000, 9_000), "b@1": Usage(2, 8, 2)}
    # Three at 20 each by its own mean, three at 5 each by that of the journal.
    assert asked_of(made, SCREENING, journal).tokens == 3 * 20 + 3 * 5
    assert asked_of(made, SCREENING, {}).tokens is None


def test_measures_are_those_of_the_report(found: SeveralRuns, numbers: Numbers, planted_numbers: Numbers) -> None:
    for row, own in zip(found.rows, (numbers, planted_numbers), strict=True):
        of_report = own.measures[0]
        same: dict[str, Any] = {
            "instruction_words": of_report.instruction_words,
            "output_words": of_report.output_words,
        }
        # The bins are common to all, and the report of the tests has a smaller sample for ROUGE.
        assert replace(row.measures, name=of_report.name, self_rouge=of_report.self_rouge, **same) == of_report
        assert row.copied == own.quality.copied.mean
    edges = {(row.measures.instruction_words.edges, row.measures.output_words.edges) for row in found.rows}
    assert len(edges) == 1


def test_lengths_are_means_of_words(found: SeveralRuns, finished: Path, planted: Planted) -> None:
    for row, out in zip(found.rows, (finished, planted.out), strict=True):
        table = plain.dataset(out)
        assert row.instruction_words == pytest.approx(
            np.mean([len(words(text)) for text in table.instruction]), abs=1e-6
        )
        assert row.output_words == pytest.approx(np.mean([len(words(text)) for text in table.output]), abs=1e-6)


def test_contamination_is_counted_by_file(found: SeveralRuns, planted_numbers: Numbers) -> None:
    clean, dirty = (row.contamination for row in found.rows)
    assert dirty == planted_numbers.quality.contamination
    assert dirty[0].by_ngram > clean[0].by_ngram == 0
    lines = {line.measure: line.values for line in table_of(found)}
    assert lines["in benchmark.txt, by n-gram"] == (0, dirty[0].by_ngram)


@pytest.mark.slow
def test_ifd_is_the_mean_of_the_rows_scores(mades: dict[str, Made], planted: Planted) -> None:
    model = str(shared("tiny_models/llama_tiny"))
    found = measure_runs({"other": mades["other"]}, how(planted, ifd_model=model), {})
    scores = [score for score in ifd_scores(mades["other"].examples(), model) if not isnan(score)]
    (row,) = found.rows
    assert row.ifd_rows == len(scores) > 100
    assert row.ifd == pytest.approx(np.mean(scores), abs=1e-6)
    assert found.ifd_model == "llama_tiny"


def test_the_table_has_every_measure_once_and_a_dash_for_what_is_unknown() -> None:
    lines = table_of(several_runs())
    names = [line.measure for line in lines]
    assert len({*names}) == len(names) > 20
    assert all(len(line.values) == len(line.shown) == len(NAMES) for line in lines)
    shown = {line.measure: line.shown for line in lines}
    assert shown["rows"] == ("130", "123", "116")
    assert shown["tokens a row"] == ("901", "–", "901")
    assert shown["mean IFD by loss"] == ("0.73", "–", "0.73")


def test_a_measure_that_no_method_has_is_left_out() -> None:
    known = several_runs()
    unknown = replace(known, rows=tuple(replace(row, ifd=None) for row in known.rows))
    left_out = {line.measure for line in table_of(known)} - {line.measure for line in table_of(unknown)}
    assert left_out == {"mean IFD by loss"}


def test_the_page_its_numbers_and_figures_are_written(tmp_path: Path) -> None:
    found = several_runs()
    paths = write_comparison(tmp_path, found)
    names = {figure.name for section in method_figures(found).values() for figure in section}
    assert paths[0] == "comparison/index.html"
    assert {Path(path).stem for path in paths if path.endswith(".png")} == names >= {"rows", "questions", "distinct"}
    told = orjson.loads((tmp_path / "comparison/comparison.json").read_bytes())
    assert told["rows"][2]["measures"]["rows"] == 116
    before = {path: (tmp_path / path).read_bytes() for path in paths}
    assert write_comparison(tmp_path, found) == paths
    assert {path: (tmp_path / path).read_bytes() for path in paths} == before


def test_text_is_never_markup_and_every_number_is_on_the_page(tmp_path: Path) -> None:
    found = several_runs()
    page = (tmp_path / write_comparison(tmp_path, found)[0]).read_text(encoding="utf-8")
    assert HOSTILE not in page
    assert not list(Elements(page).of("img"))
    for line in table_of(found):
        assert f'<tr><th scope="row">{line.measure}</th>' in page
        for value in line.shown:
            assert f'<td class="n">{value}</td>' in page
