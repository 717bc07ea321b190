"""Every driver of Cassandra speaks each version of the protocol that it has, in each mode.

`direct` is the same driver at a node itself, so that what a driver cannot do is not taken for what
the gateway does to it. The table goes to the file that GATEHOUSE_CASSANDRA_MATRIX names.
"""

import pytest

from support import cassandra_clients, cassandra_counters, cassandra_doors, cassandra_matrix
from support import tables
from support.cassandra_matrix import MODES, Table
from support.full import full_only
from support.waiting import DEADLINE_SECONDS, wait_until

# For what is known not to come.
IN_VAIN_SECONDS = 3

pytestmark = full_only
each_cell = pytest.mark.parametrize(
    ("driver", "version"),
    [pytest.param(driver, version, id=f"{driver.name}, {version}")
     for driver in cassandra_clients.ALL for version in driver.versions])


@pytest.fixture(scope="module")
def table():
    table = Table()
    yield table
    tables.keep(table.text(), "GATEHOUSE_CASSANDRA_MATRIX")


@pytest.fixture(scope="module")
def ring(cassandra_ring):
    cassandra_counters.create(cassandra_ring)
    return cassandra_ring


@pytest.fixture(scope="module", params=MODES)
def door(request, certificates, ring):
    with cassandra_doors.MODES[request.param](certificates, ring) as door:
        yield door


@each_cell
def test_a_driver_speaks_a_version(request, ring, table, door, driver, version):
    mode = request.node.callspec.params["door"]
    if reason := driver.missing():
        table.note(driver.name, mode, version, f"not run: {reason}")
        pytest.skip(reason)
    known = cassandra_matrix.LIMITS.get((driver.name, mode))
    table.note(driver.name, mode, version, known or "FAILED")
    if known:
        with pytest.raises(AssertionError):
            works(driver, version, mode, door, ring, IN_VAIN_SECONDS)
    else:
        works(driver, version, mode, door, ring, DEADLINE_SECONDS)
        table.note(driver.name, mode, version, Table.WORKS)


def works(driver, version, mode, door, ring, deadline):
    with driver.connect(door.address(), ring.authority, version=version) as client:
        assert client.version == version
        if mode == "single":
            [shown] = client.nodes().values()
            assert ((shown["address"], shown["port"]), shown["up"]) == (door.address(), True)
        else:
            wait_until(lambda: cassandra_counters.is_connected_to_all(client, ring),
                       "it is connected to all nodes", deadline)
        asked, has = cassandra_counters.read_all(client, ring)
        assert sum(asked.values()) == len(cassandra_counters.KEYS)
        assert mode == "single" or asked == has
