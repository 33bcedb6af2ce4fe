"""Which language a text is written in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LEAST_CONFIDENCE = 0.05
"""Below it no language is named: text without one letter scores 0.017 for whichever comes first."""

NO_LANGUAGE = frozenset({"und", "zxx"})  # ISO 639-2: undetermined, no linguistic content

_loading = Lock()


def languages_of(texts: Sequence[str]) -> list[tuple[str, float]]:
    """The language of each text and its probability in [0, 1], in the order of the texts.

    The language is an ISO 639-1 code, or empty where there is none to be seen: no letters, or only code and links.
    """
    identifier = _identifier()
    found = (identifier.classify(text) for text in texts)
    return [("" if language in NO_LANGUAGE else language, probability) for language, probability in found]


def _identifier() -> LanguageIdentifier:
    # A cache alone would let two threads load the model at once.
    with _loading:
        return _load()


@cache
def _load() -> LanguageIdentifier:
    """The identifier of py3langid (0.7 s, from its wheel), narrowed to the languages with an ISO 639-1 code."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=LEAST_CONFIDENCE)
    identifier.set_languages([label for label in identifier.labels if len(label) == 2 or label in NO_LANGUAGE])
    return identifier
