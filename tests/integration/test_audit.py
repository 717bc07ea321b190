"""The audit: what a record holds, that there is one for everything, and what a full disk does."""

import datetime
import json
import re
import signal

import pytest

from support import configuration, wire
from support.connection import Closed
from support.gatehouse import read_audit
from support.mariadb_server import PASSWORD
from support.refusals import TOO_MANY, denied_bytes
from support.session import ServerError
from support.waiting import wait_until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_opened_and_closed_say_who_what_and_how_much(gateway, mariadb):
    with gateway.connect("127.0.0.5") as session:
        session.log_in("native", PASSWORD, "shop", attributes={"program_name": "audit-test"})
        thread = session.greeting.thread
        opened = gateway.wait_for_audit("opened")
        session.query("SELECT REPEAT('x', 1000)")
        session.command(wire.COM_QUIT)
    closed = gateway.wait_for_audit("closed")
    assert set(opened) == {
        "time", "event", "gateway", "session", "listener", "server", "source", "verdict", "reason",
        "rule", "snapshot", "tls", "user", "database", "program", "backend", "backend_thread",
        "backend_local_port"}
    assert set(closed) == set(opened) | {"bytes_in", "bytes_out", "seconds", "close_reason"}
    for record in (opened, closed):
        assert TIME.fullmatch(record["time"])
        assert record["gateway"] == "gw-test"
        assert re.fullmatch("[0-9a-f]{16}", record["session"])
        assert record["listener"] == configuration.LISTENER
        assert record["server"] == "orders"
        assert record["source"] == {"address": "127.0.0.5", "port": session.source_port}
        assert (record["verdict"], record["reason"]) == ("allow", "ip_rule")
        assert record["rule"] == {"name": "loopback", "file": "rules/orders.yaml", "line": 3}
        assert record["snapshot"] == 1
        assert record["tls"]["version"] == "TLSv1.3"
        assert record["user"] == "native"
        assert record["database"] == "shop"
        assert record["program"] == "audit-test"
        assert record["backend"] == mariadb.tcp_backend
        assert record["backend_thread"] == thread
    assert opened["session"] == closed["session"]
    assert closed["close_reason"] == "client_closed"
    # Two commands: header, code and text each.
    assert closed["bytes_in"] == 4 + 1 + len("SELECT REPEAT('x', 1000)") + 4 + 1
    assert 1000 < closed["bytes_out"] < 1200
    assert 0 < closed["seconds"] < 60


def test_times_are_utc_and_now(gateway):
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)
    written = datetime.datetime.fromisoformat(gateway.wait_for_audit("closed")["time"])
    distance = datetime.datetime.now(datetime.timezone.utc) - written
    assert abs(distance) < datetime.timedelta(minutes=2)


def test_denied_says_why_and_has_no_login(gateway):
    gateway.write_rules(configuration.rule_file("one 127.0.0.1"))
    gateway.command("reload")
    with gateway.connect("127.0.0.9") as session:
        assert session.receive_rest() == denied_bytes("127.0.0.9")
    denied = gateway.wait_for_audit("denied")
    assert set(denied) - {"count"} == {"time", "event", "gateway", "session", "listener", "server",
                                       "source", "verdict", "reason", "snapshot"}
    assert denied["source"] == {"address": "127.0.0.9", "port": session.source_port}
    assert denied["snapshot"] == 2


def test_what_a_client_chose_cannot_forge_a_line(gateway, mariadb):
    user = 'x","event":"opened"}\n{"event":"forged'
    with gateway.connect() as session, pytest.raises(ServerError):
        session.log_in(user, PASSWORD, attributes={"program_name": "\x1b[2J\u2028\n" * 200})
    record = gateway.wait_for_audit("closed")
    assert record["user"].startswith('x","event":"opened"}\n')
    assert len(record["program"]) <= 1024
    for line in gateway.audit_path.read_bytes().splitlines():
        assert json.loads(line)["event"] != "forged"
        assert line.isascii() or "\u2028" not in line.decode()
        assert b"\x1b" not in line
    wait_until(lambda: mariadb.sessions_of("native") == 0, "the server has no such session")


def test_snapshots_and_commands_are_recorded_too(gateway):
    assert gateway.wait_for_audit("snapshot_loaded")["snapshot"] == 1
    gateway.command("reload")
    command = gateway.wait_for_audit("admin")
    assert command["command"] == "reload"


