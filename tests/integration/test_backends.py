"""Backends that are down, slow, lying or not who they should be; and those after them."""

import re
import threading

import pytest

from support import configuration, network, wire
from support.fake_backend import in_pieces
from support.mariadb_server import PASSWORD, MariaDbServer
from support.session import ServerError, Session
from support.waiting import DEADLINE_SECONDS, wait_until


@pytest.fixture
def gateway_to(certificates, start_gateway):
    def start(*backends, tls="verify", **server_keys):
        server = configuration.server(certificates, backends, tls, dial_timeout="1s",
                                      **server_keys)
        return start_gateway(configuration.gateway_yaml(certificates, [], servers=[server]))

    return start


def _refused(gateway, reason, log_in=True):
    """Reads 1105 and nothing else; its reference leads to the session's record in the audit."""
    with gateway.connect() as session:
        with pytest.raises(ServerError) as refused:
            if log_in:
                session.log_in("native", PASSWORD)
            else:
                session.read_greeting()
        assert session.receive_rest() == b""
    error = refused.value
    assert error.code == 1105
    assert error.state in (None, "HY000")
    assert "127.0.0.1" not in error.message and "internal" not in error.message
    record = gateway.wait_for_audit("closed", close_reason=reason)
    assert record["session"] in error.message
    return record


class TestBeforeTheGreeting:
    """The client has read nothing yet: the next backend is tried, or it reads an error."""

    def test_a_backend_that_is_down(self, gateway_to, closed_port):
        _refused(gateway_to(closed_port), "backend_unreachable", log_in=False)

    def test_a_unix_socket_that_is_not_there(self, gateway_to, tmp_path):
        gateway = gateway_to(f"unix:{tmp_path}/none.sock", tls="off")
        _refused(gateway, "backend_unreachable", log_in=False)

    def test_a_backend_that_stalls(self, gateway_to, fake):
        backend = fake(lambda connection: connection.stall())
        _refused(gateway_to(backend.tcp_backend), "backend_unreachable", log_in=False)
        assert backend.accepted >= 1

    def test_a_backend_that_closes_at_once(self, gateway_to, fake):
        backend = fake(lambda connection: None)
        _refused(gateway_to(backend.tcp_backend), "backend_unreachable", log_in=False)

    GARBAGE = {
        "text": b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "an empty packet": wire.packet(0, b""),
        "another protocol's version": wire.packet(0, b"\x09" + bytes(80)),
        "a version without an end": wire.packet(0, b"\x0a" + b"x" * 300),
        "a greeting cut short": wire.packet(0, wire.greeting()[:30]),
        "a length beyond all bounds": b"\xff\xff\xff\x00" + bytes(70000),
        "a wrong sequence number": wire.packet(5, wire.greeting()),
    }

    @pytest.mark.parametrize("what", GARBAGE)
    def test_a_backend_that_greets_with(self, gateway_to, fake, what):
        def script(connection):
            connection.send(self.GARBAGE[what])
            connection.stall()

        _refused(gateway_to(fake(script).tcp_backend), "backend_unreachable", log_in=False)

    def test_an_error_in_place_of_the_greeting_is_not_shown(self, gateway_to, fake):
        backend = fake(lambda connection: connection.send_error(
            1130, "Host '127.0.0.1' is not allowed to connect to this MariaDB server"))
        _refused(gateway_to(backend.tcp_backend), "backend_unreachable", log_in=False)

    def test_too_many_connections_stays_what_it_is(self, gateway_to, fake):
        backend = fake(lambda connection: connection.send_error(1040, "Too many connections"))
        gateway = gateway_to(backend.tcp_backend)
        with gateway.connect() as session, pytest.raises(ServerError) as refused:
            session.read_greeting()
        assert (refused.value.code, refused.value.message) == (1040, "Too many connections")

    def test_a_backend_without_tls(self, gateway_to, fake):
        def script(connection):
            connection.send_greeting(tls=False)
            connection.stall()

        _refused(gateway_to(fake(script).tcp_backend), "backend_untrusted", log_in=False)


