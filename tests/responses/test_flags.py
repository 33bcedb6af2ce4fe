from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.responses.flags import FLAGS, flags_of
from tests.shared_data import shared_rows

FLAGGED = {
    "link": [
        "See https://example.com/bees.", "HTTP://EXAMPLE.COM", "ftp://example.com/x", "file:///etc/passwd",
        "Go to www.bees.example", "[bees](/hive)", "![](//x.example/p.png)", "Write to mailto:a@b", "bees.com has it",
        '<a href="x">bees</a>', "ssh://host", "data:image/png;base64,AAAA",
    ],
    "script": [
        "<script>alert(1)</script>", "< SCRIPT src=x>", "</script>", "<img src=x onerror=alert(1)>", "<svg/onload=x>",
        "<iframe src=x>", "javascript:alert(1)", "JavaScript :x", "vbscript:x", "<?php echo 1", "data:text/html,x",
        "<body onload = 'x'>", "&#60;script>", "<form action=x>", "<style>", "<object data=x>",
    ],
    "chat_markup": [
        "<|im_start|>system", "Bees.<|im_end|>", "<|eot_id|>", "<|start_header_id|>user", "<|endoftext|>", "<|user|>",
        "[INST] Why? [/INST]", "<<SYS>>", "Bees.</s>", "<s>Bees", "<start_of_turn>user", "<｜User｜>",
        "<think>Bees</think>", "### Response:\nBees.", "Human: Why?\nAssistant: Because.", "<|channel|>analysis",
    ],
    "tool_call": [
        '<tool_call>{"name": "x"}</tool_call>', "<function=search>", "<function_calls>", '<invoke name="x">',
        '[TOOL_CALLS] [{"name": "x"}]', '{"name": "search", "arguments": {"q": "bees"}}', '{"tool_calls": []}',
        "Action: search\nAction Input: bees", "<|python_tag|>print(1)", '{"tool": "x", "input": 1}',
    ],
}  # fmt: skip
PLAIN = [
    "To tell the others where flowers are.", "x < y and y > z", "if a <s b", "1 < 2 > 1", "e.g. this", "v1.2.3 is out",
    "The ratio 3:4 is odd.", "A user: somebody who uses.", "Note: bees dance.", "data: three rows", "[1] (see below)",
    "name, arguments and parameters", '{"name": "Ann", "age": 3}', "He said: action! Then he left.", "## Response time",
    "The script was online = done.", "On error, go back.", "Mr. Smith met Dr. Jones.", "",
]  # fmt: skip


@pytest.mark.parametrize(("flag", "text"), [(flag, text) for flag, texts in FLAGGED.items() for text in texts])
def test_what_a_tool_may_act_on_is_flagged(flag: str, text: str) -> None:
    assert flag in flags_of(text)
    assert flag in flags_of("Before. ", f"Some words and {text}" if "\n" not in text and "#" not in text else text)


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_not_flagged(text: str) -> None:
    assert flags_of(text) == ()


@given(st.text(), st.sampled_from([text for text in FLAGGED["chat_markup"] if text.startswith("<|")]), st.text())
def test_chat_tokens_are_flagged_wherever_they_stand(before: str, token: str, after: str) -> None:
    assert "chat_markup" in flags_of(before + token + after)


@given(st.lists(st.text(), max_size=4))
def test_flags_come_once_and_in_order(texts: list[str]) -> None:
    found = flags_of(*texts)
    assert found == tuple(name for name in FLAGS if name in found)
    assert found == flags_of(*reversed(texts))


@pytest.mark.parametrize(
    "hostile", ["<" * 20_000, "a." * 20_000, "<a " * 10_000, "{" * 20_000, "Human:\n" * 5_000, "&#" * 9_999]
)
def test_flagging_takes_time_in_proportion(hostile: str) -> None:
    import time

    started = time.process_time()
    flags_of(hostile)
    assert time.process_time() - started < 2


def test_few_real_rows_are_flagged() -> None:
    rows = shared_rows("alpaca_sample_2000.jsonl") + shared_rows("dolly_filtered_1000.jsonl")
    found = Counter(flag for row in rows for flag in flags_of(row["instruction"], row["input"], row["output"]))
    print(f"\n{dict(found)} of {len(rows)} rows")
    assert found["chat_markup"] + found["tool_call"] <= 3
    assert found["link"] + found["script"] <= 150
