"""Every driver through the gateway at versions of Cassandra that are still in use."""

import pytest

from support import cassandra_clients, cassandra_counters, cassandra_doors, cassandra_versions
from support.cassandra_server import CassandraCluster
from support.cassandra_versions import Installation
from support.cassandra_witness import KEYS, fill
from support.full import full_only
from support.waiting import wait_until

pytestmark = full_only


def named(drivers):
    return pytest.mark.parametrize("driver", drivers, indirect=True, ids=lambda each: each.name)


def started(certificates, version, size=1):
    installation = Installation(version)
    if reason := installation.missing():
        pytest.skip(reason)
    return CassandraCluster(certificates, size, installation=installation)


class TestOneNode:
    @pytest.fixture(scope="class", params=cassandra_versions.OLDER)
    def gateway(self, request, certificates):
        with (started(certificates, request.param) as cluster,
              cassandra_doors.single(certificates, cluster) as gateway):
            fill(cluster)
            yield gateway

    @named(cassandra_clients.ALL)
    def test_a_driver_works(self, certificates, gateway, driver):
        with driver.connect(gateway.address(), certificates.authority) as client:
            assert client.version == driver.versions[0]
            assert client.prepared(2, "SELECT name FROM shop.items WHERE id = ?")[0] == [
                ["item 2"]]
            rows, distinct, pages = client.paged(4, "SELECT * FROM shop.items")
            assert (rows, distinct, pages >= 2) == (len(KEYS), len(KEYS), True)
            table = f"shop.created_{cassandra_clients.ALL.index(driver)}"
            client.query(f"CREATE TABLE {table} (id int PRIMARY KEY, name text)")
            client.batch(f"INSERT INTO {table} (id, name) VALUES (1, 'tea')",
                         f"INSERT INTO {table} (id, name) VALUES (2, 'coffee')")
            [[applied, *found]], _ = client.query(
                f"INSERT INTO {table} (id, name) VALUES (2, 'milk') IF NOT EXISTS")
            assert (applied.lower(), found) == ("false", ["2", "coffee"])


class TestThreeNodes:
    @pytest.fixture(scope="class")
    def ring(self, certificates):
        with started(certificates, cassandra_versions.OLDER[0], size=3) as ring:
            cassandra_counters.create(ring)
            yield ring

    @pytest.fixture(scope="class")
    def gateway(self, certificates, ring):
        with cassandra_doors.port_per_node(certificates, ring) as gateway:
            yield gateway

    @named([cassandra_clients.PYTHON, cassandra_clients.JAVA])
    def test_a_driver_asks_the_node_that_has_the_row(self, certificates, ring, gateway, driver):
        with driver.connect(gateway.address(), certificates.authority) as client:
            wait_until(lambda: cassandra_counters.is_connected_to_all(client, ring),
                       "it is connected to all nodes")
            asked, has = cassandra_counters.read_all(client, ring)
            assert asked == has
