"""The gateway's own connection to a Cassandra cluster: what it learns of the ring, and when.

Nodes of our own say what real ones say rarely, or never; what real ones say is at the end.
"""

import copy
import dataclasses
import time
import uuid

import pytest

from support import cassandra_versions, configuration
from support import cql_wire as wire
from support.cassandra_server import TOPOLOGY_USER
from support.cql_session import CqlSession
from support.fake_backend import FakeBackend
from support.fake_node import PASSWORD, USER, FakeNode, Member, integer, rows_body
from support.full import full_only
from support.mariadb_server import PASSWORD as SERVER_PASSWORD
from support.waiting import wait_until

# The account is called the same everywhere.
assert USER == TOPOLOGY_USER

# Somewhere that nobody is: the ring's nodes that no test connects to.
AWAY = Member("127.9.9.9", 9042, number=2, rack="rack2")


def events_yaml(certificates, backends, password_file, tls="off", **keys):
    """A cluster that no listener leads to, beside the usual server."""
    usual = configuration.server(certificates, ["127.0.0.1:9"])
    events = {"name": "events", "protocol": "cassandra", "backends": list(backends),
              "tls": {"mode": "off"} if tls == "off" else tls,
              "topology": {"user": USER, "password_file": str(password_file)}, **keys}
    return configuration.gateway_yaml(certificates, [], servers=[usual, events])


class Watching:
    """A gateway that watches a cluster."""

    def __init__(self, gateway, yaml):
        self.gateway = gateway
        self.yaml = yaml

    def cluster(self):
        return self.gateway.status()["servers"][1]["cluster"]

    def nodes(self):
        cluster = self.cluster()
        return cluster and cluster["nodes"]

    def wait_for(self, *members):
        """Until the ring is made of these; each is as status() has it, or up."""
        expected = [each if isinstance(each, dict) else each.status() for each in members]
        expected.sort(key=lambda node: node["host_id"])
        wait_until(lambda: self.nodes() == expected, f"the ring is {expected}")

    def wait_for_log(self, text, count=1):
        wait_until(lambda: self.gateway.log_text().count(text) >= count,
                   f"{text!r} in the log:\n{self.gateway.log_text()}")


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "events"
    path.write_text(PASSWORD + "\n")
    return path


@pytest.fixture
def watch(certificates, start_gateway, password_file):

    def start(*nodes, **keys):
        yaml = events_yaml(certificates, [node.tcp_backend for node in nodes], password_file,
                           **keys)
        rules = {"orders.yaml": configuration.EVERYONE_ON_LOOPBACK,
                 "events.yaml": configuration.rule_file("loopback 127.0.0.0/8", "events")}
        return Watching(start_gateway(yaml, rules), yaml)

    return start


@pytest.fixture
def node():
    with FakeNode() as node:
        yield node


@pytest.fixture
def other():
    """Another node of the same ring, on a port of its own."""
    with FakeNode() as other:
        other.member = dataclasses.replace(other.member, number=3, rack="rack3")
        yield other


class TestLearning:
    def test_a_ring_is_learned_and_shown_to_operators(self, watch, node):
        node.others = [AWAY]
        watching = watch(node)
        watching.wait_for(node.member, AWAY)
        assert watching.cluster()["name"] == "events of ours"
        watching.wait_for_log('server events: cluster "events of ours": 2 nodes')
        assert "127.9.9.9:9042" in watching.gateway.command("status")
        assert "cluster" not in watching.gateway.status()["servers"][0]

    def test_the_gateway_says_who_it_is(self, watch, node):
        watch(node).wait_for(node.member)
        assert node.logins == [(USER, PASSWORD)]
        [said] = node.startups
        assert said["DRIVER_NAME"] == "Gatehouse"
        assert said["DRIVER_VERSION"]

    def test_a_ring_that_is_not_known_yet_is_told_so(self, watch):
        with FakeBackend(lambda connection: connection.stall()) as silent:
            watching = watch(silent)
            silent.wait_for_connection()
            assert watching.cluster() is None
            assert "unknown" in watching.gateway.command("status")

    @pytest.mark.parametrize("asks", [True, False], ids=["password", "no password"])
    @pytest.mark.parametrize("versions", [(3, 4), (4, 5)], ids=["v4", "v5"])
    def test_every_kind_of_node_is_understood(self, watch, node, versions, asks):
        node.versions = versions
        node.asks_for_password = asks
        node.others = [AWAY]
        watch(node).wait_for(node.member, AWAY)
        assert len(node.logins) == (1 if asks else 0)

    def test_a_node_without_peers_v2_is_asked_for_peers(self, watch, node):
        node.has_old_tables_only = True
        node.versions = (3, 4)
        peer = dataclasses.replace(AWAY, port=node.port)
        node.others = [peer]
        watch(node).wait_for(node.member, peer)

    def test_a_server_without_an_account_is_let_be(self, certificates, start_gateway, node,
                                                   password_file):
        yaml = events_yaml(certificates, [node.tcp_backend], password_file)
        del yaml["servers"][1]["topology"]
        gateway = start_gateway(yaml)
        assert gateway.status()["servers"][1]["cluster"] is None
        assert node.accepted == 0

    def test_a_node_without_the_right_certificate_gets_no_password(self, certificates, watch,
                                                                   password_file):
        tls = {"mode": "verify", "ca": str(certificates.authority)}
        with FakeNode(certificates.stranger_backend) as imposter, \
                FakeNode(certificates.backend) as node:
            watching = watch(imposter, node, tls=tls)
            watching.wait_for(node.member)
            watching.wait_for_log(f"the ring is not learned from {imposter.tcp_backend}: "
                                  "TLS failed")
            assert (len(imposter.logins), len(node.logins)) == (0, 1)


