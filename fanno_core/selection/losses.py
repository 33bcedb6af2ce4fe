"""How well a causal language model foresees the end of a text: mean cross-entropies, in batches.

Rows are padded on the right, where a causal model does not look, and only the tokens that are asked for are scored. A
row's loss depends on that row alone, but for the rounding of batched arithmetic. On a CPU each core takes batches of
its own: within the small layers of a small model cores wait for each other longer than they compute.
`python -m bench.ifd` measures it against one row at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from fanno_core.errors import MissingExtra, RunStops
from fanno_core.extras import how_to_install
from fanno_core.store.contracts import Floats
from fanno_core.teachers.checkpoint import folder_revision, hub_commit
from fanno_core.traced import batches_of_one_width, width_of

if TYPE_CHECKING:
    from fanno_core.selection.token_losses import Ids, TokenLosses

# Logits of a batch, which are by far the largest of what it holds: 2**25 in fp32 are 128 MiB.
MOST_LOGITS = 2**25
MOST_TOKENS = 16384
# What fits in the caches of a core.
MOST_TOKENS_OF_A_CORE = 512
LONGEST = 2**30

Losses = npt.NDArray[np.float64]
T = TypeVar("T")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Ending:
    """A text of which the end is scored.

    Attributes:
        text: the whole text.
        start: so many of its first tokens are given, and not scored; its very first never is: nothing foretells it.
        most_tokens: the text is cut here, special tokens included.
    """

    text: str
    start: int = 0
    most_tokens: int = LONGEST


@dataclass(frozen=True, slots=True)
class Row:
    """Tokens of a text, of which those from `start` on are scored, which is at least 1."""

    ids: list[int]
    start: int = 1


@dataclass(frozen=True)
class Scorer:
    """A causal language model and its tokenizer; several threads may use it at once.

    Attributes:
        tokenise: from texts to their tokens, special ones included.
        token_losses: the model as it computes losses.
        positions: tokens that it can see at once.
        cores: batches that are scored at the same time, each by one of them.
    """

    model: Any
    tokenizer: Any
    tokenise: Callable[[list[str]], list[list[int]]]
    token_losses: TokenLosses
    positions: int
    cores: int = 1

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, with the special ones that the tokenizer puts around it."""
        return [len(ids) for ids in self._ids(texts)]

    def losses(self, endings: Sequence[Ending]) -> Losses:
        """`[n]` mean cross-entropy of the tokens of each end, in nats; NaN where no token is left to be scored."""
        texts = self._ids([ending.text for ending in endings])
        cut = [ids[: min(e.most_tokens, self.positions)] for ids, e in zip(texts, endings, strict=True)]
        scored = np.flatnonzero([len(ids) > max(e.start, 1) for ids, e in zip(cut, endings, strict=True)])
        rows = [Row(cut[place], max(endings[place].start, 1)) for place in scored.tolist()]
        means = np.full(len(endings), np.nan)
        for batch, losses in self._by_batch(rows, self._mean_losses):
            means[scored[batch]] = losses
        return means

    def embeddings(self, texts: Sequence[str], most_tokens: int = LONGEST) -> Floats:
        """`[n, d]` mean over the tokens of each text of the last hidden state; texts are cut at so many tokens."""
        rows = [Row(ids[: min(most_tokens, self.positions)]) for ids in self._ids(texts)]
        means = np.zeros((len(rows), self.model.config.get_text_config().hidden_size), np.float32)
        for batch, states in self._by_batch(rows, self._mean_states):
            means[batch] = states
        return means

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        # One text for many rows, such as a fixed beginning, is tokenised once.
        different = list(dict.fromkeys(texts))
        by_text = dict(zip(different, self.tokenise(different), strict=True))
        return [by_text[text] for text in texts]

    def _by_batch(
        self, rows: Sequence[Row], work: Callable[[Sequence[Row]], Found]
    ) -> Iterable[tuple[list[int], Found]]:
        """What comes of rows, batch by batch, the longest first: memory runs out soon or never."""
        most_tokens = MOST_TOKENS_OF_A_CORE if self.model.device.type == "cpu" else MOST_TOKENS
        most_logits = MOST_LOGITS // self.model.config.get_text_config().vocab_size
        batches = batches_of_one_width([len(row.ids) for row in rows], min(most_tokens, most_logits))
        found = _on_each_core(lambda batch: work([rows[place] for place in batch]), batches, self.cores)
        return zip(batches, found, strict=True)

    def _mean_losses(self, rows: Sequence[Row]) -> Losses:
        """`[rows]` mean cross-entropy of the tokens of each row from its start on."""
        ids = self._padded(rows)
        counts = [len(row.ids) - row.start for row in rows]
        row_of = np.repeat(np.arange(len(rows)), counts)
        wanted = np.concatenate([np.arange(row.start, len(row.ids)) for row in rows])
        each = self.token_losses(ids, row_of * ids.shape[1] + wanted - 1, ids[row_of, wanted])
        return np.bincount(row_of, each) / counts

    def _mean_states(self, rows: Sequence[Row]) -> Floats:
        """`[rows, d]` mean last hidden state of each row."""
        import torch

        ids = torch.from_numpy(self._padded(rows)).to(self.model.device)
        lengths = torch.tensor([[len(row.ids)] for row in rows], device=ids.device)
        with torch.inference_mode():
            states = self.model.base_model(input_ids=ids, use_cache=False).last_hidden_state.float()
            states = states * (torch.arange(ids.shape[1], device=ids.device) < lengths).unsqueeze(-1)
            means: Floats = (states.sum(dim=1) / lengths).cpu().numpy()
        return means

    def _padded(self, rows: Sequence[Row]) -> Ids:
        """`[rows, width]` ids, padded with a row's own last one: transformers warns of others without a mask."""
        width = min(width_of(max(len(row.ids) for row in rows)), self.positions)
        return np.array([row.ids + row.ids[-1:] * (width - len(row.ids)) for row in rows], np.int64)


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


def _tokenise_with(tokenizer: Any) -> Callable[[list[str]], list[list[int]]]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:  # it is written in Python
        return lambda texts: [tokenizer.encode(text, verbose=False) for text in texts]
    own = deepcopy(backend)  # whoever cuts a text with the tokenizer leaves it so
    own.no_truncation()
    own.no_padding()
    return lambda texts: [encoding.ids for encoding in own.encode_batch_fast(texts)]


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

    from fanno_core.selection.token_losses import token_losses

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
    positions = positions or LONGEST
    losses = token_losses(loaded, cores, positions)
    return Scorer(loaded, tokenizer, _tokenise_with(tokenizer), losses, positions, cores)
