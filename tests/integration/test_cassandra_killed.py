"""A real node that is killed in the middle of a result: its session ends on record, and nobody else's.

What a node of our own does there every day stands in test_hostile_streams.py.
"""

import contextlib

import pytest

from support import cassandra_doors, memory
from support import cql_wire as wire
from support.cassandra_server import USER
from support.cassandra_witness import NEWS_SECONDS
from support.connection import Closed
from support.cql_session import CqlSession
from support.full import full_only
from support.mariadb_server import PASSWORD
from support.waiting import wait_until

MIB = 1024 * 1024
# One value, as often as there are columns: the node keeps little, and says more than is on its way
# while the client does not read.
TEXT = "x" * MIB
COLUMNS = 16
SESSIONS = 8
STATEMENT = f"SELECT {', '.join(['text'] * COLUMNS)} FROM kept.long WHERE id = 1"

pytestmark = full_only


@pytest.fixture
def ring(start_cassandra):
    """Of which each node has all of the data."""
    # So that accounts, too, are read of one that is left.
    cluster = start_cassandra(size=2, settings={"auth_read_consistency_level": "LOCAL_ONE"})
    cluster.execute(
        "CREATE KEYSPACE kept WITH replication = {'class': 'SimpleStrategy',"
        " 'replication_factor': 2}",
        "CREATE TABLE kept.long (id int PRIMARY KEY, text text)",
        f"GRANT ALL ON KEYSPACE kept TO {USER}")
    cluster.wait_until_ready()
    with cluster.nodes[0].connect() as session:
        session.log_in(USER, PASSWORD)
        session.query("INSERT INTO kept.long (id, text) VALUES (1, ?)", values=[TEXT.encode()],
                      consistency=wire.ALL)
    return cluster


class Door:
    """One address for both nodes."""

    def __init__(self, gateway, ring):
        self.gateway = gateway
        self._ring = ring

    @contextlib.contextmanager
    def logged_in(self, version):
        """A session, and the node that it is led to."""
        opened = len(self.gateway.audit("opened"))
        with CqlSession(self.gateway.address(), version,
                        authority=self._ring.authority) as session:
            session.log_in(USER, PASSWORD)
            wait_until(lambda: len(self.gateway.audit("opened")) > opened, "it is on record")
            backend = self.gateway.audit("opened")[opened]["backend"]
            [node] = [node for node in self._ring.nodes if node.tcp_backend == backend]
            yield session, node

    def node_of_a_whole_result(self, version):
        with self.logged_in(version) as (session, node):
            result = session.page(STATEMENT)
            assert result.rows == [{"text": TEXT}] and len(result.columns) == COLUMNS
        return node


@pytest.mark.parametrize("version", [4, 5])
def test_its_session_ends_and_others_go_on_at_another(certificates, ring, version):
    with cassandra_doors.single(certificates, ring) as gateway:
        door = Door(gateway, ring)
        door.node_of_a_whole_result(version)
        gateway.wait_for_audit("closed")
        descriptors = memory.descriptors(gateway)

        with door.logged_in(version) as (session, killed):
            session.send_frame(wire.QUERY, wire.query_body(version, STATEMENT))
            session.receive_exactly(MIB)
            killed.kill()
            with pytest.raises(Closed):
                session.receive_exactly(COLUMNS * MIB)
        closed = gateway.wait_for_audit("closed", count=2)[1]
        assert (closed["close_reason"], closed["backend"]) == ("backend_closed", killed.tcp_backend)
        assert MIB <= closed["bytes_out"] < COLUMNS * MIB

        # Each connection might have been the killed node's.
        for _ in range(SESSIONS):
            assert door.node_of_a_whole_result(version) is not killed
        wait_until(lambda: memory.descriptors(gateway) <= descriptors, "descriptors are back")
        killed.start_again()
        wait_until(lambda: door.node_of_a_whole_result(version) is killed, "it is used again",
                   NEWS_SECONDS, poll=0.2)
