"""Backends that lie, drip, never end or end at any moment, behind each kind of listener: they get no login
that they should not have, and their clients read a reference, or the rest of what was said."""

import itertools

import pytest

from support import cql_wire, memory, soak, wire
from support.connection import Closed
from support.fake_backend import Cutter, FakeBackend, in_pieces
from support.fake_node import FakeNode
from support.mariadb_server import PASSWORD
from support.memory import costs_little
from support.session import ServerError
from support.every_kind import CASSANDRA, KINDS, ROUTED, TRANSPARENT
from support.gateway_doors import ESTABLISHED, Doors
from support.waiting import wait_until

MARIADB_KINDS = [TRANSPARENT, ROUTED]
NOWHERE = "127.0.0.1:1"  # for the kinds that a test is not about
OK = b"\0\0\0\2\0\0\0"


@pytest.fixture
def start(certificates):
    """A door of one kind whose backend is this one."""
    running = []

    def start(kind, backend, tls, **options):
        is_cassandra = kind == CASSANDRA
        doors = Doors(
            certificates, NOWHERE if is_cassandra else backend.tcp_backend,
            backend.tcp_backend if is_cassandra else NOWHERE,
            mariadb_tls="off" if is_cassandra else tls, cassandra_tls=tls, **options)
        running.append(doors)
        return doors.__enter__()[kind]

    yield start
    for doors in running:
        doors.__exit__()


@pytest.fixture
def secure_node(certificates):
    with FakeNode(certificates.backend) as node:
        yield node


@pytest.fixture
def real(mariadb, secure_node):
    """What serves a kind in earnest."""
    return lambda kind: secure_node if kind == CASSANDRA else mariadb


def _log_in(door):
    """None, or what the client was told in place of entering."""
    with door.connect() as session:
        try:
            door.reach(session, ESTABLISHED)
        except (ServerError, cql_wire.ServerError, Closed, OSError) as error:
            return door.end_of(session), error
        return None


def _is_told(door, reason=None):
    """That a client reads a reference to its record, and nothing of what the backend said."""
    refused = _log_in(door)
    assert refused is not None, "it got in"
    record, error = refused
    assert record["close_reason"] == (reason or "backend_unreachable")
    assert record["session"] in str(error)
    assert "127.0.0.1" not in str(error) and "internal" not in str(error)
    return error


class TestTrust:
    WRONG = ["expired_backend", "early_backend", "misnamed_backend", "stranger_backend"]

    @pytest.mark.parametrize("identity", WRONG)
    @pytest.mark.parametrize("kind", KINDS)
    def test_no_login_goes_to_a_backend_whose_certificate_is_wrong(self, certificates, start, fake,
                                                                   kind, identity):
        shown = getattr(certificates, identity)

        def script(connection):
            if kind == CASSANDRA:
                connection.begin_tls(shown)
            else:
                connection.send_greeting()
                connection.start_tls(shown)
            connection.stall()

        backend = fake(script)
        _is_told(start(kind, backend, "verify"), "backend_untrusted")
        assert b"native" not in backend.received and b"CQL_VERSION" not in backend.received

    @pytest.mark.parametrize("kind", KINDS)
    def test_nor_to_one_that_has_no_tls(self, start, fake, kind):
        def script(connection):
            connection.send_greeting(tls=False)
            connection.stall()

        backend = fake(script)
        _is_told(start(kind, backend, "verify"),
                 "backend_unreachable" if kind == CASSANDRA else "backend_untrusted")
        assert b"native" not in backend.received and b"CQL_VERSION" not in backend.received

    @pytest.mark.parametrize("kind", MARIADB_KINDS)
    def test_nor_to_one_that_goes_on_in_plaintext(self, start, fake, kind):
        def script(connection):
            connection.send_greeting()
            connection.receive_packet()
            connection.send(wire.packet(2, OK))
            connection.stall()

        backend = fake(script)
        _is_told(start(kind, backend, "verify"))
        assert b"native" not in backend.received


class TestGreetings:
    @pytest.mark.parametrize("kind", KINDS)
    def test_one_without_end_is_not_listened_to(self, start, fake, kind, monkeypatch):
        memory.keep_little_that_is_freed(monkeypatch)

        def script(connection):
            begin = (b"\xf0\xff\x0f\x00\x0a" if kind != CASSANDRA else
                     cql_wire.Frame(4, cql_wire.SUPPORTED, response=True).encode()[:-4]
                     + b"\x0f\xff\xff\xff")
            connection.send(begin)
            while True:
                connection.send(b"x" * 65536)

        door = start(kind, fake(script), "off")
        with costs_little(door.gateway):
            _is_told(door)

    @pytest.mark.parametrize("kind", KINDS)
    def test_one_that_comes_byte_by_byte_is_only_slow(self, start, fake, real, kind):
        server = real(kind)
        if kind == CASSANDRA:
            server.address = "127.0.0.1"
        assert _log_in(start(kind, fake(in_pieces(server)), "verify")) is None

    @pytest.mark.parametrize("kind", MARIADB_KINDS)
    def test_an_error_in_its_place_is_not_shown(self, start, fake, kind):
        backend = fake(lambda connection: connection.send_error(
            1130, "Host '127.0.0.1' is not allowed to connect to db.internal"))
        assert _is_told(start(kind, backend, "verify")).code == 1105

    def test_a_nodes_error_in_its_place_shows_no_address(self, start):
        def instead(talk, frame):
            if frame.opcode == cql_wire.STARTUP:
                talk.refuse(frame, 0, "Cannot reach 10.1.2.3 from 127.0.0.1")
            return frame.opcode == cql_wire.STARTUP

        with FakeNode(instead=instead) as node:
            record, error = _log_in(start(CASSANDRA, node, "off"))
        assert record["close_reason"] == "login_refused"
        assert "10.1.2.3" not in str(error) and "127.0.0.1" not in str(error)


