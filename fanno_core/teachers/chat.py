"""Prompts to token ids. Whatever chat markup stands in a prompt's text is read as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import Any

from fanno_core.errors import RunStops
from fanno_core.teachers.context import fit
from fanno_core.teachers.protocol import LINE_END, Request

MESSAGE = "fannousermessage"
# Some chat templates show today's date. Answers must not depend on it, so they see the one that Llama 3.1's
# template falls back to.
SHOWN_DATE = datetime(2024, 7, 26)
DATE_DIRECTIVES = ("%Y", "%y", "%m", "%B", "%b", "%d", "%A", "%a", "%H", "%M", "%S")
SPACE_MARKS = "▁Ġ "
CHAT_MODEL = "use one that was trained to chat"


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids of a prompt that fits the model, and how many tokens its documents had to lose for that."""

    ids: list[int]
    cut_tokens: int = 0


def fitted_prompts(requests: Sequence[Request], encoder: PromptEncoder, context: int) -> list[Prompt | None]:
    """The prompt of each request within a context of so many tokens; None where it does not fit at all."""
    whole = iter(encoder.prompts([request.text for request in requests if not request.bare]))
    begun = iter(encoder.openings([request.text for request in requests if request.bare]))
    return [_fitted(request, next(begun if request.bare else whole), encoder, context) for request in requests]


def _fitted(request: Request, ids: list[int], encoder: PromptEncoder, context: int) -> Prompt | None:
    encode = encoder.openings if request.bare else encoder.prompts
    fitted = fit(request, context, lambda text: len(encode([text])[0]), len(ids))
    if fitted is None:
        return None
    return Prompt(encode([fitted.text])[0] if fitted.cut_tokens else ids, fitted.cut_tokens)


