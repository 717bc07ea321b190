"""What a machine does to a gateway: it has no descriptors left, no room on its disk, a backend or
the gateway itself is killed. Who is inside stays inside, nothing is left behind, and it passes.
"""

import collections
import contextlib
import json
import os
import pathlib
import resource
import signal
import stat
import subprocess
import threading
import time

import pytest

from support import configuration, soak, wire
from support.connection import Closed
from support.failing_calls import FailingCalls, sanitizers
from support.gatehouse import read_audit
from support.mariadb_server import PASSWORD, MariaDbServer
from support.refusals import denied_bytes
from support.session import ServerError
from support.waiting import wait_until

BACK_OFF_SECONDS = 0.1  # How long a listener waits for what it lacks: limits::accept_back_off.


def _log_in(gateway, user="native"):
    return gateway.connect().log_in(user, PASSWORD)


def _gets_in(gateway):
    try:
        with _log_in(gateway) as session:
            return session.ping()
    except (ServerError, Closed, OSError):
        return False


class TestBackendIsKilled:
    """In the middle of a result, with SIGKILL."""

    @pytest.fixture(scope="class")
    def mortal(self, certificates, mariadb):
        with MariaDbServer(certificates) as server:
            yield server

    @pytest.fixture(params=["transparent", "routed"])
    def gateway(self, request, certificates, start_gateway, mortal, mariadb):
        if not mortal.is_running():
            mortal.start_again()
        servers = [configuration.server(certificates, [mortal.tcp_backend, mariadb.tcp_backend])]
        names = ["orders"]
        if request.param == "routed":
            names.append("billing")
            servers.append(configuration.server(certificates, [mariadb.tcp_backend],
                                                name="billing"))
        return start_gateway(
            configuration.gateway_yaml(
                certificates, [], servers=servers,
                listeners=[configuration.listener(certificates, servers=names)]),
            configuration.ROUTED_RULES if request.param == "routed" else None)

    def test_its_session_ends_and_the_next_ones_are_led_to_the_second(self, gateway, mortal,
                                                                      mariadb):
        user = "native@orders" if "billing" in gateway.yaml_path.read_text() else "native"
        with _log_in(gateway, user) as session:
            session.command(wire.COM_QUERY,
                            b"SELECT REPEAT('x', 1000) FROM shop.seq_1_to_100000000")
            rows = session.rows()
            for _ in range(100):
                next(rows)
            mortal.kill()
            with pytest.raises(Closed):
                collections.deque(rows, maxlen=0)
        closed = gateway.wait_for_audit("closed")
        assert (closed["close_reason"], closed["backend"]) == ("backend_closed", mortal.tcp_backend)
        assert closed["bytes_out"] > 100_000
        with _log_in(gateway, user) as session:
            assert session.value("SELECT 42") == "42"
        assert gateway.wait_for_audit("opened", count=2)[1]["backend"] == mariadb.tcp_backend


