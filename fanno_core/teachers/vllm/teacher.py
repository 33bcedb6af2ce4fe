"""The teacher that runs a model through vLLM in this process."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from fanno_core.teachers.chat import Prompt, PromptEncoder, fitted_prompts
from fanno_core.teachers.checkpoint import find_checkpoint, longest_context
from fanno_core.teachers.choice import chosen
from fanno_core.teachers.draw import request_seed
from fanno_core.teachers.protocol import LINE_END, Answer, Request
from fanno_core.teachers.vllm.engine import Engine, Job
from fanno_core.teachers.vllm.loading import load_engine

# Prompts that are made into tokens at a time: the engine works on the first while the next are made.
PROMPTS_AT_ONCE = 256


class VllmTeacher:
    """Answers with a causal language model in vLLM's engine, which is loaded when it is first asked.

    May be used from several threads and event loops at once; they share the engine.

    Args:
        model: a folder, or a name on the hub.
        revision: revision on the hub; empty: the newest.
        dtype: precision of the weights: `auto`, `float32`, `bfloat16` or `float16`.
        context_tokens: longest prompt and answer together; 0: what the model has.
        tensor_parallel: GPUs that share the model, >= 1.
        memory_share: of a GPU's memory, for weights and cache, in (0, 1].
        min_choice_mass: probability that the choices must have together for an answer to be one of them, in [0, 1].

    Raises:
        MissingExtra: vLLM is not installed.
        BadSettings: the model does not tell its longest context, and no setting does.
        RunStops: the model cannot be found, or its chat template cannot be used.
    """

    needs_context = False

    def __init__(
        self,
        model: str,
        revision: str = "",
        dtype: str = "auto",
        context_tokens: int = 0,
        tensor_parallel: int = 1,
        memory_share: float = 0.9,
        min_choice_mass: float = 0.1,
    ) -> None:
        checkpoint = find_checkpoint("vllm", model, revision, packages=("vllm",))
        self._encoder = PromptEncoder(checkpoint.tokenizer, model)
        self._context = longest_context(checkpoint, context_tokens)
        self._min_choice_mass = min_choice_mass
        options = f"{dtype}, {tensor_parallel} GPUs, {self._context} tokens, choices from {min_choice_mass}"
        self.identity = replace(checkpoint.identity, options=options)
        self._engine = Engine(
            partial(load_engine, checkpoint, dtype, self._context, tensor_parallel, memory_share), model
        )

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        """The place of each request with its answer, as the engine finishes them.

        Raises:
            RunStops: the engine cannot be loaded or broke, or choices cannot be told apart.
        """
        cut: dict[int, int] = {}
        with self._engine.call() as call:
            for start in range(0, len(requests), PROMPTS_AT_ONCE):
                some = requests[start : start + PROMPTS_AT_ONCE]
                prompts = await asyncio.to_thread(fitted_prompts, some, self._encoder, self._context)
                fitting = {start + n: prompt for n, prompt in enumerate(prompts) if prompt}
                self._engine.ask(call, [self._job(place, requests[place], one) for place, one in fitting.items()])
                cut |= {place: prompt.cut_tokens for place, prompt in fitting.items()}
            for place in range(len(requests)):
                if place not in cut:
                    yield place, Answer("", finish="context")
            async for place, output in self._engine.answers(call):
                read = self._verdict if requests[place].choices else self._text
                yield place, replace(read(requests[place], output), cut_tokens=cut[place])

    @property
    def can_continue(self) -> bool:
        """Whether the model has a chat template with an opening."""
        return self._encoder.can_continue

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in the model's tokens, without special tokens."""
        return self._encoder.count(texts)

    def close(self) -> None:
        """Frees the engine's memory and ends its processes; the teacher cannot be asked any more."""
        self._engine.close()

    def _job(self, place: int, request: Request, prompt: Prompt) -> Job:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        how = request.sampling
        if request.choices:
            ids = [id_ for same in self._encoder.choice_ids(request.choices) for id_ in same]
            options: dict[str, Any] = {"max_tokens": 1, "allowed_token_ids": ids, "logprob_token_ids": ids}
        else:
            options = {"max_tokens": min(how.max_tokens, self._context - len(prompt.ids)), "top_p": how.top_p}
            if how.temperature > 0:
                text = hashlib.sha256(request.text.encode()).hexdigest()
                options |= {"temperature": how.temperature, "seed": request_seed(how.seed, text)}
            if request.bare:
                options |= {"stop": [LINE_END], "detokenize": True}
        greedy = {"temperature": 0.0, "detokenize": False, "output_kind": RequestOutputKind.FINAL_ONLY}
        return Job(place, prompt.ids, SamplingParams(**greedy | options))

    def _text(self, request: Request, output: Any) -> Answer:
        (written,) = output.outputs
        ended = written.finish_reason == "stop"
        if request.bare:  # whose last token can hold more than the line's end
            return _counted(Answer(written.text, "stop" if ended else "length"), output)
        tokens = list(written.token_ids)
        (text,) = self._encoder.decode([tokens[:-1] if ended else tokens])
        return _counted(Answer(text, "stop" if ended else "length"), output)

    def _verdict(self, request: Request, output: Any) -> Answer:
        (written,) = output.outputs
        (scores,) = written.logprobs
        shares = [
            sum(math.exp(scores[id_].logprob) for id_ in ids) for ids in self._encoder.choice_ids(request.choices)
        ]
        text, probability = chosen(request.choices, shares, self._min_choice_mass)
        return _counted(Answer(text, "stop", probability), output)


def _counted(answer: Answer, output: Any) -> Answer:
    return replace(
        answer,
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(output.outputs[0].token_ids),
        cached_tokens=output.num_cached_tokens or 0,
    )
