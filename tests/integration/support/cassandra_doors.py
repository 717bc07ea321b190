"""Gateways in front of a Cassandra cluster, one for each way to show its nodes to drivers."""

import contextlib
import pathlib
import tempfile

from support import configuration
from support.cassandra_server import CQL_PORT, LoopbackSubnet, TOPOLOGY_USER, USER
from support.cql_session import CqlSession
from support.gatehouse import Gatehouse
from support.mariadb_server import PASSWORD
from support.waiting import wait_until

RULE_FILE = "events.yaml"
RULES = configuration.rule_file("loopback 127.0.0.0/8", configuration.CLUSTER)


def cluster_yaml(certificates, cluster, nodes, password_file=None, **listener_keys):
    account = None if password_file is None else (TOPOLOGY_USER, password_file)
    backends = [node.tcp_backend for node in cluster.nodes]
    return configuration.cassandra_yaml(certificates, nodes, backends, listener_keys,
                                        account=account)


def single(certificates, cluster):
    """One address stands for all nodes."""
    return _running(certificates, cluster, {"mode": "single"})


def port_per_node(certificates, cluster):
    return _running(certificates, cluster, {"mode": "port_per_node"})


@contextlib.contextmanager
def address_per_node(certificates, cluster):
    """Each with Cassandra's usual port."""
    with LoopbackSubnet() as subnet:
        contact, *addresses = [subnet.address(number + 1)
                               for number in range(len(cluster.nodes) + 1)]
        identity = certificates.for_addresses([contact, *addresses])
        tls = {"certificate": str(identity.certificate), "key": str(identity.key)}
        nodes = {"mode": "address_per_node", "addresses": addresses}
        with _running(certificates, cluster, nodes, tls,
                      address=f"{contact}:{CQL_PORT}") as gateway:
            yield gateway


class _Node:
    """One that is its own door."""

    def __init__(self, node):
        self._node = node

    def address(self):
        return self._node.address, self._node.port


@contextlib.contextmanager
def direct(_, cluster):
    """No gateway at all: what a driver does here is its own."""
    yield _Node(cluster.nodes[0])


MODES = {"direct": direct, "single": single, "port_per_node": port_per_node,
         "address_per_node": address_per_node}


@contextlib.contextmanager
def _running(certificates, cluster, nodes, tls=None, **listener_keys):
    with tempfile.TemporaryDirectory() as secrets:
        password_file = pathlib.Path(secrets) / "events"
        password_file.write_text(PASSWORD)
        yaml = cluster_yaml(certificates, cluster, nodes, password_file, **listener_keys)
        yaml["listeners"][0]["tls"] |= tls or {}
        gateway = Gatehouse(yaml, {RULE_FILE: RULES})
        try:
            gateway.start()
            wait_until(lambda: len(known_nodes(gateway)) == len(cluster.nodes),
                       "the ring is known")
            if nodes["mode"] != "single":
                wait_until(lambda: len(places_of(gateway)) == len(cluster.nodes),
                           "each node has its place")
            yield gateway
        finally:
            gateway.stop()


def known_nodes(gateway):
    """What the gateway has learned of the ring."""
    [server] = gateway.status()["servers"]
    return (server["cluster"] or {"nodes": []})["nodes"]


def places_of(gateway):
    """Where clients reach each node, by host id."""
    return {entry["node"]: entry["address"] for entry in gateway.status()["listeners"]
            if "node" in entry}


def node_beside_the_contact_point(gateway, ring):
    """While the contact point's own node is down it leads to another one, which drivers that came
    by it take for the same: that one stays."""
    with CqlSession(gateway.address(), authority=ring.authority) as session:
        session.log_in(USER, PASSWORD)
        [row] = session.query("SELECT host_id FROM system.local")
    return next(node for node in reversed(ring.nodes) if node.host_id() != str(row["host_id"]))
