"""SIGTERM and SIGHUP at any moment, also twice: the one ends in order, the other ends nothing."""

import signal
import subprocess
import threading

import pytest

from support import configuration, processes, soak
from support.connection import Closed
from support.gatehouse import binary
from support.mariadb_server import PASSWORD
from support.session import ServerError
from support.waiting import DEADLINE_SECONDS, wait_until

STOPS = (signal.SIGTERM, signal.SIGINT)


class Starting:
    """A gateway on its way: it has its admin socket, and waits for a backend that says nothing."""

    def __init__(self, prepared):
        self.prepared = prepared
        self._process = processes.start(
            [binary(), "run", "--config", str(prepared.yaml_path)], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.admin = prepared.folder / "admin.sock"
        wait_until(self.admin.exists, "it has begun")

    def signal(self, *numbers):
        for number in numbers:
            self._process.send_signal(number)

    def end(self):
        """Its exit code, what it said of itself, and its log."""
        said, log = self._process.communicate(timeout=DEADLINE_SECONDS)
        return self._process.returncode, said, log

    def destroy(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


@pytest.fixture
def starting(prepare_gateway, certificates, fake):
    silent = fake(lambda connection: connection.stall())
    servers = [configuration.server(certificates, [silent.tcp_backend], name=name)
               for name in ("orders", "billing")]
    yaml = configuration.gateway_yaml(
        certificates, [], servers=servers,
        listeners=[configuration.listener(certificates, servers=["orders", "billing"])])
    gateway = Starting(prepare_gateway(yaml, configuration.ROUTED_RULES))
    yield gateway
    gateway.destroy()


@pytest.mark.parametrize("signals", [
    (signal.SIGTERM,), (signal.SIGINT,), (signal.SIGTERM, signal.SIGTERM),
    (signal.SIGHUP, signal.SIGTERM), (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM)],
    ids=lambda signals: "-".join(number.name for number in signals))
def test_a_start_that_is_to_end_ends_in_order(starting, signals):
    starting.signal(*signals)
    code, _, log = starting.end()
    assert code == 0, log
    assert not starting.admin.exists()


def test_a_start_goes_on_though_it_is_told_to_reload(starting):
    starting.signal(signal.SIGHUP, signal.SIGHUP)
    wait_until(lambda: starting.prepared.status()["ready"], "it is ready")
    starting.signal(signal.SIGTERM)
    code, said, log = starting.end()
    assert code == 0, log
    assert "ready\n" in said


@pytest.fixture
def draining(certificates, mariadb, start_gateway):
    return lambda rules=None: start_gateway(
        configuration.gateway_yaml(certificates, [mariadb.tcp_backend],
                                   limits={"drain_timeout": "1h"}), rules)


@pytest.fixture
def rules_slow_to_load(tmp_path):
    """Slower than signals can come."""
    partners = tmp_path / "partners.netset"
    partners.write_text("127.0.0.1\n" + "".join(
        f"10.{number // 256}.{number % 256}.0/24\n" for number in range(50_000)))
    return {"orders.yaml": f"server: orders\nip_rules:\n  - {{name: partners, list: {partners}}}\n"}


class Working:
    """Clients that come and go until the gateway does."""

    def __init__(self, gateway):
        self._gateway = gateway
        self.sessions = 0
        self._threads = [threading.Thread(target=self._work) for _ in range(4)]
        for thread in self._threads:
            thread.start()
        wait_until(lambda: self.sessions > 0, "sessions are under way")

    def _work(self):
        try:
            while True:
                with self._gateway.connect() as session:
                    session.log_in("native", PASSWORD)
                    self.sessions += 1
        except (Closed, OSError, ServerError):
            return  # Nobody is let in any more.

    def join(self):
        for thread in self._threads:
            thread.join()


def test_reloads_one_upon_the_other_lose_no_session_and_an_end_among_them_is_one(draining):
    for _ in soak.rounds(2, 100):
        gateway = draining()
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)
            working = Working(gateway)
            for number in range(50):
                gateway.write_rules(configuration.rule_file(f"some-{number} 127.0.0.0/8"))
                gateway.signal(signal.SIGHUP)
            assert session.value("SELECT 42") == "42"
            gateway.signal(signal.SIGHUP)
            gateway.signal(signal.SIGTERM)
            gateway.signal(signal.SIGHUP)
            working.join()
            assert session.value("SELECT 42") == "42"
        assert gateway.wait_for_exit() == 0
        opened = [record["session"] for record in gateway.audit("opened")]
        closed = [record["session"] for record in gateway.audit("closed")]
        assert len(closed) == len(set(closed)) and set(opened) <= set(closed)


def test_a_drain_reloads_nothing_and_a_second_sigterm_cuts(draining):
    gateway = draining()
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: gateway.http("/readyz")[0] == 503, "it drains")
        generation = gateway.generation()
        gateway.write_rules("")
        gateway.signal(signal.SIGHUP)
        assert session.value("SELECT 42") == "42"
        assert gateway.generation() == generation
        gateway.signal(signal.SIGTERM)
        session.wait_for_end()
    assert gateway.wait_for_exit() == 0
    assert [record["close_reason"] for record in gateway.audit("closed")] == ["drained"]


def _has_ended_or_is_told(gateway, number):
    for each in (number, signal.SIGHUP):
        if gateway.is_running():
            gateway.signal(each)
    return not gateway.is_running()


@pytest.mark.parametrize("number", STOPS)
def test_signals_without_end_do_not_spoil_the_end(draining, rules_slow_to_load, number):
    for _ in soak.rounds(3, 100):
        gateway = draining(rules_slow_to_load)
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)
            wait_until(lambda: _has_ended_or_is_told(gateway, number), "it ends", poll=0.001)
        assert gateway.wait_for_exit() == 0
        assert [record["close_reason"] for record in gateway.audit("closed")] == ["drained"]
        assert not (gateway.folder / "admin.sock").exists()
