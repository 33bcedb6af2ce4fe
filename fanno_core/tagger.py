"""TextBlob's tagger and its sentiment lexicon, which ship inside its package."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

_loading = threading.Lock()


def textblob() -> Any:
    """The module `textblob.en` with its lexicons loaded.

    TextBlob reads each lexicon when it is first used and hands half of it to a second thread that asks
    meanwhile; so they are read here, by one thread, before anyone uses them.
    """
    with _loading:
        return _loaded()


@cache
def _loaded() -> Any:
    import textblob.en  # about 1 s

    textblob.en.tag("words")
    textblob.en.sentiment("good")
    return textblob.en
