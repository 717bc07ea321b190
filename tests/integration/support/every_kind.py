"""One gateway with every kind of listener, and what a client does at each, a step at a time."""

import dataclasses
import functools
import struct
import typing

from support import configuration
from support import cql_wire
from support import wire
from support.client_hello import client_hello
from support.cql_session import CqlSession
from support.fake_node import PASSWORD as NODE_PASSWORD
from support.fake_node import USER as NODE_USER
from support.fake_node import FakeNode, rows_body
from support.mariadb_server import PASSWORD
from support.refusals import denied_bytes
from support.session import ServerError, Session

TRANSPARENT, ROUTED, CASSANDRA = KINDS = ["transparent", "routed", "cassandra"]
SERVERS = ["orders", "billing", configuration.CLUSTER]
# How far a client has come that is not let in yet.
UNGREETED = "before any byte of either side"
CONNECTED = "before any byte of its own"
WITHIN_A_REQUEST_FOR_TLS = "within its request for TLS"
ABOUT_TO_BEGIN_TLS = "about to begin TLS"
WITHIN_A_TLS_RECORD = "within its ClientHello"
IN_TLS = "behind TLS"
WITHIN_A_LOGIN = "within its login"
ASKED_FOR_A_PROOF = "asked for a proof"
WITHIN_A_PROOF = "within its proof"
# TLS is what is due: an end of the connection is its failure.
BEGINNING_TLS = {ABOUT_TO_BEGIN_TLS, WITHIN_A_TLS_RECORD}
_ROW = b"x" * 1000
_PAGE_ROWS = 1000  # of Cassandra's answers
_TEXT, _INT = 0x0D, 0x09


def gateway_yaml(certificates, mariadb, cassandra, mariadb_tls="verify", cassandra_tls="verify",
                 listener_tls=None, server_keys=None, **changes):
    """`mariadb`, `cassandra`: the backends' addresses; `listener_tls` and `server_keys` are added to
    all of them; `changes` replace whole top-level keys."""
    listeners = [
        configuration.listener(certificates, TRANSPARENT, listener_tls, servers=["orders"]),
        configuration.listener(certificates, ROUTED, listener_tls, servers=["orders", "billing"]),
        configuration.listener(certificates, CASSANDRA, listener_tls,
                               servers=[configuration.CLUSTER], protocol="cassandra",
                               nodes={"mode": "single"}),
    ]
    servers = [configuration.server(certificates, [mariadb], mariadb_tls, name)
               for name in ("orders", "billing")]
    servers.append(configuration.server(certificates, [cassandra], cassandra_tls,
                                        configuration.CLUSTER) | {"protocol": "cassandra"})
    for server in servers:
        server.update(server_keys or {})
    return configuration.gateway_yaml(certificates, [], listeners=listeners, servers=servers,
                                      **changes)


def rules(ranges):
    """The same for every server."""
    return configuration.rule_file(ranges).replace("server: orders",
                                                   f"servers: [{', '.join(SERVERS)}]")


def answering_node(certificates):
    """A Cassandra node that knows the answers to what MariadbKind and CassandraKind ask."""
    node = FakeNode(identity=certificates.backend)
    page = rows_body("rows", [{"text": (_TEXT, _ROW)}] * _PAGE_ROWS)

    def instead(talk, frame):
        if frame.opcode != cql_wire.QUERY or b"FROM shop." not in frame.body:
            return False
        if b"FROM shop.rows" in frame.body:
            talk.say(cql_wire.RESULT, page, frame.stream)
        else:
            reader = cql_wire.body_reader(frame)
            number = int(reader.take(reader.number("i")).split(b"id = ")[1])
            answer = rows_body("answers", [{"n": (_INT, struct.pack(">i", _answer(number)))}])
            talk.say(cql_wire.RESULT, answer, frame.stream)
        return True

    node.instead = instead
    return node


def _answer(number):
    return 7 * number + 1


@dataclasses.dataclass(frozen=True)
class _Step:
    """Behind `before`, so many bytes of what a client says next."""

    before: typing.Callable
    says: typing.Callable
    sent: int = 0


