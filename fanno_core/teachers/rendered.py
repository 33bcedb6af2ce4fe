"""A prompt file and its values to the request that a teacher is sent."""

from __future__ import annotations

from collections.abc import Mapping

from fanno_core.prompts.loader import load_prompt
from fanno_core.teachers.protocol import Request, Sampling


def rendered_request(
    row_id: str,
    prompt: str,
    values: Mapping[str, str],
    sampling: Sampling,
    document_id: str,
    choices: tuple[str, ...] = (),
) -> Request:
    """The request of a prompt file with these values.

    Raises:
        RunStops: there is no such prompt, or it takes other values.
    """
    text, documents = load_prompt(prompt).render_with_span(values)
    return Request(row_id, prompt, text, sampling, values, choices, document_id, documents)
