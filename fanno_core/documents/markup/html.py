"""HTML to prose."""

from __future__ import annotations

import re

from fanno_core.documents.marks import with_few_marks

# trafilatura puts every block on a line of its own; items and table rows stay with the block above them.
BLOCK_END = re.compile(r"\n(?!- |\|)")

# Below this trafilatura gives up on paragraphs and returns a line for each bold or linked word.
SMALLEST_PAGE = 250


def html_text(markup: str) -> str:
    """The main text of a page, without menus and footers; all of its text where no main text is found."""
    from trafilatura import extract, html2txt, load_html

    # trafilatura refuses fragments that do not begin like a page.
    page = load_html(markup if "<html" in markup[:50].lower() else f"<html>{markup}")
    if page is None:
        return ""
    everything: str = html2txt(page)
    # trafilatura's extraction normalises what entities stand for, which takes hours where they are marks.
    if len(everything) < SMALLEST_PAGE or with_few_marks(everything) != everything:
        return everything
    return BLOCK_END.sub("\n\n", extract(page, include_comments=False) or everything)
