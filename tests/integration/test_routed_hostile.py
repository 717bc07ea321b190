"""Routed logins between peers that lie: refused, recorded, and at a bounded cost."""

import pytest

from support import configuration, wire
from support.connection import Closed
from support.mariadb_server import PASSWORD
from support.refusals import BAD_HANDSHAKE
from support.session import ServerError

OK = b"\0\0\0\2\0\0\0"
SWITCH = b"\xfe" + wire.NATIVE.encode() + b"\0" + b"y" * 20 + b"\0"


@pytest.fixture
def gateway_to(certificates, start_gateway):
    def start(backend, **changes):
        listener = configuration.listener(certificates, login="routed")
        server = configuration.server(certificates, [backend], "off")
        return start_gateway(configuration.gateway_yaml(
            certificates, [], listeners=[listener], servers=[server], **changes))

    return start


def _greeted(then):
    """A backend's script: its greeting, the client's login, and then this."""

    def script(connection):
        connection.send_greeting()
        connection.receive_packet()
        then(connection)
        connection.stall()

    return script


def _refusal(gateway):
    with gateway.connect() as session:
        with pytest.raises(ServerError) as refused:
            session.log_in("native@orders", PASSWORD)
        assert session.receive_rest() == b""
    return refused.value


class TestBackends:
    """What a backend says to a login that it has not asked a question about."""

    ANSWERS = {
        "OK at once": (wire.packet(2, OK), "backend_untrusted"),
        "a sequence number of its own": (wire.packet(7, SWITCH), "backend_unreachable"),
        "an empty packet": (wire.packet(2, b""), "backend_unreachable"),
        "a length beyond all bounds": (b"\xff\xff\xff\x02" + bytes(70000), "backend_unreachable"),
        "a plug-in's name without an end": (wire.packet(2, b"\xfe" + b"x" * 300),
                                            "backend_unreachable"),
        "a question that names no plug-in": (wire.packet(2, b"\xfe\x02aa\0"), "backend_unreachable"),
        "a plug-in's data before any plug-in": (wire.packet(2, b"\x01\x04"), "backend_unreachable"),
        "a switch to the password itself": (wire.packet(2, b"\xfemysql_clear_password\0"),
                                            "backend_untrusted"),
    }

    @pytest.mark.parametrize("answer", ANSWERS)
    def test_a_backend_that_answers_with(self, gateway_to, fake, answer):
        sent, reason = self.ANSWERS[answer]
        backend = fake(_greeted(lambda connection: connection.send(sent)))
        gateway = gateway_to(backend.tcp_backend)
        error = _refusal(gateway)
        assert error.code == 1105
        closed = gateway.wait_for_audit("closed", close_reason=reason)
        assert closed["session"] in error.message
        assert PASSWORD.encode() not in backend.received

    def test_switches_without_end_end_with_the_deadline(self, gateway_to, fake):
        def switch_for_ever(connection):
            sequence = 2
            while True:
                connection.send(wire.packet(sequence, SWITCH))
                connection.receive_packet()
                sequence = (sequence + 2) % 256

        gateway = gateway_to(fake(_greeted(switch_for_ever)).tcp_backend,
                             limits={"handshake_timeout": "1s"})
        with gateway.connect() as session, pytest.raises((Closed, ConnectionError)):
            session.log_in("native@orders", PASSWORD)
        gateway.wait_for_audit("closed", close_reason="handshake_timeout")


class TestClients:
    """Logins that lie about their length are read by nobody."""

    LOGINS = {
        "attributes beyond their bound": wire.login_payload(
            "native@orders", attributes={"x": "y" * 70000}),
        "a user without an end": wire.login_payload("u", b"")[:32] + b"u" * 100,
        "an answer longer than the packet": wire.login_payload("u")[:34] + b"\xfa" + b"short",
        "attributes that end too early": wire.login_payload(
            "native@orders", attributes={"_server_host": "orders"})[:-9],
        "nothing": b"",
    }

    @pytest.mark.parametrize("what", LOGINS)
    def test_a_login_with(self, gateway_to, fake, what):
        backend = fake(lambda connection: connection.stall())
        gateway = gateway_to(backend.tcp_backend)
        with gateway.connect() as session:
            session.read_greeting()
            session.start_tls()
            session.send_packet(self.LOGINS[what])
            assert session.receive_packet() == BAD_HANDSHAKE
        gateway.wait_for_audit("closed", close_reason="login_malformed")

    def test_a_packet_too_long_for_any_login_is_not_read(self, gateway_to, fake):
        gateway = gateway_to(fake(lambda connection: connection.stall()).tcp_backend)
        with gateway.connect() as session:
            session.read_greeting()
            session.start_tls()
            session.send(b"\xff\xff\xff\x02")
            session.receive_rest()
        gateway.wait_for_audit("closed", close_reason="login_malformed")

    @pytest.mark.parametrize("charset", [17, 35, 54, 101, 183])
    def test_a_character_set_no_client_may_have(self, gateway_to, fake, charset):
        gateway = gateway_to(fake(lambda connection: connection.stall()).tcp_backend)
        with gateway.connect() as session:
            session.read_greeting()
            session.start_tls()
            login = bytearray(wire.login_payload("native@orders"))
            login[8] = charset
            session.send_packet(bytes(login))
            error = ServerError(session.receive_packet())
            assert (error.code, error.state) == (1231, "42000")
        gateway.wait_for_audit("closed", close_reason="login_malformed")

    def test_an_answer_before_the_question_is_no_command(self, gateway_to, fake):
        def script(connection):
            connection.receive_packet()
            connection.send(wire.packet(4, OK))

        backend = fake(_greeted(lambda connection: connection.send(wire.packet(2, SWITCH)) or
                                script(connection)))
        gateway = gateway_to(backend.tcp_backend)
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            # Another login, and right behind it what must be its answer.
            session.send(wire.packet(0, wire.change_user_payload("second")) + wire.packet(2, b"x"))
            session.wait_for_end()
        gateway.wait_for_audit("closed", close_reason="login_malformed")
