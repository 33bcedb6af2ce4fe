from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fanno_core.communities.encoder import Encoder
from fanno_core.communities.neighbours import Edges, build_index, neighbour_edges
from fanno_core.communities.partition import leiden
from fanno_core.communities.refinement import quality_of
from fanno_core.refresh.contracts import Member
from fanno_core.settings import Communities, Settings
from fanno_core.store.contracts import Floats, Placed, Rejection
from fanno_core.store.tables import to_parquet
from tests.communities.nights import Night, random_change
from tests.communities.test_partition import blobs, unit
from tests.shared_data import shared, shared_rows


def near(*angles: float) -> Floats:
    """Unit vectors in a plane, by their angle in degrees."""
    turned = np.radians(angles)
    return unit(np.stack([np.cos(turned), np.sin(turned), np.zeros(len(angles))], axis=1))


def night_of(vectors: Floats, standing: int, **how: Any) -> tuple[Night, list[str]]:
    """A night after a full build, and the ids of the vectors in their order."""
    night = Night.built(vectors, standing, Communities(**how))
    return night, list(night.pool)


def groups_of(night: Night) -> set[frozenset[str]]:
    found: dict[str, set[str]] = {}
    for row in night.members.values():
        found.setdefault(row.community, set()).add(row.id)
    return {frozenset(ids) for ids in found.values()}


def check_whole(night: Night) -> None:
    """Every document in one place, and every place true."""
    assert set(night.members) == set(night.ids)
    assert set(night.placed) | set(night.rejected) == set(night.ids)
    assert not set(night.placed) & set(night.rejected)
    assert {row.id for row in night.members.values() if row.represents} == set(night.placed)
    orders = [row.order for row in night.placed.values()]
    assert len(set(orders)) == len(orders)
    sizes = Counter(row.community for row in night.members.values())
    staff = Counter(row.community for row in night.members.values() if row.represents)
    for row in night.rejected.values():
        community = night.members[row.id].community
        small = not community or sizes[community] < night.settings.min_size
        assert row.reason == ("small_community" if small else "represented")
        assert row.detail == (f"community {community}" if community else "in no community of the minimum size")
    for community, size in sizes.items():
        if community and size >= night.settings.min_size:
            assert staff[community] >= min(size, night.settings.per_community)


def test_a_night_without_a_change_writes_nothing() -> None:
    vectors, _ = blobs(200, 20, spread=0.2)
    night, _ = night_of(vectors, 200)
    joined = night.pass_with([], [])
    assert (joined.members, joined.placed, joined.rejected, joined.lapsed) == ([], [], [], [])
    assert (joined.standing, joined.moved, joined.drift, joined.rebuild) == (200, 0, 0, False)


def test_a_new_document_joins_its_neighbours_and_changes_nothing_of_theirs() -> None:
    vectors, which = blobs(200, 10)
    night, ids = night_of(vectors, 199)
    placed = dict(night.placed)
    joined = night.pass_with(ids[199:], [])
    community = next(night.members[each].community for each, w in zip(ids, which, strict=False) if w == which[199])
    assert [(row.id, row.community, row.built) for row in joined.members] == [(ids[199], community, community)]
    assert [(row.id, row.reason, row.detail) for row in joined.rejected] == [
        (ids[199], "represented", f"community {community}")
    ]
    assert night.placed == placed
    check_whole(night)


def test_new_communities_are_named_by_their_centre_and_stand_at_the_end_of_the_queue() -> None:
    vectors, _ = blobs(100, 10)
    night, ids = night_of(np.concatenate([vectors, np.eye(32, dtype=np.float32)[:3]]), 100)
    topics = {row.topic for row in night.members.values()}
    joined = night.pass_with(ids[100:], [])
    assert {row.community for row in joined.placed} == set(ids[100:])
    assert [row.order for row in joined.placed] == [10, 11, 12]
    assert {row.topic for row in joined.placed} == {max(topics) + 1, max(topics) + 2, max(topics) + 3}
    check_whole(night)


def test_the_next_central_document_takes_the_place_of_one_that_went() -> None:
    night, ids = night_of(near(0, 1, 2, 3, 4, 100), 6)
    community = night.members[ids[0]].community
    joined = night.pass_with([], [community])
    assert community == ids[2]
    rest = [ids[i] for i in (0, 1, 3, 4)]
    assert [row.id for row in joined.placed] == joined.lapsed
    assert joined.placed[0].id in {ids[1], ids[3]}
    assert (joined.placed[0].rank, joined.placed[0].order, joined.placed[0].community_size) == (0, 2, 4)
    assert {night.members[each].community for each in rest} == {community}
    check_whole(night)


