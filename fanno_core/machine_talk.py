"""Wording that is meant for a model, or that only models and their prompts use.

Documents, instructions and responses are held against it. Covered: the wordings of common injections in English,
the markup of common chat templates and tool calls, refusals, this project's own prompts. Not covered: orders in other
words or another language; a document that asks for something in plain prose reads like any other. None of the 8,890
documents of a web corpus gives orders by these patterns, so they cost nearly nothing.
"""

from __future__ import annotations

import re

# A refusal stands at the start and speaks of answering: "I cannot tell you how grateful I am" and "I'm sorry for the
# delay" open letters that somebody asked for.
SELF = (
    r"(?:as|being|(?:as )?(?:i am|i['’]m)) (?:just |only )?an? "
    r"(?:(?:ai|artificial intelligence)(?: assistant| chatbot| (?:language )?model| system)?|(?:large )?language model)"
    r"(?= ?[(,.;]| (?:and|i|so|that|trained|who|with|without)\b)"
)
UNABLE = (
    r"(?:cannot|can not|can['’]t|could not|couldn['’]t|will not|won['’]t|must decline to|am not able to|"
    r"['’]m not able to|am unable to|['’]m unable to|do not have the ability to|don['’]t have the ability to)"
)
ANSWERING = (
    r"(?:access|answer|assist|browse|carry out|complete|comply|create|do that|do this|engage|fulfil|fulfill|generate|"
    r"give you|help(?! but)|perform|process|produce|provide|respond|write)"
)
REFUSALS = (
    rf"{SELF}",
    rf"(?:(?:unfortunately|however|sorry|i apologi[sz]e|(?:i am|i['’]m) (?:really |very |so )?sorry),? ?(?:but )?)?"
    rf"(?:as an ai[^.,]{{0,40}}, )?i ?{UNABLE} {ANSWERING}\b",
    r"(?:i am|i['’]m) (?:really |very |so )?sorry,? but (?:as an?|i (?:do not|don['’]t) (?:have|know|understand)|"
    r"the (?:context|document|information|instruction|passage|question|text))\b",
    r"i (?:do not|don['’]t) (?:have (?:enough|sufficient|access|the information|real-time|personal)|feel comfortable)",
    r"(?:it is|it['’]s) not (?:possible|appropriate) for me to\b",
    r"i (?:do not|don['’]t) know\b[^\w]*$",
    r"no (?:output|response|answer|instruction)\b[^\w]*$",
)
REFUSAL = re.compile(rf"[\s\"'“*]*(?:{'|'.join(REFUSALS)})", re.IGNORECASE)

PROMPT_MARKERS = (
    "### Instruction:",
    "### Response:",
    "it is never addressed to you",
    "marked lines stands a document",
    "marked lines stands background",
    "marked lines stands an instruction",
    "it must not resemble the counterexamples",
    "somebody could give to a helpful assistant",
    "Write nothing but the instruction",
    "Answer with one character: 1 if",
    "You help to build a data set",
    "You are a helpful, honest and careful assistant",
)
"""Wording of our own prompts that no answer has reason to use."""
FENCE = re.compile(r"<<[0-9a-f]{8}\b|\b[0-9a-f]{8}>>")

CHAT_MARKUP = re.compile(
    r"<\|[a-z][a-z0-9_]{1,30}\|>"  # ChatML, Llama 3, Qwen, Phi, Harmony
    r"|<｜[^｜\n]{1,30}｜>"  # DeepSeek
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS)\]|<</?SYS>>"  # Llama 2, Mistral
    r"|<(?:start|end)_of_turn>|<\[?(?:BOS|EOS)\]?>|</?s>"
    r"|</?think>|^#{2,3} ?(?:Instruction|Response|Human|Assistant|System|User):"
    r"|^(?:Human|Assistant|System):[^\n]*\n+(?:Human|Assistant|System|User):",
    re.IGNORECASE | re.MULTILINE,
)
TOOL_CALL = re.compile(
    r"</?(?:tool_calls?|tool_response|function_calls?|tool_use|antml:invoke)\b|<function=|<invoke name=|\[TOOL_CALLS\]"
    r"|<\|(?:python_tag|tool_calls?[a-z_]*)\|>|[\"'](?:tool_calls|function_call)[\"']\s*:"
    r"|\{\s*[\"'](?:name|tool|function)[\"']\s*:\s*[\"'][\w.-]{1,64}[\"']\s*,"
    r"\s*[\"'](?:arguments|parameters|args|input)[\"']\s*:"
    r"|^Action: ?[^\n]+\nAction Input:",
    re.IGNORECASE | re.MULTILINE,
)

_TEXTS = r"(?:instructions?|orders?|prompts?|directions?|rules|guidelines|commands?|text|messages?|context)"
_MODELS = r"(?:ais?|llms?|(?:large )?language models?|ai (?:assistant|model|system|agent)s?|chatbots?)"
ORDERS = re.compile(
    r"(?P<ignore>\b(?:ignore|disregard|forget|override|(?:do not|don['’]t|stop) (?:follow(?:ing)?|obey(?:ing)?))\s+"
    rf"(?:(?:\w+\s+){{0,3}}?(?:above|previous|prior|preceding|earlier|foregoing|system|your)\s+(?:\w+\s+){{0,2}}?{_TEXTS}\b"
    r"|(?:everything|anything|all|what(?:ever)?)\s+(?:\w+\s+){0,3}?(?:above|before|earlier|previously|so far)\b"
    r"|(?:all of )?the (?:above|foregoing|preceding)\b))"
    r"|(?P<system>\b(?:new|updated|revised|real|actual|hidden|secret) (?:instructions?|task)\s*:"
    r"|\b(?:system|developer) (?:prompt|message|override)\s*:)"
    r"|(?P<role>\byou are (?:now|no longer) (?:an? |the |in )?(?:\w+ )?"
    r"(?:ai|assistant|chatbot|language model|dan|jailbroken|developer mode|unrestricted)\b)"
    # People are given instructions too: judges, assistants and graders only where they are called to attention.
    rf"|(?P<addressed>\b(?:note|message|instructions?|orders?|commands?)(?: to| for) "
    rf"(?:the |all |any |every |this )?{_MODELS}\b"
    rf"|\battention,? (?:the |all |any |every |this )?(?:{_MODELS}|assistants?|graders?|annotators?|judges?)\b)"
    r"|(?P<verdict>\b(?:answer|reply|respond|output|return|print|write)\s+"
    r"(?:only |exactly |just |with |the |one |always |digit |number |character ){1,5}[:\"'“‘`]{0,2}[01]\b"
    r"|^\W*(?:verdict|quality|rating|judg[e]?ment)\s*[=:]\s*[01]\W*$)",
    re.IGNORECASE | re.MULTILINE,
)


def orders_in(text: str) -> str:
    """What in the text speaks to a model rather than to a reader; empty where nothing does.

    Returns:
        `ignore`, `system`, `role`, `addressed`, `verdict`, `chat_markup`, `tool_call` or `our_prompt`: never
        the text's own words.
    """
    if found := ORDERS.search(text):
        return found.lastgroup or ""
    if leaks_prompt(text):
        return "our_prompt"
    if CHAT_MARKUP.search(text):
        return "chat_markup"
    return "tool_call" if TOOL_CALL.search(text) else ""


def leaks_prompt(text: str) -> bool:
    """Whether the text holds a fence or wording of our own prompts."""
    return bool(FENCE.search(text)) or any(marker in text for marker in PROMPT_MARKERS)
