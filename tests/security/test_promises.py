"""What `docs/promises.md` names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "promises.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)


def test_every_promise_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| promise"))]
    assert len(rows) > 30
    assert [row for row in rows if "::" not in row] == []
    assert PAGE.count("::") == len(NAMED) + 1  # the page's first line shows the form


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda value: value)
def test_the_test_of_a_promise_exists(file: str, name: str) -> None:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_full_deployments_ask_for_open_teachers() -> None:
    deployments = yaml.safe_load((TESTS.parent / "deployments" / "prefect.yaml").read_text(encoding="utf-8"))
    full = [one for one in deployments["deployments"] if one["name"] == "full"]
    assert [one["parameters"]["open_teachers_only"] for one in full] == [True] * 3
