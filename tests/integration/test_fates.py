"""Connections that end in every way there is, at every stage: they leave nothing behind.

Neither a descriptor nor memory, and of each exactly one record of how it ended.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import signal
import typing

import pytest

from support import every_kind, memory, soak
from support.connection import Connection
from support.mariadb_server import MariaDbServer
from support.waiting import wait_until

ALLOWED = "127.0.0.0/16"
STRANGER = "127.66.6.6"
CLIENTS = 4
BATCH = 100
# The first batches also fill what stays: caches of TLS sessions, arenas of the allocator's.
WARM_UP_BATCHES = soak.amount(1, 10)
# What the workers' arenas may still spread by; a KiB lost by each connection of a long run would
# exceed it, as would 40 by each of a short one.
GROWTH_MAX_KIB = 8 * 1024
# Longer than any client here waits: one that a machine stood still for would be closed without a
# word, which within its handshake reads SSLZeroReturnError.
HANDSHAKE_TIMEOUT = "60s"


@dataclasses.dataclass(frozen=True)
class Fate:
    """`live` takes a gateway and the address to come from; `reasons`: what the audit may say."""

    name: str
    live: typing.Callable
    reasons: tuple = ("client_closed",)


@pytest.fixture(scope="module")
def database(certificates):
    """One that has room for those that have left the gateway and not yet the server."""
    with MariaDbServer(certificates, ["--max-connections=1000"]) as server:
        yield server


@pytest.fixture
def gateway(certificates, database, start_gateway, monkeypatch):
    memory.keep_little_that_is_freed(monkeypatch)
    with every_kind.answering_node(certificates) as node:
        yield start_gateway(
            every_kind.gateway_yaml(certificates, database.tcp_backend, node.tcp_backend, limits={
                "sessions_per_source": 1000, "handshake_timeout": HANDSHAKE_TIMEOUT}),
            {"all.yaml": every_kind.rules(f"loopback {ALLOWED}")})


def _fates(kind):
    def allowed(gateway, source):
        with kind.connect(gateway, source) as session:
            kind.log_in(session)
            assert kind.is_right(session, 42)
            kind.leave(session)

    def refused(gateway, source):
        with kind.connect(gateway, source) as session:
            assert kind.is_refused(session)

    def denied(gateway, _):
        assert kind.is_denied(gateway, STRANGER)

    fates = [Fate("allowed", allowed), Fate("refused", refused, ("login_refused",)),
             Fate("denied", denied, ())]
    for name, step in (kind.steps | kind.later_steps).items():
        reasons = ("tls_failed",) if name in every_kind.BEGINNING_TLS else ("client_closed",)
        for ending in (Connection.close, Connection.reset):
            fates.append(Fate(f"{ending.__name__} {name}", _aborted(kind, step, ending), reasons))
    return fates


def _aborted(kind, step, ending):
    def live(gateway, source):
        with kind.connect(gateway, source) as session:
            step(session)
            ending(session)

    return live


class Crowd:
    """Clients of one kind; each fate has a source of its own, by which the audit tells it."""

    def __init__(self, gateway, kind):
        self._gateway = gateway
        # One more at most: it may still be asking a backend how it greets, which it does once.
        self._descriptors = memory.descriptors(gateway)
        self._fates = _fates(kind)
        self._next = 0
        self.lived = collections.Counter()

    @staticmethod
    def source(number):
        return f"127.0.7.{number + 1}"

    def live(self):
        """A batch of them, and until all of it is over."""
        batch = [number % len(self._fates) for number in range(self._next, self._next + BATCH)]
        self._next += BATCH
        self.lived.update(batch)
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
            done = [clients.submit(self._fates[number].live, self._gateway, self.source(number))
                    for number in batch]
            for number, future in zip(batch, done):
                with self._explained(number):
                    future.result()
        wait_until(self._nothing_is_left, "everything is closed", poll=0.1)

    @contextlib.contextmanager
    def _explained(self, number):
        """An error says which fate it was, and how the gateway took it."""
        try:
            yield
        except BaseException as error:
            source = self.source(number)
            closed = [record for record in self._gateway.audit("closed")
                      if record["source"]["address"] == source]
            raise AssertionError(f"{self._fates[number].name}: {error!r}; the last of its records:"
                                 f" {closed[-CLIENTS:]}") from error

    def _nothing_is_left(self):
        # Also of connections that are in no count: their last words are said, or their backend's
        # login is being finished.
        metrics = self._gateway.metrics()
        return (metrics.value("gatehouse_handshakes") == 0
                and metrics.value("gatehouse_sessions_open") == 0
                and memory.descriptors(self._gateway) <= self._descriptors)

    def assert_recorded(self):
        """That of each connection the audit has one end, and the right one. Ends the gateway, which
        writes how many denials it has not told of yet."""
        self._gateway.signal(signal.SIGTERM)
        self._gateway.wait_for_exit()
        denied = self._gateway.audit("denied")
        assert {record["source"]["address"] for record in denied} == {STRANGER}
        closed = collections.defaultdict(collections.Counter)
        for record in self._gateway.audit("closed"):
            closed[record["source"]["address"]][record["close_reason"]] += 1
        for number, count in self.lived.items():
            fate = self._fates[number]
            if fate.name == "denied":
                assert sum(record.get("count", 1) for record in denied) == count
                continue
            reasons = closed.pop(self.source(number), collections.Counter())
            assert set(reasons) <= set(fate.reasons), (fate.name, reasons)
            assert reasons.total() == count, (fate.name, reasons)
        assert not closed


@pytest.mark.parametrize("name", every_kind.KINDS)
def test_connections_of_all_fates_leave_nothing_but_one_record_each(gateway, certificates, name):
    kind = every_kind.all_kinds(certificates)[name]
    crowd = Crowd(gateway, kind)
    for _ in range(WARM_UP_BATCHES):
        crowd.live()
    before = memory.resident_kib(gateway)
    for _ in soak.rounds(2, 90):
        crowd.live()
    grown = memory.grown_kib(gateway, before)
    print(f"{name}: {crowd.lived.total()} connections, {grown} KiB more than after the first"
          f" {WARM_UP_BATCHES * BATCH}")
    assert grown < GROWTH_MAX_KIB
    crowd.assert_recorded()
