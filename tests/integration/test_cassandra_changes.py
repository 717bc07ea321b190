"""Nodes that join, move and leave a real ring: whoever is behind the gateway learns it as he would
directly, and a node's port leads to that node or to nobody."""

import contextlib

import pytest

from support import cassandra_clients, configuration
from support.cassandra_server import TOPOLOGY_USER, USER
from support.cassandra_witness import NEWS_SECONDS, fill
from support.full import full_only
from support.mariadb_server import PASSWORD
from support.placing import LISTENER, Placing, assert_nobody_listens
from support.waiting import wait_until

RULES = {"events.yaml": configuration.rule_file("loopback 127.0.0.0/24", configuration.CLUSTER)}
ACCOUNT = (USER, PASSWORD)
NEW_TOKEN = "4611686018427387904"
# Those that know nodes by their ports.
DRIVERS = (cassandra_clients.PYTHON, cassandra_clients.JAVA)

pytestmark = full_only


@pytest.fixture
def place(certificates, start_gateway, tmp_path):
    """A gateway in front of a cluster, which shows each node at a port of its own."""
    password_file = tmp_path / "password"
    password_file.write_text(PASSWORD)

    def start(cluster):
        yaml = configuration.cassandra_yaml(
            certificates, {"mode": "port_per_node"}, [node.tcp_backend for node in cluster.nodes],
            {"name": LISTENER, "tls": {"required": False}}, account=(TOPOLOGY_USER, password_file))
        return Placing(start_gateway(yaml, RULES), yaml)

    return start


def places_of(placing, cluster):
    return placing.wait_for(*map(Identified, cluster.nodes))


class Identified:
    """A node as Placing asks for it, which knows its id while it is away."""

    def __init__(self, node):
        self.node = node
        self.host_id = node.host_id()


@contextlib.contextmanager
def listening_session(placing, place):
    """A client of the node at this place that has asked to be told of every change."""
    with placing.connect(place, timeout=NEWS_SECONDS) as session:
        session.log_in(*ACCOUNT).register()
        yield session


def wait_for_event(session, kind, place):
    """Until the client is told so of who is shown there."""
    host, port = place.rsplit(":", 1)
    wait_until(lambda: session.receive_event()[1:] == (kind, (host, int(port))),
               f"{kind} of {place}", NEWS_SECONDS)


def peers(session):
    rows = session.query("SELECT host_id, native_address, native_port FROM system.peers_v2")
    return {str(row["host_id"]): f"{row['native_address']}:{row['native_port']}" for row in rows}


@pytest.fixture
def drivers():
    """What is installed of them, connected by `connect`."""
    with contextlib.ExitStack() as running:

        def connect(address):
            return [running.enter_context(driver.connect(address))
                    for driver in DRIVERS if driver.missing() is None]

        yield connect


def wait_for_nodes(driver, *host_ids):
    """Until the driver knows exactly these, all of them up."""

    def knows():
        known = driver.nodes()
        return known.keys() == set(host_ids) and all(each["up"] for each in known.values())

    wait_until(knows, f"a driver knows {host_ids}", NEWS_SECONDS, poll=0.2)


def test_a_node_that_joins_and_leaves(place, start_cassandra, drivers):
    cluster = start_cassandra()
    fill(cluster)
    [first] = cluster.nodes
    first_id = first.host_id()
    placing = place(cluster)
    [first_place] = places_of(placing, cluster)
    clients = drivers(placing.gateway.address(LISTENER))
    with listening_session(placing, first_place) as session:
        joined = cluster.add_node()
        joined_id = joined.host_id()
        _, joined_place = places_of(placing, cluster)
        wait_for_event(session, "NEW_NODE", joined_place)
        wait_for_event(session, "UP", joined_place)
        assert peers(session) == {joined_id: joined_place}
        assert placing.node_at(joined_place, ACCOUNT) == (joined_id, {first_id: first_place})
        for client in clients:
            wait_for_nodes(client, first_id, joined_id)

        cluster.decommission(joined)
        wait_for_event(session, "REMOVED_NODE", joined_place)
        assert peers(session) == {}
        for client in clients:
            wait_for_nodes(client, first_id)
        places_of(placing, cluster)
        assert_nobody_listens(joined_place)

        # Whoever comes next comes to another place.
        cluster.add_node()
        [_, next_place] = places_of(placing, cluster)
        wait_for_event(session, "NEW_NODE", next_place)
        assert next_place not in (first_place, joined_place)
        assert_nobody_listens(joined_place)


def test_a_node_that_comes_back_at_another_address_keeps_its_place(place, start_cassandra):
    cluster = start_cassandra(size=3)
    placing = place(cluster)
    places = places_of(placing, cluster)
    ids = [node.host_id() for node in cluster.nodes]
    last = cluster.nodes[-1]
    with listening_session(placing, places[0]) as session:
        last.stop()
        wait_for_event(session, "DOWN", places[-1])
        left = last.tcp_backend
        last.start_again(number=5)
        assert last.tcp_backend != left
        wait_for_event(session, "UP", places[-1])
        wait_until(lambda: peers(session) == dict(zip(ids[1:], places[1:])), "it is shown there")
    assert places_of(placing, cluster) == places
    for host_id, its_place in zip(ids, places):
        assert placing.node_at(its_place, ACCOUNT)[0] == host_id


def test_a_node_that_moves_on_the_ring(place, start_cassandra):
    cluster = start_cassandra(size=2, tokens_per_node=1)
    placing = place(cluster)
    places = places_of(placing, cluster)
    with listening_session(placing, places[0]) as session:

        def tokens():
            return list(session.query("SELECT tokens FROM system.peers_v2")[0]["tokens"])

        assert tokens() == list(map(str, cluster.nodes[1].tokens))
        cluster.nodes[1].nodetool("move", NEW_TOKEN)
        # Cassandra itself does not tell of every move: the ring is read every minute all the same.
        wait_until(lambda: tokens() == [NEW_TOKEN], "it is shown where it is", NEWS_SECONDS)
    assert places_of(placing, cluster) == places
