from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.screening import language
from fanno_core.screening.language import languages_of

SENTENCES = {
    "en": "The committee met on Tuesday and agreed to publish its report before the summer.",
    "de": "Der Ausschuss traf sich am Dienstag und beschloss, den Bericht vor dem Sommer zu veröffentlichen.",
    "es": "El comité se reunió el martes y acordó publicar su informe antes del verano.",
    "fr": "Le comité s'est réuni mardi et a décidé de publier son rapport avant l'été.",
    "zh": "委员会于星期二召开会议,并同意在夏季之前公布其报告。",
}


def test_languages_come_in_the_order_of_the_texts():
    found = languages_of(list(SENTENCES.values()))

    assert [code for code, _ in found] == list(SENTENCES)
    assert all(probability > 0.9 for _, probability in found)


@pytest.mark.parametrize("text", ["", " \n", "12345 67890", "?!*** --- ...", "🙂🙂"])
def test_text_without_words_has_no_language(text):
    assert languages_of([text])[0][0] == ""


@given(st.text())
def test_any_text_gets_a_two_letter_code_or_none_and_a_probability(text):
    ((code, probability),) = languages_of([text])

    assert len(code) in (0, 2)
    assert 0 <= probability <= 1


def test_threads_share_one_model(monkeypatch):
    from py3langid.langid import LanguageIdentifier

    loads = []
    load = LanguageIdentifier.from_model_file
    monkeypatch.setattr(
        LanguageIdentifier, "from_model_file", lambda *args, **kwargs: loads.append(1) or load(*args, **kwargs)
    )
    language._load.cache_clear()

    with ThreadPoolExecutor(4) as pool:
        codes = [found[0][0] for found in pool.map(languages_of, [[SENTENCES["en"]]] * 8)]

    assert codes == ["en"] * 8
    assert len(loads) == 1
