"""The teacher that runs a local causal language model."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import astuple, replace
from threading import Lock
from typing import Any

from fanno_core.errors import RunStops
from fanno_core.teachers.chat import Prompt, PromptEncoder, fitted_prompts
from fanno_core.teachers.checkpoint import find_checkpoint, longest_context, positions
from fanno_core.teachers.choice import chosen
from fanno_core.teachers.protocol import LINE_END, Answer, Request
from fanno_core.teachers.transformers.generation import Row, generate, keep_positions_below, next_scores
from fanno_core.teachers.transformers.weights import load_weights


class TransformersTeacher:
    """Answers with a causal language model; its weights are loaded when it is first asked.

    Args:
        model: a folder, or a name on the hub.
        revision: revision on the hub; empty: the newest.
        dtype: precision of the weights: `auto`, `float32`, `bfloat16` or `float16`.
        context_tokens: longest prompt and answer together; 0: what the model has.
        batch: prompts a batch, >= 1.
        min_choice_mass: probability that the choices must have together for an answer to be one of them, in [0, 1].

    Raises:
        MissingExtra: PyTorch or transformers is not installed.
        BadSettings: the model does not tell its longest context, and no setting does.
        RunStops: the model cannot be loaded, or its chat template cannot be used.
    """

    needs_context = False

    def __init__(
        self,
        model: str,
        revision: str = "",
        dtype: str = "auto",
        context_tokens: int = 0,
        batch: int = 16,
        min_choice_mass: float = 0.1,
    ) -> None:
        self._checkpoint = find_checkpoint("transformers", model, revision, packages=("torch",))
        self._encoder = PromptEncoder(self._checkpoint.tokenizer, model)
        self._context = longest_context(self._checkpoint, context_tokens)
        self._min_choice_mass = min_choice_mass
        options = f"{dtype}, {self._context} tokens, choices from {min_choice_mass}"
        self.identity = replace(self._checkpoint.identity, options=options)
        self._dtype = dtype
        self._batch = batch
        self._model: Any = None
        self._lock = Lock()

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        """The place of each request with its answer, batch after batch.

        Raises:
            RunStops: the weights cannot be loaded, memory runs out, or choices cannot be told apart.
        """
        prompts = fitted_prompts(requests, self._encoder, self._context)
        for place, prompt in enumerate(prompts):
            if prompt is None:
                yield place, Answer("", finish="context")
        rows = {place: self._row(requests[place], prompt) for place, prompt in enumerate(prompts) if prompt}
        for places in self._batches(rows):
            answers = await asyncio.to_thread(self._answer_batch, [rows[place] for place in places])
            for place, answer in zip(places, answers, strict=True):
                yield place, answer

    @property
    def can_continue(self) -> bool:
        """Whether the model has a chat template with an opening."""
        return self._encoder.can_continue

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in the model's tokens, without special tokens."""
        return self._encoder.count(texts)

    def _row(self, request: Request, prompt: Prompt) -> Row:
        limit = min(request.sampling.max_tokens, self._context - len(prompt.ids))
        digest = hashlib.sha256(request.text.encode()).hexdigest()
        ends = self._encoder.line_ends if request.bare else frozenset[int]()
        return Row(prompt.ids, limit, request.sampling, request.choices, digest, prompt.cut_tokens, ends)

    def _batches(self, rows: dict[int, Row]) -> Iterator[list[int]]:
        """Places of rows that are asked together: verdicts apart from texts, prompts of like length.

        The order is one of content, so that the batches are the same in whatever order the requests come.
        """

        def order(place: int) -> tuple[Any, ...]:
            row = rows[place]
            return len(row.ids), row.text_digest, astuple(row.sampling), row.choices, bool(row.ends)

        for verdicts in (True, False):
            places = sorted((place for place, row in rows.items() if bool(row.choices) is verdicts), key=order)
            for start in range(0, len(places), self._batch):
                yield places[start : start + self._batch]

    def _answer_batch(self, rows: Sequence[Row]) -> list[Answer]:
        import torch

        try:
            with self._lock:
                model = self._loaded()
                answers = self._judge(model, rows) if rows[0].choices else self._write(model, rows)
        except torch.OutOfMemoryError as error:
            raise RunStops(
                f"teacher.batch: the device's memory does not hold {self._batch} prompts at once; set it lower"
            ) from error
        return [replace(answer, cut_tokens=row.cut_tokens) for answer, row in zip(answers, rows, strict=True)]

    def _judge(self, model: Any, rows: Sequence[Row]) -> list[Answer]:
        answers = []
        for row, score in zip(rows, next_scores(model, rows), strict=True):
            shares = [float(score[ids].exp().sum()) for ids in self._encoder.choice_ids(row.choices)]
            text, probability = chosen(row.choices, shares, self._min_choice_mass)
            answers.append(Answer(text, "stop", probability, len(row.ids), 1))
        return answers

    def _write(self, model: Any, rows: Sequence[Row]) -> list[Answer]:
        ends = set(model.generation_config.eos_token_id or [])
        written = generate(model, rows)
        texts = self._encoder.decode([tokens[:-1] if tokens[-1] in ends else tokens for tokens in written])
        return [
            Answer(
                text.partition(LINE_END)[0] if row.ends else text,
                "stop" if tokens[-1] in ends | row.ends else "length",
                None,
                len(row.ids),
                len(tokens),
            )
            for text, tokens, row in zip(texts, written, rows, strict=True)
        ]

    def _loaded(self) -> Any:
        if self._model is None:
            self._model = load_weights(self._checkpoint, self._dtype)
            if limit := positions(self._checkpoint.config):
                keep_positions_below(self._model, limit)
        return self._model
