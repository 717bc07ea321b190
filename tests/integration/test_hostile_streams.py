"""What is on its way when a peer does not read, or ends one direction and not the other: at each kind
of listener nothing is kept without bound, nothing that was said in time is lost, and both legs end.

The backends are our own, so that it is known what they have said.
"""

import contextlib
import itertools
import threading

import pytest

from support import cql_wire, memory, wire
from support.fake_backend import FakeBackend
from support.fake_node import FakeNode, integer
from support.memory import costs_little
from support.every_kind import CASSANDRA, KINDS
from support.gateway_doors import ESTABLISHED, Doors
from support.waiting import wait_until

MIB = 1024 * 1024
# Twice what the gateway may grow by, and as much again as the kernel keeps for two connections.
RESULT_MIB = 192
# One of a result's rows, each in a packet of its own, or all in one frame.
ROW = bytes(range(256)) * 256
ROWS = RESULT_MIB * MIB // len(ROW)
STATEMENT = "SELECT a FROM b.c"
# What a node says before the rows: a column of the type blob, and how many they are.
ROWS_BEGIN = (integer(2) + integer(1) + integer(1) + cql_wire.string("b") + cql_wire.string("c")
              + cql_wire.string("a") + b"\0\3" + integer(ROWS))


class Backend:
    """Of each kind, one that answers a statement by `answer(backend, connection, rows)`; there are
    more rows than anybody says."""

    def __init__(self, answer):
        self.answer = answer
        self.said = 0  # rows that were taken off its hands
        self.over = threading.Event()
        self.connection = None

    def mariadb(self, connection):
        connection.take_login()
        connection.receive_packet()
        self._answer(connection, (wire.packet(number, ROW) for number in itertools.count(1)))

    def node(self, talk, frame):
        if STATEMENT.encode() not in frame.body:
            return False
        header = cql_wire.Frame(4, cql_wire.RESULT, b"", frame.stream, response=True).encode()[:-4]
        size = len(ROWS_BEGIN) + ROWS * len(cql_wire.value(ROW))
        talk.connection.send(header + integer(size) + ROWS_BEGIN)
        self._answer(talk.connection, itertools.repeat(cql_wire.value(ROW)))
        return True

    def _answer(self, connection, rows):
        self.connection = connection
        try:
            self.answer(self, connection, rows)
        finally:
            self.over.set()

    def say(self, connection, rows, count):
        for _ in range(count):
            connection.send(next(rows))
            self.said += 1


@pytest.fixture
def open_door(certificates, monkeypatch):
    """A gateway before backends that answer so, and a client in the middle of asking."""
    memory.keep_little_that_is_freed(monkeypatch)
    with contextlib.ExitStack() as running:

        def open_door(kind, answer):
            backend = Backend(answer)
            mariadb = running.enter_context(FakeBackend(backend.mariadb))
            node = running.enter_context(FakeNode(instead=backend.node))
            doors = running.enter_context(Doors(
                certificates, mariadb.tcp_backend, node.tcp_backend, mariadb_tls="off"))
            door = doors[kind]
            session = running.enter_context(door.connect())
            door.reach(session, ESTABLISHED)
            if kind == CASSANDRA:
                session.send_frame(cql_wire.QUERY, cql_wire.query_body(4, STATEMENT))
            else:
                session.command(wire.COM_QUERY, STATEMENT.encode())
            return door, session, backend

        yield open_door


def _receive_rows(kind, session, count):
    if kind == CASSANDRA:
        session.receive_exactly(cql_wire.HEADER_SIZE + len(ROWS_BEGIN))
    for _ in range(count):
        row = (session.receive_exactly(len(cql_wire.value(ROW)))[4:] if kind == CASSANDRA
               else session.receive_packet())
        assert row == ROW


def _stands_still(backend):
    """Whether nothing more is taken of a backend that has more to say, as it was asked before."""
    before, backend.looked_at = getattr(backend, "looked_at", None), backend.said
    return backend.said > 0 and before == backend.said and not backend.connection.has_room()


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_does_not_read_stops_its_backend_and_misses_nothing(open_door, kind):
    def answer(backend, connection, rows):
        backend.say(connection, rows, ROWS)
        connection.stall()

    door, session, backend = open_door(kind, answer)
    with costs_little(door.gateway):
        wait_until(lambda: _stands_still(backend), "the backend is not read any more", poll=0.5)
        assert backend.said < ROWS
    _receive_rows(kind, session, ROWS)
    assert backend.said == ROWS
    session.close()
    assert door.end_of(session)["close_reason"] == "client_closed"


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_goes_without_having_read_lets_its_backend_go(open_door, kind, end):
    def answer(backend, connection, rows):
        backend.say(connection, rows, ROWS)

    door, session, backend = open_door(kind, answer)
    wait_until(lambda: _stands_still(backend), "the backend is not read any more", poll=0.5)
    getattr(session, end)()
    assert door.end_of(session)["close_reason"] == "client_closed"
    assert backend.over.wait(20), "the backend is still at it"
    assert backend.said < ROWS


@pytest.mark.parametrize("end", ["finish_sending", "end_tls"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_ends_its_direction_ends_both_legs(open_door, kind, end):
    """As in decisions/0010: no client of either database reads on behind its own end."""

    def answer(backend, connection, rows):
        backend.say(connection, rows, 1)
        connection.stall()
        backend.heard_the_end = True

    door, session, backend = open_door(kind, answer)
    _receive_rows(kind, session, 1)
    getattr(session, end)()
    assert door.end_of(session)["close_reason"] == "client_closed"
    assert backend.over.wait(20) and backend.heard_the_end


@pytest.mark.parametrize("end", ["finish_sending", "close", "shut_down"])
@pytest.mark.parametrize("kind", KINDS)
def test_all_that_a_backend_has_said_before_its_end_is_heard(open_door, kind, end):
    def answer(backend, connection, rows):
        backend.say(connection, rows, 64)
        getattr(connection, end)()
        if end == "finish_sending":
            connection.stall()  # until the gateway ends the other direction, too

    door, session, backend = open_door(kind, answer)
    _receive_rows(kind, session, 64)
    assert session.receive_rest() == b""
    assert door.end_of(session)["close_reason"] == "backend_closed"
    assert backend.over.wait(20), "the other direction is still open"


@pytest.mark.parametrize("kind", KINDS)
def test_a_backend_that_resets_in_the_middle_of_a_result_ends_the_session(open_door, kind):
    def answer(backend, connection, rows):
        connection.send(next(rows)[:-1])
        said.wait(20)
        connection.reset()

    said = threading.Event()
    door, session, _ = open_door(kind, answer)
    session.receive(1)
    said.set()
    session.receive_rest()
    assert door.end_of(session)["close_reason"] == "backend_closed"
