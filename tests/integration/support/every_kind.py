"""One gateway with every kind of listener, and what a client does at each, a step at a time."""

import struct

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

NAMES = ["transparent", "routed", "cassandra"]
SERVERS = ["orders", "billing", configuration.CLUSTER]
_ROW = b"x" * 1000
_PAGE_ROWS = 1000  # of Cassandra's answers
_TEXT, _INT = 0x0D, 0x09


def gateway_yaml(certificates, mariadb, node, tls=None, **changes):
    """`changes` replace whole top-level keys; `tls`: the listeners' certificate and key."""
    listeners = [
        configuration.listener(certificates, "transparent", tls, servers=["orders"]),
        configuration.listener(certificates, "routed", tls, servers=["orders", "billing"]),
        configuration.listener(certificates, "cassandra", tls, servers=[configuration.CLUSTER],
                               protocol="cassandra", nodes={"mode": "single"}),
    ]
    servers = [configuration.server(certificates, [mariadb.tcp_backend], name=name)
               for name in ("orders", "billing")]
    servers.append({"name": configuration.CLUSTER, "protocol": "cassandra",
                    "backends": [node.tcp_backend],
                    "tls": {"mode": "verify", "ca": str(certificates.authority)}})
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


class MariadbKind:
    """`suffix`: what a user's name ends in to name the server. A step is what a client does until
    it stalls or goes away; the steps before it are part of it."""

    def __init__(self, name, certificates, suffix=""):
        self.name = name
        self._suffix = suffix
        self._authority = certificates.authority
        self.steps = {
            "before any byte": lambda session: None,
            "behind the greeting": Session.read_greeting,
            "within the request for TLS": self._half_request,
            "within the ClientHello": self._half_hello,
            "behind TLS": self._tls,
            "within the login": self._half_login,
            "before the answer to the server's question": self._question,
        }
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

    def _half_request(self, session):
        session.read_greeting()
        session.send(wire.ssl_request()[:20])

    def _half_hello(self, session):
        session.read_greeting()
        session.send(wire.ssl_request() + client_hello()[:100])

    def _tls(self, session):
        session.read_greeting()
        session.start_tls(authority=self._authority)

    def _half_login(self, session):
        self._tls(session)
        session.send(wire.packet(2, wire.login_payload("native" + self._suffix))[:40])

    def _question(self, session):
        # Another plug-in than the greeting's default: it is asked for behind the login.
        self._tls(session)
        session.send_login("ed" + self._suffix, "")
        assert session.receive_packet()[:1] == b"\xfe"

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


class CassandraKind:
    """The same for the node above."""

    name = "cassandra"

    def __init__(self, certificates):
        self._authority = certificates.authority
        self.steps = {
            "before any byte": lambda session: None,
            "within the ClientHello": lambda session: session.send(client_hello()[:100]),
            "behind TLS": self._tls,
            "within the first request": self._half_startup,
            "before the answer to the node's question": self._question,
            "within the login": self._half_login,
        }
        self.later_steps = {
            "within a query": self._half_query,
            "before a result": self._unanswered,
            "within a result": self._half_result,
        }

    def connect(self, gateway, source):
        return CqlSession(gateway.address(self.name), 4, source)

    def log_in(self, session, password=NODE_PASSWORD):
        self._tls(session)
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

    def _tls(self, session):
        session.start_tls(self._authority, "127.0.0.1")

    def _half_startup(self, session):
        self._tls(session)
        session.send(_frame(cql_wire.STARTUP, cql_wire.string_map({"CQL_VERSION": "3.0.0"}))[:-4])

    def _question(self, session):
        self._tls(session)
        assert session.startup().opcode == cql_wire.AUTHENTICATE

    def _half_login(self, session):
        self._question(session)
        session.send(_frame(cql_wire.AUTH_RESPONSE, cql_wire.value(b"\0gatehouse\0sec"))[:-3])

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


def all_kinds(certificates):
    return [MariadbKind("transparent", certificates),
            MariadbKind("routed", certificates, "@billing"), CassandraKind(certificates)]
