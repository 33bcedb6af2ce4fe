from __future__ import annotations

from pathlib import Path

import pytest

from fanno_core.errors import BadCorpus
from fanno_core.plan.corpus import screen_corpus
from fanno_core.settings import Settings
from tests.corpus import documents

SETTINGS = Settings()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty files, and one of them twice."""
    folder = tmp_path_factory.mktemp("files")
    texts = [text for text, _ in zip(documents(), range(40), strict=False)]
    for number, text in enumerate([*texts, texts[0]]):
        (folder / f"{number:02d}.txt").write_text(text, encoding="utf-8")
    return folder


def test_a_small_corpus_is_screened_as_a_run_does_it(files: Path) -> None:
    screened = screen_corpus([str(files)], SETTINGS)
    assert screened.read == 1
    assert [phase.name for phase in screened.phases] == ["ingest", "rules", "duplicates", "privacy"]
    ingest, rules, duplicates, privacy = screened.phases
    assert ingest.rows_kept == rules.rows_in > 40
    assert duplicates.rows_kept < duplicates.rows_in
    assert privacy.rows_kept == len(screened.documents)


def test_of_a_large_corpus_some_files_are_read_and_counts_are_scaled(files: Path) -> None:
    whole = screen_corpus([str(files)], SETTINGS).phases[-1].rows_kept
    part = screen_corpus([str(files)], SETTINGS, most=30)
    assert part.read < 0.9
    assert 30 * 0.7 < len(part.documents) < whole * 0.9
    assert part.phases[-1].rows_kept == pytest.approx(whole, rel=0.2)
    assert part == screen_corpus([str(files)], SETTINGS, most=30)


def test_nothing_to_plan_for_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "short.md").write_text("Too short.")
    with pytest.raises(BadCorpus, match=r"nothing is left after phase ingest: empty 1"):
        screen_corpus([str(tmp_path / "empty.txt")], SETTINGS)
    with pytest.raises(BadCorpus, match=r"nothing is left after phase rules: too_short 1"):
        screen_corpus([str(tmp_path / "short.md")], SETTINGS)
    with pytest.raises(BadCorpus, match="no such file"):
        screen_corpus([str(tmp_path / "absent")], SETTINGS)
