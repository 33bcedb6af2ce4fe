"""Passages of some texts in any bytes: exact, and nearly as fast for a hundred texts as for one.

A passage is a window of 50 characters. White space is passed over, so that a text that was wrapped anew is found, too;
windows of nearly nothing else are compared as they stand. Every window holds a whole piece of the text that begins at
a multiple of a fixed step, so only those are looked for, by eight bytes of each; where one stands, the match is
followed to both its ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

WINDOW = 50
"""Characters of a passage."""
WHITE = b" \t\n\r\v\f"
LEAST_BLACK = 25
"""Bytes that are no white space; windows with fewer are compared as they stand."""
# Any 25 bytes hold a whole piece of 13 that begins at a multiple of 13; any 50 one of 25 at a multiple of 26.
BLACK_PIECE, BLACK_STEP = 13, 13
PLAIN_PIECE, PLAIN_STEP = 25, 26
WORD = 8
"""Bytes that are compared at once."""
BITS = 20
FACTOR = np.uint64(0x9E3779B97F4A7C15)
BLOCK = 1 << 16
"""Words at a time: what is made of them stays in the processor's cache."""

Indices = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class _Form:
    """One text as bytes, with or without its white space.

    Attributes:
        text: number of the text.
        data: `[n]` its bytes.
        begins, ends: `[n + 1]` for a match of `data[a:b]` the characters `begins[a]` to `ends[b]` match; where white
            space is passed over, that around the match counts with it.
        folded: `[n]` where the byte's character stands when each run of white space is one character.
        pieces: where in `data` the pieces begin that are looked for.
        piece: their length in bytes.
    """

    text: int
    data: Bytes
    begins: Indices
    ends: Indices
    folded: Indices
    pieces: tuple[int, ...]
    piece: int


@dataclass(frozen=True)
class _Match:
    """`form.data[first:after]` stands in the data that was searched, at `at`; it can be followed no further."""

    form: _Form
    first: int
    after: int
    at: int


class Passages:
    """The windows of some texts. Those that are marked as shared with other texts are not counted.

    Args:
        texts: in any order; those shorter than a window are passed over, since they are no passage.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = tuple(text for text in dict.fromkeys(texts) if len(text) >= WINDOW)
        self._shared = [np.zeros(len(text) - WINDOW + 1, bool) for text in self.texts]
        self._black = _Words([_without_white(number, text) for number, text in enumerate(self.texts)])
        self._plain = _Words([_as_it_stands(number, text) for number, text in enumerate(self.texts)])

    def windows_in(self, data: bytes) -> int:
        """How many windows stand in these bytes, but for the shared ones."""
        found = [np.zeros(len(shared), bool) for shared in self._shared]
        for number, first, last in self._matches(data):
            found[number][first:last] = True
        return sum(int(np.count_nonzero(here & ~shared)) for here, shared in zip(found, self._shared, strict=True))

    def stand_in(self, data: bytes) -> bool:
        """Whether any window stands in these bytes, but for the shared ones."""
        return any(not self._shared[number][first:last].all() for number, first, last in self._matches(data))

    def share(self, data: bytes) -> bool:
        """Marks the windows that stand in these bytes, too, as shared; whether there were any."""
        met = False
        for number, first, last in self._matches(data):
            self._shared[number][first:last] = met = True
        return met

    @property
    def shared(self) -> int:
        """How many windows are shared."""
        return sum(int(np.count_nonzero(shared)) for shared in self._shared)

    def _matches(self, data: bytes) -> Iterator[tuple[int, int, int]]:
        """Number of the text, first window and the one after the last, of every match of at least one window."""
        for match in self._plain.matches(data):
            yield from _windows(match)
        dense = _Dense(data)
        for match in self._black.matches(data.translate(None, WHITE)):
            if dense.is_passage(match, self.texts[match.form.text]):
                yield from _windows(match)


def _windows(match: _Match) -> Iterator[tuple[int, int, int]]:
    begin, end = int(match.form.begins[match.first]), int(match.form.ends[match.after])
    if end - begin >= WINDOW:
        yield match.form.text, begin, end - WINDOW + 1


class _Dense:
    """Data whose white space was passed over, to hold a match against what really stands there."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @cached_property
    def _black(self) -> Indices:
        """Where each byte that is no white space stands."""
        return np.flatnonzero(_is_black(np.frombuffer(self._data, np.uint8)))

    def is_passage(self, match: _Match, text: str) -> bool:
        """Whether a match is as long as a window with its white space folded, or holds one as it stands."""
        form, first, after = match.form, match.first, match.after
        begin, end = int(form.begins[first]), int(form.ends[after])
        if end - begin < WINDOW:
            return False
        length = int(form.folded[after - 1] - form.folded[first]) + 1
        if length < WINDOW - 2:
            return self._holds_as_it_stands(match, text[begin:end])
        place, last = self._black[match.at], self._black[match.at + after - first - 1]
        before, behind = self._data[:place][-1:], self._data[last + 1 : last + 2]
        wide = length + (before.isspace() and text[begin].isspace()) + (behind.isspace() and text[end - 1].isspace())
        return wide >= WINDOW or self._holds_as_it_stands(match, text[begin:end])

    def _holds_as_it_stands(self, match: _Match, part: str) -> bool:
        place, last = self._black[match.at], self._black[match.at + match.after - match.first - 1]
        around = 4 * len(part)
        near = self._data[max(0, place - around) : last + around]
        return any(part[i : i + WINDOW].encode() in near for i in range(len(part) - WINDOW + 1))


