"""What in a row's text a browser, a chat template or an agent may act on. It is flagged and left as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from fanno_core.machine_talk import CHAT_MARKUP, TOOL_CALL

LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://\S|\bwww\.\w|\bmailto:\S|\bdata:\w+/[\w+.-]+[;,]|\]\([^)\s]|\bhref\s*="
    r"|\b[a-z0-9-]{1,63}\.(?:com|org|net|io|ai|dev|info|biz|xyz|app|ru|cn)\b(?!\w)",
    re.IGNORECASE,
)
SCRIPT = re.compile(
    r"<\s*/?\s*(?:script|iframe|object|embed|svg|meta|base|form|style)\b|<[^<>]{0,200}\son\w{3,20}\s*="
    r"|\b(?:java|vb)script\s*:|\bdata:text/html|<\?php\b|&#(?:60|x3c);\s*script",
    re.IGNORECASE,
)
FLAGS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {"link": LINK, "script": SCRIPT, "chat_markup": CHAT_MARKUP, "tool_call": TOOL_CALL}
)


def flags_of(*texts: str) -> tuple[str, ...]:
    """The names of what stands in any of the texts, in the order of `FLAGS`."""
    return tuple(name for name, pattern in FLAGS.items() if any(pattern.search(text) for text in texts))
