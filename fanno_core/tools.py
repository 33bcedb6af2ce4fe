"""What methods and selectors have in common: options of their own, and what they may use besides their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from fanno_core.errors import BadSettings
from fanno_core.settings import Section
from fanno_core.store.contracts import Floats
from fanno_core.teachers.protocol import Teacher

if TYPE_CHECKING:
    from fanno_core.selection.losses import Scorer


class Options(Section):
    """A method's own settings; each is a field with limits and a description, like those of `fanno_core.settings`."""


@dataclass(frozen=True)
class Tools:
    """What a method may use besides its rows.

    Attributes:
        teacher: who is asked, behind the journal; prompts go to it through `rendered_request` and `ask`.
        encode: texts to `[n, d]` unit vectors.
        load_scorer: folder or hub name of a causal language model to what computes losses with it; loaded once.
        seed: of the run.
    """

    teacher: Teacher
    encode: Callable[[Sequence[str]], Floats]
    load_scorer: Callable[[str], Scorer]
    seed: int


Own = TypeVar("Own", bound=Options)


def options_of(kind: type[Own], name: str, values: Mapping[str, object]) -> Own:
    """A method's or selector's options from plain values; what is left out keeps its default.

    Raises:
        BadSettings: there is no such option, or its value is refused; the message names it.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        option = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(kind.model_fields) or "none"
            raise BadSettings(f"{name} has no option {option}; it has: {known}") from None
        raise BadSettings(f"option {option} of {name}: {first['msg']}") from None
