"""Where in a sentence the request begins: what comes before it, wishes, polite questions, imperatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fanno_core.report.measures.verbs.words import QUOTE, Word, known_tag, word_at

BULLETS = frozenset({"\n", "*", "#", "-", "•"})


def without_opening(sentence: Sequence[Word], asks: Callable[[Sequence[Word]], bool]) -> Sequence[Word]:
    """The sentence from where it asks: without numbering, "Please", "Task:", "In one sentence," and the like.

    Args:
        sentence: its words.
        asks: whether the rest of a sentence asks for something.
    """
    rest: Sequence[Word] = [word for word in sentence if word.text not in BULLETS]
    while rest:
        first = rest[0]
        if first.among("openers") or first.tag in {"LS", "CD"} or not (first.text[0].isalnum() or first.text == QUOTE):
            rest = rest[1:]
        elif word_at(rest, 1).text == ":" and not opens_order(rest, 0):
            rest = rest[2:]
        elif first.tag == "RB" and not first.among("wh") and not opens_order(rest, 0):
            rest = rest[1:]
        elif start := _after_clause(rest, asks):
            rest = rest[start:]
        else:
            break
    return rest


def _after_clause(sentence: Sequence[Word], asks: Callable[[Sequence[Word]], bool]) -> int:
    """Where the main clause begins after "Given a list," or "In 50 words"; 0 where nothing stands before it."""
    first = sentence[0]
    taken = first.tag == "VBN" and not first.among("imperatives")  # Taken one by one, ...
    begins = taken or first.tag in {"IN", "TO"} or first.among("clauses")
    if not begins or (first.among("wh") and first.text != "when"):
        return 0
    if word_at(sentence, 1).among("wh"):
        return 1  # In what ways ...
    starts = [place + 1 for place, word in enumerate(sentence[:-1]) if word.text in {",", ":"}]
    for start in starts:
        if sentence[start].among("wh") or asks(without_opening(sentence[start:], asks)):
            return start
    if starts:
        return starts[-1]
    unmarked = (place for place, word in enumerate(sentence) if place > 1 and word.among("imperatives"))
    return next((place for place in unmarked if sentence[place].tag == "VB"), 0)


def wished_verb(sentence: Sequence[Word]) -> int | None:
    """Where the verb stands in "I want you to VERB", "Your task is to VERB", "You should VERB", "Let us VERB"."""
    first, second, third = (word_at(sentence, place) for place in range(3))
    begins = sentence[:16]
    if (first.text, second.text) == ("let", "us"):
        return 2
    if first.text in {"i", "we"} and any(word.among("want") for word in begins[1:4]):
        return _after_to(begins, next((place for place, word in enumerate(begins) if word.text == "you"), 1))
    if first.text in {"you", "we"} and second.text in {"need", "have"}:
        return _after_to(begins, 1)
    if first.text in {"you", "we"} and second.text in {"must", "should", "will"}:
        return 2
    if first.text == "you" and second.among("be") and third.among("asked_to"):
        return _after_to(begins, 2)
    if first.text in {"your", "the", "it"} and any(word.among("task") for word in begins[:6]):
        return _after_to(begins, 1) if any(word.among("be") for word in begins) else None
    return None


def _after_to(sentence: Sequence[Word], start: int) -> int | None:
    return next((place + 1 for place in range(start, len(sentence) - 1) if sentence[place].text == "to"), None)


def polite_verb(sentence: Sequence[Word]) -> int | None:
    """Where the verb stands in "Could you please VERB" and "Help me VERB"; None in other sentences."""
    first, second, third = (word_at(sentence, place) for place in range(3))
    if first.among("modal") and second.text in {"you", "we"}:
        return 3 if third.text in {"please", "also", "kindly"} else 2
    if first.text == "help" and second.tag == "PRP":
        place = 3 if third.text == "to" else 2
        return place if word_at(sentence, place).is_base else None
    return None


def opens_order(sentence: Sequence[Word], place: int) -> bool:
    """Whether the word there is an imperative's verb, and no noun that a sentence or a heading begins with."""
    word, after = word_at(sentence, place), word_at(sentence, place + 1)
    if word.among("modal", "be", "wh", "subjects") or not word.text[0].isalpha():
        return False
    if word.among("do", "have") and (after.among("subjects") or after.text in {"the", "all", "any"}):
        return False
    if after.text == ":" or after.tag in {"MD", "VBZ", "VBD"} or after.among("be"):
        return False
    # A noun, or a word that the lexicon does not know, is hardly ever followed by an article unless it is a verb.
    articles = {"DT", "PRP$", "CD"} if word.tag == "NN" else {"DT", "PRP$"}
    return word.is_base or (known_tag(word.text) in {"NN", ""} and after.tag in articles)
