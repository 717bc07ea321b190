"""Drivers that read and write without a break while a node stops and starts again."""

import collections
import contextlib
import threading

from support import cql_wire as wire
from support.cassandra_counters import coordinated
from support.cassandra_server import SUPERUSER
from support.waiting import wait_until

KEYSPACE = "kept"  # of whose rows every node has a copy
KEYS = range(20)
PAUSE_SECONDS = 0.04  # Between statements: the nodes have two processors, and one is starting.
STATEMENTS_MAX = 100_000
# How many statements each driver has answered before anything changes.
STATEMENTS_EACH_TIME = 40
# What a node on a busy machine takes to start, and drivers to find out and connect to it again.
DEADLINE_SECONDS = 180


def create(ring, user, tables):
    """Tables with the rows to read."""
    ring.execute(
        f"CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} WITH replication ="
        " {'class': 'SimpleStrategy', 'replication_factor': 3}",
        f"GRANT ALL ON KEYSPACE {KEYSPACE} TO {user}",
        *(f"CREATE TABLE {KEYSPACE}.{table} (id int PRIMARY KEY, name text)" for table in tables))
    ring.wait_until_ready()
    with ring.nodes[0].connect() as session:
        session.log_in(*SUPERUSER)
        for table in tables:
            for key in KEYS:
                session.query(f"INSERT INTO {KEYSPACE}.{table} (id, name)"
                              f" VALUES ({key}, 'item {key}')", consistency=wire.ALL)


class Load:
    """One driver, which reads and writes in a thread of its own, a statement after the other."""

    def __init__(self, client, table, phase):
        """`phase`: what happens to the node meanwhile, in a list of one that others change."""
        self.table = table
        self.answers = 0
        self.wrong = []
        # By phase; what was under way as the node began to stop belongs to that.
        self.failures = collections.defaultdict(list)
        self.written = set()
        self.broken = None
        self._client = client
        self._phase = phase
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self):
        self._ending.set()
        self._thread.join()

    def acknowledged(self, session):
        """How many of its writes were, and how many of these are there."""
        rows = session.query(f"SELECT id FROM {KEYSPACE}.{self.table}", consistency=wire.ALL)
        return len(self.written), len(self.written & {row["id"] for row in rows})

    def has_answered(self, count):
        assert self._thread.is_alive(), self.broken
        return self.answers >= count

    def _run(self):
        try:
            for number in range(len(KEYS), STATEMENTS_MAX):
                if self._ending.wait(PAUSE_SECONDS):
                    return
                self._write(number)
                self._read(KEYS[number % len(KEYS)])
        except Exception as failure:  # A client that ended, or answers no more.
            self.broken = repr(failure)

    def _write(self, number):
        if self._ask(f"prepared {number} INSERT INTO {KEYSPACE}.{self.table} (id, name)"
                     " VALUES (?, 'written')") is not None:
            self.written.add(number)

    def _read(self, key):
        rows = self._ask(f"prepared {key} SELECT id, name FROM {KEYSPACE}.{self.table}"
                         " WHERE id = ?")
        if rows not in (None, [[str(key), f"item {key}"]]):
            self.wrong.append((key, rows))

    def _ask(self, line):
        """The rows of an answer; None of a failure."""
        phases = [self._phase[0]]
        answer = self._client.ask(line)
        if "error" in answer:
            phases.append(self._phase[0])
            self.failures["stopping" if "stopping" in phases else phases[-1]].append(
                answer["error"])
            return None
        self.answers += 1
        return answer["rows"]


def see_a_restart(clients, node, mode):
    """What came of the load of each client, by name, while the node stopped and started again."""
    phase = ["running"]
    loads = {}
    with contextlib.ExitStack() as running:
        for number, (name, client) in enumerate(clients.items()):
            loads[name] = Load(client, f"{mode}_{number}", phase)
            running.callback(loads[name].end)

        def go_on():
            so_far = {name: load.answers for name, load in loads.items()}
            wait_until(lambda: all(load.has_answered(so_far[name] + STATEMENTS_EACH_TIME)
                                   for name, load in loads.items()),
                       "every driver works", DEADLINE_SECONDS)

        go_on()
        phase[0] = "stopping"
        node.stop()
        go_on()
        phase[0] = "away"
        go_on()
        phase[0] = "starting"
        node.start_again()
        # Of a process that has just begun: what it counts came after that.
        for name, load in loads.items():
            wait_until(lambda load=load: coordinated(node, KEYSPACE, load.table) >= len(KEYS),
                       f"{name} uses the node again", DEADLINE_SECONDS, poll=0.2)
        phase[0] = "back"
        go_on()
    return loads
