from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.documents.markup.html import html_text
from fanno_core.documents.markup.markdown import markdown_text
from fanno_core.documents.markup.rst import rst_text

MARKDOWN = """---
title: front matter
---
# Heading *one* `code`

[![badge](a.png)](https://x.y) ![image](b.png)

A paragraph
wrapped [with a link](https://target) and <b>bold</b> &amp; more.<br>End.

<p align="center"><img src=x> In a tag</p>
<!-- a comment
over lines -->
<script>alert(1)</script>

- first
  wrapped

  second paragraph
- ![only](image)
- third
  - nested

```python
fenced
```

    indented

| a | b |
|---|---|
| ![x](y) | ![z](w) |
| 1 | 2 |

> quoted
> text

[ref]: https://target
"""

MARKDOWN_TEXT = """Heading one code

A paragraph wrapped with a link and bold & more. End.

In a tag

- first wrapped
second paragraph
- third
- nested

a | b
1 | 2

quoted text"""

RST = """
Heading
=======

A paragraph with :class:`a role <target>`, :py:func:`~pkg.name` and
*emphasis* wrapped [1]_.

.. contents::

.. note:: A note.

.. versionadded:: 1.2
   Dropped.

.. include:: /etc/hostname

.. csv-table::
   :file: /etc/hostname

.. raw:: html

   <b>raw</b>

.. image:: a.png
   :alt: alternative

- first
  wrapped

  - nested
- third

x : int, optional
    What x is.

:author: somebody

>>> 1 + 1
2

::

    literal

Broken `mark and |unknown|.

Today it is |day|.

.. |day| date::

.. comment

| line one
| line two

=== ===
a   b
=== ===
1   2
=== ===

.. [1] A footnote.
"""

RST_TEXT = """Heading

A paragraph with a role, pkg.name and emphasis wrapped .

A note.

- first wrapped
- nested
- third

- x (int, optional): What x is.

- author: somebody

Broken `mark and |unknown|.

Today it is |day|.

line one
line two

a | b
1 | 2

A footnote."""

PAGE = """<html><head><title>T</title></head><body><nav><a href="/">Home</a> <a href="/b">Blog</a></nav>
<article><h1>A heading</h1><p>The first paragraph holds enough words to be taken for the main text of a page, and it
is wrapped.</p><p>The second one is there because a single paragraph is seldom a page worth keeping.</p>
<ul><li>first point</li><li>second point</li></ul><p>It ends with a third paragraph of a few words more.</p></article>
<footer>All rights reserved</footer></body></html>"""


def test_markdown_reads_as_prose():
    assert markdown_text(MARKDOWN) == MARKDOWN_TEXT


def test_rst_reads_as_prose_and_opens_no_file(capfd: pytest.CaptureFixture[str]):
    assert rst_text(RST) == RST_TEXT
    assert capfd.readouterr() == ("", "")


def test_html_gives_the_main_text():
    text = html_text(PAGE)
    assert "Home" not in text
    assert "All rights reserved" not in text
    assert "page, and it is wrapped.\n\nThe second" in text
    assert "- first point\n- second point\n\nIt ends" in text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>short</p>", "short"),
        ("no tags", "no tags"),
        ('<?xml version="1.0" encoding="iso-8859-1"?><html><body><p>Café.</p></body></html>', "Café."),
        ("", ""),
        ("<html></html>", ""),
    ],
)
def test_html_without_a_main_text_falls_back(page: str, text: str):
    assert html_text(page) == text


@given(st.text(alphabet="ab *_`|:.<>[]()!#-=\n\\&", max_size=200))
def test_no_markup_breaks_the_parsers(markup: str):
    for convert in (markdown_text, rst_text):
        assert "System Message" not in convert(markup)


@pytest.mark.parametrize("mark", ["*a ", "|a\n", "`a ", "_a ", "[", "![", "<", "-:a"])
@pytest.mark.parametrize("convert", [markdown_text, rst_text])
def test_unclosed_marks_cost_no_more_than_their_length(convert, mark: str):
    start = time.process_time()
    convert(mark * 20_000)
    assert time.process_time() - start < 5
