"""IFD in batches against one row at a time, as the published codes compute it, in turn on the same rows.

`python -m bench.ifd MODELS ROWS.jsonl [COUNT]`; MODELS is a folder that holds `gpt2_tiny` and `llama_tiny`. Three ways
are compared, each with the threads that PyTorch takes by itself: Superfiltering's code; Cherry LLM's, which also takes
the loss of each token by itself and tokenises every row again to select; and the least that scoring a row at a time
needs: its texts tokenised, two passes of the model, the mean loss of each.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import log_softmax, nll_loss
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.machine import machine
from fanno_core.selection.ifd import CHERRY, SUPERFILTERING, Difficulty, Wording, ifd
from fanno_core.selection.losses import load_scorer

ROUNDS = 5
COUNT = 300
Losses = list[tuple[float, float]]


@dataclass(frozen=True)
class Row:
    """An instruction with its answer."""

    instruction: str
    input: str
    output: str


@dataclass(frozen=True)
class Published:
    """A model and its tokenizer, as the published codes load them."""

    model: Any
    tokenizer: Any

    def encoded(self, text: str, most_tokens: int) -> Any:
        """`[1, tokens]` ids of a text."""
        return self.tokenizer.encode(text, return_tensors="pt", truncation=True, max_length=most_tokens)

    def end(self, text: str, start: int, most_tokens: int) -> tuple[float, Any, Any]:
        """The mean loss of a text from a character on, its ids and its logits."""
        ids = self.encoded(text, most_tokens)
        labels = ids.clone()
        if start:
            labels[0, : len(self.tokenizer.encode(text[:start]))] = -100
        with torch.no_grad():
            found = self.model(ids, labels=labels)
        return found.loss.item(), ids, found.logits


def one_at_a_time(code: Published, rows: Sequence[Row], wording: Wording) -> Losses:
    """The least that it takes."""
    found = []
    for row in rows:
        prompt = wording.prompt(row)
        room = wording.most_tokens - code.encoded(prompt, wording.most_tokens).shape[1]
        alone, _, _ = code.end(wording.alone + row.output, len(wording.alone), room + wording.spare)
        given, _, _ = code.end(prompt + row.output, len(prompt), wording.most_tokens)
        found.append((alone, given))
    return found


def superfiltering(code: Published, rows: Sequence[Row], wording: Wording) -> Losses:
    """The same; every row's line is appended to a file that is opened for it."""
    with tempfile.TemporaryDirectory() as folder:
        found: Losses = []
        for row in rows:
            found += one_at_a_time(code, [row], wording)
            with (Path(folder) / "analysis.jsonl").open("a") as file:
                file.write(json.dumps({"ppl": [0, *found[-1]], "loss": [0, *found[-1]]}) + "\n")
    return found


def cherry(code: Published, rows: Sequence[Row], wording: Wording) -> Losses:
    """Losses token by token, then the rows tokenised again for the part of them that is the answer."""
    found = []
    for row in rows:
        prompt = wording.prompt(row)
        room = wording.most_tokens - code.encoded(prompt, wording.most_tokens).shape[1] + wording.spare
        texts = ((wording.alone, room), (prompt, wording.most_tokens))
        analysed = [_token_losses(code, before + row.output, len(before), most) for before, most in texts]
        code.encoded(prompt, wording.most_tokens)
        means = []
        for (before, most), losses in zip(texts, analysed, strict=True):
            end = code.encoded(before + row.output, most).shape[1]
            start = len(code.tokenizer.encode(before))
            means.append(statistics.fmean(losses[start - 1 : end - 1]))
        found.append((means[0], means[1]))
    return found


def _token_losses(code: Published, text: str, start: int, most_tokens: int) -> list[float]:
    _, ids, logits = code.end(text, start, most_tokens)
    each = range(1, ids.shape[1])
    return [nll_loss(log_softmax(logits[0, n - 1], -1).unsqueeze(0), ids[0, n].unsqueeze(0)).item() for n in each]


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def compare(
    folder: Path, name: str, way: Callable[..., Losses], wording: Wording, rows: Sequence[Row]
) -> dict[str, Any]:
    """Both rates round by round, and the largest relative difference of a loss."""
    place = folder / name
    model = AutoModelForCausalLM.from_pretrained(place, output_hidden_states=True, trust_remote_code=False).eval()
    code = Published(model, AutoTokenizer.from_pretrained(place, trust_remote_code=False))
    scorer = load_scorer(str(place))
    # Cherry LLM has no score for a row that leaves its answer no room.
    prompts = [len(code.tokenizer.encode(wording.prompt(row))) for row in rows]
    rows = [row for row, length in zip(rows, prompts, strict=True) if length < wording.most_tokens // 2]
    way(code, rows[:10], wording), ifd(rows[:50], scorer, wording)
    times = []
    for _ in range(ROUNDS):
        theirs, wanted = seconds(lambda: way(code, rows, wording))
        ours, found = seconds(lambda: ifd(rows, scorer, wording))
        times.append((len(rows) / ours, len(rows) / theirs))
        print(f"{name} {way.__name__:15} batches {times[-1][0]:7.1f} rows/s   one at a time {times[-1][1]:7.1f} rows/s")
    return {
        "model": name,
        "way": way.__name__,
        "rows": len(rows),
        "batched_per_s": round(statistics.median(ours for ours, _ in times), 1),
        "one_at_a_time_per_s": round(statistics.median(theirs for _, theirs in times), 1),
        "ratio": round(statistics.median(ours / theirs for ours, theirs in times), 2),
        "ratios": [round(ours / theirs, 2) for ours, theirs in times],
        "largest_difference": max(map(_difference, found, wanted)),
    }


def _difference(found: Difficulty, wanted: tuple[float, float]) -> float:
    pairs = ((found.alone, wanted[0]), (found.given, wanted[1]))
    # A text of one token has no loss in either.
    return max((abs(one - other) / other for one, other in pairs if one == one and other == other), default=0.0)


def main() -> None:
    """Prints the rates of each way round by round."""
    folder, count = Path(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else COUNT
    lines = [json.loads(line) for line in Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()]
    rows = [Row(line["instruction"], line["input"], line["output"]) for line in lines if line["output"]][:count]
    compared = [
        compare(folder, "gpt2_tiny", superfiltering, SUPERFILTERING, rows),
        compare(folder, "llama_tiny", cherry, CHERRY, rows),
        compare(folder, "llama_tiny", one_at_a_time, CHERRY, rows),
    ]
    published = compared[:2]
    theirs, ours = (sum(1 / found[way] for found in published) for way in ("one_at_a_time_per_s", "batched_per_s"))
    how = {"machine": machine(), "threads": torch.get_num_threads(), "load": round(os.getloadavg()[0], 1)}
    print(json.dumps({"bench": "ifd", **how, "compared": compared, "published_together": round(theirs / ours, 2)}))


if __name__ == "__main__":
    main()