class TestAccount:
    def test_a_wrong_password_is_told_of_once_and_read_anew_each_time(self, watch, node,
                                                                      password_file):
        password_file.write_text("wrong\n")
        watching = watch(node)
        wait_until(lambda: len(node.logins) >= 2, "the gateway tries again")
        assert watching.cluster() is None
        told = "0x0100: the password is incorrect"
        assert watching.gateway.log_text().count(told) == 1
        password_file.write_text(PASSWORD)
        watching.wait_for(node.member)
        assert "wrong" not in watching.gateway.log_text()
        assert PASSWORD not in watching.gateway.log_text()

    @pytest.mark.parametrize("content, why", [
        (None, "No such file or directory"), ("\n", "it is empty"),
        ("x" * 5000, "it is longer than a password"), ("a\0b", "it holds a NUL")],
        ids=["missing", "empty", "long", "NUL"])
    def test_a_file_that_holds_no_password_is_told_of(self, watch, node, password_file, content,
                                                      why):
        if content is None:
            password_file.unlink()
        else:
            password_file.write_text(content)
        watching = watch(node)
        watching.wait_for_log(f"{password_file} cannot be read: {why}")
        assert node.logins == []


class TestFollowing:
    def test_a_node_that_joins_is_learned_of(self, watch, node):
        watching = watch(node)
        watching.wait_for(node.member)
        node.others = [AWAY]
        node.tell("TOPOLOGY_CHANGE", "NEW_NODE", AWAY)
        watching.wait_for(node.member, AWAY)
        node.others = []
        node.tell("TOPOLOGY_CHANGE", "REMOVED_NODE", AWAY)
        watching.wait_for(node.member)

    def test_what_is_written_down_late_is_learned_too(self, watch, node):
        watching = watch(node)
        watching.wait_for(node.member)
        looks = node.count("peers_v2")
        node.tell("TOPOLOGY_CHANGE", "NEW_NODE", AWAY)
        wait_until(lambda: node.count("peers_v2") > looks, "the gateway looks")
        node.others = [AWAY]
        watching.wait_for(node.member, AWAY)

    def test_a_node_is_down_until_it_is_told_to_be_up(self, watch, node):
        node.others = [AWAY]
        watching = watch(node)
        watching.wait_for(node.member, AWAY)
        node.tell("STATUS_CHANGE", "DOWN", AWAY)
        watching.wait_for(node.member, AWAY.status(up=False))
        assert "down" in watching.gateway.command("status")
        node.tell("STATUS_CHANGE", "UP", AWAY)
        watching.wait_for(node.member, AWAY)

    def test_a_node_that_answers_is_not_down(self, watch, node, other):
        node.others = [other.member, AWAY]
        watching = watch(node)
        watching.wait_for(node.member, other.member, AWAY)
        node.tell("STATUS_CHANGE", "DOWN", AWAY)
        node.tell("STATUS_CHANGE", "DOWN", other.member)
        watching.wait_for(node.member, other.member.status(up=False), AWAY.status(up=False))
        watching.wait_for(node.member, other.member, AWAY.status(up=False))
        assert other.logins == []

    def test_after_a_change_of_the_schema_it_looks_until_nodes_agree(self, watch, node):
        node.others = [AWAY]
        watching = watch(node)
        watching.wait_for(node.member, AWAY)
        node.member = dataclasses.replace(node.member, schema_version=uuid.UUID(int=78))
        node.tell("SCHEMA_CHANGE", "CREATED")
        looks = node.count("local")
        wait_until(lambda: node.count("local") >= looks + 4, "it looks again and again")
        node.others = [dataclasses.replace(AWAY, schema_version=uuid.UUID(int=78))]
        # Before it would give up looking anyway (limits::schema_agreement).
        wait_until(lambda: time.monotonic() - node.asked_at > 2, "it looks no more", deadline=8)
        watching.wait_for(node.member, AWAY)

    def test_when_its_node_goes_another_is_asked(self, watch, node, other):
        node.others = [other.member]
        other.others = [node.member]
        watching = watch(node)  # the other is known from the ring alone
        watching.wait_for(node.member, other.member)
        node.hang_up()
        wait_until(lambda: other.logins, "the gateway logs in at the other")
        other.others = [node.member, AWAY]
        other.tell("TOPOLOGY_CHANGE", "NEW_NODE", AWAY)
        watching.wait_for(node.member, other.member, AWAY)

    def test_what_is_known_stays_known_while_nobody_answers(self, watch, node):
        watching = watch(node)
        watching.wait_for(node.member)
        node.instead = lambda talk, frame: talk.connection.close() or True
        node.hang_up()
        watching.wait_for_log("the ring is not learned from")
        assert watching.nodes() == [node.member.status(up=False)]
        node.instead = None
        watching.wait_for_log("the ring is learned again from")
        watching.wait_for(node.member)

    def test_a_reload_keeps_the_connection_unless_it_is_to_be_made_otherwise(self, watch, node,
                                                                            other):
        watching = watch(node)
        watching.wait_for(node.member)
        generation = watching.gateway.generation()
        watching.gateway.write_rules(
            configuration.rule_file("loopback 127.0.0.0/16", "events"), "events.yaml")
        generation = watching.gateway.wait_for_generation_after(generation)
        yaml = copy.deepcopy(watching.yaml)
        yaml["servers"][1]["backends"] = [other.tcp_backend]
        watching.gateway.write_configuration(yaml)
        watching.gateway.wait_for_generation_after(generation)
        watching.wait_for(other.member)
        assert len(node.logins) == 1


