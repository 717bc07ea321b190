"""Each node of a ring at a port or an address of its own: given once, kept, and never another's.

The nodes are our own: they join and leave as a test has it.
"""

import copy
import dataclasses
import datetime
import json
import shutil
import signal
import socket

import pytest

from support import configuration
from support.connection import Closed
from support.cql_wire import ServerError
from support.fake_node import PASSWORD, USER, FakeNode, Member
from support.placing import (
    EVENTS, LISTENER, Placing, assert_nobody_listens, cassandra_listener, free_ports)
from support.waiting import wait_until

FORBIDDEN = "127.0.9.9"
DENIED = f"Client with IP address '{FORBIDDEN}' is not allowed to connect to this Cassandra cluster."
RULES = {"events.yaml": configuration.rule_file("loopback 127.0.0.0/24", EVENTS)}
ANY_PORTS = {"mode": "port_per_node", "ports": 0}
# Members of the ring that nobody connects to.
AWAY, LATER = (Member("127.9.9.9", 9000 + number, number=number) for number in (7, 8))


@pytest.fixture
def events_yaml(certificates, tmp_path, node):

    def make(nodes, more=(), **keys):
        password = tmp_path / "password"
        password.write_text(PASSWORD + "\n")
        server = {"name": EVENTS, "protocol": "cassandra", "backends": [node.tcp_backend],
                  "tls": {"mode": "off"},
                  "topology": {"user": USER, "password_file": str(password)}}
        return configuration.gateway_yaml(
            certificates, [], servers=[server],
            listeners=[cassandra_listener(certificates, nodes, **keys), *more])

    return make


@pytest.fixture
def place(start_gateway, events_yaml):

    def start(*more, listener=None, **nodes):
        yaml = events_yaml(nodes or ANY_PORTS, more, **(listener or {}))
        return Placing(start_gateway(yaml, RULES), yaml)

    return start


@pytest.fixture
def node():
    with FakeNode() as node:
        yield node


@pytest.fixture
def other(node):
    """Another node, in the ring from the start."""
    with FakeNode() as other:
        other.member = dataclasses.replace(other.member, number=3, rack="rack3")
        other.others = [node.member]
        node.others = [other.member]
        yield other


def join(node, member):
    node.others = [*node.others, member]
    node.tell("TOPOLOGY_CHANGE", "NEW_NODE", member)


def leave(node, member):
    node.others = [each for each in node.others if each != member]
    node.tell("TOPOLOGY_CHANGE", "REMOVED_NODE", member)


class TestLeading:
    def test_each_port_leads_to_its_own_node_and_tells_of_the_others(self, place, node, other):
        placing = place()
        one, two = placing.wait_for(node.member, other.member)
        logins = len(node.logins), len(other.logins)
        assert placing.node_at(one) == (str(node.member.host_id), {str(other.member.host_id): two})
        assert (len(node.logins), len(other.logins)) == (logins[0] + 1, logins[1])
        assert placing.node_at(two) == (str(other.member.host_id), {str(node.member.host_id): one})
        assert (len(node.logins), len(other.logins)) == (logins[0] + 1, logins[1] + 1)

    def test_a_node_that_is_away_is_not_replaced_by_another(self, place, node):
        node.others = [AWAY]
        placing = place()
        _, away = placing.wait_for(node.member, AWAY)
        with placing.connect(away) as session, pytest.raises((ServerError, Closed)):
            session.log_in(USER, PASSWORD)
        placing.gateway.wait_for_audit("closed", close_reason="backend_unreachable")

    def test_it_is_told_on_stdout_and_in_the_status(self, place, node):
        placing = place()
        [address] = placing.wait_for(node.member)
        join(node, AWAY)
        host, port = placing.gateway.wait_for_node(LISTENER, AWAY.host_id)
        assert placing.wait_for(node.member, AWAY) == [address, f"{host}:{port}"]
        text = placing.gateway.command("status")
        assert f"{LISTENER}  {AWAY.host_id}  {host}:{port}" in text

    def test_a_denied_source_is_denied_at_a_node_as_everywhere(self, place, node):
        placing = place()
        [address] = placing.wait_for(node.member)
        logins = len(node.logins)
        with placing.connect(address, FORBIDDEN) as session, pytest.raises(ServerError) as refused:
            session.options()
        assert refused.value.message == DENIED
        denied = placing.gateway.wait_for_audit("denied")
        assert (denied["listener"], denied["reason"]) == (LISTENER, "no_matching_rule")
        assert len(node.logins) == logins

    def test_a_lockdown_shuts_the_nodes_too(self, place, node, other):
        placing = place()
        one, two = placing.wait_for(node.member, other.member)
        with placing.connect(one) as session:
            session.log_in(USER, PASSWORD)
            placing.gateway.command("lockdown", EVENTS)
            session.receive_rest()
        placing.gateway.wait_for_audit("closed", close_reason="revoked", reason="locked_down")
        for address, source in ((one, "127.0.0.2"), (two, "127.0.0.3")):
            with placing.connect(address, source) as session, pytest.raises(ServerError):
                session.options()
        placing.gateway.wait_for_audit("denied", count=2, reason="locked_down")