class TestIdentity:
    """Whom the gateway talks to is settled before the client's login goes there."""

    WRONG = ["misnamed_backend", "expired_backend", "stranger_backend"]

    @pytest.mark.parametrize("identity", WRONG)
    def test_no_login_is_sent_to_a_backend_that_is(self, gateway_to, fake, certificates, identity):
        def script(connection):
            connection.send_greeting()
            connection.start_tls(getattr(certificates, identity))
            connection.stall()

        backend = fake(script)
        _refused(gateway_to(backend.tcp_backend), "backend_untrusted")
        assert b"native" not in backend.received

    def test_a_pinned_certificate_is_the_only_one(self, certificates, gateway_to, fake, mariadb):
        def script(connection):
            connection.send_greeting()
            connection.start_tls(certificates.misnamed_backend)
            connection.stall()

        backend = fake(script)
        _refused(gateway_to(backend.tcp_backend, tls="pin"), "backend_untrusted")
        assert b"native" not in backend.received
        with gateway_to(mariadb.tcp_backend, tls="pin").connect() as session:
            session.log_in("native", PASSWORD)
            assert session.value("SELECT 1") == "1"

    def test_the_gateways_own_certificate_is_shown_to_a_backend_that_asks(
            self, certificates, gateway_to, mariadb):
        mariadb.execute(f"CREATE OR REPLACE USER x509@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE X509")
        tls = {"mode": "verify", "ca": str(certificates.authority),
               "name": configuration.BACKEND_NAME}
        identity = {"certificate": str(certificates.client.certificate),
                    "key": str(certificates.client.key)}
        server = configuration.server(certificates, [mariadb.tcp_backend]) | {"tls": tls | identity}
        gateway = gateway_to(mariadb.tcp_backend)
        with gateway.connect() as session, pytest.raises(ServerError):
            session.log_in("x509", PASSWORD)
        before = gateway.generation()
        gateway.write_configuration(configuration.gateway_yaml(certificates, [], servers=[server]))
        gateway.wait_for_generation_after(before)
        with gateway.connect() as session:
            session.log_in("x509", PASSWORD)
            assert session.ping()


class TestAfterTheGreeting:
    """There is no next backend any more."""

    def test_a_backend_that_is_gone_before_the_login(self, gateway_to, fake):
        def script(connection):
            connection.send_greeting()

        gateway = gateway_to(fake(script).tcp_backend, tls="off")
        with gateway.connect() as session:
            with pytest.raises(ServerError) as refused:
                session.log_in("native", PASSWORD)
        assert refused.value.code == 1105
        record = gateway.wait_for_audit("closed")
        assert record["session"] in refused.value.message

    def test_a_backend_that_ends_in_the_middle_of_a_result(self, gateway_to, fake):
        def script(connection):
            connection.send_greeting()
            connection.receive_packet()
            connection.send(wire.packet(2, b"\0\0\0\2\0\0\0"))
            connection.receive_packet()
            connection.send(b"\x01\x00\x00\x01\x01\x30")

        gateway = gateway_to(fake(script).tcp_backend, tls="off")
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)
            session.command(wire.COM_QUERY, b"SELECT 1")
            assert session.receive_rest() == b"\x01\x00\x00\x01\x01\x30"
        gateway.wait_for_audit("closed", close_reason="backend_closed")


