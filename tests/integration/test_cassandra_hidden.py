"""No byte that a client of a Cassandra listener receives is a node's address, whatever happens."""

import contextlib
import ipaddress

import pytest

from support import cassandra_doors
from support import cql_wire as wire
from support.cassandra_server import SUPERUSER
from support.connection import Closed
from support.cql_session import CqlSession
from support.cql_wire import ServerError

# What drivers ask to find the cluster, and what others might.
DISCOVERY = [
    "SELECT * FROM system.local WHERE key='local'",
    "select * from system.local where key = 'local'",
    "SELECT * FROM system.local",
    "SELECT * FROM system.peers_v2",
    "SELECT * FROM system.peers",
    "SELECT cluster_name FROM system.local",
    "SELECT schema_version FROM system.local WHERE key='local'",
    "SELECT host_id, peer, peer_port, native_address, native_port, schema_version"
    " FROM system.peers_v2",
    "SELECT host_id, rpc_address, data_center, rack, tokens FROM system.peers",
    "SELECT * FROM system.peer_events", "SELECT * FROM system.peer_events_v2",
    "SELECT * FROM system_views.clients", "SELECT * FROM system_views.settings",
    "SELECT * FROM system_views.gossip_info", "SELECT * FROM system_traces.sessions",
    "SELECT * FROM system_traces.events", "SELECT * FROM system_distributed.repair_history",
    "SELECT JSON * FROM system.local", "SELECT toJson(rpc_address) FROM system.local",
    "SELECT * FROM system_schema.keyspaces", "SELECT * FROM system_schema.tables",
    "SELECT * FROM system.size_estimates", "DESCRIBE CLUSTER", "DESCRIBE SCHEMA",
    "DESCRIBE KEYSPACE system", "SELECT * FROM shop.nothing", "USE nowhere", "LIST ROLES",
    "SELECT * FROM system.local WHERE token(key) > 0 ALLOW FILTERING",
]


class Recorded(CqlSession):
    """A session that keeps every byte it was sent, out of TLS."""

    def __init__(self, *arguments, **options):
        self.received = bytearray()
        super().__init__(*arguments, **options)

    def receive_exactly(self, size):
        data = super().receive_exactly(size)
        self.received += data
        return data


def tried(ask, *arguments):
    """Most of it is refused, by one or the other."""
    try:
        return ask(*arguments)
    except ServerError:
        return None


def discover(session):
    session.options()
    session.register()
    for text in DISCOVERY:
        tried(session.query, text)
        prepared = tried(session.prepare, text)
        if prepared is not None:
            tried(session.execute, prepared)


@pytest.fixture(params=["port_per_node", "address_per_node", "single"])
def gateway(request, certificates, cassandra_ring):
    with cassandra_doors.MODES[request.param](certificates, cassandra_ring) as gateway:
        yield gateway


def ask_for_rows(session):
    """Of some too few nodes are there; and one of the sessions may be with the one that is not."""
    with contextlib.suppress(Closed, OSError):
        for consistency in (wire.ALL, wire.ONE):
            for key in range(6):
                text = f"SELECT * FROM shop.items WHERE id = {key}"
                tried(lambda text=text, how=consistency: session.query(text, consistency=how))


def test_no_address_of_a_node_is_seen(certificates, cassandra_ring, gateway):
    last = cassandra_ring.nodes[-1]
    with contextlib.ExitStack() as running:

        def connect(version):
            session = running.enter_context(Recorded(
                gateway.address(), version, authority=certificates.authority))
            discover(session.log_in(*SUPERUSER))
            return session

        sessions = [connect(version) for version in (3, 4, 5)]
        for change in ("CREATE TABLE shop.seen (id int PRIMARY KEY)", "DROP TABLE shop.seen"):
            tried(sessions[-1].query, change)
        last.stop()
        for session in sessions:
            ask_for_rows(session)
        last.start_again()
        for session in sessions:
            ask_for_rows(session)
        sessions += [connect(version) for version in (3, 4, 5)]

    for node in cassandra_ring.nodes:
        packed = ipaddress.ip_address(node.address).packed
        for session in sessions:
            assert node.address.encode() not in session.received
            assert packed not in session.received
    assert all(len(session.received) > 10_000 for session in sessions)
