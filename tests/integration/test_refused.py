"""Clients that are let in but do not keep to the protocol, between accept and login."""

import os
import pwd
import ssl

import pytest

from support import configuration, mariadb_program, wire
from support.connection import Closed
from support.mariadb_server import PASSWORD
from support.refusals import BAD_HANDSHAKE, TLS_REQUIRED
from support.session import ServerError
from support.waiting import wait_until


@pytest.fixture
def hasty_gateway(certificates, mariadb, start_gateway):
    """One that gives a client a second from accept to login."""
    return start_gateway(configuration.gateway_yaml(
        certificates, [mariadb.tcp_backend], limits={"handshake_timeout": "1s"}))


class TestPlaintext:
    """TLS is required unless the listener says otherwise."""

    def test_a_login_in_plaintext_is_told_to_use_tls(self, gateway, mariadb):
        with gateway.connect() as session:
            session.read_greeting()
            session.sequence = 1
            session.send_login("native", PASSWORD)
            assert session.receive_packet() == TLS_REQUIRED
            assert session.sequence == 3
            assert session.receive_rest() == b""
        gateway.wait_for_audit("closed", close_reason="plaintext_refused")
        wait_until(lambda: mariadb.sessions_of("native") == 0, "the server has no such session")

    def test_the_mariadb_program_shows_the_message(self, gateway):
        done = mariadb_program.run(gateway.address(), "native", "SELECT 1",
                                   options=["--skip-ssl"])
        assert (b"ERROR 9002 (28000): SSL connection is required. Please specify SSL options and "
                b"retry.") in done.stderr

    def test_a_listener_may_let_plaintext_in(self, certificates, mariadb, start_gateway):
        relaxed = configuration.listener(certificates, tls={"required": False})
        gateway = start_gateway(configuration.gateway_yaml(
            certificates, [mariadb.tcp_backend], listeners=[relaxed]))
        for tls in (False, True):
            with gateway.connect() as session:
                session.log_in("native", PASSWORD, tls=tls)
                assert session.value("SELECT CONNECTION_ID()") == str(session.greeting.thread)
        plain, encrypted = gateway.wait_for_audit("opened", count=2)
        assert plain.get("tls") is None
        assert encrypted["tls"]["version"] == "TLSv1.3"


class TestInjection:
    """What a stranger slips in before TLS must not count as said by the client inside it."""

    def test_a_query_pipelined_after_the_ssl_request_is_never_a_command(self, gateway, mariadb):
        mariadb.execute("CREATE OR REPLACE TABLE shop.injected (n INT)")
        insertion = b"\x03INSERT INTO shop.injected VALUES (1)"
        with gateway.connect() as session:
            session.read_greeting()
            with pytest.raises((ssl.SSLError, ConnectionError)):
                session.start_tls(request=wire.ssl_request() + wire.packet(0, insertion))
                session.send_login("native", PASSWORD)
                session.finish_login(PASSWORD)
        gateway.wait_for_audit("closed", close_reason="tls_failed")
        assert gateway.audit("opened") == []
        assert mariadb.execute("SELECT COUNT(*) FROM shop.injected") == "0"

    def test_a_login_pipelined_after_the_ssl_request_is_never_a_login(self, gateway):
        with gateway.connect() as session:
            session.read_greeting()
            login = wire.packet(2, wire.login_payload("empty"))
            session.send(wire.ssl_request() + login)
            assert wire.packet(3, b"\0") not in session.receive_rest()
        gateway.wait_for_audit("closed", close_reason="tls_failed")
        assert gateway.audit("opened") == []


