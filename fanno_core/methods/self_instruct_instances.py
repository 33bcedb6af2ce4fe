"""What Self-Instruct's teacher writes for a task, to pairs of input and output.

Two forms are read: `Example n`, `Input:`, `Output:` for tasks whose input comes first, and `Class label:` with the
input on the lines after it for classification. By default a mark counts where it begins a line, markdown around it is
nothing, a second task is not read on, and `none` is no input. In the published code a mark counts anywhere, so that
"For Example" or "Output: " inside an answer tears it apart, and an input `none` stays.

Source: `prepare_for_finetuning.py` of yizhongw/self-instruct 0b26cca.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fanno_core.instructions.cleaning import NO_INPUT


@dataclass(frozen=True, slots=True)
class Instance:
    """An input and its output; `reason` is why they cannot be used, empty where nothing speaks against them."""

    input: str
    output: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Marks:
    """What tells the parts of an answer from each other."""

    example: re.Pattern[str]
    input: re.Pattern[str]
    output: re.Pattern[str]
    label: re.Pattern[str]


def _line(mark: str, rest: str = "") -> re.Pattern[str]:
    """The mark at the start of a line, in bold or as a heading too."""
    return re.compile(rf"^[ \t#*_-]*{mark}[*_]*{rest}", re.MULTILINE | re.IGNORECASE)


_PUBLISHED = _Marks(
    re.compile(r"Example\s?\d*\.?"),
    re.compile(r"Input\s*\d*\s*:"),
    re.compile(r"Output\s*\d*\s*:"),
    re.compile(r"Class label:"),
)
_DEFAULT = _Marks(
    _line(r"Example[ ]?\d*[.:]?", r"[ \t]*$"),
    _line(r"Input[ \t]*\d*[*_]*[ \t]*:"),
    _line(r"Output[ \t]*\d*[*_]*[ \t]*:"),
    _line(r"Class[ ]label[*_]*[ \t]*:"),
)
_NEXT_TASK = _line(r"Task[ \t]*\d*[ \t]*:")


def instances_of(text: str, finish: str, classification: bool, published: bool = False) -> list[Instance]:
    """The instances in an answer, in its order; none where it has no mark that tells of one.

    Reasons are, in this order: `cut_off` for the last one of an answer that was cut; `copies_input`, `empty`,
    `ends_with_colon`; then, among what is left, `double_instance`, and `inputs_disagree` for all of them where one
    input has two different outputs.

    Args:
        text: the answer.
        finish: how the teacher stopped, as in `Answer.finish`.
        classification: whether labels come first.
        published: read it exactly as the published code does.
    """
    marks = _PUBLISHED if published else _DEFAULT
    if not published and (other := _NEXT_TASK.search(text)):
        text, finish = text[: other.start()], "stop"
    found = _labelled(text, marks) if classification else _paired(text.strip(), marks)
    if not published:
        found = [_without_marks(instance, marks) for instance in found]
    if finish == "length" and found:
        found[-1] = replace(found[-1], reason="cut_off")
    return _compared([replace(one, reason=one.reason or instance_fault(one)) for one in found])


def instance_fault(instance: Instance) -> str:
    """Why an instance is no use by itself; empty where it is."""
    if instance.input == instance.output:
        return "copies_input"
    if not instance.output:
        return "empty"
    return "ends_with_colon" if instance.input.endswith(":") or instance.output.endswith(":") else ""


def _paired(text: str, marks: _Marks) -> list[Instance]:
    if marks.example.search(text):
        return [_pair(part, marks) for part in marks.example.split(text) if part.strip()]
    return [_pair(text, marks)] if marks.output.search(text) else []


def _pair(text: str, marks: _Marks) -> Instance:
    """The text before the output's mark, and the text after it up to the next mark."""
    parts = marks.output.split(text.strip())
    given, output = (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])
    output = marks.input.split(output)[0]
    given = given.strip()
    if mark := marks.input.match(given):
        given = given[mark.end() :]
    return Instance(given.strip(), output.strip())


def _labelled(text: str, marks: _Marks) -> list[Instance]:
    found = []
    for part in marks.label.split(text)[1:]:
        label, _, given = part.strip().partition("\n")
        found.append(Instance(given.strip(), label.strip()))
    return found


def _without_marks(instance: Instance, marks: _Marks) -> Instance:
    """The instance without the mark that an input still has, and without an input that says that there is none."""
    given = instance.input
    if mark := marks.input.match(given):
        given = given[mark.end() :].strip()
    return replace(instance, input="" if NO_INPUT.fullmatch(given) else given)


def _compared(found: Sequence[Instance]) -> list[Instance]:
    """The instances, with what speaks against one beside the others."""
    outputs: dict[str, set[str]] = {}
    for one in found:
        if one.input and not one.reason:
            outputs.setdefault(one.input, set()).add(one.output)
    disagree = any(len(different) > 1 for different in outputs.values())
    seen: set[tuple[str, str]] = set()
    compared = []
    for one in found:
        pair = (one.input, one.output)
        reason = "inputs_disagree" if disagree else "double_instance" if pair in seen else ""
        compared.append(one if one.reason else replace(one, reason=reason))
        if not one.reason:
            seen.add(pair)
    return compared