def endless(talk, piece):
    while True:
        talk.connection.send(piece)


LIES = {
    "no frames": lambda talk, frame: talk.connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "a frame too long": lambda talk, frame: talk.connection.send(
        wire.Frame(talk.version, wire.RESULT, b"", frame.stream, response=True).encode()[:5]
        + integer(16 * 1024 * 1024 + 1)),
    "another stream": lambda talk, frame: talk.say(wire.READY, b"", frame.stream + 1),
    "another answer": lambda talk, frame: talk.say(wire.AUTH_CHALLENGE, b"", frame.stream),
    "a compressed one": lambda talk, frame: talk.say(wire.READY, b"", frame.stream, flags=1),
    "no rows": lambda talk, frame: talk.say(wire.RESULT, rows_body("local", []), frame.stream),
    "half a row": lambda talk, frame: talk.say(
        wire.RESULT, rows_body("local", [talk.node.local_row()])[:-5], frame.stream),
    "an error that is none": lambda talk, frame: talk.say(wire.ERROR, b"\0", frame.stream),
    "a word, and it hangs up": lambda talk, frame: (
        talk.connection.send(b"\x85"), talk.connection.close()),
    "empty segments without end": lambda talk, frame: endless(talk, wire.segment(b"") * 100),
    "events without end": lambda talk, frame: endless(talk, wire.segment(wire.Frame(
        talk.version, wire.EVENT, wire.string("STATUS_CHANGE") + wire.string("UP")
        + b"\x04\x7f\x09\x09\x09" + integer(9042), -1, response=True).encode()) * 100),
    "events that cannot be read": lambda talk, frame: talk.say(
        wire.EVENT, wire.string("STATUS_CHANGE"), -1),
}