class TestNoDescriptors:
    @pytest.fixture
    def calls(self, tmp_path):
        return FailingCalls(tmp_path)

    @pytest.fixture
    def gateway(self, certificates, mariadb, start_gateway, calls):
        return start_gateway(
            configuration.gateway_yaml(certificates, [mariadb.tcp_backend], workers=1),
            enter=calls.enter)

    @staticmethod
    def _descriptors(gateway):
        return {int(name) for name in os.listdir(f"/proc/{gateway.pid}/fd")}

    @contextlib.contextmanager
    def _only(self, gateway, free):
        """It may open so many more than it has."""
        used = self._descriptors(gateway)
        unused = (number for number in range(len(used) + free + 1) if number not in used)
        limit = [next(unused) for _ in range(free + 1)][-1]
        before = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
        try:
            yield
        finally:
            resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, before)

    def test_who_comes_waits_and_gets_in_once_there_are_some(self, gateway, calls):
        # Before: a sanitizer opens descriptors of its own where it meets a class for the first time.
        with _log_in(gateway) as before:
            assert before.ping()
        gateway.wait_for_audit("closed")
        with _log_in(gateway) as inside:
            with self._only(gateway, free=0):
                calls.fail("accept", 1 << 30)
                began = time.monotonic()
                waiting = [gateway.connect() for _ in range(5)]
                wait_until(lambda: calls.calls() >= 5, "it tries again and again")
                attempts = calls.calls()
                # Between two attempts is a pause: a busy machine makes fewer of them, never more.
                assert attempts <= (time.monotonic() - began) / BACK_OFF_SECONDS + 2
                assert inside.ping()
                said = f"listener {configuration.LISTENER}: cannot take connections"
                assert gateway.log_text().count(said) == 1
            for session in waiting:
                assert session.log_in("native", PASSWORD).ping()
                session.close()
            assert gateway.status()["ready"]
            assert inside.ping()

    @pytest.mark.parametrize("free", [1, 3])
    def test_a_session_that_gets_too_few_ends_and_blames_no_backend(self, gateway, free):
        if sanitizers():
            pytest.skip("a sanitizer opens descriptors of its own")
        with self._only(gateway, free), contextlib.ExitStack() as inside:
            # Two each: its own, and the backend's.
            for _ in range(free // 2):
                inside.enter_context(gateway.connect()).read_greeting()
            with gateway.connect() as session, pytest.raises(ServerError) as refused:
                session.read_greeting()
            assert refused.value.code == 1105
        assert gateway.wait_for_audit("closed", close_reason="backend_unreachable")
        [backend] = gateway.status()["servers"][0]["backends"]
        assert backend["state"] != "failed"
        assert _gets_in(gateway)

    def test_those_that_are_refused_together_hold_one_at_a_time(self, certificates, mariadb,
                                                                start_gateway):
        if sanitizers():
            pytest.skip("a sanitizer opens descriptors of its own")
        stranger = "127.9.9.9"
        gateway = start_gateway(
            configuration.gateway_yaml(certificates, [mariadb.tcp_backend], workers=1),
            {"orders.yaml": configuration.rule_file("some 127.0.0.0/24")})
        with self._only(gateway, free=1), contextlib.ExitStack() as waiting:
            with gateway.standing_still():
                refused = [waiting.enter_context(gateway.connect(stranger)) for _ in range(20)]
            for session in refused:
                assert session.receive_rest() == denied_bytes(stranger)
        assert "cannot take connections" not in gateway.log_text()


class Disk:
    """Where an audit is written that can be made full, and have room again."""

    def __init__(self, folder):
        self.folder = folder

    def missing(self):
        """Why there can be none here; None if there can."""
        return None

    def enter(self):
        return []

    @property
    def audit(self):
        return self.folder / "audit.jsonl"


class SmallDisk(Disk):
    """One of its own, of a few pages."""

    def missing(self):
        if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"],
                                               check=False).returncode != 0:
            return "a small disk of its own needs root and a mount namespace"
        return None

    def enter(self):
        return ["unshare", "--mount", "sh", "-c",
                'mount -t tmpfs -o size=64k none "$0" && exec "$@"', str(self.folder)]

    def started(self, gateway):
        # The gateway's alone, so it is looked at and filled through the process.
        self.folder = pathlib.Path(f"/proc/{gateway.pid}/root{self.folder}")

    def fill(self):
        with open(self.folder / "filler", "wb", buffering=0) as filler, pytest.raises(OSError):
            while True:
                filler.write(b"x" * 512)

    def make_room(self):
        (self.folder / "filler").unlink()


class SizeLimit(Disk):
    """The largest that a file of this process may be: writes end in the middle of a line."""

    def started(self, gateway):
        self._gateway = gateway
        self._before = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE)

    def fill(self):
        size = self.audit.stat().st_size + 50
        resource.prlimit(self._gateway.pid, resource.RLIMIT_FSIZE, (size, self._before[1]))

    def make_room(self):
        resource.prlimit(self._gateway.pid, resource.RLIMIT_FSIZE, self._before)


