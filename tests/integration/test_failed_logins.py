"""Guessed passwords: the alert, the block of one source on one server, and how it ends."""

import datetime

import pytest

from support import configuration
from support.connection import Closed
from support.mariadb_server import PASSWORD
from support.refusals import denied_bytes
from support.session import ServerError
from support.waiting import wait_until

GUESSER = "127.0.0.66"
# The second server, behind a listener of its own. The database is the same: what is one to the
# gateway is what is being tested.
BILLING = "billing"


@pytest.fixture
def gateway_with(certificates, mariadb, start_gateway):
    """Starts a gateway with these `limits.failed_logins`, in front of two servers."""

    def start(**failed_logins):
        return start_gateway(_yaml(certificates, mariadb, failed_logins), {
            "orders.yaml": configuration.EVERYONE_ON_LOOPBACK,
            "billing.yaml": configuration.rule_file("loopback 127.0.0.0/8", BILLING)})

    return start


def _yaml(certificates, mariadb, failed_logins):
    servers = [configuration.server(certificates, [mariadb.tcp_backend]),
               configuration.server(certificates, [mariadb.tcp_backend], name=BILLING)]
    listeners = [configuration.listener(certificates),
                 configuration.listener(certificates, BILLING, servers=[BILLING])]
    return configuration.gateway_yaml(certificates, [], servers=servers, listeners=listeners,
                                      limits={"failed_logins": failed_logins})


def _guess(gateway, times, source=GUESSER, **login):
    for _ in range(times):
        with gateway.connect(source) as session, pytest.raises(ServerError) as refused:
            session.log_in(**{"user": "native", "password": "a guess", **login})
        assert refused.value.code == 1045


def _log_in(gateway, source=GUESSER, listener=configuration.LISTENER):
    return gateway.connect(source, listener).log_in("native", PASSWORD)


def _is_refused(gateway, source=GUESSER):
    with gateway.connect(source) as session:
        return session.receive() == denied_bytes(source)


def _assert_blocked(gateway, source=GUESSER):
    with gateway.connect(source) as session:
        assert session.receive_rest() == denied_bytes(source)
    denied = gateway.wait_for_audit("denied", reason="blocked")
    assert (denied["verdict"], denied["server"]) == ("deny", "orders")
    assert denied["source"]["address"] == source
    assert "rule" not in denied


def test_the_21st_refused_login_of_a_minute_is_an_alert_and_no_more(gateway_with):
    gateway = gateway_with()
    _guess(gateway, 20)
    gateway.wait_for_audit("closed", count=20, close_reason="login_refused")
    assert gateway.audit("alert") == []
    _guess(gateway, 4)
    last = gateway.wait_for_audit("closed", count=24, close_reason="login_refused")[20]
    [alert] = gateway.audit("alert")
    assert set(alert) == {"time", "event", "gateway", "session", "listener", "server", "source",
                          "reason", "count", "snapshot", "user"}
    assert (alert["reason"], alert["count"]) == ("failed_logins", 21)
    for field in ("session", "gateway", "listener", "server", "source", "snapshot", "user"):
        assert alert[field] == last[field]

    assert gateway.metric("gatehouse_failed_logins_total", server="orders") == 24
    assert gateway.metric("gatehouse_failed_logins_total", server=BILLING) == 0
    assert gateway.metric("gatehouse_alerts_total", server="orders", reason="failed_logins") == 1
    # Nobody is blocked unless that is asked for.
    with _log_in(gateway) as session:
        assert session.ping()
    assert gateway.status()["blocked"] == []


def test_only_a_refused_authentication_counts(gateway_with):
    gateway = gateway_with(per_minute=1, block="1m")
    for _ in range(3):
        with gateway.connect(GUESSER) as session, pytest.raises(ServerError) as refused:
            session.log_in("native", PASSWORD, "no_such_database")
        assert refused.value.state != "28000"
    gateway.wait_for_audit("closed", count=3, close_reason="login_refused")
    assert gateway.audit("alert") == []
    assert gateway.metric("gatehouse_failed_logins_total", server="orders") == 0
    assert not _is_refused(gateway)


def test_clients_that_go_away_before_the_answer_are_no_guessers(gateway_with):
    gateway = gateway_with(per_minute=1, block="1m")
    for _ in range(4):
        with gateway.connect(GUESSER) as session:
            session.read_greeting()
    gateway.wait_for_audit("closed", count=4)
    assert gateway.metric("gatehouse_failed_logins_total", server="orders") == 0
    assert not _is_refused(gateway)


