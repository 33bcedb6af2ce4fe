"""What MkDocs calls: the reference pages come from the code, so none can be stale."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from deployments.docs import commands, contracts, methods, phases, reasons, settings

PAGES = {
    "reference/commands.md": commands.page,
    "reference/settings.md": settings.page,
    "reference/methods.md": methods.page,
    "reference/contracts.md": contracts.page,
    "reference/phases.md": phases.page,
    "reference/reasons.md": reasons.page,
}
"""By path below `docs/`: the function that returns the page's Markdown."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files of the site, and the reference pages."""
    for path, page in PAGES.items():
        files.append(File.generated(config, path, content=page()))
    return files
