"""How well a causal language model foresees single tokens: in PyTorch, or on the CPU in OpenVINO, which is faster."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fanno_core.traced import compiled, traced

# OpenVINO holds weights of its own beside PyTorch's.
MOST_WEIGHTS = 2**30
# Tokens of the row that OpenVINO is tried on before it is used, of which each sixteenth is scored. Longer rows are
# PyTorch's.
WIDEST = 1024
TRIAL_STEP = 16
TOLERANCE = 1e-4
# So that few batches have another shape than all before, for which OpenVINO prepares itself anew.
COUNT_STEP = 64

Ids = npt.NDArray[np.int64]
TokenLosses = Callable[[Ids, Ids, Ids], npt.NDArray[np.float32]]
"""From ids `[rows, width]`, places `[n]` in all of them, row after row, and tokens `[n]`, to the cross-entropy `[n]` of
each token after its place. Several threads may call it at once."""

log = logging.getLogger("fanno.ifd")


class _Losses(torch.nn.Module):
    """The same as a module of PyTorch's. To others its model still gives all logits."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self._now = threading.local()
        # Logits of all positions would be most of the work, with a large vocabulary.
        model.get_output_embeddings().register_forward_pre_hook(self._only_places)

    def forward(self, ids: torch.Tensor, places: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        # Rows are padded on the right, where a causal model does not look: PyTorch needs no mask, which would cost it a
        # third of the time. Of what transformers does without one, though, there is no trace.
        is_traced = torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
        mask = _causal(ids.shape[1]) if is_traced else None
        self._now.places = places
        try:
            logits = self.model(input_ids=ids, attention_mask=mask, use_cache=False).logits[0].float()
        finally:
            del self._now.places
        losses: torch.Tensor = logits.logsumexp(-1) - logits.gather(1, wanted.unsqueeze(1)).squeeze(1)
        return losses

    def _only_places(self, _module: Any, hidden: tuple[torch.Tensor, ...]) -> torch.Tensor | None:
        """The hidden states at the places that this thread asks for, as one row; all where it only runs the model."""
        places = getattr(self._now, "places", None)
        return None if places is None else hidden[0].flatten(0, 1)[places].unsqueeze(0)


def _causal(width: int) -> torch.Tensor:
    at = torch.arange(width)
    return (at.unsqueeze(0) <= at.unsqueeze(1))[None, None]


def token_losses(model: Any, streams: int, positions: int) -> TokenLosses:
    """What computes losses with a model, on the device where it is.

    On the CPU that is OpenVINO, if it is installed, can run the model, and gives what PyTorch gives.

    Args:
        model: a causal language model of transformers in fp32.
        streams: how many threads call it at once; on the CPU each gets one core.
        positions: tokens that it can see at once.
    """
    name = Path(model.name_or_path).name
    losses = _Losses(model)
    exact = _in_torch(losses)
    if model.device.type == "cpu" and find_spec("openvino") and model.num_parameters() <= MOST_WEIGHTS:
        widest = min(WIDEST, positions)
        if fast := _in_openvino(losses, streams, widest, exact):
            log.info("IFD model %s on openvino-fp32", name)
            return lambda ids, places, wanted: (fast if ids.shape[1] <= widest else exact)(ids, places, wanted)
    log.info("IFD model %s on torch-%s", name, model.device.type)
    return exact


def _in_torch(losses: _Losses) -> TokenLosses:
    def run(*given: Ids) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            tensors = (torch.from_numpy(x).to(losses.model.device) for x in given)
            found: npt.NDArray[np.float32] = losses(*tensors).cpu().numpy()
            return found

    return run


def _in_openvino(losses: _Losses, streams: int, widest: int, exact: TokenLosses) -> TokenLosses | None:
    """The same in OpenVINO; None where it cannot run the model, or not as PyTorch does."""
    ids = np.random.default_rng(0).integers(losses.model.config.get_text_config().vocab_size, size=(1, widest))
    places = np.arange(TRIAL_STEP - 1, widest - 1, TRIAL_STEP)
    trial = (ids, places, ids[0, places + 1])
    try:
        example = {name: torch.from_numpy(values) for name, values in _named(*trial).items()}
        model = compiled(traced(losses, example), streams, cores=streams)
    except Exception as error:  # of any type: an operation that it lacks, a model that cannot be traced
        log.info("OpenVINO cannot run this IFD model: %s", type(error).__name__)
        return None
    idle: SimpleQueue[Any] = SimpleQueue()
    for _ in range(streams):
        idle.put(model.create_infer_request())

    def run(ids: Ids, places: Ids, wanted: Ids) -> npt.NDArray[np.float32]:
        more = np.zeros(-len(places) % COUNT_STEP, np.int64)
        request = idle.get()
        try:
            request.infer(_named(ids, np.append(places, more), np.append(wanted, more)), share_inputs=True)
            found: npt.NDArray[np.float32] = request.get_output_tensor(0).data[: len(places)].copy()
            return found
        finally:
            idle.put(request)

    return run if np.allclose(run(*trial), exact(*trial), rtol=TOLERANCE) else None


def _named(ids: Ids, places: Ids, wanted: Ids) -> dict[str, Ids]:
    return {"ids": ids, "places": places, "wanted": wanted}
