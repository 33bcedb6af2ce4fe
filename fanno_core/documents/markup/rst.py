"""reStructuredText to prose."""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes
from docutils.core import publish_doctree

SETTINGS = {
    "_disable_config": True,  # a docutils.conf of the machine must not change the text
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 5,
    "traceback": True,  # otherwise docutils ends the process on an error of its own
    "doctitle_xform": False,
    "docinfo_xform": False,
    "syntax_highlight": "none",
    "line_length_limit": 2**30,
}

# Sphinx' roles are unknown to docutils, and only what they show is wanted: `shown <target>`, `~module.name`, `.name`.
ROLE = re.compile(r"(?<![\w`]):[a-zA-Z][\w:.+-]{0,60}:`[~.!]*([^`<]+?)(?:\s*<[^`<>]*>)?`")
# The `date` directive would write today's date into the text.
DATE = re.compile(r"\|\s+date::.*")

# docutils looks for the end of each inline mark through the rest of its paragraph: 20,000 unclosed ones took
# 9 s. No paragraph meant for people has this many.
MARKS = re.compile(r"[*`|]")
MARKS_LIMIT = 5000
# The same for references and what they point to, which it compares with each other over the whole text: 40,000
# references took 34 s, 6,000 targets 5 s.
REFERENCE = re.compile(r"(?<=[\w\]`])__?(?!\w)")
TARGET = re.compile(r"^[ \t]*\.\. (?:_|\[|\|).*", re.MULTILINE)
TARGETS_LIMIT = 1000

NO_PROSE = (
    nodes.image,
    nodes.literal_block,
    nodes.doctest_block,
    nodes.math_block,
    nodes.comment,
    nodes.raw,
    nodes.system_message,
    nodes.substitution_definition,
    nodes.footnote_reference,
    nodes.citation_reference,
    nodes.label,
)
GENERATED = {"contents", "system-messages"}
LISTS = (nodes.bullet_list, nodes.enumerated_list, nodes.definition_list, nodes.field_list, nodes.option_list)
LABELS = (nodes.term, nodes.field_name, nodes.option_group)
IN_LABEL = (*LABELS, nodes.classifier)


def rst_text(markup: str) -> str:
    """The prose of a reStructuredText: blocks with a blank line between them, each paragraph on one line.

    Headings are plain lines, list items lines that begin with `- `, table rows lines. Images, link targets,
    comments, code blocks, unknown directives and docutils' own messages are left out.
    """
    plainer = DATE.sub("|", ROLE.sub(r"\1", markup))
    if len(REFERENCE.findall(plainer)) > MARKS_LIMIT:
        plainer = REFERENCE.sub("", plainer)
    if len(TARGET.findall(plainer)) > TARGETS_LIMIT:
        plainer = TARGET.sub("", plainer)
    paragraphs = (p if len(MARKS.findall(p)) <= MARKS_LIMIT else MARKS.sub(" ", p) for p in plainer.split("\n\n"))
    tree = publish_doctree("\n\n".join(paragraphs), settings_overrides=SETTINGS)
    for node in list(tree.findall(_is_no_prose)):
        node.parent.remove(node)
    return "\n\n".join(_blocks(tree))


def _is_no_prose(node: nodes.Node) -> bool:
    generated = isinstance(node, nodes.Element) and not GENERATED.isdisjoint(node["classes"])
    return generated or isinstance(node, NO_PROSE)


def _blocks(parent: nodes.Node) -> Iterator[str]:
    for node in parent.children:
        if isinstance(node, IN_LABEL):
            continue
        if isinstance(node, LISTS):
            text = "\n".join(line for item in node.children for line in _item(item))
        elif isinstance(node, nodes.table):
            text = "\n".join(filter(None, map(_row, node.findall(nodes.row))))
        elif isinstance(node, nodes.line_block):
            text = "\n".join(filter(None, map(_line, node.findall(nodes.line))))
        elif isinstance(node, nodes.TextElement):
            text = _line(node)
        else:
            yield from _blocks(node)
            continue
        if text:
            yield text


def _item(item: nodes.Node) -> Iterator[str]:
    """The lines of one list item: its label, such as a term, before the first of them."""
    label = " ".join(_line(node) for node in item.children if isinstance(node, LABELS))
    kinds = ", ".join(_line(node) for node in item.children if isinstance(node, nodes.classifier))
    lines = [line for block in _blocks(item) for line in block.split("\n")]
    if kinds:
        label = f"{label} ({kinds})"
    if label and lines and not label.endswith(":"):
        label += ":"
    first = " ".join(filter(None, [label, *lines[:1]]))
    if first:
        yield first if first.startswith("- ") else f"- {first}"
    yield from lines[1:]


def _row(row: nodes.Node) -> str:
    return " | ".join(filter(None, (" ".join(" ".join(_blocks(cell)).split()) for cell in row.children)))


def _line(node: nodes.Node) -> str:
    return " ".join(node.astext().split())
