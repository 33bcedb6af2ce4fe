"""Requirements written by hand, held against responses that keep them and that do not."""

from __future__ import annotations

import pytest

from fanno_core.methods.rules.reading import read_requirements, unkept

KEPT_AND_NOT = {
    "the response has exactly 3 words": ("One two three.", "One two."),
    "the response has fewer than 3 words": ("One two.", "One two three."),
    "the response has more than 2 words": ("One two three.", "One two."),
    "the response has exactly 1 word": ("435", "435 seats"),
    "the response contains exactly 2 sentences": ("So it is. Is it?", "So it is, is it?"),
    "the response has more than 1 paragraph": ("One.\n\nTwo.", "One.\nTwo."),
    "there are exactly 3 bullet points in the response": ("1) a\n2) b\n3) c", "1) a\n2) b"),
    "the response includes exactly 4 bullet points, no more and no fewer": ("- a\n* b\n• c\n4. d", "a\nb\nc\nd"),
    "the response exceeds 5 letters": ("abc def", "ab cde!!"),
    "the response comes to exactly 4 non-whitespace characters": ("a b, c", "a b c"),
    "there are fewer than 2 adjectives in the response": ("A red house.", "A red and green house."),
    "there are exactly 2 nouns in the response": ("The dog saw the house.", "The dog slept."),
    "there are more than 1 verbs in the response": ("He wrote and she writes.", "He writes."),
    'the word "sea" appears exactly twice in the response': ("Sea, sea! Seal.", "Sea. Seal. Overseas."),
    'the word "sea" appears at most 3 times in the response': ("Sea.", "sea sea sea sea"),
    'the word "sea" appears at least once in the response': ("The sea.", "The seas."),
    'the response includes the word "sea", and the response includes the word "land"': ("sea, land", "sea, island"),
    "the response first repeats the instruction, without its requirements, and then answers it after a blank line": (
        "Say it.\n\nIt.",
        "Say it.\nIt.",
    ),
    "the same response is given 3 times, with a blank line between": ("a\n\nb\n\na\n\nb\n\na\n\nb", "a\n\nb\n\na\n\nb"),
    "the whole response is in lower case": ("all small.", "All small."),
    "the response holds no small letters": ("ALL.", "ALl."),
    'every letter "s" of the response is a capital': ("uS and ThiS", "us and ThiS"),
    'the word "cat" is in capitals wherever it appears in the response': ("CAT, concatenate", "CAT, cat"),
    "the 2nd sentence of the response is in capitals": ("It is. SO IT IS.", "IT IS. So it is."),
    "the 1st paragraph of the response is in capitals": ("ONE.\n\nTwo.", "One.\n\nTWO."),
    'each comma of the response is replaced by ";"': ("a; b", "a, b;"),
    'the response has "@" in the place of every punctuation mark': ("a@ b@", "a@ b!"),
    "each period is left out of the response": ("No end", "No end."),
    'the word "cat" stands between "<<" and ">>" wherever it appears in the response': ("A <<Cat>>.", "<<cat>>, cat"),
    'the 1st sentence of the response stands between "*" and "*"': ("*It is.* So.", "It is. *So.*"),
    'the text of the 2nd bullet point stands between "[" and "]"': ("- a\n- [b]\n- c", "- [a]\n- b\n- c"),
    'the 2nd paragraph of the response stands between "@ON@" and "#OFF#"': ("a\n\n@ON@b#OFF#", "@ON@a#OFF#\n\nb"),
    'you begin with the instruction alone, enclosed by "(" and ")", and answer after a blank line': (
        "(Say it.)\n\nIt.",
        "(Say it.)",
    ),
    'the whole response stands between "|" and "|"': ("|It.|", "|It."),
    'the entire response is enclosed by "<" and ">"': ("<It.>", "<It.>\n\n<It.>"),
}


@pytest.mark.parametrize("clauses", KEPT_AND_NOT)
def test_a_requirement_is_kept_by_one_response_and_not_by_another(clauses: str) -> None:
    instruction = f"Ensure that {clauses}.\n\nSay it."
    kept, broken = KEPT_AND_NOT[clauses]
    requirements, question = read_requirements(instruction)
    assert (len(requirements), question) == (1, "Say it.")
    assert unkept(instruction, kept) == []
    assert len(unkept(instruction, broken)) == 1


def test_every_rule_has_a_requirement_here() -> None:
    found = [read_requirements(f"Ensure that {clauses}.\nSay it.")[0][0].rule.name for clauses in KEPT_AND_NOT]
    assert len(set(found)) == 26


def test_requirements_stand_above_and_below() -> None:
    requirements, question = read_requirements(
        "Make sure that the response has exactly 1 word.\n\nSay it.\nTwice.\n"
        "Take care that the response holds no small letters.\n"
        "One requirement is that the response has more than 1 letter."
    )
    assert [requirement.rule.name for requirement in requirements] == ["number_word", "frequency_letter", "case_upper"]
    assert question == "Say it.\nTwice."


@pytest.mark.parametrize(
    "instruction",
    [
        "Ensure that the response is polite.\nSay it.",
        "Ensure that the response has exactly many words.\nSay it.",
        "The response has exactly 3 words.\nSay it.",
        "Say it.\nEnsure that the response has exactly 3 words.\nNow.",
        "Ensure that the response has exactly 3 words.",
    ],
    ids=["unknown", "no number", "no opening", "inside", "nothing else"],
)
def test_what_is_no_requirement_stays_in_the_instruction(instruction: str) -> None:
    assert read_requirements(instruction) == ([], instruction)
