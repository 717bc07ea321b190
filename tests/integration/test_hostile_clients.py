"""Clients that may come in and then break off, say nothing, say too much or lie, at every stage of
a session and at each kind of listener: each ends with its reason in the audit, and no other does."""

import contextlib

import pytest

from support import cql_wire, every_kind, wire
from support.connection import Closed
from support.fake_node import FakeNode
from support.every_kind import BEGINNING_TLS, CASSANDRA, KINDS, ROUTED, TRANSPARENT
from support.gateway_doors import ESTABLISHED, Doors
from support.waiting import wait_until

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def node():
    with FakeNode() as node:
        yield node


@pytest.fixture(scope="module")
def doors(certificates, mariadb, node):
    with Doors(certificates, mariadb.tcp_backend, node.tcp_backend) as doors:
        yield doors


@pytest.fixture(scope="module")
def hasty_doors(certificates, mariadb, node):
    """A client has so long from accept to login. No less: on a busy machine it must get in."""
    with Doors(certificates, mariadb.tcp_backend, node.tcp_backend,
               limits={"handshake_timeout": "3s"}) as doors:
        yield doors


@pytest.mark.parametrize("end", ["close", "reset", "finish_sending"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_ends_at_any_stage_ends_its_own_session_only(doors, mariadb, kind, end):
    door = doors[kind]
    with door.connect() as other:
        door.reach(other, ESTABLISHED)
        for stage in door.stages:
            with door.connect() as session:
                getattr(door.reach(session, stage), end)()
                reason = "tls_failed" if stage in BEGINNING_TLS else "client_closed"
                assert door.end_of(session)["close_reason"] == reason, stage
                if end == "finish_sending":
                    session.receive_rest()
        assert door.is_answered(other)
    assert door.works()
    # Nothing is left of them behind the gateway either.
    wait_until(lambda: mariadb.sessions_of("native", "ed", "unauthenticated user") == 0,
               "the backend has no session any more")


@pytest.mark.parametrize("kind", KINDS)
def test_one_deadline_ends_who_says_nothing_and_who_says_a_byte_at_a_time(hasty_doors, kind):
    door = hasty_doors[kind]
    before = [stage for stage in door.stages if stage != ESTABLISHED]
    with contextlib.ExitStack() as open_ones:
        silent, dripping = ({stage: door.reach(open_ones.enter_context(door.connect()), stage)
                             for stage in before} for _ in range(2))
        drops = {stage: iter(door.due(session, stage)[:-1])
                 for stage, session in dripping.items()}

        def all_are_cut():
            for stage, session in list(dripping.items()):
                try:
                    session.send(bytes([next(drops[stage])]))
                except (OSError, Closed):
                    del drops[stage]
                    ended[stage] = dripping.pop(stage)
            return not dripping

        ended = {}
        # At this pace the shortest of them lasts for twice the deadline.
        wait_until(all_are_cut, "the gateway closes all that drip", poll=0.3)
        for stage in before:
            for session in (silent[stage], ended[stage]):
                assert door.end_of(session)["close_reason"] == "handshake_timeout", stage


# 0xEE begins no record of TLS, no packet of a login's length, and no version of CQL.
NOISE = b"\xee" * 4096


@pytest.mark.parametrize("kind", KINDS)
def test_noise_is_refused_at_any_stage(doors, kind):
    door = doors[kind]
    for stage in door.stages:
        with door.connect() as session:
            door.reach(session, stage)
            session.send(NOISE)
            session.receive_rest()
            reason = "tls_failed" if stage in BEGINNING_TLS else "login_malformed"
            if (kind, stage) == (CASSANDRA, every_kind.CONNECTED):
                reason = "plaintext_refused"
            if kind != CASSANDRA and stage == ESTABLISHED:
                reason = "backend_closed"  # which has read it: data that it might have asked for
            assert door.end_of(session)["close_reason"] == reason, stage
        assert door.works()


def _frame(opcode, body=b"", version=4, stream=1, flags=0, size=None):
    frame = cql_wire.Frame(version, opcode, body, stream, flags).encode()
    return frame if size is None else frame[:5] + size.to_bytes(4, "big") + body


_STARTUP = cql_wire.string_map({"CQL_VERSION": "3.0.0"})
LIES_OF_MARIADB = {
    "a sequence number of its own": lambda sequence: wire.packet(sequence + 5, b"x" * 64),
    "a sequence number it has used": lambda sequence: wire.packet(sequence - 1, b"x" * 64),
    "a length beyond all bounds": lambda sequence: b"\xff\xff\xff" + bytes([sequence]) + bytes(99),
    "a length a login cannot have": lambda sequence: b"\0\0\x08" + bytes([sequence]) + bytes(99),
}
LIES_OF_CASSANDRA = {
    "a length beyond all bounds": _frame(cql_wire.STARTUP, _STARTUP, size=2**32 - 1),
    "a length a login cannot have": _frame(cql_wire.STARTUP, _STARTUP, size=16 * MIB),
    "a statement before its login": _frame(cql_wire.QUERY, cql_wire.query_body(4, "SELECT 1")),
    "a map longer than its frame": _frame(cql_wire.STARTUP, b"\0\xff" + _STARTUP[2:]),
    "text longer than its frame": _frame(cql_wire.STARTUP, _STARTUP[:2] + b"\xff" + _STARTUP[3:]),
    "an answer of its own": bytes([0x84]) + _frame(cql_wire.STARTUP, _STARTUP)[1:],
    "nothing in a STARTUP": _frame(cql_wire.STARTUP),
    "a version that is none": _frame(cql_wire.STARTUP, _STARTUP, version=0x3F),
}


@pytest.mark.parametrize("stage", [every_kind.IN_TLS, every_kind.ASKED_FOR_A_PROOF])
@pytest.mark.parametrize("lie", LIES_OF_MARIADB)
@pytest.mark.parametrize("kind", [TRANSPARENT, ROUTED])
def test_a_login_to_mariadb_is_malformed_that_has(doors, kind, lie, stage):
    door = doors[kind]
    with door.connect() as session:
        door.reach(session, stage)
        session.send(LIES_OF_MARIADB[lie](session.sequence))
        assert wire.error_payload(1043, "Bad handshake", "08S01") in session.receive_rest()
        assert door.end_of(session)["close_reason"] == "login_malformed"


@pytest.mark.parametrize("stage", [every_kind.IN_TLS, every_kind.ASKED_FOR_A_PROOF])
@pytest.mark.parametrize("lie", LIES_OF_CASSANDRA)
def test_a_login_to_cassandra_is_malformed_that_has(doors, node, lie, stage):
    door = doors[CASSANDRA]
    logins = len(node.logins)
    with door.connect() as session:
        door.reach(session, stage)
        session.send(LIES_OF_CASSANDRA[lie])
        session.receive_rest()
        assert door.end_of(session)["close_reason"] == "login_malformed"
    assert len(node.logins) == logins