class TestKeeping:
    def test_places_are_kept_over_a_reload_and_sessions_with_them(self, place, node, other):
        placing = place()
        before = placing.wait_for(node.member, other.member)
        with placing.connect(before[1]) as session:
            session.log_in(USER, PASSWORD)
            placing.reload(**ANY_PORTS, public_address="127.0.0.2")
            assert placing.wait_for(node.member, other.member) == before
            assert session.query("SELECT host_id FROM system.local")

    def test_places_are_kept_over_a_kill(self, place, node, other):
        placing = place()
        before = placing.wait_for(node.member, other.member)
        other.others, node.others = [AWAY], [AWAY, other.member]
        placing.gateway.kill_and_start_again()
        places = placing.wait_for(node.member, other.member, AWAY)
        assert places[:2] == before
        assert placing.node_at(places[1])[0] == str(other.member.host_id)

    def test_they_are_there_before_the_ring_is_known(self, place, node):
        node.others = [AWAY]
        placing = place()
        before = placing.wait_for(node.member, AWAY)
        node.instead = lambda talk, frame: talk.connection.close() or True
        placing.gateway.kill_and_start_again()
        assert placing.wait_for(node.member, AWAY) == before
        assert placing.gateway.status()["servers"][0]["cluster"] is None

    def test_the_place_of_who_left_is_nobody_elses(self, place, node):
        node.others = [AWAY]
        first = free_ports(3)
        placing = place(ports=f"{first}-{first + 2}")
        own, away = placing.wait_for(node.member, AWAY)
        leave(node, AWAY)
        assert placing.wait_for(node.member) == [own]
        assert_nobody_listens(away)
        join(node, LATER)
        assert placing.wait_for(node.member, LATER) == [own, f"127.0.0.1:{first + 2}"]
        placing.gateway.kill_and_start_again()
        assert placing.wait_for(node.member, LATER) == [own, f"127.0.0.1:{first + 2}"]
        join(node, AWAY)
        assert placing.wait_for(node.member, AWAY, LATER)[1] == away

    def test_a_place_is_given_away_a_week_after_its_node_left(self, place, node):
        node.others = [AWAY]
        first = free_ports(2)
        placing = place(ports=f"{first}-{first + 1}")
        _, away = placing.wait_for(node.member, AWAY)
        leave(node, AWAY)
        placing.wait_for(node.member)
        join(node, LATER)
        placing.wait_for_trouble(LATER, "no port left")
        placing.gateway.signal(signal.SIGTERM)
        placing.gateway.wait_for_exit()
        stored = json.loads(placing.state.read_text())
        record = stored["listeners"][LISTENER][str(AWAY.host_id)]
        left = datetime.datetime.fromisoformat(record["left"].replace("Z", "+00:00"))
        record["left"] = f"{left - datetime.timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
        placing.state.write_text(json.dumps(stored))
        placing.gateway.start()
        assert placing.wait_for(node.member, LATER)[1] == away


