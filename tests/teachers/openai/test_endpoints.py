from __future__ import annotations

from collections import Counter

from yarl import URL

from fanno_core.teachers.openai.endpoints import FAULTS_UNTIL_DOWN, Endpoint, Endpoints

DOCUMENTS = [f"d{n}" for n in range(300)]


def servers(count: int) -> Endpoints:
    return Endpoints([Endpoint(URL(f"http://host{n}:8000/v1")) for n in range(count)], lambda: 100.0)


def chosen(endpoints: Endpoints) -> dict[str, str]:
    return {document: str(endpoints.choose(document, 64)) for document in DOCUMENTS}


def test_documents_spread_evenly_and_stay_where_they_are() -> None:
    endpoints = servers(3)
    assert chosen(endpoints) == chosen(endpoints)
    assert all(70 < count < 130 for count in Counter(chosen(endpoints).values()).values())


def test_only_the_documents_of_a_lost_server_move() -> None:
    endpoints = servers(3)
    before = {document: endpoints.choose(document, 64) for document in DOCUMENTS}
    lost = endpoints.members[1]
    lost.is_down = True
    after = {document: endpoints.choose(document, 64) for document in DOCUMENTS}
    assert {d for d in DOCUMENTS if before[d] is not after[d]} == {d for d in DOCUMENTS if before[d] is lost}


def test_a_server_far_beyond_its_share_is_passed_over() -> None:
    endpoints = servers(2)
    first = endpoints.choose("d1", 64)
    assert first
    first.in_flight = 47
    assert endpoints.choose("d1", 64) is first
    first.in_flight = 48
    assert endpoints.choose("d1", 64) is not first


def test_a_resting_server_is_left_alone_until_its_time() -> None:
    endpoints = servers(1)
    endpoints.members[0].rests_until = 107.0
    assert endpoints.choose("d1", 64) is None
    assert endpoints.wakes_in() == 7.0
    endpoints.members[0].rests_until = 100.0
    assert endpoints.choose("d1", 64) is endpoints.members[0]
    assert endpoints.wakes_in() is None


def test_faults_in_a_row_mean_down_but_an_answer_between_them_does_not() -> None:
    endpoint = Endpoint(URL("http://host/v1"))
    for _ in range(2 * FAULTS_UNTIL_DOWN):
        assert not endpoint.failed()
        endpoint.answered()
    assert [endpoint.failed() for _ in range(FAULTS_UNTIL_DOWN)] == [False] * (FAULTS_UNTIL_DOWN - 1) + [True]
    assert endpoint.is_down
    assert Endpoint(URL("http://host/v1")).failed(unreachable=True)


def test_a_server_that_was_down_is_tried_with_one_request() -> None:
    endpoints = servers(1)
    endpoint = endpoints.members[0]
    endpoint.failed(unreachable=True)
    assert endpoints.choose("d1", 64) is None
    endpoint.is_down = False
    assert endpoints.choose("d1", 64) is endpoint
    endpoint.in_flight = 1
    assert endpoints.choose("d1", 64) is None
    endpoint.answered()
    assert endpoints.choose("d1", 64) is endpoint
    endpoint.failed(unreachable=True)
    endpoint.is_down = False
    assert endpoint.failed()
    assert endpoint.relapses == 2


def test_what_messages_show_holds_no_password() -> None:
    assert Endpoint(URL("https://me:pw@host/v1?key=k")).shown == "https://host/v1"
