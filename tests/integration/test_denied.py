"""Who has no rule gets one packet and nothing of the backend; the audit says why."""

import datetime
import os

import pytest

from support import configuration, mariadb_program, network
from support.fake_backend import FakeBackend
from support.refusals import denied_bytes, denied_text
from support.session import Session
from support.waiting import wait_until

STRANGER = "127.9.9.9"


def _from_now(seconds):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def backend():
    """Greets whoever comes, and counts: a denied client must never be a connection here."""

    def greet(connection):
        connection.send_greeting()
        connection.stall()

    with FakeBackend(greet) as fake:
        yield fake


@pytest.fixture
def gateway_with(certificates, backend, start_gateway):
    """Starts a gateway with these rule files and changes to the usual configuration."""

    def start(rules, **changes):
        return start_gateway(
            configuration.gateway_yaml(certificates, [backend.tcp_backend], **changes), rules)

    return start


def _assert_denied(gateway, backend, reason, source=STRANGER, listener=configuration.LISTENER):
    """Connects from `source`, and checks every byte, the record and the backend."""
    with gateway.connect(source, listener) as session:
        assert session.receive_rest() == denied_bytes(source)
    record = gateway.wait_for_audit("denied", reason=reason)
    assert record["verdict"] == "deny"
    assert record["server"] == configuration.SERVER
    assert record["listener"] == listener
    assert record["source"]["address"] == source
    assert backend.accepted == 0
    return record


# A rule file, or none, and the reason it gives for a stranger's denial.
CASES = {
    "no rule matches": ("no_matching_rule", configuration.rule_file("other 127.0.0.1")),
    "there is no rule file": ("no_matching_rule", None),
    "the rule file is empty": ("no_matching_rule", ""),
    "the rule has expired": ("rule_expired", configuration.rule_file(
        f"old 127.9.0.0/16, expires: {_from_now(-3600)}")),
    "the rule is not yet in force": ("rule_not_yet_valid", configuration.rule_file(
        f"new 127.9.0.0/16, not_before: {_from_now(3600)}")),
    "public access is disabled": ("public_access_disabled", configuration.rule_file(
        "all 127.0.0.0/8", public_network_access="disabled")),
    "the server is locked down": ("locked_down", configuration.rule_file(
        "all 127.0.0.0/8", locked_down="true")),
}


@pytest.mark.parametrize("case", CASES)
def test_a_source_is_refused_where(case, gateway_with, backend):
    reason, text = CASES[case]
    gateway = gateway_with({} if text is None else {"orders.yaml": text})
    record = _assert_denied(gateway, backend, reason)
    if reason == "no_matching_rule":
        assert record.get("rule") is None


def test_a_deny_list_takes_out_of_what_a_rule_allows(gateway_with, backend, tmp_path):
    abuse = tmp_path / "abuse.netset"
    abuse.write_text("# seen attacking\n127.9.9.0/24\n")
    rules = configuration.rule_file("all 127.0.0.0/8") + (
        f"deny_rules:\n  - {{name: abuse-feed, list: {abuse}}}\n")
    gateway = gateway_with({"orders.yaml": rules})
    record = _assert_denied(gateway, backend, "denied_by_rule")
    assert record["rule"]["name"] == "abuse-feed"
    assert record["rule"]["file"].endswith("rules/orders.yaml")
    assert record["rule"]["line"] == 5
    with gateway.connect("127.9.8.1") as beside:
        assert beside.read_greeting()


def test_a_rule_file_that_is_deleted_lets_nobody_in_any_more(gateway_with, backend):
    gateway = gateway_with({"orders.yaml": configuration.EVERYONE_ON_LOOPBACK})
    before = gateway.generation()
    os.unlink(gateway.folder / "rules" / "orders.yaml")
    gateway.wait_for_generation_after(before)
    _assert_denied(gateway, backend, "no_matching_rule", source="127.0.0.1")


def test_a_rule_that_expires_while_the_gateway_runs_stops_counting(gateway_with, backend):
    gateway = gateway_with({"orders.yaml": configuration.rule_file(
        f"brief 127.9.0.0/16, expires: {_from_now(2)}")})

    def refused():
        with gateway.connect(STRANGER) as session:
            return session.receive() == denied_bytes(STRANGER)

    wait_until(refused, "the rule expires")
    gateway.wait_for_audit("denied", reason="rule_expired")


def test_a_source_of_ipv6_is_judged_and_told_by_its_address(certificates, gateway_with, backend):
    if reason := network.missing_ipv6():
        pytest.skip(reason)
    gateway = gateway_with(
        {"orders.yaml": configuration.rule_file("six ::2/127\nfour 127.0.0.1")},
        listeners=[configuration.listener(certificates, address=["127.0.0.1:0", "[::1]:0"])])
    four, six = gateway.addresses(configuration.LISTENER)

    def first_of(address, source):
        with Session(address, source) as session:
            return session.receive()

    assert first_of(six, "::1") == denied_bytes("::1")
    denied = gateway.wait_for_audit("denied", reason="no_matching_rule")
    assert denied["source"]["address"] == "::1"
    assert backend.accepted == 0
    with Session(four, "127.0.0.1") as session:
        assert session.read_greeting()
    gateway.write_rules(configuration.rule_file("six ::/127"))
    gateway.command("reload")
    assert first_of(four, "127.0.0.1") == denied_bytes("127.0.0.1")
    with Session(six, "::1") as session:
        assert session.read_greeting()


