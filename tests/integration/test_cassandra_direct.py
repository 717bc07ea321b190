"""Cassandra's own drivers at Cassandra itself, without a gateway.

What the gateway's tests build on is proven here: servers, clusters and clients do what they say, so
that what fails through the gateway is not taken for what a driver cannot do.
"""

import contextlib

import pytest

from support import cassandra_clients, cassandra_versions
from support import cql_wire as wire
from support.cassandra_server import USER
from support.cassandra_witness import KEYS, Witness, fill, owner_of, see_a_restart
from support.connection import Closed
from support.cql_wire import ServerError
from support.full import full_only
from support.mariadb_server import PASSWORD
from support.waiting import wait_until

every_driver = pytest.mark.parametrize("driver", cassandra_clients.ALL, indirect=True,
                                       ids=lambda each: each.name)
cqlsh = pytest.mark.parametrize("driver", [cassandra_clients.CQLSH], indirect=True,
                                ids=lambda each: each.name)
either_way = pytest.mark.parametrize("tls", [False, True], ids=["plaintext", "TLS"])


def address_of(node):
    return node.address, node.port


@pytest.fixture(scope="module")
def node(cassandra):
    fill(cassandra)
    return cassandra.nodes[0]


@pytest.fixture
def authority(certificates, tls):
    return certificates.authority if tls else None


class TestOurOwnClient:
    """Every version of the protocol, byte by byte."""

    @pytest.fixture(params=[3, 4, 5])
    def session(self, request, node, tls):
        with node.connect(request.param, tls=tls) as session:
            yield session.log_in(USER, PASSWORD)

    @either_way
    def test_it_reads_prepares_and_turns_pages(self, session):
        assert session.query("SELECT name FROM shop.items WHERE id = 3") == [{"name": "item 3"}]
        prepared = session.prepare("SELECT name FROM shop.items WHERE id = ?")
        key = (4).to_bytes(4, "big")
        assert session.execute(prepared, values=[key]) == [{"name": "item 4"}]
        first = session.page("SELECT id FROM shop.items", page_size=4)
        rest = session.page("SELECT id FROM shop.items", page_size=4,
                            paging_state=first.paging_state)
        assert sorted(row["id"] for row in first.rows + rest.rows) == list(KEYS)
        assert rest.paging_state is None

    @either_way
    def test_frames_larger_than_a_segment_pass_both_ways(self, session):
        text = "x" * 400000
        session.query(f"INSERT INTO shop.items (id, name) VALUES (99, '{text}')")
        assert session.query("SELECT name FROM shop.items WHERE id = 99") == [{"name": text}]
        session.query("DELETE FROM shop.items WHERE id = 99")

    @pytest.mark.parametrize("tls", [False])
    def test_it_is_told_of_a_new_table(self, session, cassandra):
        session.register()
        cassandra.execute("CREATE TABLE shop.told (id int PRIMARY KEY)", "DROP TABLE shop.told")
        assert session.receive_event()[:2] == ("SCHEMA_CHANGE", "CREATED")
        assert session.receive_event()[:2] == ("SCHEMA_CHANGE", "DROPPED")

    def test_it_raises_what_the_server_refuses(self, node):
        with node.connect() as session, pytest.raises(ServerError) as refused:
            session.log_in(USER, "wrong")
        assert refused.value.code == 0x0100

    def test_it_asks_what_is_supported(self, node):
        with node.connect(4) as session:
            assert "lz4" in session.options()["COMPRESSION"]

    def test_the_server_closes_on_a_segment_whose_checksum_is_wrong(self, node):
        with node.connect(5) as session:
            session.log_in(USER, PASSWORD)
            frame = wire.Frame(5, wire.OPTIONS).encode()
            session.send(wire.segment(frame)[:-1] + b"\0")
            with contextlib.suppress(ServerError, Closed):
                while True:
                    session.receive_answer()
            assert session.receive_rest() == b""


def works(driver, node, authority, version=None):
    """The version agreed on, after what every application does."""
    with driver.connect(address_of(node), authority, version=version) as client:
        agreed = client.version
        [told] = client.nodes().values()
        assert told == {"host_id": node.host_id(), "address": node.address, "port": node.port,
                        "tokens": len(node.tokens), "up": True}
        assert client.query("SELECT name FROM shop.items WHERE id = 1") == (
            [["item 1"]], node.tcp_backend)
        assert client.prepared(2, "SELECT id, name FROM shop.items WHERE id = ?") == (
            [["2", "item 2"]], node.tcp_backend)
        rows, distinct, pages = client.paged(4, "SELECT * FROM shop.items")
        assert (rows, distinct, pages >= 2) == (len(KEYS), len(KEYS), True)
    return agreed


