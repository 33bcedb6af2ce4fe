"""Pairs of documents that are near, as columns of row numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fanno_core.communities.neighbours import Mask, Rows
from fanno_core.store.contracts import Floats


@dataclass(frozen=True)
class Near:
    """Pairs of documents that are near: `[m]` row numbers of the one and the other, and their cosines."""

    sources: Rows
    targets: Rows
    cosines: Floats

    def where(self, keep: Mask | Rows) -> Near:
        """Some of the pairs."""
        return Near(self.sources[keep], self.targets[keep], self.cosines[keep])

    def once(self, count: int) -> Near:
        """Each pair once, its smaller row as the source; by source and target. There are `count` rows."""
        keys = np.minimum(self.sources, self.targets) * count + np.maximum(self.sources, self.targets)
        keys, first = np.unique(keys, return_index=True)
        return Near(*np.divmod(keys, max(count, 1)), self.cosines[first])

    def both_ways(self) -> Near:
        """Pairs that stand once, from either end; the targets of each source rise."""
        # The smaller targets of a source come from the first half and the larger ones from the second.
        sources = np.concatenate([self.targets, self.sources])
        targets = np.concatenate([self.sources, self.targets])
        return Near(sources, targets, np.concatenate([self.cosines, self.cosines]))

    def by_nearness(self) -> Near:
        """By source and falling cosine; equals stay in their order."""
        # Bits of floats rise with their values, from zero down they fall: one integer sorts faster than two columns.
        bits = self.cosines.view(np.int32).astype(np.int64)
        falling = np.where(bits < 0, bits & 0x7FFFFFFF, -bits) + 2**31
        return self.where(np.argsort((self.sources << 32) + falling, kind="stable"))

    @staticmethod
    def together(*parts: Near) -> Near:
        """The pairs of all parts."""
        return Near(
            np.concatenate([p.sources for p in parts]),
            np.concatenate([p.targets for p in parts]),
            np.concatenate([p.cosines for p in parts]),
        )


NOTHING = Near(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
