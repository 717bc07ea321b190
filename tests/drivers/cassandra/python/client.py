"""Connects with the Python driver and does what it is told; see ../README.md."""

import collections
import json
import ssl
import sys
import time

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import DCAwareRoundRobinPolicy, HostStateListener, TokenAwarePolicy
from cassandra.query import BatchStatement, SimpleStatement

TIMEOUT_SECONDS = 30  # A busy machine is no failure.


def say(**words):
    # In one piece: the driver's threads have a say as well.
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


class Events(HostStateListener):
    """Says what the driver tells about nodes."""

    def on_up(self, host):
        say(event="up", address=host.address, port=host.endpoint.port)

    def on_down(self, host):
        say(event="down", address=host.address, port=host.endpoint.port)

    def on_add(self, host):
        say(event="added", address=host.address, port=host.endpoint.port)

    def on_remove(self, host):
        say(event="removed", address=host.address, port=host.endpoint.port)


class Client:
    """A session, and what it can be asked."""

    def __init__(self, host, port, authority, user, password, version=None):
        options = {} if version is None else {"protocol_version": int(version)}
        if authority != "-":
            options["ssl_context"] = ssl.create_default_context(cafile=authority)
        profile = ExecutionProfile(
            load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy("dc1")),
            request_timeout=TIMEOUT_SECONDS)
        self._cluster = Cluster(
            [host], port=int(port), auth_provider=PlainTextAuthProvider(user, password),
            connect_timeout=TIMEOUT_SECONDS, control_connection_timeout=TIMEOUT_SECONDS,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile}, **options)
        self._session = self._cluster.connect()
        self._cluster.register_listener(Events())
        self._prepared = {}  # by CQL: other drivers remember these themselves

    def version(self):
        return self._cluster.protocol_version

    def close(self):
        self._cluster.shutdown()

    def nodes(self):
        metadata = self._cluster.metadata
        tokens = collections.Counter(metadata.token_map.token_to_host_owner.values())
        return {"nodes": [
            {"host_id": str(host.host_id), "address": host.address, "port": host.endpoint.port,
             "tokens": tokens[host], "up": bool(host.is_up)}
            for host in metadata.all_hosts()]}

    def query(self, cql):
        return self._answer(self._session.execute(SimpleStatement(cql)))

    def prepared(self, argument):
        number, cql = argument.split(" ", 1)
        if cql not in self._prepared:
            self._prepared[cql] = self._session.prepare(cql)
        return self._answer(self._session.execute(self._prepared[cql], [int(number)]))

    def paged(self, argument):
        size, cql = argument.split(" ", 1)
        result = self._session.execute(SimpleStatement(cql, fetch_size=int(size)))
        rows, pages = list(result.current_rows), 1
        while result.has_more_pages:
            result.fetch_next_page()
            rows, pages = rows + result.current_rows, pages + 1
        return {"rows": len(rows), "distinct": len(set(rows)), "pages": pages}

    def batch(self, argument):
        batch = BatchStatement()
        statements = argument.split("; ")
        for statement in statements:
            batch.add(SimpleStatement(statement))
        self._session.execute(batch)
        return {"statements": len(statements)}

    @staticmethod
    def _answer(result):
        host = result.response_future.coordinator_host
        return {"rows": [[str(value) for value in row] for row in result],
                "coordinator": f"{host.address}:{host.endpoint.port}"}


def main():
    started = time.monotonic()
    try:
        client = Client(*sys.argv[1:])
    except Exception as failure:  # Whatever its class: it is what a user would be shown.
        say(error=f"{type(failure).__name__}: {failure}", seconds=time.monotonic() - started)
        return
    say(connected=client.version(), seconds=time.monotonic() - started)
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        try:
            answer = getattr(client, command)(*([argument] if argument else []))
        except Exception as failure:
            answer = {"error": f"{type(failure).__name__}: {failure}"}
        say(**answer)
    client.close()


main()
