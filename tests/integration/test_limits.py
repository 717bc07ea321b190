"""Caps on sessions: who is over one reads 1040, and only who is allowed in learns of it."""

import contextlib

import pytest

from support import configuration
from support.mariadb_server import PASSWORD
from support.refusals import TOO_MANY, denied_bytes
from support.waiting import wait_until


@pytest.fixture
def capped(certificates, mariadb, start_gateway):
    """Starts a gateway with these limits, and these keys of its server."""

    def start(limits=None, **server_keys):
        server = configuration.server(certificates, [mariadb.tcp_backend], **server_keys)
        return start_gateway(
            configuration.gateway_yaml(certificates, [], servers=[server], limits=limits or {}),
            {"orders.yaml": configuration.rule_file("some 127.0.0.0/24")})

    return start


def _log_in(gateway, source="127.0.0.1"):
    return gateway.connect(source).log_in("native", PASSWORD)


def _assert_full(gateway, source):
    with gateway.connect(source) as session:
        assert session.receive_rest() == TOO_MANY


def _wait_for_room(gateway, source):
    def greeted():
        with gateway.connect(source) as session:
            return session.receive()[:5] != TOO_MANY[:5]

    wait_until(greeted, "the place that was given back is free")


def test_those_that_find_no_room_are_no_handshakes(certificates, mariadb, start_gateway):
    server = configuration.server(certificates, [mariadb.tcp_backend], max_sessions=1)
    gateway = start_gateway(configuration.gateway_yaml(certificates, [], servers=[server]))
    with gateway.connect() as inside:
        inside.log_in("native", PASSWORD)
        for _ in range(3):
            with gateway.connect() as outside:
                assert outside.receive_rest() == TOO_MANY
        gateway.wait_for_metric("gatehouse_sessions_closed_total", 3, reason="too_many_sessions")
        assert gateway.metric("gatehouse_handshakes") == 0


def test_those_that_find_no_room_take_none_from_who_comes_with_them(certificates, mariadb,
                                                                     start_gateway):
    server = configuration.server(certificates, [mariadb.tcp_backend], max_sessions=1)
    gateway = start_gateway(configuration.gateway_yaml(
        certificates, [], servers=[server], limits={"sessions_per_source": 3}, workers=1))
    with gateway.connect() as inside, contextlib.ExitStack() as outside:
        inside.log_in("native", PASSWORD)
        with gateway.standing_still():
            together = [outside.enter_context(gateway.connect()) for _ in range(8)]
        for session in together:
            assert session.receive_rest() == TOO_MANY
        closed = wait_until(lambda: (found := gateway.audit("closed")) and len(found) == 8 and found,
                            "all are in the audit")
        assert {record["bound"] for record in closed} == {"max_sessions"}


@pytest.mark.parametrize("limits, keys", [({"sessions": 2}, {}), ({}, {"max_sessions": 2})])
def test_a_gateway_or_a_server_that_is_full_says_so(capped, limits, keys):
    gateway = capped(limits, **keys)
    with _log_in(gateway, "127.0.0.1") as first, _log_in(gateway, "127.0.0.2") as second:
        _assert_full(gateway, "127.0.0.3")
        gateway.wait_for_audit("closed", close_reason="too_many_sessions")
        # A stranger is told that it is one, whether there is room or not.
        with gateway.connect("127.7.7.7") as stranger:
            assert stranger.receive_rest() == denied_bytes("127.7.7.7")
        assert first.ping() and second.ping()
    _wait_for_room(gateway, "127.0.0.3")


def test_a_source_that_has_its_share_does_not_take_that_of_others(capped):
    gateway = capped({"sessions_per_source": 1})
    with _log_in(gateway, "127.0.0.1"):
        _assert_full(gateway, "127.0.0.1")
        with _log_in(gateway, "127.0.0.2") as other:
            assert other.ping()
    _wait_for_room(gateway, "127.0.0.1")


def test_denied_clients_take_no_place(capped):
    gateway = capped({"sessions": 1})
    strangers = [gateway.connect("127.7.7.7") for _ in range(10)]
    with _log_in(gateway) as session:
        assert session.ping()
    for stranger in strangers:
        stranger.close()


def test_handshakes_have_a_cap_of_their_own(capped):
    gateway = capped({"handshakes": 1})
    with gateway.connect() as half_way:
        half_way.read_greeting()
        _assert_full(gateway, "127.0.0.2")
    _wait_for_room(gateway, "127.0.0.2")


def test_a_session_that_says_nothing_for_too_long_is_closed(capped):
    gateway = capped({"idle_timeout": "1s"})
    with _log_in(gateway) as session:
        session.wait_for_end()
    gateway.wait_for_audit("closed", close_reason="idle_timeout")