class PromptEncoder:
    """A tokenizer, with its chat template where it has one. May be used from several threads.

    Args:
        tokenizer: of transformers.
        model: how messages name the model.

    Raises:
        RunStops: the chat template refuses, changes or repeats a single user message.
    """

    def __init__(self, tokenizer: Any, model: str) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._lock = Lock()  # a fast tokenizer keeps its options between calls, so calls must not overlap
        self._before, self._after = _chat_frame(tokenizer, model)
        self._start = [] if tokenizer.chat_template else _start_tokens(tokenizer)
        self._head, self._tail = self._ids([self._before, self._after], as_text=False)
        self._control = _control_tokens(tokenizer)
        self._spelling = {id_: self._spelled(content) for id_, content in self._control.items()}
        self._choice_ids: dict[tuple[str, ...], list[list[int]]] = {}

    def prompts(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text as one user message, up to where the model has to answer."""
        return self._framed([f"{self._before}{text}{self._after}" for text in texts], texts, self._tail)

    @property
    def can_continue(self) -> bool:
        """Whether the chat template has an opening before what a user writes."""
        return bool(self._before.strip())

    def openings(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of a chat in which a user has begun to write each text, up to where the model goes on with it.

        Raises:
            RunStops: the model has no chat template, or one without an opening.
        """
        if texts and not self.can_continue:
            raise RunStops(
                f"teacher.model {self._model}: its chat template has no opening for a user's turn; {CHAT_MODEL}"
            )
        # Most tokenizers make a space part of the word that follows: left at the end, it would be a token of its own.
        return self._framed([f"{self._before}{text}".rstrip(" ") for text in texts], texts, [])

    @cached_property
    def line_ends(self) -> frozenset[int]:
        """Ids of all tokens with a line break in them."""
        ids = sorted(set(self._tokenizer.get_vocab().values()))
        return frozenset(
            id_ for id_, text in zip(ids, self.decode([[id_] for id_ in ids]), strict=True) if LINE_END in text
        )

    def count(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in tokens, without special tokens."""
        with self._lock:
            return [len(ids) for ids in self._plain(texts)]

    def decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """Text of each row of token ids, without special tokens."""
        with self._lock:
            return [
                self._tokenizer.decode(row, skip_special_tokens=True, clean_up_tokenization_spaces=False)
                for row in rows
            ]

    def choice_ids(self, choices: tuple[str, ...]) -> list[list[int]]:
        """For each choice, the ids of every token that an answer of that choice can begin with.

        These are the choice as a token of its own, with or without a space before it; for a choice that the
        vocabulary does not hold whole, the first token of its spelling.

        Raises:
            RunStops: two choices can begin with the same token.
        """
        with self._lock:
            if choices not in self._choice_ids:
                self._choice_ids[choices] = self._find_choices(choices)
            return self._choice_ids[choices]

    def _find_choices(self, choices: tuple[str, ...]) -> list[list[int]]:
        found: dict[str, set[int]] = {choice: set() for choice in choices}
        for token, id_ in self._tokenizer.get_vocab().items():
            if (bare := token.lstrip(SPACE_MARKS)) in found:
                found[bare].add(id_)
        for choice, ids in found.items():
            if not ids:
                ids.update(row[0] for row in self._plain([choice, f" {choice}"]))
        if len(set().union(*found.values())) < sum(map(len, found.values())):
            raise RunStops(
                f"teacher.model {self._model}: its tokenizer begins two of the choices {choices} with the same token; "
                "use a model whose vocabulary tells them apart"
            )
        return [sorted(found[choice]) for choice in choices]

    def _framed(self, framed: Sequence[str], texts: Sequence[str], tail: list[int]) -> list[list[int]]:
        framing = self._controls_in(self._head) + self._controls_in(tail)
        with self._lock:
            whole = self._ids(framed, as_text=False)
            # Nearly every text holds no markup, and is best read in one piece with its frame, as the model was trained.
            leaking = [n for n, ids in enumerate(whole) if self._controls_in(ids) != framing]
            for n, ids in zip(leaking, self._plain([texts[n] for n in leaking]), strict=True):
                whole[n] = self._head + ids + tail
        return [self._start + ids for ids in whole]

    def _ids(self, texts: Sequence[str], *, as_text: bool) -> list[list[int]]:
        if not texts:
            return []
        encoded = self._tokenizer(list(texts), add_special_tokens=False, split_special_tokens=as_text, verbose=False)
        return [list(ids) for ids in encoded["input_ids"]]

    def _plain(self, texts: Sequence[str]) -> list[list[int]]:
        # `split_special_tokens` leaves markup whole that the tokenizer holds as an added token but not as a special
        # one (`<tool_call>`, `<think>`), so that is spelled out afterwards.
        unknown = self._tokenizer.unk_token_id
        return [
            [part for id_ in ids for part in (self._spelling.get(id_, [id_]) if id_ != unknown else [id_])]
            for ids in self._ids(texts, as_text=True)
        ]

    def _spelled(self, content: str) -> list[int]:
        letters = self._ids(list(content), as_text=True)
        return [id_ for ids in letters for id_ in ids if id_ not in self._control]

    def _controls_in(self, ids: Sequence[int]) -> list[int]:
        return [id_ for id_ in ids if id_ in self._control]


def _chat_frame(tokenizer: Any, model: str) -> tuple[str, str]:
    """What the chat template puts before and after one user message; nothing where there is no template."""
    if not tokenizer.chat_template:
        return "", ""
    from jinja2 import TemplateError

    try:
        shown = tokenizer.apply_chat_template(
            [{"role": "user", "content": MESSAGE}],
            tokenize=False,
            add_generation_prompt=True,
            # The data set wants answers, not the thoughts before them. Templates that know neither name ignore it.
            enable_thinking=False,
            thinking=False,
            chat_template=_date_macro() + tokenizer.get_chat_template(),
            date_string=SHOWN_DATE.strftime("%d %b %Y"),
        )
    except (TemplateError, TypeError, ValueError) as error:
        raise RunStops(f"teacher.model {model}: its chat template refuses a single user message ({error})") from error
    before, _, after = shown.partition(MESSAGE)
    if shown.count(MESSAGE) != 1:
        raise RunStops(f"teacher.model {model}: its chat template does not show the user's message exactly once")
    return before, after


def _date_macro() -> str:
    """A line of Jinja that shows templates a fixed date: `strftime_now` cannot be passed to them as a value."""
    shown = "".join(f"|replace('{directive}', '{SHOWN_DATE.strftime(directive)}')" for directive in DATE_DIRECTIVES)
    return f"{{% macro strftime_now(form) %}}{{{{ form{shown} }}}}{{% endmacro %}}\n"


def _start_tokens(tokenizer: Any) -> list[int]:
    """The token that the tokenizer puts before a text, where it does so; never one that ends the text."""
    ids = list(tokenizer("")["input_ids"])
    return ids[:1] if ids and ids[0] == tokenizer.bos_token_id else []


def _control_tokens(tokenizer: Any) -> dict[int, str]:
    """Id and spelling of every token that steers the model: special ones, and those that the template is made of."""
    template = str(tokenizer.chat_template or "")
    return {
        id_: token.content
        for id_, token in tokenizer.added_tokens_decoder.items()
        if len(token.content.strip()) > 1 and (token.special or token.content in template)
    }
