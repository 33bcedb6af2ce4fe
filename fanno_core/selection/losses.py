"""How well a causal language model foresees the end of a text: mean cross-entropies, in batches.

Rows are padded on the right, where a causal model does not look, so that no mask is needed, which would cost a third
of the time; only the tokens that are asked for are scored. A row's loss depends on that row alone, but for the rounding
of batched arithmetic. On a CPU each core takes batches of its own: within the small layers of a small model cores wait
for each other longer than they compute. `python -m bench.ifd` measures it against one row at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fanno_core.errors import MissingExtra, RunStops
from fanno_core.extras import how_to_install
from fanno_core.store.contracts import Floats
from fanno_core.teachers.checkpoint import folder_revision, hub_commit

# Logits of a batch, which are by far the largest of what it holds: 2**25 in fp32 are 128 MiB.
MOST_LOGITS = 2**25
MOST_TOKENS = 16384
# What fits in the caches of a core: with 4,096 tokens a batch a tiny GPT-2 takes half as long again.
MOST_TOKENS_OF_A_CORE = 1024
LONGEST = 2**30

Losses = npt.NDArray[np.float64]
T = TypeVar("T")
Found = TypeVar("Found")


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
    """A causal language model and its tokenizer; several threads may use it at once.

    Attributes:
        positions: tokens that it can see at once.
        cores: batches that are scored at the same time, each by one of them.
    """

    model: Any
    tokenizer: Any
    positions: int
    cores: int = 1
    _now: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Logits of all positions would be most of the work, with a large vocabulary.
        self.model.get_output_embeddings().register_forward_pre_hook(self._only_scored)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, with the special ones that the tokenizer puts around it."""
        return [len(ids) for ids in self._ids(texts)]

    def losses(self, endings: Sequence[Ending]) -> Losses:
        """`[n]` mean cross-entropy of the tokens of each end, in nats; NaN where no token is left to be scored.

        Which tokens are the end's is known from the length of what stands before it, tokenised alone; the very first
        token of a text is never scored, since nothing foretells it.
        """
        texts = self._ids([ending.before + ending.end for ending in endings])
        starts = [max(length, 1) for length in self.lengths([ending.before for ending in endings])]
        rows = [ids[: min(e.most_tokens, self.positions)] for ids, e in zip(texts, endings, strict=True)]
        scored = [place for place, ids in enumerate(rows) if len(ids) > starts[place]]
        batches = list(self._batches(scored, [len(ids) for ids in rows]))
        means = np.full(len(rows), np.nan)
        found = _on_each_core(
            lambda places: self._mean_losses([rows[p] for p in places], [starts[p] for p in places]),
            batches,
            self.cores,
        )
        for places, losses in zip(batches, found, strict=True):
            means[places] = losses
        return means

    def embeddings(self, texts: Sequence[str], most_tokens: int = LONGEST) -> Floats:
        """`[n, d]` mean over the tokens of each text of the last hidden state; texts are cut at so many tokens."""
        rows = [ids[: min(most_tokens, self.positions)] for ids in self._ids(texts)]
        batches = list(self._batches(range(len(rows)), [len(ids) for ids in rows]))
        found = _on_each_core(lambda places: self._mean_states([rows[p] for p in places]), batches, self.cores)
        means = np.zeros((len(rows), self.model.config.get_text_config().hidden_size), np.float32)
        for places, states in zip(batches, found, strict=True):
            means[places] = states
        return means

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        # One text for many rows, such as a fixed beginning, is tokenised once.
        different = list(dict.fromkeys(texts))
        ids = self.tokenizer(different, return_attention_mask=False, verbose=False)["input_ids"] if different else []
        by_text = dict(zip(different, ids, strict=True))
        return [by_text[text] for text in texts]

    def _batches(self, places: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
        """Places in batches of rows that are about equally long, the longest first: memory runs out soon or never."""
        most_tokens = MOST_TOKENS_OF_A_CORE if self.model.device.type == "cpu" else MOST_TOKENS
        most = max(1, min(most_tokens, MOST_LOGITS // self.model.config.get_text_config().vocab_size))
        left = sorted(places, key=lambda place: -lengths[place])
        while left:
            count = max(1, most // lengths[left[0]])
            yield left[:count]
            left = left[count:]

    def _mean_losses(self, rows: Sequence[list[int]], starts: Sequence[int]) -> Losses:
        """`[rows]` mean cross-entropy of the tokens of each row from its start on, which is at least 1."""
        import torch
        from torch.nn.functional import cross_entropy

        ids = _padded(rows)
        places = torch.arange(1, ids.shape[1])
        lengths, begins = torch.tensor([[len(row)] for row in rows]), torch.tensor([[start] for start in starts])
        scored = (places >= begins) & (places < lengths)
        ids, scored = ids.to(self.model.device), scored.to(self.model.device)
        self._now.scored = scored
        try:
            with torch.inference_mode():
                logits = self.model(input_ids=ids, use_cache=False).logits[0]
                each = cross_entropy(logits.float(), ids[:, 1:][scored], reduction="none").double()
        finally:
            del self._now.scored
        sums = torch.zeros(len(rows), dtype=torch.double, device=self.model.device)
        sums.index_add_(0, scored.nonzero()[:, 0], each)
        means: Losses = (sums / scored.sum(dim=1)).cpu().numpy()
        return means

    def _mean_states(self, rows: Sequence[list[int]]) -> Floats:
        """`[rows, d]` mean last hidden state of each row."""
        import torch

        ids = _padded(rows).to(self.model.device)
        lengths = torch.tensor([[len(row)] for row in rows], device=ids.device)
        with torch.inference_mode():
            states = self.model.base_model(input_ids=ids, use_cache=False).last_hidden_state.float()
            states = states * (torch.arange(ids.shape[1], device=ids.device) < lengths).unsqueeze(-1)
            means: Floats = (states.sum(dim=1) / lengths).cpu().numpy()
        return means

    def _only_scored(self, _module: Any, hidden: tuple[Any, ...]) -> Any:
        """The positions that this thread scores now, as one row; all of them where it only runs the model."""
        scored = getattr(self._now, "scored", None)
        return None if scored is None else hidden[0][:, :-1][scored].unsqueeze(0)


def _padded(rows: Sequence[list[int]]) -> Any:
    """`[rows, width]` ids; padded with a row's own last one, as transformers warns of padding tokens without a mask."""
    import torch

    width = max(map(len, rows))
    return torch.tensor([row + row[-1:] * (width - len(row)) for row in rows])


def _on_each_core(work: Callable[[T], Found], batches: Sequence[T], cores: int) -> list[Found]:
    """What comes of each batch, in their order."""
    if min(cores, len(batches)) < 2:
        return [work(batch) for batch in batches]
    import torch

    try:
        with ThreadPoolExecutor(min(cores, len(batches)), initializer=lambda: torch.set_num_threads(1)) as pool:
            return list(pool.map(work, batches))
    finally:
        torch.set_num_threads(cores)  # what new threads of others begin with


def scorer_identity(model: str) -> str:
    """What tells the weights of a model from others: of a folder its content, of a hub name its commit.

    A model that cannot be found is known by its name; `load_scorer` says what is wrong with it.
    """
    folder = Path(model)
    try:
        return folder_revision(folder) if folder.is_dir() else f"{model}@{hub_commit(model, '')}"
    except (OSError, ValueError, ImportError):
        return model


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
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
        config = AutoConfig.from_pretrained(model, trust_remote_code=False)
        if getattr(config, "activation_function", "") == "gelu_new":
            config.activation_function = "gelu_pytorch_tanh"  # the same in one step, a seventh of a tiny GPT-2's time
        loaded = AutoModelForCausalLM.from_pretrained(
            model, config=config, dtype=torch.float32, trust_remote_code=False
        )
    except Exception as error:
        raise RunStops(
            f"IFD model {model}: this folder or hub name cannot be loaded ({type(error).__name__}); name a causal "
            "language model of transformers"
        ) from None
    loaded = loaded.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    positions = getattr(loaded.config.get_text_config(), "max_position_embeddings", 0)
    # Read once: another thread that scores meanwhile would see the one thread that its batches have.
    cores = torch.get_num_threads() if loaded.device.type == "cpu" else 1
    return Scorer(loaded, tokenizer, positions or LONGEST, cores)