# What comes where an SSLRequest or a login is due, in plaintext, and cannot be one.
MALFORMED = {
    "an empty packet": wire.packet(1, b""),
    "a packet of one byte": wire.packet(1, b"\x85"),
    "an SSLRequest one byte short": wire.packet(1, wire.ssl_request()[4:-1]),
    "a length beyond all bounds": b"\xff\xff\xff\x01" + bytes(64),
    "a wrong sequence number": wire.ssl_request(sequence=7),
    "a pre-4.1 login": wire.packet(1, b"\x00\x00\x00\x00\x01root\0\0"),
    "text of another protocol": b"GET / HTTP/1.1\r\nHost: gateway.test\r\n\r\n",
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_preamble_that_cannot_be_read_is_a_bad_handshake(gateway, what):
    with gateway.connect() as session:
        session.read_greeting()
        session.send(MALFORMED[what])
        assert session.receive_packet() == BAD_HANDSHAKE
        assert session.receive_rest() == b""
    gateway.wait_for_audit("closed", close_reason="login_malformed")


def _login_without_end():
    payload = wire.login_payload("native", b"x" * 20)
    return payload[:40] + b"a" * 60


# What comes inside TLS where the login is due. MariaDB itself would refuse each of them.
MALFORMED_LOGINS = {
    "is empty": wire.packet(2, b""),
    "ends within its fixed part": wire.packet(2, wire.login_payload("native")[:20]),
    "has a user name without an end": wire.packet(2, _login_without_end()),
    "has an authentication answer longer than itself": wire.packet(
        2, wire.login_payload("native").replace(b"native\0\0", b"native\0\xfa")),
    "has attributes longer than itself": wire.packet(
        2, wire.login_payload("native")[:-1] + b"\xfc\xff\xff"),
    "is oversized": b"\xf0\xff\xff\x02" + bytes(1 << 16),
    "has a wrong sequence number": wire.packet(9, wire.login_payload("native")),
    "is noise": wire.packet(2, bytes(range(256))),
}


@pytest.mark.parametrize("what", MALFORMED_LOGINS)
def test_a_login_is_a_bad_handshake_that(gateway, what):
    with gateway.connect() as session:
        session.read_greeting()
        session.start_tls()
        session.send(MALFORMED_LOGINS[what])
        assert session.receive_packet() == BAD_HANDSHAKE
        assert session.receive_rest() == b""
    gateway.wait_for_audit("closed", close_reason="login_malformed")
    assert gateway.audit("opened") == []


def test_a_login_cut_short_by_the_clients_end_is_only_a_close(gateway):
    with gateway.connect() as session:
        session.read_greeting()
        session.start_tls()
        session.send(wire.packet(2, wire.login_payload("native"))[:25])
    record = gateway.wait_for_audit("closed")
    assert record["close_reason"] in ("client_closed", "login_malformed")


def test_tls_that_is_noise_is_closed_without_a_packet(gateway):
    with gateway.connect() as session:
        session.read_greeting()
        session.send(wire.ssl_request() + b"\x16\x03\x01\x00\x10" + b"\xee" * 16)
        # A TLS alert may come, but nothing that reads as a packet of the database.
        assert session.receive_rest()[:1] in (b"", b"\x15")
    gateway.wait_for_audit("closed", close_reason="tls_failed")


class TestDeadline:
    """One deadline covers everything from accept to login, however much dripped in between."""

    def test_a_client_that_says_nothing_is_closed(self, hasty_gateway):
        with hasty_gateway.connect() as session:
            session.read_greeting()
            assert session.receive_rest() == b""
        hasty_gateway.wait_for_audit("closed", close_reason="handshake_timeout")

    def test_a_client_that_begins_no_tls_is_closed(self, hasty_gateway):
        with hasty_gateway.connect() as session:
            session.read_greeting()
            session.send(wire.ssl_request())
            assert session.receive_rest() == b""
        hasty_gateway.wait_for_audit("closed", close_reason="handshake_timeout")

    def test_a_client_that_sends_no_login_is_closed(self, hasty_gateway):
        with hasty_gateway.connect() as session:
            session.read_greeting()
            session.start_tls()
            assert session.receive_rest() == b""
        hasty_gateway.wait_for_audit("closed", close_reason="handshake_timeout")

    def test_a_client_that_does_not_answer_an_authentication_switch_is_closed(self,
                                                                             hasty_gateway):
        with hasty_gateway.connect() as session:
            session.read_greeting()
            session.start_tls()
            session.send_login("ed", PASSWORD)
            assert session.receive_packet().startswith(b"\xfeclient_ed25519\0")
            assert session.receive_rest() == b""
        hasty_gateway.wait_for_audit("closed", close_reason="handshake_timeout")

    @pytest.mark.parametrize("inside_tls", [False, True])
    def test_a_byte_now_and_then_does_not_extend_it(self, hasty_gateway, inside_tls):
        with hasty_gateway.connect() as session:
            session.read_greeting()
            if inside_tls:
                session.start_tls()
                dripped = wire.packet(2, wire.login_payload("native"))
            else:
                dripped = wire.ssl_request()
            drops = iter(dripped[:-1])

            def closed_while_dripping():
                try:
                    session.send(bytes([next(drops)]))
                    return False
                except (OSError, Closed):
                    return True

            # At this pace the bytes last for twice the deadline.
            wait_until(closed_while_dripping, "the gateway closes a client that drips", poll=0.06)
        hasty_gateway.wait_for_audit("closed", close_reason="handshake_timeout")


def test_a_wrong_password_is_the_servers_own_refusal(gateway):
    with gateway.connect() as session, pytest.raises(ServerError) as refused:
        session.log_in("native", "wrong")
    assert (refused.value.code, refused.value.state) == (1045, "28000")
    record = gateway.wait_for_audit("closed", close_reason="login_refused")
    assert record["user"] == "native"
    assert gateway.audit("opened") == []


def test_every_connection_ends_in_exactly_one_record(gateway):
    endings = [
        lambda session: session.close(),
        lambda session: session.reset(),
        lambda session: (session.read_greeting(), session.close()),
        lambda session: (session.read_greeting(), session.reset()),
        lambda session: (session.read_greeting(), session.start_tls(), session.close()),
        lambda session: (session.log_in("native", PASSWORD), session.close()),
        lambda session: (session.log_in("native", PASSWORD), session.reset()),
    ]
    for ending in endings:
        ending(gateway.connect())
    records = gateway.wait_for_audit("closed", count=len(endings))
    gateway.wait_for_metric("gatehouse_sessions_open", 0)
    assert len({record["session"] for record in records}) == len(endings)
    assert len(gateway.audit("closed")) == len(endings)
    assert len(gateway.audit("opened")) == 2


@pytest.mark.parametrize("size", [1, 19, 21])
def test_an_answer_no_password_makes_is_not_passed_on(gateway, mariadb, size):
    # MariaDB would count it as a broken handshake of the gateway's, and block that after a hundred.
    with gateway.connect() as session:
        session.read_greeting()
        session.start_tls()
        session.send_packet(wire.login_payload("native", b"x" * size,
                                               capabilities=wire.DEFAULT_CAPABILITIES | wire.SSL))
        assert session.receive_packet() == BAD_HANDSHAKE
    gateway.wait_for_audit("closed", close_reason="login_malformed")


def test_nobody_logs_in_as_the_gateways_own_user_over_a_unix_socket(certificates, start_gateway,
                                                                    mariadb):
    # To MariaDB the gateway is who calls: an account IDENTIFIED VIA unix_socket asks no more.
    own = pwd.getpwuid(os.geteuid()).pw_name
    gateway = start_gateway(configuration.gateway_yaml(certificates, [mariadb.unix_backend], "off"))
    with gateway.connect() as session:
        with pytest.raises(ServerError) as refused:
            session.log_in(own, "")
        session.wait_for_end()
    assert refused.value.code == 1105
    closed = gateway.wait_for_audit("closed", close_reason="backend_untrusted")
    assert closed["user"] == own
