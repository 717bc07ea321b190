"""Crowds that take places and give nothing for them: clients that stall, floods from one source.

Who is let in and behaves gets in all the while, at every kind of listener.
"""

import collections
import concurrent.futures
import contextlib
import signal

import pytest

from support import cql_wire as wire
from support import every_kind, memory, proxy_header, soak
from support.mariadb_server import MariaDbServer
from support.session import ServerError
from support.waiting import wait_until

ALLOWED = "127.0.0.0/16"
STRANGER = "127.66.6.6"
WELL_BEHAVED = "127.0.0.2"
FLOODER = "127.0.0.3"
SHARE = 12
BALANCER = "127.0.0.20"

# Over all kinds of listeners: a process has 20,000 descriptors here, and each of its ends is one.
STALLED = soak.amount(500, 5_000)
STALLED_OF_A_SOURCE = 100
STALL_SECONDS = soak.amount(8, 120)
# What one may cost with both legs and the TLS of each: 35 KiB are measured, and 45 where a
# sanitizer watches.
COST_MAX_KIB = 100
# What one may cost of whom nothing is known yet: 12 KiB are measured.
COST_WITHOUT_HEADER_MAX_KIB = 40
# What all of them have to come in, on any machine: they are there at a time.
HEADER_SECONDS = soak.amount(30, 120)
CLIENTS = 4


@pytest.fixture(scope="module")
def database(certificates):
    """One that holds a connection for each client that a transparent listener has greeted."""
    options = ["--max-connections=4000", "--thread-handling=pool-of-threads",
               "--connect-timeout=300"]
    with MariaDbServer(certificates, options) as server:
        yield server


@pytest.fixture
def start(certificates, database, start_gateway):
    with contextlib.ExitStack() as nodes:

        def start(server_keys=None, listener_keys=None, **limits):
            node = nodes.enter_context(every_kind.answering_node(certificates))
            yaml = every_kind.gateway_yaml(certificates, database.tcp_backend, node.tcp_backend,
                                           server_keys=server_keys,
                                           limits={"handshake_timeout": "60s"} | limits)
            for listener in yaml["listeners"]:
                listener.update(listener_keys or {})
            return start_gateway(yaml, {"all.yaml": every_kind.rules(f"loopback {ALLOWED}")})

        yield start


@pytest.fixture(params=every_kind.KINDS)
def kind(request, certificates):
    return every_kind.all_kinds(certificates)[request.param]


def _work(kind, gateway, source=WELL_BEHAVED):
    with kind.connect(gateway, source) as session:
        kind.log_in(session)
        assert kind.is_right(session, 5)
        kind.leave(session)


def _wait_for_room(kind, gateway):
    # A place is given back behind the last byte that a client reads.
    def finds_room():
        try:
            _work(kind, gateway)
        except (wire.ServerError, ServerError):
            return False
        return True

    wait_until(finds_room, "the places that were given back are free")


class TestStalling:
    """As many as there may be descriptors, at every stage before a session is established."""

    def test_ones_at_every_stage_end_by_their_deadline_while_others_get_in(
            self, start, certificates, monkeypatch):
        memory.keep_little_that_is_freed(monkeypatch)
        gateway = start(handshake_timeout=f"{STALL_SECONDS}s")
        kinds = every_kind.all_kinds(certificates).values()
        for kind in kinds:
            _work(kind, gateway)
        before = memory.resident_kib(gateway)
        with contextlib.ExitStack() as stalled:
            ports = self._stall(gateway, kinds, stalled)
            grown = memory.grown_kib(gateway, before)
            handshakes = gateway.metric("gatehouse_handshakes")
            print(f"{handshakes:.0f} of {STALLED} at a time: {grown} KiB more")
            assert grown < STALLED * COST_MAX_KIB
            wait_until(lambda: gateway.metric("gatehouse_handshakes") == 0, "all have ended",
                       deadline=STALL_SECONDS + 60, poll=0.2)
        closed = gateway.wait_for_audit("closed", STALLED, close_reason="handshake_timeout")
        assert collections.Counter(
            (record["source"]["address"], record["source"]["port"]) for record in closed) == ports
        for kind in kinds:
            _work(kind, gateway)

    @staticmethod
    def _stall(gateway, kinds, stalled):
        """Where they come from, each once. Others come all the while."""
        steps = [(kind, step) for kind in kinds for step in kind.steps.values()]
        ports = collections.Counter()

        def stall(number):
            kind, step = steps[number % len(steps)]
            source = f"127.0.1.{1 + number // STALLED_OF_A_SOURCE}"
            session = stalled.enter_context(kind.connect(gateway, source))
            ports[source, session.source_port] += 1
            step(session)

        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
            for begin in range(0, STALLED, STALLED_OF_A_SOURCE):
                done = [clients.submit(stall, number)
                        for number in range(begin, begin + STALLED_OF_A_SOURCE)]
                for kind in kinds:
                    _work(kind, gateway)
                for future in done:
                    future.result()
        return ports


class Balanced:
    """A kind whose clients come through a load balancer, which says who they are."""

    def __init__(self, kind):
        self._kind = kind

    def __getattr__(self, name):
        return getattr(self._kind, name)

    def connect(self, gateway, source):
        return self.connect_saying(gateway, proxy_header.v2(source))

    def connect_saying(self, gateway, said):
        session = self._kind.connect(gateway, BALANCER)
        session.send(said)
        return session


