"""Sessions that the policy of this moment denies are closed; all others go on, byte for byte."""

import datetime
import hashlib

import pytest

from support import configuration, wire
from support.mariadb_server import PASSWORD
from support.refusals import denied_bytes
from support.session import Session

VICTIM, BYSTANDER = "127.0.0.66", "127.0.0.77"
BOTH = "victim 127.0.0.66\nbystander 127.0.0.77"
# A result of some 60 MB that the server makes as fast as it is read, and the same each time.
STREAM = "SELECT seq, REPEAT(MD5(seq), 100) FROM seq_1_to_20000"
ROWS = 20_000


@pytest.fixture
def gateway_with(certificates, mariadb, start_gateway):
    def start(rules):
        return start_gateway(configuration.gateway_yaml(certificates, [mariadb.tcp_backend]),
                             {"orders.yaml": rules})

    return start


def _log_in(gateway, source):
    return gateway.connect(source).log_in("native", PASSWORD, "shop")


@pytest.fixture(scope="module")
def expected(mariadb):
    """The stream's digest, read past the gateway."""
    with Session((mariadb.address, mariadb.port)) as direct:
        return _Stream(direct.log_in("native", PASSWORD, "shop")).rest()


class _Stream:
    """Reads the long result in two parts, between which something happens."""

    def __init__(self, session):
        session.command(wire.COM_QUERY, STREAM.encode())
        self._rows = session.rows()
        self._digest = hashlib.sha256()

    def half(self):
        for _ in range(ROWS // 2):
            self._digest.update(next(self._rows))
        return self

    def rest(self):
        for row in self._rows:
            self._digest.update(row)
        return self._digest.hexdigest()


def _revoked_beside_a_stream(gateway, revoke, expected):
    """Ends the victim by `revoke` in the middle of the bystander's result."""
    with _log_in(gateway, VICTIM) as victim, _log_in(gateway, BYSTANDER) as bystander:
        stream = _Stream(bystander).half()
        revoke()
        victim.wait_for_end()
        closed = gateway.wait_for_audit("closed", close_reason="revoked")
        assert closed["source"]["address"] == VICTIM
        assert stream.rest() == expected
        assert bystander.ping()
        assert len(gateway.audit("closed")) == 1
    return closed


def test_a_rule_that_is_removed_ends_its_sessions(gateway_with, expected):
    gateway = gateway_with(configuration.rule_file(BOTH))
    closed = _revoked_beside_a_stream(
        gateway, lambda: gateway.write_rules(configuration.rule_file("bystander 127.0.0.77")),
        expected)
    assert closed["reason"] == "no_matching_rule"


def test_a_deny_rule_that_is_added_ends_its_sessions(gateway_with, expected):
    rules = configuration.rule_file(BOTH)
    gateway = gateway_with(rules)
    closed = _revoked_beside_a_stream(
        gateway,
        lambda: gateway.write_rules(
            rules + "deny_rules:\n  - {name: out, range: 127.0.0.66}\n"), expected)
    assert closed["reason"] == "denied_by_rule"


def test_a_rule_that_expires_ends_its_sessions(gateway_with, expected):
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    gateway = gateway_with(configuration.rule_file(
        f"victim 127.0.0.66, expires: {soon.strftime('%Y-%m-%dT%H:%M:%SZ')}\n"
        "bystander 127.0.0.77"))
    closed = _revoked_beside_a_stream(gateway, lambda: None, expected)
    assert closed["reason"] == "rule_expired"


def test_a_deny_rule_that_comes_into_force_ends_its_sessions(gateway_with, expected):
    begins = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    gateway = gateway_with(configuration.rule_file(BOTH) + (
        f"deny_rules:\n  - {{name: soon, range: {VICTIM}, "
        f"not_before: {begins.strftime('%Y-%m-%dT%H:%M:%SZ')}}}\n"))
    closed = _revoked_beside_a_stream(gateway, lambda: None, expected)
    assert closed["reason"] == "denied_by_rule"


def test_a_lockdown_ends_every_session(gateway_with):
    rules = configuration.rule_file(BOTH)
    gateway = gateway_with(rules)
    with _log_in(gateway, VICTIM) as one, _log_in(gateway, BYSTANDER) as other:
        gateway.write_rules(rules + "locked_down: true\n")
        one.wait_for_end()
        other.wait_for_end()
        for record in gateway.wait_for_audit("closed", count=2, close_reason="revoked"):
            assert record["reason"] == "locked_down"


def test_a_session_that_is_not_yet_established_is_ended_too(gateway_with):
    gateway = gateway_with(configuration.rule_file(BOTH))
    with gateway.connect(VICTIM) as session:
        session.read_greeting()
        gateway.write_rules(configuration.rule_file("bystander 127.0.0.77"))
        session.wait_for_end()
        record = gateway.wait_for_audit("closed", close_reason="revoked")
        assert record["source"]["address"] == VICTIM
    assert gateway.audit("opened") == []


def test_on_revoke_keep_spares_sessions_whose_rule_is_gone_but_not_denied_ones(gateway_with):
    gateway = gateway_with(configuration.rule_file(BOTH, on_revoke="keep"))
    with _log_in(gateway, VICTIM) as spared, _log_in(gateway, BYSTANDER) as denied:
        before = gateway.generation()
        gateway.write_rules(
            configuration.rule_file(on_revoke="keep") +
            "deny_rules:\n  - {name: out, range: 127.0.0.77}\n")
        gateway.wait_for_generation_after(before)
        denied.wait_for_end()
        gateway.wait_for_audit("closed", close_reason="revoked", reason="denied_by_rule")
        assert spared.ping()
        # Spared, not allowed: the same source does not get in again.
        with gateway.connect(VICTIM) as again:
            assert again.receive_rest() == denied_bytes(VICTIM)