def test_a_free_place_is_filled_also_where_the_member_left_unseen() -> None:
    night, ids = night_of(near(0, 1, 2, 100), 4)
    gone = next(iter(night.placed.keys() & set(ids[:3])))
    del night.near[gone], night.members[gone], night.placed[gone]
    night.ids.remove(gone)
    joined = night.pass_with([], [])
    assert len(joined.placed) == 1
    check_whole(night)


def test_of_a_split_the_larger_part_keeps_the_id() -> None:
    night, ids = night_of(near(0, 1, 2, 25, 50, 51, 52, 53), 8, threshold=0.85, resolution=0.05)
    assert len(groups_of(night)) == 1
    community = night.members[ids[0]].community
    placed = dict(night.placed)
    joined = night.pass_with([], [ids[3]])
    assert groups_of(night) == {frozenset(ids[:3]), frozenset(ids[4:])}
    assert {night.members[each].community for each in ids[4:]} == {community}
    assert {night.members[each].community for each in ids[:3]} == {ids[1]}
    assert joined.moved == 3
    assert joined.drift == pytest.approx(3 / 7)
    assert joined.rebuild
    assert {key: row for key, row in night.placed.items() if key in placed} == {
        key: row for key, row in placed.items() if key != ids[3]
    }
    check_whole(night)


def test_of_a_merge_the_larger_id_stays_and_so_do_both_who_stood() -> None:
    night, ids = night_of(near(0, 1, 2, 40, 41, 42, 43, 21, 20), 7, threshold=0.85, resolution=0.05)
    stood, larger = dict(night.placed), night.members[ids[3]].community
    assert len(stood) == 2
    joined = night.pass_with(ids[7:], [])
    assert {row.community for row in night.members.values()} == {larger}
    assert night.placed == stood
    assert joined.moved == 3
    assert {row.id for row in joined.rejected} >= set(ids[7:])
    assert {night.members[each].built for each in ids[:3]} != {larger}
    assert night.pass_with([], []).drift == pytest.approx(3 / 9)
    check_whole(night)


def test_a_document_that_leaves_the_community_named_after_it_gets_another_name() -> None:
    night, ids = night_of(near(0, 1, 2, 25, 50, 51, 52, 53), 8, threshold=0.85, resolution=0.05)
    named = ids[1]
    night.members = {key: replace(row, community=named, built=named) for key, row in night.members.items()}
    night.pass_with([], [ids[0], ids[2], ids[3]])
    assert {night.members[each].community for each in ids[4:]} == {named}
    other = night.members[named].community
    assert other != named
    assert len(other) == 16
    assert set(night.placed) > {named}


@pytest.mark.parametrize("per_community", [1, 3])
def test_a_community_that_reaches_the_minimum_is_asked(per_community: int) -> None:
    night, ids = night_of(near(0, 1, 100, 101, 102, 2, 3), 5, min_size=3, per_community=per_community)
    assert {row.reason for key, row in night.rejected.items() if key in ids[:2]} == {"small_community"}
    joined = night.pass_with(ids[5:], [])
    check_whole(night)
    assert len(joined.placed) == per_community
    assert set(joined.lapsed) == set(ids[:2])
    stood = dict(night.placed)
    night.pass_with([], ids[5:])
    assert {key: row for key, row in stood.items() if key in night.ids}.items() <= night.placed.items()
    check_whole(night)


def test_fast_joins_the_nearest_who_stands_or_makes_groups_of_its_own() -> None:
    night, ids = night_of(near(0, 1, 2, 90, 3, 180, 181, 270), 4, partition="fast", threshold=0.9, min_size=2)
    assert night.members[ids[3]].community == ""
    night.pass_with(ids[4:], [])
    assert night.members[ids[4]].community == night.members[ids[0]].community
    assert night.members[ids[5]].community == night.members[ids[6]].community in ids[5:7]
    assert night.members[ids[7]].community == ""
    check_whole(night)
    night.pass_with([], [ids[0]])
    check_whole(night)