class TestStallingBehindABalancer:
    """Who has not said yet for whom he comes: no rule is asked, and no cap of a source counts."""

    SAID = [b"", b"P", proxy_header.v1(WELL_BEHAVED)[:-1], proxy_header.SIGNATURE,
            proxy_header.v2(WELL_BEHAVED, proxy_header.value(0x04, bytes(3000)))[:-1]]

    def test_ones_without_a_header_end_by_their_deadline_while_others_get_in(
            self, start, certificates, monkeypatch):
        memory.keep_little_that_is_freed(monkeypatch)
        gateway = start(listener_keys={"proxy_protocol": {"from": [BALANCER]}},
                        handshake_timeout=f"{HEADER_SECONDS}s")
        kinds = [Balanced(kind) for kind in every_kind.all_kinds(certificates).values()]
        for kind in kinds:
            _work(kind, gateway)
        before = memory.resident_kib(gateway)
        with contextlib.ExitStack() as stalled:
            for number in range(STALLED):
                kind = kinds[number % len(kinds)]
                said = self.SAID[number % len(self.SAID)]
                stalled.enter_context(kind.connect_saying(gateway, said))
                if number % STALLED_OF_A_SOURCE == 0:
                    for other in kinds:
                        _work(other, gateway)
            gateway.wait_for_metric("gatehouse_handshakes", STALLED)
            grown = memory.grown_kib(gateway, before)
            print(f"{STALLED} at a time: {grown} KiB more")
            assert grown < STALLED * COST_WITHOUT_HEADER_MAX_KIB
            for kind in kinds:
                _work(kind, gateway)
            wait_until(lambda: gateway.metric("gatehouse_handshakes") == 0, "all have ended",
                       deadline=HEADER_SECONDS + 60, poll=0.2)
        for kind in kinds:
            _work(kind, gateway)
        # Those of one sender are folded into a record a minute, and what is left at the end.
        gateway.signal(signal.SIGTERM)
        gateway.wait_for_exit()
        ended = gateway.audit("closed", close_reason="proxy_header_timeout")
        assert {record["source"]["address"] for record in ended} == {BALANCER}
        assert sum(record.get("count", 1) for record in ended) == STALLED
        assert len(ended) < STALLED
        others = [record for record in gateway.audit("closed") if record not in ended]
        assert {record["close_reason"] for record in others} == {"client_closed"}
        assert {record["source"]["address"] for record in others} == {WELL_BEHAVED}


class TestOneSource:
    """It may use up what is its own."""

    @pytest.fixture
    def flood(self, start, kind):
        """Takes its share, with sessions and at every stage before one."""
        gateway = start(sessions_per_source=SHARE)
        with contextlib.ExitStack() as held:
            taken = [kind.log_in] * (SHARE - len(kind.steps)) + [*kind.steps.values()]
            for step in taken:
                step(held.enter_context(kind.connect(gateway, FLOODER)))
            metrics = gateway.metrics
            wait_until(lambda: metrics().value("gatehouse_sessions_open")
                       + metrics().value("gatehouse_handshakes") == SHARE, "it has its share")
            yield gateway

    def test_it_finds_no_more_than_its_share_and_others_theirs(self, flood, kind):
        for _ in range(10):
            assert kind.is_told_too_many(flood, FLOODER)
            _work(kind, flood)
        refused = flood.wait_for_audit("closed", 10, close_reason="too_many_sessions")
        assert {record["bound"] for record in refused} == {"sessions_per_source"}
        assert {record["source"]["address"] for record in refused} == {FLOODER}

    def test_its_share_holds_for_all_listeners(self, flood, kind, certificates):
        for other in every_kind.all_kinds(certificates).values():
            assert other.is_told_too_many(flood, FLOODER)

    def test_strangers_that_say_nothing_take_no_place(self, start, kind):
        gateway = start(sessions=8, handshakes=8, refusals=2)
        with contextlib.ExitStack() as strangers:
            for _ in range(16):
                strangers.enter_context(kind.connect(gateway, STRANGER))
                _work(kind, gateway)


class TestCaps:
    """Each by itself, with the name it has in the audit."""

    @pytest.mark.parametrize("cap, limits, server_keys", [
        ("sessions", {"sessions": 2}, {}),
        ("max_sessions", {}, {"max_sessions": 2}),
    ])
    def test_what_is_full_says_so_and_has_room_again(self, start, kind, cap, limits, server_keys):
        gateway = start(server_keys, **limits)
        with contextlib.ExitStack() as held:
            for source in ("127.0.0.5", "127.0.0.6"):
                kind.log_in(held.enter_context(kind.connect(gateway, source)))
            assert kind.is_told_too_many(gateway, WELL_BEHAVED)
            assert gateway.wait_for_audit("closed")["bound"] == cap
        _wait_for_room(kind, gateway)

    def test_handshakes_are_counted_by_listener(self, start, kind, certificates):
        gateway = start(handshakes=1)
        with kind.connect(gateway, FLOODER):
            gateway.wait_for_metric("gatehouse_handshakes", 1)
            assert kind.is_told_too_many(gateway, WELL_BEHAVED)
            assert gateway.wait_for_audit("closed")["bound"] == "handshakes"
            for other in every_kind.all_kinds(certificates).values():
                if other.name != kind.name:
                    _work(other, gateway)
        _wait_for_room(kind, gateway)