def _never_resuming(certificates):
    """A server of MariaDB that lets everybody in, and whose TLS is a whole handshake each time."""
    def script(connection):
        connection.take_login(certificates.backend)
        while True:
            sequence, _ = connection.receive_packet()
            connection.send(wire.packet(sequence + 1, OK))

    return script


def _cut_everywhere(door, cutter, end):
    """How often a login was tried with a backend that ended early, and how often it got in."""
    with door.connect() as other:
        door.reach(other, ESTABLISHED)
        whole, cutter.end = cutter.passed, end
        got_in = 0
        parts = soak.amount(24, whole)
        for tried, number in enumerate(soak.rounds(parts, whole), start=1):
            cutter.count = number * whole // parts
            refused = _log_in(door)
            assert door.is_answered(other)
            if refused is None:
                got_in += 1
                continue
            record, error = refused
            assert record["close_reason"] in ("backend_unreachable", "backend_closed")
            assert record["session"] in str(error) or isinstance(error, (Closed, OSError))
    cutter.count = Cutter.ALL
    assert door.works()
    return tried, got_in


@pytest.mark.parametrize("end", ["close", "reset"])
class TestDeath:
    """At any byte of a login it ends that session only."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_of_a_server(self, start, real, kind, end):
        cutter = Cutter(("127.0.0.1", real(kind).port))
        with FakeBackend(cutter) as backend:
            tried, got_in = _cut_everywhere(start(kind, backend, "verify"), cutter, end)
        assert got_in < tried  # MariaDB resumes TLS, which takes fewer bytes than were counted

    @pytest.mark.parametrize("kind", MARIADB_KINDS)
    def test_of_one_whose_tls_is_never_resumed(self, certificates, start, fake, kind, end):
        cutter = Cutter(("127.0.0.1", fake(_never_resuming(certificates)).port))
        with FakeBackend(cutter) as backend:
            _, got_in = _cut_everywhere(start(kind, backend, "verify"), cutter, end)
        assert got_in <= 8  # the last bytes: signatures are not always of one length


class TestEndlessLogins:
    """Nodes that have a client log in for ever, or talk on without being asked."""

    @pytest.fixture
    def node(self):
        with FakeNode() as node:
            yield node

    @pytest.fixture
    def door(self, start, node, monkeypatch):
        memory.keep_little_that_is_freed(monkeypatch)
        return start(CASSANDRA, node, "off", limits={"handshake_timeout": "3s"})

    @staticmethod
    def _refusal(session):
        """Reads on until the gateway has had enough."""
        with pytest.raises(cql_wire.ServerError) as refusal:
            while True:
                session.receive_answer()
        return str(refusal.value)

    def test_one_that_challenges_for_ever_ends_with_the_deadline(self, door, node):
        def instead(talk, frame):
            if frame.opcode == cql_wire.AUTH_RESPONSE:
                talk.say(cql_wire.AUTH_CHALLENGE, cql_wire.value(b"y" * 4096), frame.stream)
            return frame.opcode == cql_wire.AUTH_RESPONSE

        node.instead = instead
        with costs_little(door.gateway), door.connect() as session:
            door.start_tls(session)
            session.startup()
            answered = 0
            with pytest.raises((cql_wire.ServerError, Closed, OSError)):
                for answered in itertools.count():
                    challenge = session.ask(cql_wire.AUTH_RESPONSE, cql_wire.value(b"x" * 4096))
                    assert challenge.opcode == cql_wire.AUTH_CHALLENGE
            assert answered > 0
            assert door.end_of(session)["close_reason"] == "handshake_timeout"

    UNASKED = {"SUPPORTED": cql_wire.SUPPORTED, "AUTHENTICATE": cql_wire.AUTHENTICATE,
               "AUTH_CHALLENGE": cql_wire.AUTH_CHALLENGE}

    def _flood(self, node, opcode):
        """Behind the question that is due, the same frame for ever."""
        body = {cql_wire.SUPPORTED: b"\0\0", cql_wire.AUTH_CHALLENGE: cql_wire.value(b"y"),
                cql_wire.AUTHENTICATE: cql_wire.string("PasswordAuthenticator")}[opcode]

        def instead(talk, frame):
            if frame.opcode != cql_wire.STARTUP:
                return False
            talk.say(cql_wire.AUTHENTICATE, cql_wire.string("PasswordAuthenticator"), frame.stream)
            again = cql_wire.Frame(4, opcode, body, frame.stream, response=True).encode() * 1000
            while True:
                talk.connection.send(again)

        node.instead = instead

    @pytest.mark.parametrize("opcode", UNASKED.values(), ids=UNASKED)
    def test_one_that_does_not_stop_is_not_listened_to(self, door, node, opcode):
        self._flood(node, opcode)
        with costs_little(door.gateway), door.connect() as session:
            door.start_tls(session)
            assert session.startup().opcode == cql_wire.AUTHENTICATE
            session.send_frame(cql_wire.AUTH_RESPONSE, cql_wire.value(b"\0user\0password"))
            told = self._refusal(session)
            record = door.end_of(session)
        assert record["close_reason"] == "backend_unreachable"
        assert record["session"] in told

    @pytest.mark.parametrize("opcode", UNASKED.values(), ids=UNASKED)
    def test_nor_is_it_while_its_client_says_nothing(self, door, node, opcode):
        self._flood(node, opcode)
        with costs_little(door.gateway), door.connect() as session:
            door.start_tls(session)
            assert session.startup().opcode == cql_wire.AUTHENTICATE
            assert door.end_of(session)["close_reason"] == "handshake_timeout"


class TestPasswords:
    """A plug-in that sends the password itself is passed on only where nobody on the path hears it."""

    SWITCH = b"\xfemysql_clear_password\0"

    def script(self, identity=None):
        def script(connection):
            connection.send_greeting()
            if identity is not None:
                connection.start_tls(identity)
            sequence, _ = connection.receive_packet()
            connection.send(wire.packet(sequence + 1, self.SWITCH))
            sequence, _ = connection.receive_packet()
            connection.send(wire.packet(sequence + 1, OK))
            connection.stall()

        return script

    def log_in(self, door, tls):
        """What the server is told of the password by a client that tells it whatever it asks for."""
        with door.connect() as session:
            session.read_greeting()
            if tls:
                session.start_tls()
            else:
                session.sequence = 1
            session.send_login("native@orders" if door.kind.name == ROUTED else "native", PASSWORD)
            answer = session.receive_packet()
            if answer[:1] == b"\xff":
                return door.end_of(session), ServerError(answer)
            assert answer == self.SWITCH
            session.send_packet(PASSWORD.encode() + b"\0")
            assert session.receive_packet() == OK
        return None

    @pytest.mark.parametrize("kind", MARIADB_KINDS)
    def test_it_is_where_both_legs_are_encrypted(self, certificates, start, fake, kind):
        backend = fake(self.script(certificates.backend))
        assert self.log_in(start(kind, backend, "verify"), tls=True) is None
        assert PASSWORD.encode() + b"\0" in backend.received

    @pytest.mark.parametrize("kind", MARIADB_KINDS)
    def test_it_is_not_where_the_backends_leg_is_in_plaintext(self, start, fake, kind):
        backend = fake(self.script())
        record, error = self.log_in(start(kind, backend, "off"), tls=True)
        assert record["close_reason"] == "backend_untrusted"
        assert error.code == 1105 and record["session"] in error.message

    @pytest.mark.parametrize("kind", MARIADB_KINDS)
    def test_nor_where_the_clients_leg_is(self, certificates, start, fake, kind):
        backend = fake(self.script(certificates.backend))
        door = start(kind, backend, "verify", listener_tls={"required": False})
        record, error = self.log_in(door, tls=False)
        assert record["close_reason"] == "plaintext_refused"
        assert (error.code, error.state) == (9002, "28000")


@pytest.mark.parametrize("kind", MARIADB_KINDS)
def test_one_that_switches_plug_ins_for_ever_ends_with_the_deadline(start, fake, kind):
    def script(connection):
        connection.send_greeting()
        for _ in itertools.count():
            sequence, _ = connection.receive_packet()
            connection.send(wire.packet(sequence + 1, b"\xfe" + wire.NATIVE.encode() + b"\0"
                                        + b"y" * 20 + b"\0"))

    door = start(kind, fake(script), "off", limits={"handshake_timeout": "2s"})
    record, _ = _log_in(door)
    assert record["close_reason"] == "handshake_timeout"


@pytest.mark.parametrize("kind", MARIADB_KINDS)
def test_a_file_that_a_backend_asks_for_unasked_is_the_clients_to_refuse(start, fake, kind):
    """README.md: what comes behind the login is passed on unchanged, this too."""
    request = wire.packet(1, b"\xfb/etc/passwd")

    def script(connection):
        connection.take_login()
        connection.receive_packet()
        connection.send(request)
        connection.stall()

    backend = fake(script)
    door = start(kind, backend, "off")
    with door.connect() as session:
        door.reach(session, ESTABLISHED)
        session.command(wire.COM_QUERY, b"SELECT 1")
        assert session.receive_exactly(len(request)) == request
        session.send(wire.packet(2, b""))
        wait_until(lambda: backend.received.endswith(wire.packet(2, b"")),
                   "the client's refusal arrives")
        assert not door.has_ended(session)
