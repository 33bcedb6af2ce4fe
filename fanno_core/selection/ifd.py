"""Instruction-following difficulty: how much an instruction helps a model to foresee its answer.

`by_loss` is IFD as Cherry LLM has it (Li et al. 2023, arXiv 2308.12032), a ratio of losses; `by_perplexity` is that of
Superfiltering (2402.00530) and Selective Reflection-Tuning (2402.10110), a ratio of perplexities. The two are not
interchangeable. Reversed, with the instruction to be foreseen from the answer, it is r-IFD of the latter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fanno_core.selection.losses import Ending, Scorer, load_scorer
from fanno_core.store.contracts import Pair

ALPACA_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:"
)
ALPACA = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:"
)
VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. USER: {instruction} ASSISTANT:"
)
VICUNA_INPUT = VICUNA.replace("{instruction}", "{instruction}\nInput:\n{input}")
GUESS = (
    "Below is the response to an instruction, please guess the corresponding instruction for the given response.\n"
    "{output}\nGenerate the instruction for the above response."
)


@dataclass(frozen=True, slots=True)
class Wording:
    """How a published code puts a pair to the model.

    Attributes:
        plain, with_input: prompts without and with an input.
        alone: what stands before an answer without its prompt.
        spare: an answer without its prompt gets the room that it has after it, and this many tokens more for what
            stands before it.
        most_tokens: prompt and answer are cut here.
        fits: whether a prompt that leaves its answer no room leaves the pair without a score, and an answer by
            itself gets no more room than after its prompt.
    """

    plain: str
    with_input: str
    alone: str
    spare: int
    most_tokens: int
    fits: bool = False

    def prompt(self, pair: Pair) -> str:
        """What stands before the answer."""
        if not pair.input:
            return _filled(self.plain, instruction=pair.instruction)
        return _filled(self.with_input, instruction=pair.instruction, input=pair.input)


CHERRY = Wording(ALPACA, ALPACA_INPUT, "### Response:", 4, 512, fits=True)
"""Cherry LLM's `data_analysis` with Alpaca's prompt."""
CHERRY_VICUNA = Wording(VICUNA, VICUNA_INPUT, "ASSISTANT:", 6, 512, fits=True)
"""Cherry LLM's `data_analysis_vic`."""
SUPERFILTERING = Wording("{instruction}\n", "{instruction}\n{input}\n", "", 1, 1024)
"""Superfiltering's `code_ifd`."""
REFLECTION = Wording(VICUNA, VICUNA_INPUT, "", 1, 2048)
"""Selective Reflection-Tuning's `selection_code`."""


@dataclass(frozen=True, slots=True)
class Difficulty:
    """Losses of a text by itself and after its prompt, in nats a token; NaN where there is nothing to score."""

    alone: float
    given: float

    @property
    def by_loss(self) -> float:
        """Ratio of the losses: above 1 the prompt misleads."""
        return self.given / self.alone if self.alone else math.nan

    @property
    def by_perplexity(self) -> float:
        """Ratio of the perplexities, infinite beyond what a float holds."""
        try:
            return math.exp(self.given - self.alone)
        except OverflowError:
            return math.inf


def ifd(pairs: Sequence[Pair], scorer: Scorer, wording: Wording = CHERRY) -> list[Difficulty]:
    """The difficulty of each answer; NaN for an empty one.

    Args:
        pairs: instructions with their answers.
        scorer: from `load_scorer`.
        wording: whose prompts and cuts.

    Source: tianyi-lab/Cherry_LLM, Superfiltering and Reflection_Tuning on GitHub, whose scores these are to 1e-4.
    """
    prompts = [wording.prompt(pair) for pair in pairs]
    return _difficulties(prompts, [pair.output for pair in pairs], scorer, wording)


def reversed_ifd(pairs: Sequence[Pair], scorer: Scorer, wording: Wording = REFLECTION) -> list[Difficulty]:
    """The difficulty of each instruction, with its input, when the answer is told; NaN where there is no answer.

    The arguments are those of `ifd`.

    Source: tianyi-lab/Reflection_Tuning, `selection_code`; there input and instruction stand together without a mark.
    """
    prompts = [_filled(wording.plain, instruction=_filled(GUESS, output=pair.output)) for pair in pairs]
    # Nothing is foretold by an answer that is not there.
    asked = [f"{pair.instruction}{pair.input}" if pair.output else "" for pair in pairs]
    return _difficulties(prompts, asked, scorer, replace(wording, alone=""))


def ifd_scores(pairs: Sequence[Pair], model: str) -> list[float]:
    """IFD by loss of each pair, with Cherry LLM's prompt and cuts; NaN where there is none.

    Args:
        pairs: rows of any instruction data.
        model: folder or hub name of a causal language model.

    Raises:
        MissingExtra: PyTorch or transformers is not installed.
        RunStops: the model cannot be loaded.
    """
    return [found.by_loss for found in ifd(pairs, load_scorer(model))]


def _difficulties(prompts: Sequence[str], texts: Sequence[str], scorer: Scorer, wording: Wording) -> list[Difficulty]:
    most = min(wording.most_tokens, scorer.positions)
    starts = scorer.lengths(prompts)
    room = [most - min(start, most) for start in starts]
    # Cherry LLM has no score for an answer that is cut unless its 4 tokens are those of "### Response:", as they are
    # with Llama's tokenizer. With one that needs fewer the answer gets just its room, and so every pair a score.
    (start_alone,) = scorer.lengths([wording.alone])
    spare = min(wording.spare, start_alone) if wording.fits else wording.spare
    alone = [Ending(wording.alone + t, start_alone, r + spare) for t, r in zip(texts, room, strict=True)]
    given = [Ending(p + t, start, most) for p, t, start in zip(prompts, texts, starts, strict=True)]
    losses = scorer.losses([*alone, *given]).reshape(2, len(texts))
    unfit = [wording.fits and not r for r in room]
    return [
        Difficulty(math.nan, math.nan) if out else Difficulty(float(a), float(g))
        for a, g, out in zip(*losses, unfit, strict=True)
    ]


def _filled(template: str, **values: str) -> str:
    """A template with its `{names}` filled in; braces in values stay as they are."""
    return template.format_map(values)
