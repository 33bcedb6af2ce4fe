"""The reason codes of the reference are those of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from deployments.docs.phases import every_phase, phases_of_methods
from deployments.docs.reasons import page, reasons
from fanno_core.dataset.made import open_made
from fanno_core.store.location import open_location
from tests.docs.blocks import ROOT

CODES = {code for codes in reasons().values() for code in codes}
CODE = re.compile(r"[a-z]+(_[a-z]+)*")
GIVERS = {"RowStops": 0, "BadRow": 0, "refused": 0, "Question": 2}
"""Calls that give a reason code, and which argument it is."""


def test_every_code_is_given_somewhere_in_the_core() -> None:
    texts = {node.value for _, node in _nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert sorted(CODES - texts) == []


def test_every_code_that_is_given_is_explained() -> None:
    given = {code: str(path.relative_to(ROOT)) for path, node in _nodes() for code in _given_by(node)}
    assert len(given) > 35
    assert {code: path for code, path in given.items() if code not in CODES} == {}


def test_phases_are_those_of_the_flow() -> None:
    named = {name for phases in reasons() for name in phases.split("_")}
    assert named <= {phase.name for phase in (*every_phase(), *phases_of_methods())}


def test_a_run_rejects_for_no_other_reason(finished: Path) -> None:
    found = {(row.phase, row.reason) for row in open_made(open_location(str(finished))).rejections()}
    assert len(found) > 5
    explained = {(phase, code) for phases, codes in reasons().items() for phase in phases.split("_") for code in codes}
    assert found - explained == set()


def test_the_page_has_each_with_its_meaning() -> None:
    text = page()
    for codes in reasons().values():
        for code, meaning in codes.items():
            assert f"| `{code}` | {meaning} |" in text


def _nodes() -> Iterator[tuple[Path, ast.AST]]:
    for path in sorted((ROOT / "fanno_core").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path, node


def _given_by(node: ast.AST) -> Iterator[str]:
    """The reason codes that a call gives, or that a function named after reasons or faults returns."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GIVERS:
        yield from _codes(node.args[GIVERS[node.func.id]])
    elif isinstance(node, ast.FunctionDef) and node.name.endswith(("_reason", "_fault")):
        for inner in ast.walk(node):
            if isinstance(inner, ast.Return):
                yield from _codes(inner.value)


def _codes(value: ast.expr | None) -> Iterator[str]:
    """The code that an expression is; of a tuple its first, of a condition both sides."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.fullmatch(value.value):
        yield value.value
    elif isinstance(value, ast.Tuple):
        yield from _codes(value.elts[0])
    elif isinstance(value, ast.IfExp):
        yield from _codes(value.body)
        yield from _codes(value.orelse)