class TestOneNode:
    @every_driver
    @either_way
    def test_a_driver_connects_and_works(self, node, driver, authority):
        assert works(driver, node, authority) == driver.versions[0]

    @full_only
    @every_driver
    def test_a_driver_is_told_which_version_to_speak(self, node, driver):
        for version in driver.versions[1:]:
            assert works(driver, node, None, version) == version

    @every_driver
    def test_a_driver_shows_its_user_that_the_password_is_wrong(self, node, driver):
        with driver.connect(address_of(node), password="wrong") as client:
            assert "Provided username app and/or password are incorrect" in client.error

    @full_only
    @every_driver
    def test_a_driver_verifies_the_servers_certificate(self, certificates, node, driver):
        with driver.connect(address_of(node), certificates.stranger_authority) as client:
            assert client.error is not None

    @cqlsh
    @either_way
    def test_cqlsh_works(self, node, authority, driver):
        done = driver.run(
            address_of(node), "SELECT name FROM shop.items WHERE id = 1", authority)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "item 1" in done.stdout


@full_only
class TestThreeNodes:
    @pytest.fixture(scope="class")
    def witnesses(self, cassandra_ring):
        """All drivers at once: a node takes a while to stop and to start."""
        fill(cassandra_ring)
        where = address_of(cassandra_ring.nodes[0])
        with contextlib.ExitStack() as running:
            witnesses = {}
            for driver in cassandra_clients.ALL:
                if driver.missing() is None:
                    client = driver.connect(where, cassandra_ring.authority)
                    witnesses[driver.name] = Witness(client)
                    running.callback(witnesses[driver.name].close)
            for witness in witnesses.values():
                witness.attempt(witness.look_around)
            see_a_restart(witnesses.values(), cassandra_ring.nodes[-1])
            yield witnesses

    @pytest.fixture
    def witness(self, request, driver):
        return request.getfixturevalue("witnesses")[driver.name]

    @every_driver
    def test_a_driver_knows_the_ring(self, cassandra_ring, witness):
        assert witness.ring == {
            node.host_id(): {"host_id": node.host_id(), "address": node.address,
                             "port": node.port, "tokens": len(node.tokens), "up": True}
            for node in cassandra_ring.nodes}

    @every_driver
    def test_a_driver_asks_the_node_that_has_the_row(self, cassandra_ring, witness):
        rows = cassandra_ring.execute("SELECT id, token(id) AS hash FROM shop.items")
        owners = {row["id"]: owner_of(row["hash"], cassandra_ring.nodes).tcp_backend
                  for row in rows}
        assert witness.coordinators == owners
        assert len(set(owners.values())) > 1

    @every_driver
    def test_a_driver_is_connected_to_the_nodes_that_it_believes_to_be(self, cassandra_ring,
                                                                       witness):
        nodes = {node.tcp_backend: node.host_id() for node in cassandra_ring.nodes}
        assert witness.host_ids.items() <= nodes.items()
        assert len(witness.host_ids) > 1

    @every_driver
    def test_a_driver_sees_a_node_go_down_and_come_up(self, cassandra_ring, driver, witness):
        assert witness.failure is None
        if driver.tells_events:
            events = witness.events(cassandra_ring.nodes[-1].address)
            assert "up" in events[events.index("down"):]


@full_only
class TestWhatElseAClusterCanDo:
    @pytest.mark.parametrize("version", cassandra_versions.OLDER)
    def test_every_driver_works_with_an_older_version(self, start_cassandra, version):
        cluster = start_cassandra(version)
        fill(cluster)
        for driver in cassandra_clients.ALL:
            if driver.missing() is None:
                for authority in (None, cluster.authority):
                    works(driver, cluster.nodes[0], authority)

    def test_a_node_that_requires_tls_refuses_plaintext(self, start_cassandra):
        [node] = start_cassandra(tls="required").nodes
        with node.connect(tls=False) as session, pytest.raises((Closed, ServerError)):
            session.log_in(USER, PASSWORD)
        with node.connect() as session:
            session.log_in(USER, PASSWORD)

    def test_a_killed_node_keeps_its_data(self, start_cassandra):
        cluster = start_cassandra()
        fill(cluster)
        [node] = cluster.nodes
        node.nodetool("flush")
        node.kill()
        assert not node.is_running()
        node.start_again()
        assert len(node.query("SELECT * FROM shop.items")) == len(KEYS)

    def test_nodes_join_and_leave(self, start_cassandra):
        cluster = start_cassandra()
        fill(cluster)
        first = cluster.nodes[0]
        with first.connect() as session:
            session.log_in(USER, PASSWORD).register()
            joined = cluster.add_node()
            events = [session.receive_event(), session.receive_event()]
            assert {event[:2] for event in events} == {("TOPOLOGY_CHANGE", "NEW_NODE"),
                                                       ("STATUS_CHANGE", "UP")}
            assert {event[2][0] for event in events} == {joined.address}
            assert joined.address in first.nodetool("status")
            cluster.decommission(joined)
            wait_until(lambda: session.receive_event()[1] == "REMOVED_NODE", "the node is gone")
        assert first.query("SELECT peer FROM system.peers_v2") == []
        assert len(first.query("SELECT * FROM shop.items")) == len(KEYS)
