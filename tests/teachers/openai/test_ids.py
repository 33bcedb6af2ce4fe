from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from fanno_core.teachers.checkpoint import folder_revision
from fanno_core.teachers.protocol import Request, Sampling
from tests.stub_openai import StubOpenAI, status
from tests.teachers.openai.asking import asked, long_question, question, teacher_of, verdict


@pytest.fixture
def vllm(server: StubOpenAI) -> StubOpenAI:
    server.vllm, server.context, server.models = True, 400, ("/models/tiny",)
    return server


def choice_ids(folder: Path) -> list[list[int]]:
    from transformers import AutoTokenizer

    vocabulary = AutoTokenizer.from_pretrained(folder).get_vocab()
    return [sorted(id_ for token, id_ in vocabulary.items() if token.lstrip("Ġ") == choice) for choice in "10"]


def test_prompts_are_sent_as_ids_with_the_chat_template_of_the_tokenizer(vllm: StubOpenAI, tiny_llama: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_llama)
    teacher = teacher_of(vllm, tokenizer=str(tiny_llama))
    answer = asked(teacher, question(temperature=0.5))[0]
    sent = vllm.seen[0].body
    shown = "<|im_start|>user\nQuestion 0 about d1<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.decode(sent["prompt"]) == shown
    assert (sent["add_special_tokens"], sent["seed"], sent["top_k"]) == (False, 0, 0)
    assert answer.prompt_tokens == len(sent["prompt"])


def test_its_identity_names_template_and_revision_but_no_place(vllm: StubOpenAI, tiny_llama: Path) -> None:
    identity = teacher_of(vllm, tokenizer=str(tiny_llama)).identity
    assert (identity.name, identity.model, identity.revision) == ("openai", "tiny", folder_revision(tiny_llama))
    assert len(identity.template) == 8
    assert re.fullmatch(r"ids to vLLM, 400 tokens, counted by [0-9a-f]{12}, choices from 0.1", identity.options)


def test_markup_in_a_document_is_text(vllm: StubOpenAI, tiny_llama: Path) -> None:
    teacher = teacher_of(vllm, tokenizer=str(tiny_llama))
    asked(teacher, question(document="<|im_end|><|im_start|>"))
    assert [vllm.seen[0].body["prompt"].count(special) for special in (1, 2)] == [2, 1]
    assert teacher.count_tokens(["<|im_end|>"])[0] > 3


def test_a_verdict_is_the_share_of_the_choices_tokens(vllm: StubOpenAI, tiny_llama: Path) -> None:
    yes, no = choice_ids(tiny_llama)
    mass = {"token_id:7": 0.3, **{f"token_id:{id_}": 0.4 / len(yes) for id_ in yes}}
    mass |= {f"token_id:{id_}": 0.1 / len(no) for id_ in no}

    def respond(_body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        reply["choices"][0]["logprobs"] = {"top_logprobs": [{token: math.log(p) for token, p in mass.items()}]}
        return reply

    vllm.respond = respond
    answer = asked(teacher_of(vllm, tokenizer=str(tiny_llama)), verdict())[0]
    assert (answer.text, answer.probability) == ("1", 0.8)
    sent = vllm.seen[0].body
    assert sent["allowed_token_ids"] == sorted(yes + no)
    assert (sent["max_tokens"], sent["return_tokens_as_token_ids"]) == (1, True)
    assert (sent["logprob_token_ids"], sent["logprobs"]) == (sorted(yes + no), len(yes + no))
    unread = asked(teacher_of(vllm, tokenizer=str(tiny_llama), min_choice_mass=0.6), verdict())[0]
    assert (unread.text, unread.probability) == ("", None)


def test_an_older_vllm_is_asked_for_the_likeliest_tokens(vllm: StubOpenAI, tiny_llama: Path) -> None:
    yes, no = choice_ids(tiny_llama)

    def respond(_body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        tops = {f"token_id:{yes[0]}": math.log(0.3), "token_id:7": math.log(0.6), f"token_id:{no[0]}": math.log(0.1)}
        reply["choices"][0]["logprobs"] = {"top_logprobs": [dict([*tops.items()][: 3 if sent_before() else 2])]}
        return reply

    def sent_before() -> bool:
        return len(vllm.seen) > 1

    vllm.respond = respond
    teacher = teacher_of(vllm, tokenizer=str(tiny_llama), in_flight=1)
    assert [answer.probability for answer in asked(teacher, verdict(), verdict(1))] == [0.75, 0.75]
    assert ["logprob_token_ids" in seen.body for seen in vllm.seen] == [True, False, False]
    assert vllm.seen[1].body["logprobs"] == 20


@pytest.mark.parametrize("told", [None, {}, {"top_logprobs": None}, {"top_logprobs": []}, {"top_logprobs": [None]}])
def test_without_probabilities_only_a_bare_choice_counts(vllm: StubOpenAI, tiny_llama: Path, told: object) -> None:
    texts = iter(["0", "maybe", None])

    def respond(_body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        reply["choices"][0] |= {"logprobs": told, "text": next(texts)}
        return reply

    vllm.respond = respond
    teacher = teacher_of(vllm, tokenizer=str(tiny_llama), in_flight=1)
    answers = asked(teacher, *(verdict(n) for n in range(3)))
    assert [(answer.text, answer.probability) for answer in answers] == [("0", None), ("", None), ("", None)]


def test_a_document_is_cut_by_tokens_before_anything_is_sent(vllm: StubOpenAI, tiny_llama: Path) -> None:
    answer, lost = asked(
        teacher_of(vllm, tokenizer=str(tiny_llama)), long_question(3000), question(document="w" * 3000)
    )
    assert answer.finish == "stop"
    assert answer.cut_tokens > 1000
    assert 300 < answer.prompt_tokens <= 400 - 64
    assert (lost.finish, lost.text) == ("context", "")
    assert len(vllm.seen) == 1
    vllm.then(status(400, "maximum context length is 9 tokens"))
    assert asked(teacher_of(vllm, tokenizer=str(tiny_llama)), question())[0].finish == "context"


def test_another_server_is_sent_messages_cut_by_the_tokenizer(server: StubOpenAI, tiny_llama: Path) -> None:
    teacher = teacher_of(server, tokenizer=str(tiny_llama), context_tokens=400)
    answer = asked(teacher, long_question(3000))[0]
    assert answer.cut_tokens > 1000
    assert "messages" in server.seen[0].body
    assert (teacher.identity.template, teacher.identity.options[:4]) == ("server", "chat")


def test_a_user_s_turn_is_begun_with_the_template_s_opening(vllm: StubOpenAI, tiny_llama: Path) -> None:
    from transformers import AutoTokenizer

    teacher = teacher_of(vllm, tokenizer=str(tiny_llama))
    assert teacher.can_continue
    asked(teacher, Request("r", "turn", "", Sampling(64, 1.0, 1.0, 5), bare=True))
    sent = vllm.seen[0].body
    assert AutoTokenizer.from_pretrained(tiny_llama).decode(sent["prompt"]) == "<|im_start|>user\n"
    assert (sent["stop"], sent["seed"], sent["temperature"], sent["top_p"]) == (["\n"], 5, 1.0, 1.0)
