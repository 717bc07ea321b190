"""Every driver uses the nodes as it would without the gateway, by their own counters.

It asks the node that has the row, uses at once what it creates, and goes on while a node is away.
"""

import contextlib

import pytest

from support import cassandra_clients, cassandra_counters, cassandra_doors, cassandra_load
from support.cassandra_server import SUPERUSER, USER
from support.full import full_only
from support.rewriting import Rewriting
from support.waiting import wait_until

# A node that stops says so to whatever it is asked, until the driver has heard of it: without the
# gateway, on a busy machine, seven times.
FAILURES_MAX = 50
# What shows its nodes by ports is of use to those that read them. gocql reads them, but chooses
# among nodes by their addresses.
DRIVERS = {"port_per_node": [cassandra_clients.PYTHON, cassandra_clients.JAVA],
           "address_per_node": cassandra_clients.ALL,
           # What is no driver's own doing is the gateway's.
           "direct": cassandra_clients.ALL}

pytestmark = full_only


def by(drivers_by_mode):
    return pytest.mark.parametrize(
        ("mode", "driver"), indirect=True, scope="module",
        argvalues=[pytest.param(mode, driver, id=f"{mode}, {driver.name}")
                   for mode, drivers in drivers_by_mode.items() for driver in drivers])


each_way = by(DRIVERS)
# Where one node is seen, the gateway waits instead of the driver.
also_where_one_node_is_seen = by(DRIVERS | {"single": cassandra_clients.ALL})


@pytest.fixture(scope="module")
def ring(cassandra_ring):
    cassandra_counters.create(cassandra_ring)
    return cassandra_ring


@pytest.fixture(scope="module")
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def gateway(certificates, ring, mode):
    with cassandra_doors.MODES[mode](certificates, ring) as gateway:
        yield gateway


@pytest.fixture
def client(driver, gateway, certificates):
    with driver.connect(gateway.address(), certificates.authority) as client:
        assert client.error is None
        yield client


@each_way
def test_reads_by_key_land_on_the_nodes_that_have_the_rows(ring, client):
    wait_until(lambda: cassandra_counters.is_connected_to_all(client, ring),
               "it is connected to all nodes")
    asked, has = cassandra_counters.read_all(client, ring)
    assert asked == has
    assert all(asked.values())


@also_where_one_node_is_seen
def test_a_driver_uses_at_once_what_it_creates(driver, mode, client):
    """It waits until the nodes agree on the schema."""
    for turn in range(2):
        table = f"shop.created_{mode}_{cassandra_clients.ALL.index(driver)}_{turn}"
        client.query(f"CREATE TABLE {table} (id int PRIMARY KEY, name text)")
        for key in range(3):
            client.prepared(key, f"INSERT INTO {table} (id, name) VALUES (?, 'tea')")
            rows, _ = client.prepared(key, f"SELECT id, name FROM {table} WHERE id = ?")
            assert rows == [[str(key), "tea"]]


@pytest.fixture(scope="module")
def loads(certificates, ring, mode, gateway):
    """What came of the load of every driver that knows the mode, all at once: a node takes a while
    to start."""
    drivers = DRIVERS[mode]
    cassandra_load.create(ring, USER, [f"{mode}_{number}" for number in range(len(drivers))])
    with contextlib.ExitStack() as running:
        clients = {driver.name: running.enter_context(
                       driver.connect(gateway.address(), certificates.authority))
                   for driver in drivers if driver.missing() is None}
        node = cassandra_doors.node_beside_the_contact_point(gateway, ring)
        if mode != "direct":
            running.enter_context(Rewriting(gateway, cassandra_doors.RULE_FILE,
                                            cassandra_doors.RULES))
        return cassandra_load.see_a_restart(clients, node, mode)


@each_way
def test_a_driver_works_on_while_a_node_is_away_and_uses_it_again(ring, driver, loads):
    load = loads[driver.name]
    assert load.broken is None
    assert load.wrong == []
    with ring.nodes[0].connect() as session:
        acknowledged, there = load.acknowledged(session.log_in(*SUPERUSER))
    assert acknowledged == there > 0
    # What the node was asked last, before it told the drivers that it goes.
    assert load.failures.keys() <= {"stopping"}, load.failures
    assert len(load.failures["stopping"]) <= FAILURES_MAX, load.failures