class TestOrder:
    """Backends are tried in order; one that failed is left alone for a while."""

    @pytest.mark.parametrize("first", ["closed", "stalling", "without TLS", "full of errors"])
    def test_the_second_backend_serves_where_the_first_is(self, gateway_to, fake, closed_port,
                                                          mariadb, first):
        def without_tls(connection):
            connection.send_greeting(tls=False)
            connection.stall()

        address = {
            "closed": lambda: closed_port,
            "stalling": lambda: fake(lambda connection: connection.stall()).tcp_backend,
            "without TLS": lambda: fake(without_tls).tcp_backend,
            "full of errors": lambda: fake(
                lambda connection: connection.send_error(1129, "Host is blocked")).tcp_backend,
        }[first]()
        gateway = gateway_to(address, mariadb.tcp_backend)
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)
            assert session.value("SELECT CONNECTION_ID()") == str(session.greeting.thread)
        assert gateway.wait_for_audit("opened")["backend"] == mariadb.tcp_backend

    def test_the_first_serves_while_it_is_up(self, gateway_to, fake, mariadb):
        second = fake(lambda connection: connection.stall())
        gateway = gateway_to(mariadb.tcp_backend, second.tcp_backend)
        for _ in range(5):
            with gateway.connect() as session:
                session.log_in("native", PASSWORD)
        assert second.accepted == 0


@pytest.mark.parametrize("tls", ["verify", "off"])
def test_a_backend_that_drips_its_bytes_is_only_slow(gateway_to, fake, mariadb, tls):
    gateway = gateway_to(fake(in_pieces(mariadb)).tcp_backend, tls=tls)
    with gateway.connect() as session:
        session.log_in("native", PASSWORD, "shop")
        assert session.value("SELECT REPEAT('gatehouse', 1000)") == "gatehouse" * 1000


def test_clients_that_leave_after_the_greeting_do_not_get_the_gateway_blocked(
        certificates, start_gateway):
    if reason := network.missing_right():
        pytest.skip(reason)
    # MariaDB keeps no count for loopback addresses, so it stands behind a network of its own.
    with network.VethPair() as veth, MariaDbServer(
            certificates, ["--max-connect-errors=3"], veth.there, veth.enter()) as server:
        gateway = start_gateway(configuration.gateway_yaml(certificates, [server.tcp_backend]))
        for _ in range(150):
            with gateway.connect() as session:
                session.read_greeting()
        gateway.wait_for_audit("closed", count=150)
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)
            assert session.ping()
        _assert_the_server_would_have_blocked(server, veth)


def _assert_the_server_would_have_blocked(server, veth):
    """The counter-proof: the same server blocks whoever leaves like that without the gateway."""

    def blocked():
        with Session((veth.there, server.port), veth.here) as session:
            try:
                session.read_greeting()
                return False
            except ServerError as error:
                return re.search("blocked", error.message)

    wait_until(blocked, "MariaDB blocks an address that breaks off its logins")


def test_a_backend_that_resets_behind_its_greeting_ends_that_session_and_no_other(gateway_to, fake):
    # A reset takes with it what was not read: it must not overtake the greeting.
    shown, gone = threading.Semaphore(0), threading.Semaphore(0)

    def greet_and_reset(connection):
        connection.send_greeting()
        shown.acquire(timeout=DEADLINE_SECONDS)
        connection.reset()
        gone.release()

    gateway = gateway_to(fake(greet_and_reset).tcp_backend)
    for count in range(1, 4):
        with gateway.connect() as session:
            session.read_greeting()
            shown.release()
            assert gone.acquire(timeout=DEADLINE_SECONDS)
            session.send(wire.ssl_request())
        gateway.wait_for_audit("closed", count=count)
    assert gateway.is_running()


@pytest.mark.parametrize("tls", ["verify", "off"])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_client_that_dies_takes_its_waiting_statement_with_it(gateway_to, mariadb, tls, end):
    gateway = gateway_to(mariadb.tcp_backend, tls=tls)

    def waiting():
        return int(mariadb.execute("SELECT COUNT(*) FROM information_schema.processlist "
                                   "WHERE state = 'User lock'"))

    with gateway.connect() as holder, gateway.connect() as waiter:
        holder.log_in("native", PASSWORD)
        waiter.log_in("native", PASSWORD)
        holder.query("SELECT GET_LOCK('held', 0)")
        waiter.command(wire.COM_QUERY, b"SELECT GET_LOCK('held', 3600)")
        wait_until(waiting, "the statement waits")
        getattr(waiter, end)()
        wait_until(lambda: not waiting(), "it is given up")
