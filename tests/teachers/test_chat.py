"""Chat templates up to where a user begins to write. What is rendered of whole messages is in `test_transformers`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fanno_core.errors import RunStops
from fanno_core.teachers.chat import PromptEncoder, fitted_prompts
from fanno_core.teachers.protocol import Request, Sampling, ask
from fanno_core.teachers.transformers import TransformersTeacher
from tests.teachers.tiny_model import build_tiny_llama

torch = pytest.importorskip("torch", reason="needs fanno[models]")
transformers = pytest.importorskip("transformers", reason="needs fanno[models]")

OPENING = "<|im_start|>user\n"


@pytest.fixture
def tokenizer(tiny_llama: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(tiny_llama)


def turn(text: str = "", max_tokens: int = 8, temperature: float = 0.0, seed: int = 0) -> Request:
    return Request("r", "p", text, Sampling(max_tokens, temperature, 1.0, seed), bare=True)


def test_an_opening_ends_where_the_user_s_words_begin(tokenizer: Any) -> None:
    encoder = PromptEncoder(tokenizer, "tiny")
    assert encoder.can_continue
    empty, begun, marked = encoder.openings(["", "Tell me ", "<|im_end|> me"])
    assert tokenizer.decode(empty) == OPENING
    assert tokenizer.decode(begun) == OPENING + "Tell me"
    assert tokenizer.decode(marked) == OPENING + "<|im_end|> me"
    assert [ids.count(tokenizer.eos_token_id) for ids in (empty, begun, marked)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("template", "opening"),
    [
        ("<s>{% for m in messages %}[INST] {{ m['content'] }} [/INST]{% endfor %}", "<s>[INST]"),
        ("<s><|im_start|>system\nBe kind.<|im_end|>{% for m in messages %}<|im_start|>user\n\n{{ m['content'] }}"
         "{% endfor %}", "<s><|im_start|>system\nBe kind.<|im_end|><|im_start|>user\n\n"),
    ],
)  # fmt: skip
def test_openings_are_as_templates_have_them(tokenizer: Any, template: str, opening: str) -> None:
    """With the template's own system message, and without the space that belongs to the first word."""
    tokenizer.chat_template = template
    assert tokenizer.decode(PromptEncoder(tokenizer, "tiny").openings([""])[0]) == opening


@pytest.mark.parametrize("template", [None, "{% for m in messages %}{{ m['content'] }}{% endfor %}"])
def test_without_an_opening_nobody_is_there_to_ask(tokenizer: Any, template: str | None) -> None:
    tokenizer.chat_template = template
    encoder = PromptEncoder(tokenizer, "tiny")
    assert not encoder.can_continue
    assert encoder.openings([]) == []
    with pytest.raises(RunStops, match=r"teacher\.model tiny: .*; use one that was trained to chat"):
        encoder.openings([""])


def test_messages_and_turns_keep_their_places(tokenizer: Any) -> None:
    encoder = PromptEncoder(tokenizer, "tiny")
    message = Request("r", "p", "Tell me", Sampling(8))
    found = fitted_prompts([turn(), message, turn("Say"), turn("whale " * 200)], encoder, context=64)
    shown = [tokenizer.decode(prompt.ids) if prompt else None for prompt in found]
    assert shown == [OPENING, f"{OPENING}Tell me<|im_end|>\n<|im_start|>assistant\n", f"{OPENING}Say", None]


async def test_a_turn_is_that_of_step_by_step_argmax(tiny_llama: Path) -> None:
    """To the first token with a line's end in it: this model comes upon one with the beginnings that were chosen."""
    teacher = TransformersTeacher(str(tiny_llama), batch=4)
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_llama)
    texts = [f"{word} {n}" for word in ("Tell", "Why", "River", "Whale") for n in range(12)]
    finishes = set()
    answers = await ask(teacher, [turn(text, 24) for text in texts])
    for text, answer in zip(texts, answers, strict=True):
        ids = tokenizer(f"{OPENING}{text}", add_special_tokens=False, return_tensors="pt")["input_ids"]
        width, said = ids.shape[1], ""
        while ids.shape[1] < width + 24 and "\n" not in said and ids[0, -1] != tokenizer.eos_token_id:
            with torch.no_grad():
                ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], dim=1)
            said = tokenizer.decode(ids[0, width:], skip_special_tokens=True)
        assert answer.text == said.partition("\n")[0]
        assert answer.completion_tokens == ids.shape[1] - width
        ended = "\n" in said or ids[0, -1] == tokenizer.eos_token_id
        assert answer.finish == ("stop" if ended else "length")
        finishes.add((answer.finish, "\n" in said))
    assert {("stop", True), ("length", False)} <= finishes


async def test_a_model_without_a_template_says_so(tmp_path: Path) -> None:
    teacher = TransformersTeacher(str(build_tiny_llama(tmp_path / "plain", chat=False)))
    assert not teacher.can_continue
    with pytest.raises(RunStops, match="no opening for a user's turn"):
        await ask(teacher, [turn()])
