"""What applications do with Cassandra, by every driver, through an address that hides its nodes."""

import pytest

from support import cassandra_clients, cassandra_doors
from support.cassandra_server import USER
from support.mariadb_server import PASSWORD

PARTITIONS = 50
ROWS = 50_000
# Which does not divide the rows: the last page is no full one, and none comes empty behind it.
PAGE_SIZE = 999
PAGES = 51

every_driver = pytest.mark.parametrize("driver", cassandra_clients.ALL, indirect=True,
                                       ids=lambda each: each.name)


@pytest.fixture(scope="module")
def gateway(certificates, cassandra):
    with cassandra_doors.single(certificates, cassandra) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def many_rows(cassandra):
    """As many of shop.many."""
    cassandra.execute("CREATE TABLE shop.many (part int, id int, PRIMARY KEY (part, id))")
    each = ROWS // PARTITIONS
    with cassandra.nodes[0].connect() as session:
        session.log_in(USER, PASSWORD)
        for part in range(PARTITIONS):
            inserts = (f"INSERT INTO shop.many (part, id) VALUES ({part}, {number});"
                       for number in range(each))
            session.query(f"BEGIN UNLOGGED BATCH {' '.join(inserts)} APPLY BATCH")


@pytest.fixture
def client(driver, gateway, certificates):
    with driver.connect(gateway.address(), certificates.authority) as client:
        assert client.error is None
        yield client


@pytest.fixture
def table(driver, cassandra):
    """Empty, and for this driver alone."""
    name = f"shop.items_{cassandra_clients.ALL.index(driver)}"
    cassandra.execute(f"CREATE TABLE IF NOT EXISTS {name} (id int PRIMARY KEY, name text)",
                      f"TRUNCATE {name}")
    return name


@every_driver
def test_a_driver_turns_the_pages_of_50000_rows(many_rows, client):
    assert client.paged(PAGE_SIZE, "SELECT part, id FROM shop.many") == (ROWS, ROWS, PAGES)


@every_driver
def test_a_driver_inserts_what_does_not_exist_yet_and_is_shown_what_does(table, client):
    cql = f"INSERT INTO {table} (id, name) VALUES (1, '%s') IF NOT EXISTS"
    [[applied]], _ = client.query(cql % "tea")
    assert applied.lower() == "true"
    [[applied, *found]], _ = client.query(cql % "coffee")
    assert (applied.lower(), found) == ("false", ["1", "tea"])


@every_driver
def test_a_driver_writes_a_batch(cassandra, table, client):
    client.batch(f"INSERT INTO {table} (id, name) VALUES (1, 'tea')",
                 f"INSERT INTO {table} (id, name) VALUES (2, 'coffee')")
    rows = cassandra.execute(f"SELECT id, name FROM {table}")
    assert {row["id"]: row["name"] for row in rows} == {1: "tea", 2: "coffee"}