class _Words:
    """The pieces of some forms, to be found in bytes."""

    def __init__(self, forms: Sequence[_Form]) -> None:
        self._forms = forms
        places = [(number, piece) for number, form in enumerate(forms) for piece in form.pieces]
        self._length = forms[0].piece if forms else WORD
        pieces = [forms[number].data[place : place + self._length] for number, place in places]
        words = [_rarest(piece) for piece in pieces]
        values = np.array([_value(piece[at : at + WORD]) for piece, at in zip(pieces, words, strict=True)], np.uint64)
        order = np.argsort(values, kind="stable")
        self._values = values[order]
        self._places = [places[i] for i in order]
        self._pieces = np.array([pieces[i] for i in order], np.uint8).reshape(len(order), self._length)
        self._starts = np.array([words[i] for i in order], np.int64)
        self._table = np.zeros(1 << BITS, bool)
        self._table[_hashed(self._values)] = True

    def matches(self, data: bytes) -> Iterator[_Match]:
        """Every match that holds a whole piece, as far as it can be followed."""
        if not self._places:
            return
        array = np.frombuffer(data, np.uint8)
        followed: dict[tuple[int, int], int] = {}
        for shift in range(min(WORD, len(data) - WORD + 1)):
            words = np.frombuffer(data, "<u8", (len(data) - shift) // WORD, shift)
            for start in range(0, len(words), BLOCK):
                for at, piece in self._hits(array, words[start : start + BLOCK], shift + WORD * start):
                    number, place = self._places[piece]
                    line = (number, at - place)
                    if followed.get(line, -1) >= at:
                        continue
                    form = self._forms[number]
                    left = _common(form.data[:place][::-1], array[:at][::-1])
                    right = _common(form.data[place:], array[at:])
                    followed[line] = at + right
                    yield _Match(form, place - left, place + right, at - left)

    def _hits(self, array: Bytes, words: npt.NDArray[np.uint64], start: int) -> list[tuple[int, int]]:
        """Where in the array a piece stands whose word is one of these, and which piece."""
        maybe = np.flatnonzero(self._table[_hashed(words)])
        if not len(maybe):
            return []
        first = np.searchsorted(self._values, words[maybe])
        count = np.searchsorted(self._values, words[maybe], "right") - first
        pieces = np.repeat(first, count) + _counted(count)
        at = start + WORD * np.repeat(maybe, count) - self._starts[pieces]
        inside = (at >= 0) & (at + self._length <= len(array))
        at, pieces = at[inside], pieces[inside]
        same = (array[at[:, None] + np.arange(self._length)] == self._pieces[pieces]).all(axis=1)
        return list(zip(at[same].tolist(), pieces[same].tolist(), strict=True))


def _counted(counts: Indices) -> Indices:
    """0, 1, 2, ... anew for each count."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


def _hashed(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    hashed: npt.NDArray[np.uint64] = (words * FACTOR) >> np.uint64(64 - BITS)
    return hashed


def _value(word: Bytes) -> int:
    return int.from_bytes(word.tobytes(), "little")


def _rarest(piece: Bytes) -> int:
    """Where in a piece its word with the most different bytes begins: the least likely to stand elsewhere."""
    return max(range(len(piece) - WORD + 1), key=lambda at: (len(set(piece[at : at + WORD].tolist())), -at))


def _common(one: Bytes, other: Bytes) -> int:
    """How many bytes both have in common at their beginning."""
    most = min(len(one), len(other))
    different = one[:most] != other[:most]
    return int(different.argmax()) if different.any() else most


def _without_white(number: int, text: str) -> _Form:
    """The form without white space."""
    data, char = _encoded(text)
    black = _is_black(data)
    # A run of white space is one character: that of its first byte.
    folded = np.cumsum(((data & 0xC0) != 0x80) & (black | np.concatenate([[True], black[:-1]])))[black]
    data, char = data[black], char[black]
    begins = np.concatenate([[0], char[:-1] + 1, [len(text)]]) if len(data) else np.zeros(1, np.int64)
    ends = np.concatenate([char, [len(text)]])
    pieces = tuple(range(0, len(data) - BLACK_PIECE + 1, BLACK_STEP))
    return _Form(number, data, _whole_from(begins, char), ends, folded, pieces, BLACK_PIECE)


def _as_it_stands(number: int, text: str) -> _Form:
    """The text as it is, with pieces only where a window is white space but for a few bytes."""
    data, char = _encoded(text)
    before = np.concatenate([[0], np.cumsum(_is_black(data))])
    sparse = before[WINDOW:] - before[:-WINDOW] < LEAST_BLACK
    near = np.convolve(sparse, np.ones(WINDOW, int))[: len(data)] > 0
    pieces = tuple(at for at in range(0, len(data) - PLAIN_PIECE + 1, PLAIN_STEP) if near[at])
    borders = np.concatenate([char, [len(text)]])
    return _Form(number, data, _whole_from(borders, char), borders, char, pieces, PLAIN_PIECE)


def _is_black(data: Bytes) -> npt.NDArray[np.bool_]:
    return ~np.isin(data, np.frombuffer(WHITE, np.uint8))


def _encoded(text: str) -> tuple[Bytes, Indices]:
    """The UTF-8 of a text, and for each byte the character that it is of."""
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    return data, np.cumsum((data & 0xC0) != 0x80) - 1


def _whole_from(begins: Indices, char: Indices) -> Indices:
    """The same, where a match that begins within a character counts from the next one."""
    within = np.concatenate([[False], char[1:] == char[:-1], [False]]) if len(char) else np.zeros(1, bool)
    return np.where(within, np.concatenate([char, [0]])[: len(begins)] + 1, begins)
