"""Runs the code blocks of a documentation page, top to bottom, as a reader would type them.

A ``bash`` block is run; a block with a ``title`` is a file of that name; a ``text`` block without one is what the
block before it must have printed, where `...` stands for anything. A block that cannot be run here says so to the
reader in its first line: `# not run in the tests: REASON`. Variables that a block exports last to the page's end.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
UNRUN = "# not run in the tests: "
LONGEST_S = 420


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    title: str
    text: str

    @property
    def unrun(self) -> str:
        """Why it is not run here; empty for a block that is."""
        first = self.text.partition("\n")[0]
        return first.removeprefix(UNRUN) if first.startswith(UNRUN) else ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    fences = [token for token in MarkdownIt().parse(page.read_text(encoding="utf-8")) if token.type == "fence"]
    return [
        Block(page.name, (token.map or [0])[0] + 1, token.info.partition(" ")[0], _title(token.info), token.content)
        for token in fences
    ]


def _title(info: str) -> str:
    found = re.search(r'title="([^"]+)"', info)
    return found[1] if found else ""


def run_page(page: Path, folder: Path, environment: Mapping[str, str]) -> None:
    """Runs the blocks of a page in a folder, and asserts that each ends well and prints what the page says."""
    printed = ""
    for block in blocks_of(page):
        if block.unrun:
            continue
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "bash":
            printed = _run(block, folder, environment)
        else:
            assert block.language == "text", f"{block.place}: nobody runs {block.language or 'a block of no language'}"
            assert matches(printed, block.text), f"{block.place}: it printed\n{printed}"


def _run(block: Block, folder: Path, environment: Mapping[str, str]) -> str:
    exported = shlex.quote(str(folder.with_name(f"{folder.name}.env")))
    script = f"set -euo pipefail\n[ ! -e {exported} ] || . {exported}\n{block.text}\nexport -p > {exported}\n"
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=dict(environment), capture_output=True, text=True, timeout=LONGEST_S
    )
    assert done.returncode == 0, f"{block.place} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def matches(printed: str, shown: str) -> bool:
    """Whether a page shows what was printed; `...` stands for anything, line breaks included."""
    pattern = ".*".join(re.escape(piece) for piece in shown.strip().split("..."))
    return re.fullmatch(pattern, printed.strip(), re.S) is not None


def command_line(folder: Path) -> Path:
    """A new folder with `fanno` in it, for the PATH: that of this checkout, run by this Python."""
    folder.mkdir()
    command = folder / "fanno"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m deployments "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return folder
