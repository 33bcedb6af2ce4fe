"""What every page is made of: our own files, the charts' library, and the policy that lets nothing else run.

Text of documents gets into a page in three ways, none of which can become markup: through a template, which escapes; as
JSON, in which `<` is written as an escape; and as gzip in base64. Scripts run by their hashes alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any

import orjson
import vl_convert
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from fanno_core.report.figures.figure import Figure
from fanno_core.report.figures.theme import DARK, LIGHT, config
from fanno_core.report.written import WRITTEN


def rendered(template: str, scripts: Sequence[str], figures: Mapping[str, Sequence[Figure]], **values: Any) -> bytes:
    """A page as UTF-8; the same input gives the same bytes.

    Args:
        template: a file of this folder.
        scripts: other files of it, in the order in which they run after the charts' library.
        figures: that the page draws, by section.
        values: what else the template names.
    """
    style, first = _own("page.css"), _own("theme.js")
    run = [_library(), *map(_own, scripts)]
    page = (
        _templates()
        .get_template(template)
        .render(
            policy=_policy([first, *run], style),
            style=Markup(style),  # noqa: S704 - our own file
            first=Markup(first),  # noqa: S704
            scripts=[Markup(script) for script in run],  # noqa: S704
            charts_json=_charts(figures),
            figures=figures,
            **values,
        )
    )
    return page.encode()


def _templates() -> Environment:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_own)
    )
    environment.filters.update(WRITTEN)
    return environment


def _own(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from vl-convert's own copy; seconds, so once a process."""
    # A script ends at the first `</script`, in a string of it, too; and a carriage return would change its hash.
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--").replace("\r", "\\r")


def _policy(scripts: Sequence[str], style: str) -> str:
    """The Content-Security-Policy: these scripts, this style, and nothing from anywhere.

    Marks of a chart carry styles of their own, so style attributes are allowed.
    """
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; style-src-attr 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _charts(figures: Mapping[str, Sequence[Figure]]) -> Markup:
    """Specs and themes as JSON that can stand in a script element."""
    specs = {figure.name: figure.spec for figure in chain.from_iterable(figures.values())}
    themes = {"light": config(LIGHT), "dark": config(DARK)}
    json = orjson.dumps({"specs": specs, "themes": themes}).decode()
    return Markup(json.replace("<", "\\u003c"))  # noqa: S704 - no `<` is left in it