class TestTrouble:
    def test_a_port_that_another_took_is_waited_for(self, place, node):
        node.others = [AWAY]
        placing = place()
        before = placing.wait_for(node.member, AWAY)
        host, port = before[1].rsplit(":", 1)
        leave(node, AWAY)
        placing.wait_for(node.member)
        assert_nobody_listens(before[1])
        with socket.create_server((host, int(port)), reuse_port=True):
            join(node, AWAY)
            placing.wait_for_trouble(AWAY, f"cannot listen on {before[1]}")
            assert placing.node_at(before[0])[1] == {}
            assert f"node {AWAY.host_id} is not shown" in placing.gateway.command("status")
        assert placing.wait_for(node.member, AWAY) == before
        assert placing.gateway.log_text().count(f"cannot listen on {before[1]}") == 1

    def test_a_port_of_the_range_that_is_in_use_is_left_out(self, place, node):
        first = free_ports(2)
        with socket.create_server(("127.0.0.1", first), reuse_port=True):
            placing = place(ports=f"{first}-{first + 1}")
            assert placing.wait_for(node.member) == [f"127.0.0.1:{first + 1}"]

    def test_nodes_beyond_the_range_are_told_of_and_not_shown(self, place, node):
        node.others = [AWAY, LATER]
        first = free_ports(3)
        placing = place(ports=f"{first}-{first + 1}")
        placing.wait_for_trouble(LATER, "no port left")
        warning = (f"listener {LISTENER}: no port left in {first}-{first + 1} for node"
                   f" {LATER.host_id}; raise nodes.ports")
        assert warning in placing.gateway.command("status")
        before = placing.places()
        node.tell("TOPOLOGY_CHANGE", "NEW_NODE", LATER)
        placing.reload(ports=f"{first}-{first + 2}")
        placing.wait_for(node.member, AWAY, LATER)
        assert placing.places() == before | {str(LATER.host_id): f"127.0.0.1:{first + 2}"}
        assert placing.gateway.log_text().count(warning) == 1

    def test_a_disk_that_refuses_is_told_of_once_and_nodes_are_shown(self, place, node):
        placing = place()
        before = placing.wait_for(node.member)
        shutil.rmtree(placing.state.parent)
        placing.state.parent.write_text("in the way")
        join(node, AWAY)
        before += placing.wait_for(node.member, AWAY)[1:]
        text = "after a restart nodes may be shown at other ports or addresses"
        wait_until(lambda: text in placing.gateway.log_text(), "it is told")
        placing.state.parent.unlink()
        wait_until(placing.state.exists, "it is written after all")
        assert placing.gateway.log_text().count(text) == 1
        placing.gateway.kill_and_start_again()
        assert placing.wait_for(node.member, AWAY) == before

    @pytest.mark.parametrize("text", ["", '{"version":1,"listen', '{"version":2,"listeners":{}}'],
                             ids=["emptied", "cut short", "newer"])
    def test_a_gateway_that_cannot_tell_whose_ports_are_whose_does_not_start(
            self, prepare_gateway, events_yaml, text):
        folder = prepare_gateway(events_yaml(ANY_PORTS), RULES)
        state = folder.folder / "state"
        state.mkdir()
        (state / "node-places.json").write_text(text)
        done = folder.run_command("run")
        assert done.returncode == 1
        assert "state/node-places.json:1:1: error: cannot tell which nodes' ports are whose" in (
            done.stderr)
        assert "ready" not in done.stdout

    def test_no_listener_comes_in_beside_a_node(self, place, node, certificates):
        placing = place()
        [address] = placing.wait_for(node.member)
        yaml = copy.deepcopy(placing.yaml)

        def add(name, address):
            yaml["listeners"].append(cassandra_listener(certificates, {"mode": "single"}, name,
                                                        address=address))
            placing.gateway.write_configuration(yaml)

        # The same port at another address is no reason to let one in at the node's own.
        generation = placing.gateway.generation()
        add("elsewhere", address.replace("127.0.0.1", "127.0.0.2"))
        placing.gateway.wait_for_generation_after(generation)
        add("beside", address)
        wait_until(lambda: placing.gateway.status()["snapshot"]["last_error"], "it is refused")
        assert f"cannot listen on {address}" in placing.gateway.log_text()

    def test_listeners_with_the_same_ports_never_share_one(self, place, node, certificates):
        first = free_ports(3)
        nodes = {"ports": f"{first}-{first + 2}"}
        node.others = [AWAY]
        placing = place(cassandra_listener(certificates, nodes, "second"), **nodes)
        taken = placing.wait_for(node.member, AWAY)
        wait_until(lambda: any(placing.places("second").values()), "one has a place there")
        assert f"127.0.0.1:{first + 2}" in placing.places("second").values()
        leave(node, AWAY)
        placing.wait_for(node.member)
        assert_nobody_listens(taken[1])
        join(node, LATER)
        # The port of who left is not the other listener's either.
        for name in (LISTENER, "second"):
            placing.wait_for_trouble(LATER, "no port left", name)