class TestBlock:
    """One source, one server, for as long as the file says."""

    def test_nobody_else_and_nothing_else_is_blocked(self, gateway_with):
        gateway = gateway_with(per_minute=20, block="1m")
        with _log_in(gateway) as established:
            _guess(gateway, 21)
            gateway.wait_for_audit("alert", count=1)
            _assert_blocked(gateway)
            assert established.ping()
            for source, listener in [("127.0.0.67", configuration.LISTENER), (GUESSER, BILLING)]:
                with _log_in(gateway, source, listener) as session:
                    assert session.ping()
            assert established.ping()

    def test_its_denials_are_folded_and_counted(self, gateway_with):
        gateway = gateway_with(per_minute=1, block="1m")
        _guess(gateway, 2)
        gateway.wait_for_audit("alert")
        for _ in range(10):
            _assert_blocked(gateway)
        gateway.wait_for_metric("gatehouse_denied_total", 10, server="orders", reason="blocked")
        assert len(gateway.audit("denied")) == 1
        assert gateway.metric("gatehouse_blocked_sources") == 1

    def test_a_login_that_was_under_way_is_not_passed_on(self, gateway_with, mariadb):
        gateway = gateway_with(per_minute=1, block="1m")
        with gateway.connect(GUESSER) as under_way:
            under_way.read_greeting()
            under_way.start_tls()
            _guess(gateway, 2)
            gateway.wait_for_audit("alert")
            under_way.send_login("native", PASSWORD)
            with pytest.raises((Closed, ServerError)):
                under_way.finish_login(PASSWORD)
        gateway.wait_for_audit("denied", reason="blocked", user="native")
        wait_until(lambda: mariadb.sessions_of("native") == 0, "the server has no such session")

    def test_it_ends_by_itself(self, gateway_with):
        gateway = gateway_with(per_minute=1, block="1s")
        _guess(gateway, 2)
        gateway.wait_for_audit("alert")
        wait_until(lambda: not _is_refused(gateway), "the block is over")
        with _log_in(gateway) as session:
            assert session.ping()
        wait_until(lambda: gateway.status()["blocked"] == [], "status shows no block")

    def test_it_stays_when_the_settings_change_and_without_blocks_there_are_no_new_ones(
            self, certificates, mariadb, gateway_with):
        gateway = gateway_with(per_minute=1, block="1m")
        _guess(gateway, 2)
        gateway.wait_for_audit("alert")
        before = gateway.generation()
        gateway.write_configuration(
            _yaml(certificates, mariadb, {"per_minute": 1, "block": "off"}))
        gateway.wait_for_generation_after(before)
        _assert_blocked(gateway)
        _guess(gateway, 2, "127.0.0.67")
        gateway.wait_for_audit("alert", count=2)
        assert not _is_refused(gateway, "127.0.0.67")


class TestCommands:
    """What an operator sees of blocks, and does about them."""

    @pytest.fixture
    def gateway(self, gateway_with):
        """With two sources blocked, for an hour."""
        gateway = gateway_with(per_minute=1, block="1h")
        for number, source in enumerate([GUESSER, "127.0.0.67"], start=1):
            _guess(gateway, 2, source)
            gateway.wait_for_audit("alert", count=number)
        return gateway

    def test_status_shows_who_is_blocked_where_and_until_when(self, gateway):
        first, second = gateway.status()["blocked"]
        assert set(first) == {"server", "source", "until"}
        assert (first["server"], first["source"]) == ("orders", {"address": GUESSER})
        assert second["source"] == {"address": "127.0.0.67"}
        left = (datetime.datetime.fromisoformat(first["until"])
                - datetime.datetime.now(datetime.timezone.utc))
        # It is told in whole seconds, rounded.
        assert datetime.timedelta(minutes=50) < left <= datetime.timedelta(hours=1, seconds=1)
        text = gateway.command("status")
        assert "BLOCKED" in text and GUESSER in text and first["until"] in text

    def test_unblock_lifts_the_blocks_of_an_address(self, gateway):
        assert gateway.command("unblock", GUESSER) == "blocks lifted: 1\n"
        with _log_in(gateway) as session:
            assert session.ping()
        assert _is_refused(gateway, "127.0.0.67")
        admin = gateway.wait_for_audit("admin")
        assert (admin["command"], admin["result"]) == (f"unblock {GUESSER}", "1 lifted")
        assert gateway.command("unblock", GUESSER) == "blocks lifted: 0\n"

    def test_unblock_lifts_those_of_a_range_on_one_server(self, gateway):
        at = ["127.0.0.0/24", "--server"]
        assert gateway.json_command("unblock", *at, BILLING) == {"lifted": 0}
        assert gateway.json_command("unblock", *at, "orders") == {"lifted": 2}
        assert gateway.status()["blocked"] == []
        assert "BLOCKED" not in gateway.command("status")
        gateway.wait_for_audit("admin", command="unblock 127.0.0.0/24 --server orders",
                               result="2 lifted")

    @pytest.mark.parametrize("arguments", [
        [], ["nonsense"], ["127.0.0.0/33"], [GUESSER, "--server", "nowhere"],
        [GUESSER, "--server", ""], [GUESSER, "127.0.0.67"]])
    def test_what_cannot_be_meant_lifts_nothing(self, gateway, arguments):
        assert gateway.run_command("unblock", *arguments).returncode == 2
        assert len(gateway.status()["blocked"]) == 2