class TestLies:
    """A node that lies costs the gateway a connection, and others find the ring all the same."""

    # Bare and in segments; what is between the two is read in the same way.
    @pytest.mark.parametrize("at, lie", [
        *((at, lie) for at in (wire.STARTUP, wire.QUERY) for lie in LIES),
        (wire.AUTH_RESPONSE, "another answer"), (wire.REGISTER, "another answer")])
    def test_the_gateway_goes_on(self, watch, node, other, at, lie):

        def instead(talk, frame):
            if frame.opcode != at:
                return False
            LIES[lie](talk, frame)
            return True

        node.instead = instead
        watching = watch(node, other)
        watching.wait_for(other.member)
        watching.wait_for_log(f"the ring is not learned from {node.tcp_backend}: ")

    def test_a_node_that_falls_silent_is_left(self, watch, node, other):
        node.instead = lambda talk, frame: frame.opcode == wire.QUERY
        watching = watch(node, other)
        watching.wait_for(other.member)
        watching.wait_for_log("it did not answer within 10s")
        assert watching.gateway.status()["servers"][1]["backends"] == [
            {"backend": node.tcp_backend, "state": "failed"},
            {"backend": other.tcp_backend, "state": "up"}]

    def test_a_node_that_hangs_up_at_once_is_not_asked_without_end(self, watch, node):
        times = []

        def instead(talk, frame):
            if frame.opcode == wire.STARTUP:
                times.append(time.monotonic())
            if frame.opcode == wire.QUERY and node.count("peers_v2") == len(times):
                talk.connection.shut_down()  # it has told of its ring, and is asked to once more
            return False

        node.instead = instead
        watching = watch(node)
        watching.wait_for(node.member)
        for count in range(1, 4):
            # Before that, nobody is told, or the ring is read for it already.
            wait_until(lambda count=count: node.count("peers_v2") == count, "the ring is read")
            node.tell("TOPOLOGY_CHANGE", "NEW_NODE", AWAY)
            wait_until(lambda count=count: len(times) > count, "it comes again")
        # Once at once, and not again.
        assert times[3] - times[1] > 2


@pytest.fixture
def watch_cluster(watch, certificates, password_file):
    """A gateway that watches a real one, over TLS."""
    password_file.write_text(SERVER_PASSWORD)

    def start(*nodes):
        return watch(*nodes, tls={"mode": "verify", "ca": str(certificates.authority)})

    return start


class TestCassandra:
    """Cassandra itself."""

    @pytest.mark.parametrize("tls", [True, False], ids=["TLS", "plaintext"])
    def test_one_node_is_a_ring(self, watch, watch_cluster, password_file, cassandra, tls):
        [node] = cassandra.nodes
        password_file.write_text(SERVER_PASSWORD)
        watching = watch_cluster(node) if tls else watch(node)
        watching.wait_for(shown(node))
        assert watching.cluster()["name"] == "shop cluster"

    def test_a_wrong_password_is_refused(self, watch, cassandra):
        watching = watch(*cassandra.nodes)
        watching.wait_for_log("error 0x0100: Provided username gatehouse and/or password are "
                              "incorrect")
        assert watching.cluster() is None

    @full_only
    @pytest.mark.parametrize("version", cassandra_versions.OLDER)
    def test_older_versions_are_understood(self, watch_cluster, start_cassandra, version):
        [node] = start_cassandra(version).nodes
        watch_cluster(node).wait_for(shown(node))

    def test_nodes_go_and_come_back(self, watch_cluster, cassandra_ring):
        first, second, third = cassandra_ring.nodes
        watching = watch_cluster(first)
        nodes = {node: shown(node) for node in cassandra_ring.nodes}
        watching.wait_for(*nodes.values())
        third.stop()
        watching.wait_for(nodes[first], nodes[second], nodes[third] | {"up": False})
        third.start_again()
        watching.wait_for(*nodes.values())
        first.stop()  # the one that it was told by
        watching.wait_for_log(f"{first.tcp_backend} no longer tells of the ring")
        wait_until(lambda: nodes[first] | {"up": False} in watching.nodes(), "it is down")
        first.start_again()
        watching.wait_for(*nodes.values())


def shown(node):
    """What the gateway's status says of a server that is up."""
    number = node.address.rsplit(".", 1)[1]
    return {"host_id": node.host_id(), "address": node.tcp_backend, "data_center": "dc1",
            "rack": f"rack{number}", "up": True}


def test_where_no_account_is_a_node_is_asked_once_for_all_who_come_to_it(certificates,
                                                                         start_gateway):
    with FakeNode() as node:
        gateway = start_gateway(
            configuration.cassandra_yaml(certificates, {"mode": "single"}, [node.tcp_backend],
                                         server_keys={"tls": {"mode": "off"}}),
            {"events.yaml": configuration.rule_file("all 127.0.0.1", configuration.CLUSTER)})
        for version in (4, 5, 4):
            with CqlSession(gateway.address(), version, authority=certificates.authority,
                            server_name="gateway.test") as session:
                session.log_in(USER, PASSWORD)
                row, = session.query("SELECT release_version, rack FROM system.local")
            assert row == {"release_version": "5.0.9", "rack": node.member.rack}
        assert node.count("local") == 1
