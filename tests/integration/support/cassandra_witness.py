"""What a Cassandra driver knows of a ring, and how it takes it that a node goes and comes back."""

from support.cassandra_server import USER
from support.mariadb_server import PASSWORD
from support.waiting import wait_until

# The rows that fill() makes.
KEYS = range(6)
# What drivers need to find out about a node, and to connect to it again.
NEWS_SECONDS = 90


def fill(cluster):
    """A few rows of shop.items, spread over the ring."""
    with cluster.nodes[0].connect() as session:
        session.log_in(USER, PASSWORD)
        for key in KEYS:
            session.query(f"INSERT INTO shop.items (id, name) VALUES ({key}, 'item {key}')")


class Witness:
    """What one driver knew of the ring before, while and after a node was down."""

    def __init__(self, client):
        self._client = client
        self.failure = None
        self.ring = None
        self.coordinators = {}  # by key
        self.host_ids = {}  # what the node itself says, by where the driver asked

    def close(self):
        self._client.__exit__()

    def attempt(self, what):
        """A driver that fails does so in its own test."""
        if self.failure is None:
            try:
                what()
            except (AssertionError, LookupError, OSError) as failure:
                self.failure = str(failure)

    def look_around(self):
        self.ring = self._client.nodes()
        for key in KEYS:
            _, coordinator = self._client.prepared(key, "SELECT * FROM shop.items WHERE id = ?")
            self.coordinators[key] = coordinator
            # The node's own word, whatever the driver believes where it is connected to.
            [[host_id]], coordinator = self._client.query("SELECT host_id FROM system.local")
            self.host_ids[coordinator] = host_id

    def wait_for(self, host_id, up):

        def sees():
            # As an application does: some drivers find out by their statements alone.
            self._client.query("SELECT release_version FROM system.local")
            return self._client.nodes()[host_id]["up"] == up

        wait_until(sees, f"it sees that the node is {'up' if up else 'down'}", NEWS_SECONDS,
                   poll=0.2)

    def events(self, address):
        return [event for event, where, _ in self._client.events if where == address]


def see_a_restart(witnesses, node):
    """The node stops and starts again, and each witness waits until it has seen either."""
    host_id = node.host_id()
    for change, up in ((node.stop, False), (node.start_again, True)):
        change()
        for witness in witnesses:
            witness.attempt(lambda witness=witness, up=up: witness.wait_for(host_id, up))


def owner_of(token, nodes):
    """The node that has this token: the first at or after it on the ring."""
    owners = sorted((each, node) for node in nodes for each in node.tokens)
    return next((node for each, node in owners if each >= token), owners[0][1])
