from __future__ import annotations

import pytest

from fanno_core.methods.rules.code import is_code


@pytest.mark.parametrize(
    "text",
    [
        "```\nwhatever\n```",
        "Use this:\n```python\nx = 1\n```\nIt sets x.",
        "def double(x):\n    return 2 * x\n\nprint(double(4))",
        "import os\nos.remove(path)",
        '{\n  "name": "Manor Ground"\n}',
        "for (int i = 0; i < 3; i++) {\n  total += i;\n}",
        "SELECT name FROM people\nWHERE age > 3;",
        "<html>\n<body>\n<p>Hello</p>\n</body>\n</html>",
    ],
)
def test_code(text: str) -> None:
    assert is_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "if it rains: take an umbrella.",
        "x = y means that they are equal.",
        "Python has a function called print, and import is a statement.",
        "For each of these reasons:\n- it is cheap\n- it is quick",
        "class matters: from school to work, people import ideas; they function.",
        "The answer is 42 (of course); it always was;",
        "x = 5",
        "",
    ],
)
def test_prose(text: str) -> None:
    assert not is_code(text)