@pytest.mark.parametrize("kind", [SmallDisk, SizeLimit])
def test_a_full_disk_keeps_new_sessions_out_and_ends_with_no_half_line(certificates, mariadb,
                                                                       start_gateway, tmp_path,
                                                                       kind):
    disk = kind(tmp_path)
    if reason := disk.missing():
        pytest.skip(reason)
    gateway = start_gateway(configuration.gateway_yaml(
        certificates, [mariadb.tcp_backend], audit={"file": str(tmp_path / "audit.jsonl")}),
        enter=disk.enter())
    disk.started(gateway)
    with _log_in(gateway) as inside:
        for _ in range(2):
            disk.fill()
            wait_until(lambda: not _gets_in(gateway), "new sessions are refused")
            with gateway.connect() as refused, pytest.raises(ServerError) as error:
                refused.read_greeting()
            assert error.value.code == 1105
            assert inside.value("SELECT 42") == "42"
            assert gateway.http("/readyz")[0] == 503
            disk.make_room()
            wait_until(lambda: _gets_in(gateway), "sessions are let in again")
            assert inside.ping()
    wait_until(lambda: _sessions_by_fate([disk.audit])["open"] == 0, "each is closed on record")
    assert _sessions_by_fate([disk.audit])["torn"] == 0
    assert gateway.metric("gatehouse_audit_events_lost_total") == 0


def _sessions_by_fate(paths):
    """How many sessions are still open, and how many lines are none; each has one end at most."""
    opened, closed, torn = collections.Counter(), collections.Counter(), 0
    for path in paths:
        for line in path.read_bytes().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                torn += 1
                continue
            counter = {"opened": opened, "closed": closed}.get(record["event"])
            # Those that were refused while nothing could be written are one record, that counts.
            if counter is not None and "session" in record:
                counter[record["session"]] += 1
    assert all(count == 1 for count in (opened | closed).values())
    return {"open": len(set(opened) - set(closed)), "ended": len(set(opened) & set(closed)),
            "torn": torn}


def test_a_log_that_is_renamed_under_load_loses_no_line(gateway):
    stopping = threading.Event()
    done = []

    def work():
        while not stopping.is_set():
            with _log_in(gateway) as session:
                assert session.ping()
            done.append(1)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    files = []
    try:
        for number in soak.rounds(8, 200):
            before = len(done)
            wait_until(
                lambda: len(done) >= before + 10 and read_audit(gateway.audit_path, "closed"),
                "sessions are recorded")
            files.append(gateway.audit_path.with_suffix(f".{number}"))
            gateway.audit_path.rename(files[-1])
            if number % 2 == 0:
                gateway.signal(signal.SIGHUP)
            wait_until(gateway.audit_path.exists, "a new file under the old name")
    finally:
        stopping.set()
        for worker in workers:
            worker.join()
    files.append(gateway.audit_path)
    wait_until(lambda: _sessions_by_fate(files)["ended"] == len(done), "every session is on record")
    assert _sessions_by_fate(files) == {"open": 0, "ended": len(done), "torn": 0}


def test_a_kill_leaves_nothing_that_a_restart_does_not_put_right(gateway):
    admin = gateway.folder / "admin.sock"
    ended = 0
    for number in soak.rounds(4, 100):
        with contextlib.ExitStack() as inside:
            for _ in range(5):
                inside.enter_context(_log_in(gateway))
            gateway.command("lockdown" if number % 2 == 0 else "unlock", "orders")
            _kill(gateway)
            # As a kill in the middle of a write would have it.
            with open(gateway.audit_path, "ab") as audit:
                audit.write(b'{"time":"2026-')
            gateway.kill_and_start_again()
        assert stat.S_IMODE(admin.stat().st_mode) == 0o600
        [server] = gateway.status()["servers"]
        assert server["sessions"] == 0
        assert server["locked_down"] == (number % 2 == 0)
        gateway.command("unlock", "orders")
        assert _gets_in(gateway)
        wait_until(lambda: _sessions_by_fate([gateway.audit_path])["ended"] > ended,
                   "it is recorded")
        ended = _sessions_by_fate([gateway.audit_path])["ended"]
        # The line that was cut stands alone, for everybody to see; none after it is lost to it.
        assert _sessions_by_fate([gateway.audit_path])["torn"] == number + 1
        assert sorted(os.listdir(gateway.folder)) == [
            "admin.sock", "audit.jsonl", "gateway.yaml", "rules", "state", "stderr.log"]
        assert os.listdir(gateway.folder / "state") == ["lockdowns.json"]


def _kill(gateway):
    os.kill(gateway.pid, signal.SIGKILL)
    wait_until(lambda: not gateway.is_running(), "it is dead")
