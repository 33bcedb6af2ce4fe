from __future__ import annotations

from pathlib import Path

import pytest

from fanno_core.communities import conversion
from fanno_core.communities.conversion import MODEL, TOKENIZER, converted
from fanno_core.communities.encoder import Encoder
from fanno_core.settings import Settings


@pytest.mark.slow
def test_what_was_converted_is_kept_unless_it_is_damaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(conversion, "user_cache_path", lambda _: tmp_path / "cache")
    conversions = []

    def counted(*arguments: Path) -> None:
        conversions.append(arguments)
        by_a_process(*arguments)

    by_a_process = conversion._by_a_process
    monkeypatch.setattr(conversion, "_by_a_process", counted)
    settings = Settings().encoder
    folder, digest = Encoder(settings).folder, "digest"
    place = converted(folder, settings, digest)
    assert {MODEL, TOKENIZER} <= {path.name for path in place.iterdir()}
    assert converted(folder, settings, digest) == place
    assert len(conversions) == 1
    weights = place / Path(MODEL).with_suffix(".bin")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert converted(folder, settings, digest) == place
    assert len(conversions) == 2
    assert weights.read_bytes() == whole
    assert not [path for path in place.parent.iterdir() if path != place]
