"""Whatever is cut off or flipped in committed files is noticed, and the file is named."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fanno_core.dataset.publish import MANIFEST
from fanno_core.dataset.verify import check_dataset
from fanno_core.errors import ShardDamaged
from fanno_core.store.ledger import Store
from fanno_core.store.verify import check_files, check_ledger, entry_paths
from tests.crash.conftest import Reference

pytestmark = pytest.mark.crash

TRIALS = 200
SEED = 11


@contextmanager
def damaged(path: Path, data: bytes) -> Iterator[None]:
    whole = path.read_bytes()
    path.write_bytes(data)
    yield
    path.write_bytes(whole)


def found(out: Path) -> list[str]:
    """Paths of the damaged files, as `fanno verify` finds them."""
    entries, damages = check_ledger(Store(out))
    published = {path: entry for path, entry in entries.items() if MANIFEST in entry.extras}
    others = {path: entry for path, entry in entries.items() if path not in published}
    damages += check_files(Store(out), others) + check_dataset(out, published)
    return [damage.path for damage in damages]


def test_a_ledger_cut_anywhere(reference: Reference) -> None:
    rng, out = random.Random(SEED), reference.out
    paths = [path for path in entry_paths(out) if "/publish/" not in path]
    for _ in range(TRIALS):
        path = rng.choice(paths)
        whole = (out / path).read_bytes()
        with damaged(out / path, whole[: rng.randrange(len(whole))]):
            assert found(out) == [path]
            assert Store(out).find(Path(path).parent.name, Path(path).stem) is None


def test_a_bit_flipped_anywhere_in_a_committed_file(reference: Reference) -> None:
    rng, out = random.Random(SEED), reference.out
    store, (entries, _) = Store(out), check_ledger(Store(out))
    refs = [(entry, ref) for entry in entries.values() for ref in entry.files]
    for _ in range(TRIALS):
        entry, ref = rng.choice(refs)
        data = bytearray((out / ref.path).read_bytes())
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        with damaged(out / ref.path, bytes(data)):
            assert ref.path in found(out)
            assert store.find(entry.phase, entry.key) is None
            with pytest.raises(ShardDamaged, match=ref.path):
                store.bytes_of(ref)
