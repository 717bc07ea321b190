"""A clock that jumps: rules follow it, being written by it; deadlines do not, nor who is inside.

libfaketime stands between the gateway and the wall clock; its other clocks are the system's.
"""

import datetime
import pathlib

import pytest

from support import configuration
from support.failing_calls import sanitizers
from support.mariadb_server import PASSWORD
from support.refusals import denied_bytes
from support.waiting import wait_until

FORTH, BACK = 3600, -3600


def _library():
    found = list(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return found[0] if found else None


class Clock:
    """The gateway's: `enter` is what stands before its command."""

    def __init__(self, folder):
        self._path = folder / "offset"
        self.jump(0)
        # The system's for times of files, and for what is waited for.
        self.enter = ["env", f"LD_PRELOAD={_library()}", f"FAKETIME_TIMESTAMP_FILE={self._path}",
                      "FAKETIME_NO_CACHE=1", "NO_FAKE_STAT=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]

    def jump(self, seconds):
        """To so much more than the system's time, from any time it was."""
        beside = self._path.with_name("next")
        beside.write_text(f"{seconds:+d}\n")
        beside.rename(self._path)


@pytest.fixture
def clock(tmp_path):
    if _library() is None:
        pytest.skip("libfaketime is not installed")
    if sanitizers():
        pytest.skip("a sanitizer and libfaketime both want to be the first that is called")
    return Clock(tmp_path)


@pytest.fixture
def start(certificates, mariadb, start_gateway, clock):
    def start(rules="loopback 127.0.0.0/16", **limits):
        return start_gateway(
            configuration.gateway_yaml(certificates, [mariadb.tcp_backend], "off", limits=limits),
            {"orders.yaml": configuration.rule_file(rules)}, enter=clock.enter)

    return start


def _in(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) +
            datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _log_in(gateway, source="127.0.0.1"):
    return gateway.connect(source).log_in("native", PASSWORD)


def _wait_until_noticed(gateway, seconds):
    """What the gateway records is then by the clock that jumped."""

    def is_by_new_clock():
        with _log_in(gateway) as session:
            session.ping()
        written = datetime.datetime.fromisoformat(gateway.audit("opened")[-1]["time"])
        behind = datetime.datetime.now(datetime.timezone.utc) - written
        return abs(behind.total_seconds() + seconds) < 300

    wait_until(is_by_new_clock, "the clock has jumped")


@pytest.mark.parametrize("jump", [FORTH, BACK])
def test_sessions_and_deadlines_do_not_follow_it(start, clock, jump):
    gateway = start(idle_timeout="10m", handshake_timeout="5m")
    with _log_in(gateway) as idle, _log_in(gateway) as busy, gateway.connect() as half_way:
        busy.command(0x03, b"SELECT SLEEP(2)")
        half_way.read_greeting()
        clock.jump(jump)
        _wait_until_noticed(gateway, jump)
        assert len(list(busy.rows())) == 1
        half_way.start_tls()
        half_way.send_login("native", PASSWORD)
        half_way.finish_login(PASSWORD)
        assert idle.ping() and busy.ping() and half_way.ping()
        clock.jump(0)
        _wait_until_noticed(gateway, 0)
        assert idle.ping() and busy.ping() and half_way.ping()
    assert {record["close_reason"] for record in gateway.audit("closed")} == {"client_closed"}
    assert all(0 <= record["seconds"] < 600 for record in gateway.audit("closed"))


@pytest.mark.parametrize("jump", [FORTH, BACK])
def test_a_deadline_that_runs_is_met_all_the_same(start, clock, jump):
    gateway = start(handshake_timeout="2s", idle_timeout="2s")
    with gateway.connect() as half_way, _log_in(gateway) as idle:
        half_way.read_greeting()
        clock.jump(jump)
        half_way.wait_for_end()
        idle.wait_for_end()
    gateway.wait_for_audit("closed", close_reason="handshake_timeout")
    gateway.wait_for_audit("closed", close_reason="idle_timeout")


def test_rules_follow_it_in_both_directions(start, clock):
    gateway = start(f"""
        always 127.0.0.0/24
        brief 127.0.1.0/24, expires: {_in(FORTH / 2)}
        later 127.0.2.0/24, not_before: {_in(FORTH / 2)}""")

    def is_refused(source):
        with gateway.connect(source) as session:
            return session.receive() == denied_bytes(source)

    with _log_in(gateway) as always, _log_in(gateway, "127.0.1.1") as brief:
        assert is_refused("127.0.2.1")
        clock.jump(FORTH)
        brief.wait_for_end()
        wait_until(lambda: is_refused("127.0.1.1"), "the rule has expired")
        with _log_in(gateway, "127.0.2.1") as later:
            assert later.ping()
            clock.jump(0)
            later.wait_for_end()
        wait_until(lambda: not is_refused("127.0.1.1"), "the rule counts again")
        assert is_refused("127.0.2.1")
        assert always.ping()
    gateway.wait_for_audit("closed", close_reason="revoked", reason="rule_not_yet_valid")
    closed = {(record["source"]["address"], record.get("reason"))
              for record in gateway.audit("closed", close_reason="revoked")}
    assert closed == {("127.0.1.1", "rule_expired"), ("127.0.2.1", "rule_not_yet_valid")}
