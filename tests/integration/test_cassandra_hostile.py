"""Clients and nodes of Cassandra that claim too much, ask too much or say too little: each costs what
it has sent, and ends with its reason in the audit.

The node is our own.
"""

import contextlib

import pytest

from support import configuration, memory
from support import cql_wire as wire
from support.connection import Closed
from support.cql_session import CqlSession
from support.fake_node import PASSWORD, USER, FakeNode, Member, integer
from support.memory import costs_little
from support.waiting import wait_until

RULES = {"events.yaml": configuration.rule_file("loopback 127.0.0.0/24", configuration.CLUSTER)}
STARTUP = wire.Frame(4, wire.STARTUP, wire.string_map({"CQL_VERSION": "3.0.0"}), 1).encode()
STREAMS = 32768
MIB = 1024 * 1024
# What a node answers to a change that it has made.
SCHEMA_CHANGE = integer(5) + wire.string("CREATED") + wire.string("TABLE") + 2 * wire.string("t")


@pytest.fixture
def node():
    with FakeNode() as node:
        yield node


@pytest.fixture
def start(certificates, node, start_gateway, monkeypatch):
    memory.keep_little_that_is_freed(monkeypatch)

    def start(account=None, **limits):
        return start_gateway(configuration.cassandra_yaml(
            certificates, {"mode": "single"}, [node.tcp_backend], {"tls": {"required": False}},
            {"tls": {"mode": "off"}}, account, limits=limits), RULES)

    return start


@pytest.fixture
def log_in():
    with contextlib.ExitStack() as running:

        def log_in(gateway, version=4, **options):
            session = running.enter_context(CqlSession(gateway.address(), version, **options))
            return session.log_in(USER, PASSWORD)

        yield log_in


def silent(node):
    """Whatever clients ask from now on is not answered."""
    node.instead = lambda talk, frame: frame.opcode in (wire.QUERY, wire.OPTIONS)


def query(stream, text="SELECT * FROM shop.items", version=4):
    return wire.Frame(version, wire.QUERY, wire.query_body(version, text), stream).encode()


def announcement(opcode, size):
    """The header of a frame that is so long."""
    return wire.Frame(4, opcode, b"", 1).encode()[:-4] + size.to_bytes(4, "big")


class TestClients:
    @pytest.mark.parametrize("size", [1, 8, 9, len(STARTUP) - 1])
    def test_one_that_does_not_finish_its_first_request_has_a_deadline(self, start, node, size):
        gateway = start(handshake_timeout="1s")
        with CqlSession(gateway.address(), 4) as session:
            session.send(STARTUP[:size])
            node.wait_for_connection()
            session.receive_rest()
        gateway.wait_for_audit("closed", close_reason="handshake_timeout")
        assert node.received == b""

    def test_ones_that_claim_long_requests_cost_what_they_send(self, start, node, log_in):
        gateway = start()
        with costs_little(gateway):
            for _ in range(50):
                log_in(gateway).send(announcement(wire.QUERY, 15 * MIB) + bytes(64 * 1024))
            log_in(gateway).options()

    def test_one_that_claims_256_mib_is_told_that_it_is_too_much(self, start, log_in):
        gateway = start()
        session = log_in(gateway)
        session.send(announcement(wire.QUERY, 256 * MIB))
        assert session.receive_frame().opcode == wire.ERROR
        assert session.receive_rest() == b""
        gateway.wait_for_audit("closed", close_reason="login_malformed")

    def test_one_that_asks_on_every_stream_and_reads_nothing(self, start, node, log_in):
        gateway = start()
        session = log_in(gateway)
        silent(node)
        asked = len(node.statements)
        with costs_little(gateway):
            session.send(b"".join(query(stream) for stream in range(STREAMS)))
            session.send(query(0))  # and once more than there are
            assert session.receive_rest().endswith(b"This request cannot be read.")
        gateway.wait_for_audit("closed", close_reason="login_malformed")
        assert len(node.statements) == asked

    def test_ones_that_ask_for_what_is_answered_here_and_read_nothing(self, start, log_in):
        gateway = start()
        text = "SELECT * FROM system.local"
        requests = b"".join(query(stream, text) for stream in range(STREAMS))
        with costs_little(gateway):
            for number in range(1, 5):
                session = log_in(gateway, timeout=1)
                # Its answers would be ten times as long as its requests: it is not heard any more.
                with pytest.raises(TimeoutError):
                    session.send(100 * requests)
                session.close()
                gateway.wait_for_audit("closed", number, close_reason="client_closed")


class TestNodes:
    def answer_with(self, node, data):
        def instead(talk, frame):
            if frame.opcode == wire.OPTIONS:
                talk.connection.send(data)
            return frame.opcode == wire.OPTIONS

        node.instead = instead

    @pytest.mark.parametrize("size", [256 * MIB + 1, 2**31 - 1, 2**32 - 1])
    def test_one_that_claims_more_than_a_frame_may_hold_ends_the_session(self, start, node, log_in,
                                                                         size):
        gateway = start()
        session = log_in(gateway)
        header = wire.Frame(4, wire.SUPPORTED, b"", 1, response=True).encode()[:-4]
        self.answer_with(node, header + size.to_bytes(4, "big"))
        session.send_frame(wire.OPTIONS)
        assert session.receive_rest() == b""
        gateway.wait_for_audit("closed", close_reason="backend_closed")

    @pytest.mark.parametrize("at", [0, 3, -1], ids=["length", "its checksum", "payload's checksum"])
    def test_one_whose_checksum_is_wrong_ends_the_session(self, start, node, log_in, at):
        gateway = start()
        session = log_in(gateway, 5)
        frame = wire.Frame(5, wire.SUPPORTED, b"\0\0", 1, response=True).encode()
        broken = bytearray(wire.segments(frame))
        broken[at] ^= 0x10
        self.answer_with(node, bytes(broken))
        session.send_frame(wire.OPTIONS)
        assert session.receive_rest() == b""
        gateway.wait_for_audit("closed", close_reason="backend_closed")

    @pytest.mark.parametrize("version", [4, 5])
    def test_one_that_goes_away_behind_a_change_of_the_schema_has_told_of_it(
            self, start, node, log_in, tmp_path, version):
        def instead(talk, frame):
            if b"CREATE TABLE" not in frame.body:
                return False
            talk.say(wire.RESULT, SCHEMA_CHANGE, frame.stream)
            talk.connection.shut_down()
            return True

        node.others = [Member("127.9.9.9", 9042, number=2)]
        node.instead = instead
        password = tmp_path / "password"
        password.write_text(PASSWORD)
        gateway = start((USER, password))
        wait_until(lambda: gateway.status()["servers"][0]["cluster"], "the ring is known")
        session = log_in(gateway, version)
        answer = session.ask(wire.QUERY, wire.query_body(version, "CREATE TABLE shop.t (a int)"))
        assert (answer.opcode, answer.body) == (wire.RESULT, SCHEMA_CHANGE)
        assert session.receive_rest() == b""
        gateway.wait_for_audit("closed", close_reason="backend_closed")