class _Kind:
    """A step is what a client of our own does until it stalls or goes away; the steps before it are
    part of it."""

    def __init__(self, steps):
        self._steps = steps
        self.steps = {stage: functools.partial(self.reach, stage=stage) for stage in steps}

    def reach(self, session, stage):
        step = self._steps[stage]
        step.before(session)
        session.send(step.says(session)[:step.sent])

    def due(self, session, stage):
        """What is missing of what an honest client says there; enough to be dripped for a while."""
        step = self._steps[stage]
        return step.says(session)[step.sent:]


class MariadbKind(_Kind):
    """`suffix`: what a user's name ends in to name the server."""

    def __init__(self, name, authority, suffix=""):
        self.name = name
        self._suffix = suffix
        self._authority = authority
        greeted = Session.read_greeting
        super().__init__({
            UNGREETED: _Step(_nothing, _request_and_hello),
            CONNECTED: _Step(greeted, _request_and_hello),
            WITHIN_A_REQUEST_FOR_TLS: _Step(greeted, _request_and_hello, 20),
            ABOUT_TO_BEGIN_TLS: _Step(greeted, _request_and_hello, len(wire.ssl_request())),
            WITHIN_A_TLS_RECORD: _Step(greeted, _request_and_hello, len(wire.ssl_request()) + 100),
            IN_TLS: _Step(self.start_tls, self._login),
            WITHIN_A_LOGIN: _Step(self.start_tls, self._login, 40),
            ASKED_FOR_A_PROOF: _Step(self._question, _proof_of_mariadb),
        })
        self.later_steps = {
            "within a query": self._half_query,
            "within a result": self._half_result,
        }

    def connect(self, gateway, source):
        return gateway.connect(source, self.name)

    def log_in(self, session, password=PASSWORD):
        return session.log_in("native" + self._suffix, password, authority=self._authority)

    def is_refused(self, session):
        """Whether a wrong password is."""
        try:
            self.log_in(session, "wrong")
        except ServerError as error:
            return error.code == 1045
        return False

    def is_right(self, session, number):
        """Whether the answer to a question is."""
        return session.value(f"SELECT {number} * 7 + 1") == str(_answer(number))

    @staticmethod
    def is_answered(session):
        return session.ping()

    def stream_is_right(self, session, count):
        """Whether a result of so many rows comes whole."""
        self._ask_for_rows(session, count)
        received = 0
        for number, row in enumerate(session.rows(), 1):
            if row != wire.text(str(number)) + wire.text(_ROW.decode()):
                return False
            received = number
        return received == count

    def leave(self, session):
        """In order."""
        session.command(wire.COM_QUIT)
        session.wait_for_end()
        session.close()

    def is_denied(self, gateway, source):
        """As it must be told."""
        with self.connect(gateway, source) as session:
            return session.receive_rest() == denied_bytes(source)

    def is_told_too_many(self, gateway, source):
        with self.connect(gateway, source) as session:
            try:
                self.log_in(session)
            except ServerError as error:
                return error.code == 1040
        return False

    def start_tls(self, session, authority=None, **options):
        session.read_greeting()
        session.start_tls(authority or self._authority, **options)

    def _login(self, _):
        return wire.packet(2, wire.login_payload("native" + self._suffix, b"x" * 20))

    def _question(self, session):
        # Another plug-in than the greeting's default: it is asked for behind the login.
        self.start_tls(session)
        session.send_login("ed" + self._suffix, "")
        assert session.receive_packet().startswith(b"\xfeclient_ed25519\0")

    def _half_query(self, session):
        self.log_in(session)
        session.send(wire.packet(0, bytes([wire.COM_QUERY]) + b"SELECT 1234")[:-4])

    def _half_result(self, session):
        self.log_in(session)
        self._ask_for_rows(session, 20_000)
        session.receive()

    @staticmethod
    def _ask_for_rows(session, count):
        session.command(wire.COM_QUERY, f"SELECT seq, REPEAT('x', {len(_ROW)})"
                        f" FROM shop.seq_1_to_{count}".encode())


