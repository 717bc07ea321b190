"""Whom drivers ask, by the nodes' own counters."""

from support.cassandra_witness import owner_of

TABLE = "counted"
KEYS = range(90)


def create(ring):
    """Rows of a table that nobody else reads, spread over the ring."""
    ring.execute(f"CREATE TABLE shop.{TABLE} (id int PRIMARY KEY, name text)")
    ring.wait_until_ready()
    ring.execute(*(f"INSERT INTO shop.{TABLE} (id, name) VALUES ({key}, 'item {key}')"
                   for key in KEYS))


def coordinated(node, keyspace, table):
    """How many reads of a table by its key the node has been asked for by clients, since it
    runs."""
    [row] = node.query("SELECT count FROM system_views.coordinator_read_latency"
                       f" WHERE keyspace_name = '{keyspace}' AND table_name = '{table}'")
    return row["count"]


def is_connected_to_all(client, ring):
    """As far as a driver can tell itself."""
    known = client.nodes()
    return known.keys() == {node.host_id() for node in ring.nodes} and all(
        node["up"] and node["tokens"] for node in known.values())


def read_all(client, ring):
    """How many rows each node was asked for by a driver that reads all of them, and how many it
    has."""
    has = {node.address: 0 for node in ring.nodes}
    for row in ring.execute(f"SELECT id, token(id) AS hash FROM shop.{TABLE}"):
        has[owner_of(row["hash"], ring.nodes).address] += 1
    before = {node.address: coordinated(node, "shop", TABLE) for node in ring.nodes}
    for key in KEYS:
        rows, _ = client.prepared(key, f"SELECT name FROM shop.{TABLE} WHERE id = ?")
        assert rows == [[f"item {key}"]]
    asked = {node.address: coordinated(node, "shop", TABLE) - before[node.address]
             for node in ring.nodes}
    return asked, has
