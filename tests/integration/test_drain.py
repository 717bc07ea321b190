"""SIGTERM: no one new, those inside finish or are cut, and the exit is an orderly one."""

import signal
import socket

import pytest

from support import configuration
from support.connection import Closed
from support.mariadb_server import PASSWORD
from support.waiting import DEADLINE_SECONDS, wait_until


@pytest.fixture
def draining(certificates, mariadb, start_gateway):
    def start(drain_timeout):
        return start_gateway(configuration.gateway_yaml(
            certificates, [mariadb.tcp_backend], limits={"drain_timeout": drain_timeout}))

    return start


def _refuses_connections(gateway):
    with socket.socket() as probe:
        return probe.connect_ex(gateway.address()) != 0


def test_readiness_goes_first_then_the_doors_close_and_those_inside_finish(draining):
    gateway = draining("60s")
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: gateway.http("/readyz")[0] == 503, "readiness is false")
        assert gateway.http("/healthz")[0] == 200
        wait_until(lambda: _refuses_connections(gateway), "nobody new is let in")
        assert session.value("SELECT 42") == "42"
        assert gateway.is_running()
    assert gateway.wait_for_exit() == 0
    assert gateway.audit("closed")[-1]["close_reason"] == "client_closed"


def test_sessions_that_outlast_the_drain_are_closed(draining, mariadb):
    gateway = draining("1s")
    with gateway.connect() as session, gateway.connect() as half_way:
        session.log_in("native", PASSWORD)
        half_way.read_greeting()
        gateway.signal(signal.SIGTERM)
        session.wait_for_end()
        half_way.wait_for_end()
    assert gateway.wait_for_exit() == 0
    assert {record["close_reason"] for record in gateway.audit("closed")} == {"drained"}
    assert len(gateway.audit("closed")) == 2
    wait_until(lambda: mariadb.sessions_of("native") == 0, "the backend's session is over")


def test_a_gateway_without_sessions_ends_at_once(draining):
    gateway = draining("1h")
    gateway.signal(signal.SIGTERM)
    assert gateway.wait_for_exit() == 0


def test_a_statement_that_runs_is_finished_within_the_drain(draining):
    gateway = draining("60s")
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)
        session.command(0x03, b"SELECT SLEEP(1)")
        gateway.signal(signal.SIGTERM)
        assert len(list(session.rows())) == 1
    assert gateway.wait_for_exit() == 0


def test_a_backend_that_ends_its_sessions_ends_them_for_clients_too(gateway, mariadb):
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)
        mariadb.execute(f"KILL {session.greeting.thread}")
        with pytest.raises(Closed):
            while True:
                session.receive_packet()
    gateway.wait_for_audit("closed", close_reason="backend_closed")


def test_a_supervisor_is_told_of_readiness_and_of_the_end(draining, tmp_path, monkeypatch):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(path))
        supervisor.settimeout(DEADLINE_SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        gateway = draining("60s")
        assert supervisor.recv(64) == b"READY=1"
        gateway.signal(signal.SIGTERM)
        assert supervisor.recv(64) == b"STOPPING=1"
        assert gateway.wait_for_exit() == 0