class TestAddresses:
    ADDRESSES = {"mode": "address_per_node", "addresses": ["127.0.0.11", "127.0.0.12"]}

    def test_each_address_leads_to_its_own_node(self, place, node, other):
        placing = place(**self.ADDRESSES)
        port = placing.gateway.address(LISTENER)[1]
        one, two = placing.wait_for(node.member, other.member)
        assert (one, two) == (f"127.0.0.11:{port}", f"127.0.0.12:{port}")
        assert placing.node_at(one) == (str(node.member.host_id), {str(other.member.host_id): two})
        assert placing.node_at(two) == (str(other.member.host_id), {str(node.member.host_id): one})

    def test_addresses_are_kept_and_end(self, place, node):
        node.others = [AWAY]
        placing = place(**self.ADDRESSES)
        placing.wait_for(node.member, AWAY)
        leave(node, AWAY)
        placing.wait_for(node.member)
        join(node, LATER)
        placing.wait_for_trouble(LATER, f"no address left for node {LATER.host_id}")
        join(node, AWAY)
        placing.gateway.kill_and_start_again()
        wait_until(lambda: len(placing.listeners()) == 3, "all are told of")
        assert placing.places()[str(AWAY.host_id)].startswith("127.0.0.12:")
        assert placing.places()[str(LATER.host_id)] is None

    def test_the_address_of_who_left_leads_to_nobody_else(self, place, node, other):
        placing = place(listener={"address": "0.0.0.0:0"}, **self.ADDRESSES)
        _, gone = placing.wait_for(node.member, other.member)
        leave(node, other.member)
        wait_until(lambda: len(placing.gateway.status()["servers"][0]["cluster"]["nodes"]) == 1,
                   "it has left")
        with placing.connect(gone) as session, pytest.raises((ServerError, Closed)):
            session.log_in(USER, PASSWORD)
        placing.gateway.wait_for_audit("closed", close_reason="backend_unreachable")


class TestDevices:
    """Tenants who use the same addresses have nodes at the same ports, each their own."""

    PORT = 19042

    @pytest.fixture
    def node(self, tenants):
        with tenants.inside():
            node = FakeNode()
        with node:
            yield node

    def test_each_tenant_is_judged_by_its_own_network(self, tenants, node, events_yaml,
                                                      start_gateway, certificates):
        nodes = {"ports": f"{self.PORT}-{self.PORT + 1}"}
        both = [cassandra_listener(certificates, nodes, device, device=device,
                                   address=f"{tenants.here}:9042")
                for device in (tenants.device_a, tenants.device_b)]
        yaml = events_yaml(nodes)
        yaml["listeners"] = both
        yaml["networks"] = [{"name": device, "matched_by": [{"listener": device}]}
                            for device in (tenants.device_a, tenants.device_b)]
        rules = f"server: {EVENTS}\nvnet_rules:\n  - {{name: a, subnet: {tenants.device_a}}}\n"
        placing = Placing(start_gateway(yaml, {"events.yaml": rules}, tenants.enter()), yaml)
        place = f"{tenants.here}:{self.PORT}"
        for device in (tenants.device_a, tenants.device_b):
            assert placing.wait_for(node.member, name=device) == [place]

        def connect(device):
            with tenants.inside(device):
                return placing.connect(place, tenants.there)

        def gets_in():
            try:
                with connect(tenants.device_a) as session:
                    session.log_in(USER, PASSWORD)
            except (OSError, Closed):
                return False
            return True

        assert gets_in()
        with connect(tenants.device_b) as session, pytest.raises(ServerError):
            session.options()
        denied = placing.gateway.wait_for_audit("denied")
        assert (denied["listener"], denied["source"]["network"]) == (tenants.device_b,) * 2
        tenants.make_anew(tenants.device_a)
        wait_until(gets_in, "the node's socket is bound to the new device")
        assert {record["source"]["network"] for record in placing.gateway.audit("opened")} == {
            tenants.device_a}
