"""How well a causal language model foresees the end of a text: mean cross-entropies, in batches.

Rows are padded on the right, where a causal model does not look, so that no mask is needed, which would cost a third
of the time; only the tokens that are asked for are scored. A row's loss depends on that row alone, but for the rounding
of batched arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fanno_core.errors import MissingExtra, RunStops
from fanno_core.extras import how_to_install

if TYPE_CHECKING:
    from torch import Tensor

# Logits of a batch, which are by far the largest of what it holds: 2**25 in fp32 are 128 MiB.
MOST_LOGITS = 2**25
# On a CPU larger batches are no faster, as the same work no longer fits in its caches.
MOST_TOKENS = 4096
LONGEST = 2**30

Losses = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ending:
    """A text of which the end is scored.

    Attributes:
        before: what stands before the end; it is given, and not scored.
        end: what is scored.
        most_tokens: the whole text is cut at this many tokens, special ones included.
    """

    before: str
    end: str
    most_tokens: int = LONGEST


@dataclass(frozen=True)
class Scorer:
    """A causal language model and its tokenizer.

    Attributes:
        positions: tokens that it can see at once.
    """

    model: Any
    tokenizer: Any
    positions: int

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, with the special ones that the tokenizer puts around it."""
        return [len(ids) for ids in self._ids(texts)]

    def losses(self, endings: Sequence[Ending]) -> Losses:
        """`[n]` mean cross-entropy of the tokens of each end, in nats; NaN where no token is left to be scored.

        Which tokens are the end's is known from the length of what stands before it, tokenised alone; the very first
        token of a text is never scored, since nothing foretells it.
        """
        texts = self._ids([ending.before + ending.end for ending in endings])
        starts = self.lengths([ending.before for ending in endings])
        rows = [ids[: min(e.most_tokens, self.positions)] for ids, e in zip(texts, endings, strict=True)]
        means = np.full(len(rows), np.nan)
        scored = [place for place, ids in enumerate(rows) if len(ids) > max(starts[place], 1)]
        for places in self._batches(scored, [len(ids) for ids in rows]):
            means[places] = _mean_losses(self.model, [rows[p] for p in places], [max(starts[p], 1) for p in places])
        return means

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        # One text for many rows, such as a fixed beginning, is tokenised once.
        different = list(dict.fromkeys(texts))
        ids = self.tokenizer(different, return_attention_mask=False, verbose=False)["input_ids"] if different else []
        by_text = dict(zip(different, ids, strict=True))
        return [by_text[text] for text in texts]

    def _batches(self, places: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
        """Places in batches of rows that are about equally long, the longest first: memory runs out soon or never."""
        most = max(1, min(MOST_TOKENS, MOST_LOGITS // self.model.config.get_text_config().vocab_size))
        left = sorted(places, key=lambda place: -lengths[place])
        while left:
            count = max(1, most // lengths[left[0]])
            yield left[:count]
            left = left[count:]


def _mean_losses(model: Any, rows: Sequence[list[int]], starts: Sequence[int]) -> Losses:
    """`[rows]` mean cross-entropy of the tokens of each row from its start on, which is at least 1."""
    import torch
    from torch.nn.functional import cross_entropy

    width = max(map(len, rows))
    # Padded with a row's own last token: transformers warns of a padding token that comes without a mask.
    ids = torch.tensor([row + row[-1:] * (width - len(row)) for row in rows])
    places = torch.arange(1, width)
    lengths, begins = torch.tensor([[len(row)] for row in rows]), torch.tensor([[start] for start in starts])
    scored = (places >= begins) & (places < lengths)
    ids, scored = ids.to(model.device), scored.to(model.device)
    with torch.inference_mode(), _logits_of(model, scored):
        logits = model(input_ids=ids, use_cache=False).logits[0]
        each = cross_entropy(logits.float(), ids[:, 1:][scored], reduction="none").double()
    sums = torch.zeros(len(rows), dtype=torch.double, device=model.device)
    sums.index_add_(0, scored.nonzero()[:, 0], each)
    means: Losses = (sums / scored.sum(dim=1)).cpu().numpy()
    return means


@contextmanager
def _logits_of(model: Any, scored: Tensor) -> Iterator[None]:
    """Lets a model compute the logits of these positions alone, as one row: with large vocabularies the most of it."""

    def select(_module: Any, hidden: tuple[Tensor, ...]) -> Tensor:
        return hidden[0][:, :-1][scored].unsqueeze(0)

    handle = model.get_output_embeddings().register_forward_pre_hook(select)
    try:
        yield
    finally:
        handle.remove()


def load_scorer(model: str) -> Scorer:
    """A model in fp32, on CUDA where torch sees a device and on the CPU otherwise.

    Args:
        model: a folder, or a name on the hub.

    Raises:
        MissingExtra: PyTorch or transformers is not installed.
        RunStops: the model cannot be loaded.
    """
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise MissingExtra(f"IFD needs {' and '.join(missing)}: {how_to_install('models')}")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
        loaded = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32, trust_remote_code=False)
    except Exception as error:
        raise RunStops(
            f"IFD model {model}: this folder or hub name cannot be loaded ({type(error).__name__}); name a causal "
            "language model of transformers"
        ) from None
    loaded = loaded.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    positions = getattr(loaded.config.get_text_config(), "max_position_embeddings", 0)
    return Scorer(loaded, tokenizer, positions or LONGEST)
