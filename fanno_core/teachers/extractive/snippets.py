"""The functions that code answers print. They are real code: their source is the answer, their result is computed."""

from __future__ import annotations

from statistics import median


def unique_longest_first(terms: list[str]) -> list[str]:
    """Return the terms without doubled ones, the longest first, equal lengths from A to Z."""
    return sorted(set(terms), key=lambda term: (-len(term), term))


def group_by_initials(terms: list[str]) -> dict[str, list[str]]:
    """Return the terms grouped by the initials of their words."""
    groups: dict[str, list[str]] = {}
    for term in terms:
        initials = "".join(word[0].upper() for word in term.split())
        groups.setdefault(initials, []).append(term)
    return groups


def all_longest(terms: list[str]) -> list[str]:
    """Return every term of the greatest length, in order; no terms give an empty list."""
    longest = max(map(len, terms), default=0)
    return [term for term in terms if len(term) == longest]


def count_words(terms: list[str]) -> dict[str, int]:
    """Return how often each word occurs, whatever its case."""
    counts: dict[str, int] = {}
    for word in " ".join(terms).lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts


def without_vowels(terms: list[str]) -> list[str]:
    """Return the terms without their vowels."""
    return ["".join(letter for letter in term if letter.lower() not in "aeiou") for term in terms]


def shift_letters(terms: list[str]) -> list[str]:
    """Return the terms with every letter moved three places ahead, from z back to a."""
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    shifted = alphabet[3:] + alphabet[:3]
    table = str.maketrans(alphabet + alphabet.upper(), shifted + shifted.upper())
    return [term.translate(table) for term in terms]


def median_length(terms: list[str]) -> float:
    """Return the median number of characters of the terms."""
    return median(len(term) for term in terms)


def edit_distance(terms: list[str]) -> int:
    """Return how many letters must be added, removed or replaced to turn the first term into the second."""
    first, second = terms[:2]
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]