def test_a_refusal_and_the_end_are_one_packet(gateway_with, backend):
    gateway = gateway_with({})
    with gateway.connect(STRANGER) as session:
        assert session.receive_rest() == denied_bytes(STRANGER)
        assert session.segments_received() == 2  # the first let it connect
    assert backend.accepted == 0


def test_on_deny_reset_closes_without_a_byte(certificates, gateway_with, backend):
    gateway = gateway_with({}, listeners=[configuration.listener(certificates, on_deny="reset")])
    try:
        with gateway.connect(STRANGER) as session:
            assert session.receive_rest() == b""
    except ConnectionResetError:
        pass  # Already while it was being made.
    gateway.wait_for_audit("denied", reason="no_matching_rule")
    assert backend.accepted == 0


def test_the_mariadb_program_shows_the_message(gateway_with, backend):
    gateway = gateway_with({})
    done = mariadb_program.run(gateway.address(), "native", "SELECT 1")
    assert done.returncode != 0
    assert f"9000 - {denied_text('127.0.0.1')}" in done.stderr.decode()
    assert backend.accepted == 0


def test_repeats_are_folded_into_one_record_that_counts_them(gateway_with, backend):
    gateway = gateway_with({})
    for _ in range(20):
        with gateway.connect(STRANGER) as session:
            assert session.receive_rest() == denied_bytes(STRANGER)
    gateway.wait_for_metric("gatehouse_denied_total", 20, server="orders",
                            reason="no_matching_rule")
    first = gateway.wait_for_audit("denied", reason="no_matching_rule")
    assert first.get("count", 1) == 1
    # Another source is another record.
    with gateway.connect("127.9.9.8") as session:
        session.receive_rest()
    assert len(gateway.wait_for_audit("denied", count=2)) == 2
    assert len(gateway.audit("denied")) == 2
    assert backend.accepted == 0


class TestNetworks:
    """A listener that stands for a virtual network: its sources need vnet rules."""

    FACTORY = "vnet-factory"

    @pytest.fixture
    def factory_gateway(self, certificates, gateway_with):
        def start(rules):
            networks = [{"name": "factory", "matched_by": [{"listener": self.FACTORY}],
                         "subnets": [{"name": "robots", "range": "127.1.0.0/24"}]}]
            listeners = [configuration.listener(certificates),
                         configuration.listener(certificates, self.FACTORY)]
            return gateway_with({"orders.yaml": rules}, listeners=listeners, networks=networks)

        return start

    def test_a_vnet_rule_lets_its_subnet_in_and_no_other(self, factory_gateway, backend):
        gateway = factory_gateway(
            "server: orders\nvnet_rules:\n  - {name: robots, subnet: factory/robots}\n")
        record = _assert_denied(gateway, backend, "no_matching_rule", "127.2.0.5", self.FACTORY)
        assert record["source"]["network"] == "factory"
        with gateway.connect("127.1.0.5", self.FACTORY) as session:
            assert session.read_greeting()

    def test_an_ip_rule_does_not_match_a_source_of_a_network(self, factory_gateway, backend):
        gateway = factory_gateway(configuration.rule_file("loopback 127.0.0.0/8"))
        _assert_denied(gateway, backend, "no_matching_rule", "127.1.0.5", self.FACTORY)
        with gateway.connect("127.1.0.5") as session:
            assert session.read_greeting()

    def test_a_vnet_rule_does_not_match_a_public_source(self, factory_gateway, backend):
        gateway = factory_gateway(
            "server: orders\nvnet_rules:\n  - {name: whole, subnet: factory}\n")
        _assert_denied(gateway, backend, "no_matching_rule", "127.1.0.5")

    @pytest.mark.parametrize("state", ["pending", "rejected"])
    def test_an_endpoint_that_is_not_approved_refuses(self, factory_gateway, backend, state):
        gateway = factory_gateway(
            "server: orders\nprivate_endpoints:\n"
            f"  - {{name: factory-prod, network: factory, state: {state}}}\n")
        _assert_denied(gateway, backend, "endpoint_not_approved", "127.1.0.5", self.FACTORY)

    def test_an_approved_endpoint_gets_in_though_public_access_is_disabled(self, factory_gateway):
        gateway = factory_gateway(
            "server: orders\npublic_network_access: disabled\nprivate_endpoints:\n"
            "  - {name: factory-prod, network: factory, state: approved}\n")
        with gateway.connect("127.1.0.5", self.FACTORY) as session:
            assert session.read_greeting()
