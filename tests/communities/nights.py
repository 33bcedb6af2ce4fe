"""A standing corpus of vectors that changes by night, for tests and measurements of joining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fanno_core.communities.joining import Joined, first_members, join_partition
from fanno_core.communities.representatives import choose_representatives
from fanno_core.communities.standing_graph import StandingGraph, update_neighbours
from fanno_core.refresh.contracts import Member, Neighbours
from fanno_core.settings import Communities
from fanno_core.store.contracts import Document, Floats, Placed, Rejection, schema_of
from fanno_core.store.tables import to_table

NO_NEIGHBOURS = schema_of(Neighbours).empty_table()


def documents_of_vectors(vectors: Floats) -> list[Document]:
    """One document a vector, their ids without regard to their order."""
    mixed = np.random.default_rng(5).permutation(len(vectors))
    return [
        Document(f"{mixed[i]:016x}", f"text {i}", "here", str(i), words=10 + (i * 7) % 50, quality=0.9)
        for i in range(len(vectors))
    ]


@dataclass
class Night:
    """What a version carries, changed in place by `pass_with`."""

    pool: dict[str, Document]
    vectors: dict[str, Floats]
    settings: Communities
    seed: int = 1
    ids: list[str] = field(default_factory=list)
    near: dict[str, Neighbours] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    placed: dict[str, Placed] = field(default_factory=dict)
    rejected: dict[str, Rejection] = field(default_factory=dict)
    graph: StandingGraph | None = None

    @classmethod
    def built(cls, vectors: Floats, standing: int, settings: Communities) -> Night:
        """After the full build of the first documents; the others wait."""
        documents = documents_of_vectors(vectors)
        night = cls({d.id: d for d in documents}, {d.id: v for d, v in zip(documents, vectors, strict=True)}, settings)
        night.ids = sorted(d.id for d in documents[:standing])
        outcome = choose_representatives(night.documents, night.stack(), settings, "longer", night.seed)
        night.graph = update_neighbours(night.ids, night.stack(), NO_NEIGHBOURS, settings, night.seed)
        night.near = {row.id: row for row in night.graph.changed}
        rows = first_members(night.documents, night.graph, settings, "longer", night.seed)
        night.members = {row.id: row for row in rows}
        night.placed = {row.id: row for row in outcome.kept}
        night.rejected = {row.id: row for row in outcome.rejected}
        return night

    @property
    def documents(self) -> list[Document]:
        return [self.pool[each] for each in self.ids]

    def stack(self) -> Floats:
        """The vectors of what stands, in the order of ids."""
        return self.stack_of(self.ids)

    def stack_of(self, ids: Sequence[str]) -> Floats:
        width = len(next(iter(self.vectors.values())))
        return np.asarray([self.vectors[each] for each in ids], np.float32).reshape(len(ids), width)

    @property
    def waiting(self) -> list[str]:
        return sorted(self.pool.keys() - set(self.ids))

    def pass_with(self, new: Sequence[str], gone: Sequence[str], shuffle: int = 0) -> Joined:
        """The next night, its inputs in any order, and what it writes put in place as a version would."""
        rng = np.random.default_rng(shuffle)
        self.ids = sorted((set(self.ids) - set(gone)) | set(new))
        ids = rng.permutation(self.ids).tolist()
        old = to_table([self.near[key] for key in rng.permutation(list(self.near))], Neighbours)
        vectors = self.stack_of(ids)
        self.graph = update_neighbours(ids, vectors, old, self.settings, self.seed)
        members = to_table([self.members[key] for key in rng.permutation(list(self.members))], Member)
        order = max((row.order for row in self.placed.values()), default=-1) + 1
        joined = join_partition(
            members, self.graph, self.fetch, self.settings, "longer", 0.2, self.seed, first_order=order
        )
        self._write(joined, gone)
        return joined

    def fetch(self, ids: Sequence[str]) -> list[Document]:
        assert set(ids) <= set(self.ids)
        return [self.pool[each] for each in ids]

    def _write(self, joined: Joined, gone: Sequence[str]) -> None:
        assert self.graph is not None
        for key in gone:
            del self.near[key], self.members[key]
            self.placed.pop(key, None)
        self.near.update({row.id: row for row in self.graph.changed})
        self.members.update({row.id: row for row in joined.members})
        for key in [*gone, *joined.lapsed]:
            self.rejected.pop(key, None)
        self.placed.update({row.id: row for row in joined.placed})
        self.rejected.update({row.id: row for row in joined.rejected})


def random_change(night: Night, count: int, number: int) -> tuple[list[str], list[str]]:
    """Ids that come and ids that go, as many of each; what went before may come back."""
    rng = np.random.default_rng(1000 + number)
    new = rng.choice(night.waiting, count, replace=False).tolist()
    return new, rng.choice(night.ids, count, replace=False).tolist()
