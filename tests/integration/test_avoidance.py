"""What the gateway remembers of its backends, and what it finds out when no session does."""

import json
import socket
import threading

import pytest

from support import configuration, gatehouse, network
from support.fake_backend import in_pieces
from support.mariadb_server import PASSWORD, MariaDbServer
from support.session import ServerError
from support.waiting import wait_until


@pytest.fixture
def gateway_to(certificates, start_gateway):
    def start(*backends, login="transparent", tls="verify", dial_timeout="1s", **changes):
        yaml = configuration.gateway_yaml(
            certificates, [], listeners=[configuration.listener(certificates, login=login)],
            servers=[configuration.server(certificates, backends, tls, dial_timeout=dial_timeout)],
            **changes)
        return start_gateway(yaml)

    return start


def _stall(connection):
    connection.stall()


def _refuse_the_login(connection):
    connection.send_greeting()
    connection.receive_packet()
    connection.send_error(1045, "Access denied", sequence=2, state="28000")


def _states(gateway, server=0):
    return [backend["state"] for backend in gateway.status()["servers"][server]["backends"]]


def _log_in(gateway):
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)


class TestAvoidance:
    """A backend that failed costs one session its time, not every one."""

    def test_one_session_finds_out_and_the_next_ones_know(self, gateway_to, fake, mariadb):
        first = fake(_stall)
        gateway = gateway_to(first.tcp_backend, mariadb.tcp_backend)
        for _ in range(4):
            _log_in(gateway)
        assert gateway.metric("gatehouse_backend_dials_total", server="orders") == 5
        assert gateway.metric("gatehouse_backend_dial_failures_total", server="orders") == 1
        assert _states(gateway) == ["failed", "up"]
        for backend, is_up in ((first.tcp_backend, 0), (mariadb.tcp_backend, 1)):
            assert gateway.metric("gatehouse_backend_up", server="orders",
                                  backend=backend) == is_up

    def test_it_is_used_again_once_it_answers(self, gateway_to, fake, mariadb):
        repaired = threading.Event()
        pass_on = in_pieces(mariadb)
        first = fake(lambda connection: pass_on(connection) if repaired.is_set() else None)
        gateway = gateway_to(first.tcp_backend, mariadb.tcp_backend, dial_timeout="10s")
        _log_in(gateway)
        assert gateway.wait_for_audit("opened")["backend"] == mariadb.tcp_backend
        repaired.set()
        wait_until(lambda: _states(gateway) == ["up", "up"], "the first backend is found to be up")
        _log_in(gateway)
        assert gateway.wait_for_audit("opened", count=2)[1]["backend"] == first.tcp_backend
        assert f"backend {first.tcp_backend} answers again" in gateway.log_text()

    def test_all_are_tried_where_all_have_failed(self, gateway_to, fake):
        backends = [fake(lambda connection: None) for _ in range(2)]
        gateway = gateway_to(*(backend.tcp_backend for backend in backends))
        for count in (2, 4, 6):
            with gateway.connect() as session, pytest.raises(ServerError):
                session.read_greeting()
            assert gateway.metric("gatehouse_backend_dials_total", server="orders") == count
        assert _states(gateway) == ["failed", "failed"]

    def test_a_backend_that_is_full_is_not_avoided(self, gateway_to, fake, mariadb):
        full = fake(lambda connection: connection.send_error(1040, "Too many connections"))
        gateway = gateway_to(full.tcp_backend, mariadb.tcp_backend)
        for count in (1, 2):
            with gateway.connect() as session, pytest.raises(ServerError) as refused:
                session.read_greeting()
            assert refused.value.code == 1040
            assert full.accepted == count
        assert _states(gateway) == ["unknown", "unknown"]

    def test_a_session_that_is_cut_blames_no_backend(self, gateway_to, fake, mariadb):
        first = fake(_stall)
        gateway = gateway_to(first.tcp_backend, mariadb.tcp_backend,
                             limits={"handshake_timeout": "100ms"})
        with gateway.connect() as session:
            assert session.receive_rest() == b""
        gateway.wait_for_audit("closed", close_reason="handshake_timeout")
        assert _states(gateway) == ["unknown", "unknown"]

    def test_a_reload_forgets_nothing(self, gateway_to, fake, mariadb):
        gateway = gateway_to(fake(_stall).tcp_backend, mariadb.tcp_backend)
        _log_in(gateway)
        before = gateway.generation()
        gateway.write_rules(configuration.rule_file("other 127.0.0.0/16"))
        gateway.wait_for_generation_after(before)
        _log_in(gateway)
        assert gateway.metric("gatehouse_backend_dials_total", server="orders") == 3
        assert _states(gateway) == ["failed", "up"]