def test_folded_denials_are_not_lost_at_the_end(gateway):
    gateway.write_rules("")
    gateway.command("reload")
    for _ in range(5):
        with gateway.connect() as session:
            session.receive_rest()
    gateway.wait_for_metric("gatehouse_denied_total", 5, server="orders",
                            reason="no_matching_rule")
    gateway.signal(signal.SIGTERM)
    assert gateway.wait_for_exit() == 0
    assert sum(record.get("count", 1) for record in gateway.audit("denied")) == 5


class TestRotation:
    """A file that is renamed is left to its reader; its name gets a new one."""

    def _log_in(self, gateway):
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)

    def test_a_renamed_file_is_followed_by_a_new_one_on_sighup(self, gateway):
        self._log_in(gateway)
        gateway.wait_for_audit("closed")
        old = gateway.audit_path.with_suffix(".1")
        gateway.audit_path.rename(old)
        gateway.signal(signal.SIGHUP)
        wait_until(gateway.audit_path.exists, "a new file under the old name")
        self._log_in(gateway)
        gateway.wait_for_audit("closed")
        assert len(read_audit(old, "closed")) == 1
        assert len(gateway.audit("closed")) == 1

    def test_a_renamed_file_is_followed_by_a_new_one_without_a_signal(self, gateway):
        self._log_in(gateway)
        gateway.wait_for_audit("closed")
        old = gateway.audit_path.with_suffix(".1")
        gateway.audit_path.rename(old)
        log_ins = 1

        def new_file_has_a_record():
            nonlocal log_ins
            self._log_in(gateway)
            log_ins += 1
            return gateway.audit("closed")

        def sessions(event):
            records = read_audit(old, event) + gateway.audit(event)
            return len({record["session"] for record in records})

        wait_until(new_file_has_a_record, "records go to the new file")
        wait_until(lambda: (sessions("opened"), sessions("closed")) == (log_ins, log_ins),
                   "no record is lost between the two")


class TestFullDisk:
    """/dev/full accepts every open and refuses every write."""

    def _point_audit_at(self, gateway, target):
        link = gateway.folder / "next"
        link.symlink_to(target)
        link.rename(gateway.audit_path)

    def _is_refused(self, gateway):
        with gateway.connect() as session:
            try:
                session.log_in("native", PASSWORD)
                return None
            except ServerError as error:
                return error
            except Closed:
                return None

    def test_new_sessions_are_refused_until_the_audit_can_be_written(self, gateway):
        with gateway.connect() as established:
            established.log_in("native", PASSWORD)
            self._point_audit_at(gateway, "/dev/full")
            gateway.signal(signal.SIGHUP)
            error = wait_until(lambda: self._is_refused(gateway), "a session is refused")
            assert error.code == 1105
            assert "127.0.0.1" not in error.message
            assert established.ping()
            assert gateway.http("/readyz")[0] == 503
            assert gateway.metric("gatehouse_audit_writable") == 0
            assert "the audit cannot be written" in gateway.command("status")
            self._point_audit_at(gateway, gateway.folder / "new.jsonl")
            gateway.signal(signal.SIGHUP)
            wait_until(lambda: self._is_refused(gateway) is None, "sessions are let in again")
            assert established.ping()
        wait_until(lambda: read_audit(gateway.folder / "new.jsonl", "opened"),
                   "records go to the new file")
        gateway.wait_for_metric("gatehouse_audit_events_lost_total", 0)

    def test_by_choice_sessions_go_on_and_what_is_lost_is_counted(self, certificates, mariadb,
                                                                  start_gateway):
        gateway = start_gateway(configuration.gateway_yaml(
            certificates, [mariadb.tcp_backend], limits={"sessions": 1},
            audit={"file": "/dev/full", "when_unwritable": "continue"}))
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)

            def lost_after_more_sessions():
                # Each is over the limit of one, which is a record; the queue has an end.
                for _ in range(500):
                    with gateway.connect() as another:
                        assert another.receive_rest() == TOO_MANY
                return gateway.metric("gatehouse_audit_events_lost_total") > 0

            wait_until(lost_after_more_sessions, "lost events are counted", deadline=60)
            assert session.ping()
