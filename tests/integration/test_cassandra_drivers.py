"""Cassandra's own drivers through the gateway: they connect, discover, work, and show refusals."""

import contextlib

import pytest

from support import cassandra_clients, cassandra_doors, configuration
from support.cassandra_doors import cluster_yaml
from support.cassandra_server import USER
from support.cassandra_witness import KEYS, Witness, fill, owner_of, see_a_restart

EVENTS = configuration.CLUSTER
NOBODY = {"events.yaml": configuration.rule_file("elsewhere 192.0.2.0/24", EVENTS)}
DENIED = "Client with IP address '127.0.0.1' is not allowed to connect to this Cassandra cluster."
# Attempts of a driver that is refused, while it gives up: none of them may storm.
ATTEMPTS_MAX = 12

every_driver = pytest.mark.parametrize("driver", cassandra_clients.ALL, indirect=True,
                                       ids=lambda each: each.name)
cqlsh = pytest.mark.parametrize("driver", [cassandra_clients.CQLSH], indirect=True,
                                ids=lambda each: each.name)


@pytest.fixture(scope="module")
def cluster(cassandra):
    fill(cassandra)
    return cassandra


@pytest.fixture
def single(certificates, cluster, start_gateway):
    return start_gateway(cluster_yaml(certificates, cluster, {"mode": "single"}),
                         {cassandra_doors.RULE_FILE: cassandra_doors.RULES})


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
        rows, distinct, pages = client.paged(4, "SELECT * FROM shop.items")
        assert (rows, distinct, pages >= 2) == (len(KEYS), len(KEYS), True)
    return agreed


class TestOneNodeIsSeen:
    @every_driver
    def test_a_driver_connects_and_works(self, single, certificates, driver):
        assert works(driver, single, certificates) == driver.versions[0]
        closed = single.wait_for_audit("closed", user=USER)
        assert closed["program"]

    @cqlsh
    def test_cqlsh_works(self, single, certificates, driver):
        done = driver.run(
            single.address(), "SELECT name FROM shop.items WHERE id = 1", certificates.authority)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "item 1" in done.stdout


class TestRefusals:
    @every_driver
    def test_a_driver_shows_its_user_that_the_password_is_wrong(self, single, certificates,
                                                                driver):
        with driver.connect(single.address(), certificates.authority, password="wrong") as client:
            assert "Provided username app and/or password are incorrect" in client.error

    @every_driver
    def test_a_driver_shows_its_user_that_the_address_is_not_allowed(
            self, certificates, cluster, start_gateway, driver):
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


class ThreeNodes:
    """A gateway in front of three nodes, and every driver that knows this mode, while one of the
    nodes stops and starts again."""

    def __init__(self, certificates, ring, gateway, drivers, by_address=()):
        """`by_address`: drivers that tell nodes apart by their addresses alone where they choose
        one, or hear of one that comes or goes: it is left out what they do where these are alike."""
        self.by_address = by_address
        self.ring = ring
        self.gateway = gateway
        self.places = cassandra_doors.places_of(gateway)
        self.witnesses = {}
        last = cassandra_doors.node_beside_the_contact_point(gateway, ring)
        with contextlib.ExitStack() as running:
            for driver in drivers:
                if driver.missing() is None:
                    client = driver.connect(gateway.address(), certificates.authority)
                    self.witnesses[driver.name] = Witness(client)
                    running.callback(self.witnesses[driver.name].close)
            for witness in self.witnesses.values():
                witness.attempt(witness.look_around)
            seeing = [self.witnesses[driver.name] for driver in drivers
                      if driver.name in self.witnesses and driver not in by_address]
            see_a_restart(seeing, last)

    def host_at(self, coordinator):
        """Whom a client means by that address: a node's place, or the contact point."""
        for host_id, place in self.places.items():
            if place == coordinator:
                return host_id
        return None

    def check(self, driver):
        witness = self.witnesses[driver.name]
        assert witness.failure is None
        self._knows_the_ring(witness)
        if driver not in self.by_address:
            self._asks_the_node_that_has_the_row(witness)
            assert len(witness.host_ids) > 1
        # Wherever it asked, the node that answered is the one that it takes it for.
        for coordinator, host_id in witness.host_ids.items():
            assert self.host_at(coordinator) in (host_id, None)

    def _knows_the_ring(self, witness):
        contact = ":".join(map(str, self.gateway.address()))
        for node in self.ring.nodes:
            known = witness.ring[node.host_id()]
            assert (known["tokens"], known["up"]) == (len(node.tokens), True)
            assert f"{known['address']}:{known['port']}" in (
                self.places[node.host_id()], contact)
        assert len(witness.ring) == len(self.ring.nodes)

    def _asks_the_node_that_has_the_row(self, witness):
        known_at = {f"{node['address']}:{node['port']}": host_id
                    for host_id, node in witness.ring.items()}
        rows = self.ring.execute("SELECT id, token(id) AS hash FROM shop.items")
        asked = {row["id"]: known_at[witness.coordinators[row["id"]]] for row in rows}
        assert asked == {row["id"]: owner_of(row["hash"], self.ring.nodes).host_id()
                         for row in rows}


@pytest.fixture(scope="class")
def ring(cassandra_ring):
    fill(cassandra_ring)
    return cassandra_ring


class TestAPortForEachNode:
    @pytest.fixture(scope="class")
    def three(self, certificates, ring):
        drivers = [driver for driver in cassandra_clients.ALL if driver.knows_ports]
        with cassandra_doors.port_per_node(certificates, ring) as gateway:
            yield ThreeNodes(certificates, ring, gateway, drivers,
                             (cassandra_clients.GOCQL1, cassandra_clients.GOCQL2))

    @pytest.mark.parametrize(
        "driver", [driver for driver in cassandra_clients.ALL if driver.knows_ports],
        indirect=True, ids=lambda each: each.name)
    def test_a_driver_knows_the_ring_uses_it_and_sees_it_change(self, three, driver):
        three.check(driver)


class TestAnAddressForEachNode:
    @pytest.fixture(scope="class")
    def three(self, certificates, ring):
        with cassandra_doors.address_per_node(certificates, ring) as gateway:
            yield ThreeNodes(certificates, ring, gateway, cassandra_clients.ALL)

    @every_driver
    def test_a_driver_knows_the_ring_uses_it_and_sees_it_change(self, three, driver):
        three.check(driver)