def test_order_of_inputs_changes_no_byte() -> None:
    vectors, _ = blobs(400, 40, spread=0.25)
    once, again = (night_of(vectors, 300)[0] for _ in range(2))
    for number in range(3):
        change = random_change(once, 20, number)
        first, second = once.pass_with(*change, shuffle=1), again.pass_with(*change[::1], shuffle=2)
        assert first == second
    for rows in ("members", "placed", "rejected"):
        contract = {"members": Member, "placed": Placed, "rejected": Rejection}[rows]
        written = [to_parquet(list(getattr(night, rows).values()), contract) for night in (once, again)]
        assert written[0] == written[1]


def quality(night: Night, edges: Edges, kind: str) -> tuple[float, float]:
    """Leiden's quality on the graph of a rebuild: of what was carried, and of a rebuild."""
    how = night.settings
    threshold, resolution, function = {
        "community": (how.threshold, how.resolution, how.quality),
        "topic": (how.topic_threshold, how.topic_resolution, "rb"),
    }[kind]
    edges = edges.above(threshold)
    carried = np.unique([getattr(night.members[each], kind) for each in night.ids], return_inverse=True)[1]
    rebuilt = np.zeros(len(night.ids), np.int64)
    for label, rows in enumerate(leiden(len(rebuilt), edges, function, resolution, night.seed)):
        rebuilt[rows] = label
    of_carried, of_rebuilt = (quality_of(labels, edges, function, resolution) for labels in (carried, rebuilt))
    return of_carried, of_rebuilt


def ten_nights(night: Night, count: int, most_moved: float) -> None:
    """Ten nights of random changes; what must hold after each and after all."""
    check_whole(night)
    for number in range(10):
        before, stood = dict(night.members), dict(night.placed)
        joined = night.pass_with(*random_change(night, count, number), shuffle=number)
        check_whole(night)
        stand = [each for each in before if each in night.members]
        assert all(night.placed[each] == row for each, row in stood.items() if each in night.members)
        moved = [each for each in stand if before[each].community != night.members[each].community]
        assert joined.moved == len(moved) <= most_moved * len(stand)
        assert {row.id for row in joined.members} == {e for e in night.ids if before.get(e) != night.members[e]}
        assert all(night.members[each].built == before[each].built for each in stand)
        drifted = [each for each in stand if night.members[each].community != night.members[each].built]
        assert joined.drift == len(drifted) / len(stand)
    edges = neighbour_edges(build_index(night.stack(), len(night.ids), 0), night.stack(), 16, 0.4)
    for kind in ("community", "topic"):
        carried, rebuilt = quality(night, edges, kind)
        assert carried >= 0.98 * rebuilt, kind


# With `rb` at this resolution communities are large, and a change of 7% a night moves more of them.
FUNCTIONS = pytest.mark.parametrize(("function", "most_moved"), [("cpm", 0.1), ("rb", 0.3)])


@FUNCTIONS
def test_ten_nights_leave_the_quality_of_a_rebuild(function: str, most_moved: float) -> None:
    vectors, _ = blobs(260, 30, spread=0.45)
    ten_nights(night_of(vectors, 200, quality=function, threshold=0.6)[0], 6, most_moved)


@pytest.mark.slow
@FUNCTIONS
def test_ten_nights_of_real_vectors(function: str, most_moved: float) -> None:
    vectors = np.load(shared("golden/clustering_alpaca800_embeddings_f32.npy"))
    ten_nights(night_of(vectors, 600, quality=function, per_community=2)[0], 20, most_moved)


@pytest.mark.slow
def test_ten_nights_of_real_documents() -> None:
    texts = [row["text"] for row in shared_rows("corpus/web_mix.jsonl")[::4]]
    vectors = Encoder(Settings().encoder).encode(texts)
    ten_nights(night_of(vectors, 2000)[0], 20, most_moved=0.02)


@pytest.mark.slow
def test_cost_grows_slower_than_the_corpus(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = {}
    for size in (2000, 8000, 32_000):
        vectors, _ = blobs(size + 200, size // 3, spread=0.6)
        night = Night.built(vectors, size, Communities())
        started = time.process_time()
        night.pass_with(night.waiting, night.ids[:: size // 200][:200])
        seconds[size] = time.process_time() - started
    with capsys.disabled():
        print(", ".join(f"{size:,} documents: {spent:.2f} s CPU" for size, spent in seconds.items()))
    # Not flat: whole-column work and the topics' graph grow, though slower than the corpus, which grows 16-fold.
    assert seconds[32_000] < 16 * seconds[2000]