class TestGreetingsAheadOfSessions:
    """A routed listener greets before it knows the backend, so it asks all of them beforehand."""

    def test_they_are_known_when_the_gateway_is_ready(self, gateway_to, mariadb):
        before = len(mariadb.log_text())
        gateway = gateway_to(mariadb.tcp_backend, mariadb.unix_backend, login="routed", tls="off")
        with gateway.connect() as session:
            # What clients are greeted with where nothing is known (common_greeting.h).
            assert session.read_greeting().version != "5.5.5-10.2.0-MariaDB"
        wait_until(lambda: _states(gateway) == ["up", "up"], "both backends are found to be up")
        log = mariadb.log_text()[before:]
        assert log.count("Access denied for user 'gatehouse-client-gone'") == 2
        assert "unauthenticated" not in log  # As whom MariaDB notes a broken handshake.

    def test_the_gateway_is_ready_once_it_knows_them(self, certificates, fake):
        """The backend looks at the gateway before it says a word."""
        ready = []

        def script(connection):
            with socket.socket(socket.AF_UNIX) as admin:
                admin.connect(str(gateway.folder / "admin.sock"))
                admin.sendall(b'{"command": "status"}\n')
                ready.append(json.loads(admin.makefile().read())["result"]["ready"])
            _refuse_the_login(connection)

        gateway = gatehouse.Gatehouse(configuration.gateway_yaml(
            certificates, [fake(script).tcp_backend], "off",
            listeners=[configuration.listener(certificates, login="routed")]))
        try:
            gateway.start()
            assert ready == [False]
            # The greeting is all that it needs: the rest of what is asked may still be under way.
            wait_until(lambda: _states(gateway) == ["up"], "the backend is found to be up")
        finally:
            gateway.stop()

    def test_over_tls_where_the_server_has_it(self, gateway_to, mariadb):
        gateway = gateway_to(mariadb.tcp_backend, login="routed")
        wait_until(lambda: _states(gateway) == ["up"], "the backend is found to be up")

    def test_a_backend_that_stalls_keeps_nobody_waiting(self, gateway_to, fake, mariadb):
        gateway = gateway_to(fake(_stall).tcp_backend, mariadb.tcp_backend, login="routed",
                             dial_timeout="60s")
        wait_until(lambda: _states(gateway) == ["unknown", "up"], "the other one is found to be up")

    def test_a_backend_with_a_wrong_certificate_gets_no_login(self, gateway_to, fake, certificates):
        def script(connection):
            connection.send_greeting()
            connection.start_tls(certificates.misnamed_backend)
            connection.receive_packet()

        backend = fake(script)
        gateway = gateway_to(backend.tcp_backend, login="routed")
        assert _states(gateway) == ["failed"]
        assert "ostname mismatch" in gateway.log_text()
        assert b"gatehouse-client-gone" not in backend.received

    def test_transparent_listeners_need_none(self, gateway_to, fake):
        backend = fake(_refuse_the_login)
        gateway = gateway_to(backend.tcp_backend, tls="off")
        assert _states(gateway) == ["unknown"]
        assert backend.accepted == 0

    def test_those_that_are_known_are_asked_no_more(self, gateway_to, fake):
        known = fake(_refuse_the_login)
        failing = fake(lambda connection: None)
        gateway = gateway_to(known.tcp_backend, failing.tcp_backend, login="routed", tls="off")
        failing.wait_for_connection(3)
        assert _states(gateway) == ["up", "failed"]
        assert known.accepted == 1


def test_what_is_asked_in_the_background_does_not_get_the_gateway_blocked(certificates,
                                                                         start_gateway):
    if reason := network.missing_right():
        pytest.skip(reason)
    with network.VethPair() as veth, MariaDbServer(
            certificates, ["--max-connect-errors=3"], veth.there, veth.enter()) as server:

        def yaml(name):
            listeners = [configuration.listener(certificates),
                         configuration.listener(certificates, "ahead", servers=[name],
                                                login="routed")]
            servers = [configuration.server(certificates, [server.tcp_backend], name=each)
                       for each in (configuration.SERVER, name)]
            return configuration.gateway_yaml(certificates, [], listeners=listeners,
                                              servers=servers)

        gateway = start_gateway(yaml("ahead-0"))
        # Under each name it is another backend, which nothing is known of yet.
        for number in range(1, 10):
            before = gateway.generation()
            gateway.write_configuration(yaml(f"ahead-{number}"))
            gateway.wait_for_generation_after(before)
            wait_until(lambda: _states(gateway, server=1) == ["up"], "the backend has greeted")
        _log_in(gateway)