def _nothing(_):
    pass


def _request_and_hello(_):
    return wire.ssl_request() + client_hello()


def _proof_of_mariadb(session):
    return wire.packet(session.sequence, bytes(64))


class CassandraKind(_Kind):
    """The same for the node above."""

    name = CASSANDRA

    def __init__(self, authority):
        self._authority = authority
        super().__init__({
            CONNECTED: _Step(_nothing, _hello),
            WITHIN_A_TLS_RECORD: _Step(_nothing, _hello, 100),
            IN_TLS: _Step(self.start_tls, _startup),
            WITHIN_A_LOGIN: _Step(self.start_tls, _startup, 15),
            ASKED_FOR_A_PROOF: _Step(self._question, _proof_of_cassandra),
            WITHIN_A_PROOF: _Step(self._question, _proof_of_cassandra, 20),
        })
        self.later_steps = {
            "within a query": self._half_query,
            "before a result": self._unanswered,
            "within a result": self._half_result,
        }

    def connect(self, gateway, source):
        return CqlSession(gateway.address(self.name), 4, source)

    def log_in(self, session, password=NODE_PASSWORD):
        self.start_tls(session)
        return session.log_in(NODE_USER, password)

    def is_refused(self, session):
        try:
            self.log_in(session, "wrong")
        except cql_wire.ServerError as error:
            return error.code == 0x0100
        return False

    def is_right(self, session, number):
        rows = session.query(f"SELECT n FROM shop.answers WHERE id = {number}")
        return rows == [{"n": _answer(number)}]

    @staticmethod
    def is_answered(session):
        return session.options() is not None

    def stream_is_right(self, session, count):
        pages = [session.query("SELECT text FROM shop.rows") for _ in range(count // _PAGE_ROWS)]
        return all(page == [{"text": _ROW.decode()}] * _PAGE_ROWS for page in pages)

    def leave(self, session):
        session.close()

    def is_denied(self, gateway, source):
        return self._is_told(gateway, source, 0x0100,
                             f"Client with IP address '{source}' is not allowed to connect to this"
                             " Cassandra cluster.")

    def is_told_too_many(self, gateway, source):
        return self._is_told(gateway, source, 0x1001, "Too many connections.")

    def _is_told(self, gateway, source, code, message):
        with self.connect(gateway, source) as session:
            try:
                self.log_in(session)
            except cql_wire.ServerError as error:
                return (error.code, error.message) == (code, message)
        return False

    def start_tls(self, session, authority=None, **options):
        session.start_tls(authority or self._authority, "gateway.test", **options)

    def _question(self, session):
        self.start_tls(session)
        assert session.startup().opcode == cql_wire.AUTHENTICATE

    def _half_query(self, session):
        self.log_in(session)
        session.send(_frame(cql_wire.QUERY, cql_wire.query_body(4, "SELECT 1"))[:-3])

    def _unanswered(self, session):
        self.log_in(session)
        session.send_frame(cql_wire.QUERY, cql_wire.query_body(4, "SELECT text FROM shop.rows"))

    def _half_result(self, session):
        self._unanswered(session)
        session.receive()


def _frame(opcode, body):
    return cql_wire.Frame(4, opcode, body, 1).encode()


def _hello(_):
    return client_hello()


def _startup(_):
    options = {"CQL_VERSION": "3.0.0", "DRIVER_NAME": "our own"}
    return _frame(cql_wire.STARTUP, cql_wire.string_map(options))


def _proof_of_cassandra(_):
    return _frame(cql_wire.AUTH_RESPONSE,
                  cql_wire.value(f"\0{NODE_USER}\0{NODE_PASSWORD}".encode()))


def all_kinds(certificates):
    """By name."""
    kinds = [MariadbKind(TRANSPARENT, certificates.authority),
             MariadbKind(ROUTED, certificates.authority, "@billing"),
             CassandraKind(certificates.authority)]
    return {kind.name: kind for kind in kinds}
