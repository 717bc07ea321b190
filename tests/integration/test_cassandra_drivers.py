"""Cassandra's own drivers through the gateway: they connect, discover, work, and show refusals."""

import pytest

from support import cassandra_clients, configuration
from support.cassandra_server import TOPOLOGY_USER, USER
from support.mariadb_server import PASSWORD
from support.waiting import wait_until

EVENTS = "events"
KEYS = range(6)
RULES = {"events.yaml": configuration.rule_file("loopback 127.0.0.0/8", EVENTS)}
NOBODY = {"events.yaml": configuration.rule_file("elsewhere 192.0.2.0/24", EVENTS)}
DENIED = "Client with IP address '127.0.0.1' is not allowed to connect to this Cassandra cluster."
# Attempts of a driver that is refused, while it gives up: none of them may storm.
ATTEMPTS_MAX = 12

every_driver = pytest.mark.parametrize("driver", cassandra_clients.ALL, ids=lambda each: each.name)


def cluster_yaml(certificates, cluster, nodes, password_file=None, **listener_keys):
    listener = configuration.listener(certificates, servers=[EVENTS], protocol="cassandra",
                                      nodes=nodes, **listener_keys)
    server = {"name": EVENTS, "protocol": "cassandra",
              "backends": [node.tcp_backend for node in cluster.nodes],
              "tls": {"mode": "verify", "ca": str(certificates.authority)}}
    if password_file is not None:
        server["topology"] = {"user": TOPOLOGY_USER, "password_file": str(password_file)}
    return configuration.gateway_yaml(certificates, [], listeners=[listener], servers=[server])


def need(driver):
    if reason := driver.missing():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def cluster(cassandra):
    with cassandra.nodes[0].connect() as session:
        session.log_in(USER, PASSWORD)
        for key in KEYS:
            session.query(f"INSERT INTO shop.items (id, name) VALUES ({key}, 'item {key}')")
    return cassandra


@pytest.fixture
def single(certificates, cluster, start_gateway):
    return start_gateway(cluster_yaml(certificates, cluster, {"mode": "single"}), RULES)


def works(driver, gateway, certificates):
    """What every application does; the version agreed on."""
    where = ":".join(map(str, gateway.address()))
    with driver.connect(gateway.address(), certificates.authority) as client:
        agreed = client.version
        [told] = client.nodes().values()
        assert (told["address"], told["port"], told["up"]) == (*gateway.address(), True)
        assert client.query("SELECT name FROM shop.items WHERE id = 1") == ([["item 1"]], where)
        assert client.prepared(2, "SELECT id, name FROM shop.items WHERE id = ?") == (
            [["2", "item 2"]], where)
        rows, pages = client.paged(4, "SELECT * FROM shop.items")
        assert (rows, pages >= 2) == (len(KEYS), True)
    return agreed


class TestOneNodeIsSeen:
    @every_driver
    def test_a_driver_connects_and_works(self, single, certificates, driver):
        need(driver)
        assert works(driver, single, certificates) == driver.versions[0]
        closed = single.wait_for_audit("closed", user=USER)
        assert closed["program"]

    def test_cqlsh_works(self, single, certificates):
        need(cassandra_clients.CQLSH)
        done = cassandra_clients.CQLSH.run(
            single.address(), "SELECT name FROM shop.items WHERE id = 1", certificates.authority)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "item 1" in done.stdout


class TestRefusals:
    @every_driver
    def test_a_driver_shows_its_user_that_the_password_is_wrong(self, single, certificates,
                                                                driver):
        need(driver)
        with driver.connect(single.address(), certificates.authority, password="wrong") as client:
            assert "Provided username app and/or password are incorrect" in client.error

    @every_driver
    def test_a_driver_shows_its_user_that_the_address_is_not_allowed(
            self, certificates, cluster, start_gateway, driver):
        need(driver)
        gateway = start_gateway(cluster_yaml(certificates, cluster, {"mode": "single"}), NOBODY)
        with driver.connect(gateway.address(), certificates.authority) as client:
            shown = client.error.replace("\\", "")
        if driver is cassandra_clients.GOCQL1:
            # What it asks to find out a version it does not show the answer of.
            assert "unable to discover protocol version" in shown
        else:
            assert DENIED in shown
        gateway.wait_for_audit("denied", reason="no_matching_rule")
        denied = int(gateway.metric("gatehouse_denied_total", reason="no_matching_rule",
                                    server=EVENTS))
        assert 1 <= denied <= ATTEMPTS_MAX, f"{driver.name} tried {denied} times"
