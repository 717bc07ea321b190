"""Every call on the path of a session fails once: the Nth of a kind, for each N until none is left.

Whatever failed, one session ends, its record is there, nothing of it stays, and the next one works.
"""

import contextlib
import dataclasses
import errno
import functools
import http.client
import itertools
import json
import os
import socket

import pytest

from support import configuration, cql_wire, failing_calls, full, soak, wire
from support.connection import Closed
from support.cql_session import CqlSession
from support.cql_wire import ServerError as CqlError
from support.failing_calls import AUDIT, CONTROL, LOADER, WORKER, FailingCalls
from support.fake_node import PASSWORD as NODE_PASSWORD
from support.fake_node import USER as NODE_USER
from support.fake_node import FakeNode, integer
from support.mariadb_server import PASSWORD
from support.session import ServerError
from support.waiting import DEADLINE_SECONDS, wait_until

# What a client may see of a session that was not let be. Of the system's errors, also TLS's.
ENDS = (OSError, Closed, ServerError, CqlError)
# More than any session makes.
MANY_CALLS = 100_000
FAILING = [
    ("accept", errno.EMFILE), ("accept", errno.ECONNABORTED), ("receive", errno.ECONNRESET),
    ("send", errno.EPIPE), ("connect", errno.ECONNREFUSED), ("connect", errno.EADDRNOTAVAIL),
    ("socket", errno.EMFILE), ("options", errno.ENOBUFS), ("watch", errno.ENOSPC),
    ("resolve", errno.EAGAIN)]
INTERRUPTED = ["receive", "send", "accept"]


class Records:
    """The audit's lines that are new since the last look."""

    def __init__(self, path):
        self._file = open(path, "rb")
        self._rest = b""
        self.records = []

    def look(self):
        self._rest += self._file.read()
        *whole, self._rest = self._rest.split(b"\n")
        self.records += [json.loads(line) for line in whole]
        return self.records

    def close(self):
        self._file.close()


class Door:
    """One gateway, and how a session goes through it: `use` raises where one does not."""

    def __init__(self, gateway, calls, use):
        self.gateway = gateway
        self.calls = calls
        self._use = use
        # Each session's own, by which its record is known; and the first of a source is not folded.
        self._sources = (f"127.0.{number // 250}.{1 + number % 250}"
                         for number in itertools.cycle(range(250 * 250)))
        self._records = Records(gateway.audit_path)
        # What is learned once, and kept, is there before anything is counted.
        for _ in range(3):
            self._ordinary_session()
        self._descriptors = self._open_descriptors()

    def close(self):
        self._records.close()

    def fail(self, kind, error, stride=1):
        """Each session meets one failure; returns how many did. The last one meets none."""
        for turn in soak.rounds(MANY_CALLS, MANY_CALLS):
            number = 1 + turn * stride
            works = self._session(lambda: self.calls.fail(kind, number, error), f"{kind} {number}")
            if not self.calls.has_failed():
                assert works, f"{kind} {number} did not fail, and the session did"
                return turn
            self._ordinary_session()
        return MANY_CALLS

    def count(self, kind):
        """How many such calls a session makes, more or less."""
        assert self._session(lambda: self.calls.fail(kind, MANY_CALLS), f"{kind}, counted")
        return self.calls.calls()

    def fail_unnoticed(self, kind, error):
        """The same, for what must disturb no session."""
        for number in range(1, MANY_CALLS):
            works = self._session(lambda: self.calls.fail(kind, number, error), f"{kind} {number}")
            assert works, f"{kind} {number}"
            if not self.calls.has_failed():
                return number

    def lets_in(self, source=None):
        """Whether a session goes as sessions go, and the gateway says that they do."""
        try:
            self._use(self.gateway, source or next(self._sources))
        except ENDS:
            return False
        return self.gateway.http("/readyz")[0] == 200

    def _ordinary_session(self):
        assert self._session(lambda: None, "an ordinary session")

    def _session(self, prepare, what):
        """Whether it went as sessions go; its end is on record, and nothing of it is left."""
        before = len(self._records.look())
        lost = self._lost()
        source = next(self._sources)
        prepare()
        works = True
        try:
            self._use(self.gateway, source)
        except ENDS:
            works = False
        try:
            wait_until(lambda: self._is_over(before, source) or self._lost() > lost,
                       f"{what}: an end")
        finally:
            self.calls.rest()
        assert self.gateway.is_running(), f"{what}:\n{self.gateway.log_text()}"
        assert self.gateway.http("/readyz")[0] == 200
        return works

    def _is_over(self, before, source):
        new = [record for record in self._records.look()[before:]
               if record.get("source", {}).get("address") == source]
        ends = [record["session"] for record in new if record["event"] in ("closed", "denied")]
        opened = [record["session"] for record in new if record["event"] == "opened"]
        assert len(ends) <= 1, new
        return bool(ends) and set(opened) <= set(ends)

    def _lost(self):
        """Where there is no memory for a record, it is counted."""
        return self.gateway.metric("gatehouse_audit_events_lost_total")

    def descriptors_are_back(self):
        wait_until(lambda: self._open_descriptors() <= self._descriptors,
                   f"no more than {self._descriptors} descriptors; log:\n{self.gateway.log_text()}")

    def _open_descriptors(self):
        return len(os.listdir(f"/proc/{self.gateway.pid}/fd"))


def _mariadb_session(gateway, source, user="native"):
    with gateway.connect(source) as session:
        session.log_in(user, PASSWORD, "shop")
        assert session.value("SELECT REPEAT('x', 20000)") == "x" * 20000
        session.command(wire.COM_QUIT)
        session.wait_for_end()


@pytest.fixture
def transparent(certificates, mariadb, start_gateway, tmp_path):
    calls = FailingCalls(tmp_path)
    # By a name, so that it is looked up.
    backend = f"localhost:{mariadb.port}"
    gateway = start_gateway(
        configuration.gateway_yaml(certificates, [backend], workers=1), enter=calls.enter)
    with contextlib.closing(Door(gateway, calls, _mariadb_session)) as door:
        yield door


@pytest.fixture
def routed(routed_yaml, start_gateway, tmp_path):
    calls = FailingCalls(tmp_path)
    gateway = start_gateway(routed_yaml(workers=1), configuration.ROUTED_RULES, enter=calls.enter)
    use = functools.partial(_mariadb_session, user="native@orders")
    with contextlib.closing(Door(gateway, calls, use)) as door:
        yield door


def _answer(talk, frame):
    if frame.opcode != cql_wire.QUERY or b"shop.items" not in frame.body:
        return False
    talk.say(cql_wire.RESULT, integer(1), frame.stream)
    return True


@pytest.fixture
def cassandra_door(certificates, start_gateway, tmp_path):
    calls = FailingCalls(tmp_path)
    tls = {"mode": "verify", "ca": str(certificates.authority), "name": configuration.BACKEND_NAME}
    rules = {"events.yaml": configuration.rule_file("loopback 127.0.0.0/8", configuration.CLUSTER)}

    def use(gateway, source):
        with CqlSession(gateway.address(), source=source, authority=certificates.authority,
                        server_name="gateway.test") as session:
            session.log_in(NODE_USER, NODE_PASSWORD)
            session.query("SELECT key FROM system.local")
            session.query("INSERT INTO shop.items (id) VALUES (1)")

    with FakeNode(certificates.backend, instead=_answer) as node:
        gateway = start_gateway(configuration.cassandra_yaml(
            certificates, {"mode": "single"}, [node.tcp_backend], None, {"tls": tls}, workers=1),
            rules, enter=calls.enter)
        with contextlib.closing(Door(gateway, calls, use)) as door:
            yield door


@dataclasses.dataclass(frozen=True)
class Share:
    """Which calls of all fail every day; in a long run each of them does, and each allocation in a
    full one, too."""

    door: str
    system: int  # one of so many
    memory: int  # so many of all: what TLS takes depends on its library


# All of the system's where a session has most of them, over TLS on both legs.
SHARES = [Share("transparent", 1, 30), Share("routed", 5, 15), Share("cassandra_door", 5, 15)]


@pytest.fixture(params=SHARES, ids=lambda share: share.door)
def share(request):
    return request.param


@pytest.fixture
def door(request, share):
    return request.getfixturevalue(share.door)


def test_a_call_that_fails_ends_one_session_at_most(door, share):
    for kind, error in FAILING:
        failed = door.fail(kind, error, soak.amount(share.system, 1))
        # Only one of the doors looks a name up.
        assert failed > 0 or kind == "resolve", kind
        door.descriptors_are_back()


def test_a_call_of_tls_that_fails_ends_one_session_at_most(door, share):
    if reason := failing_calls.why_tls_cannot_fail():
        pytest.skip(reason)
    assert door.fail("tls", errno.EIO, soak.amount(share.system, 1)) > 0
    door.descriptors_are_back()


def test_a_call_that_is_interrupted_disturbs_no_session(door):
    for kind in INTERRUPTED:
        assert door.fail_unnoticed(kind, errno.EINTR) > 1


def test_a_lack_of_memory_ends_one_session_at_most(door, share):
    if reason := failing_calls.why_memory_cannot_fail():
        pytest.skip(reason)
    allocations = door.count("memory")
    stride = 1 if full.is_full() else allocations // share.memory
    failed = door.fail("memory", errno.ENOMEM, stride)
    print(f"{share.door}: {failed} of about {allocations} allocations failed, each in its session")
    assert failed > 5
    door.descriptors_are_back()


class TestOtherThreads:
    """What no session does: their lack of memory is over when there is some, and ends nothing."""

    @pytest.fixture(autouse=True)
    def _with_an_allocator_that_can_fail(self):
        if reason := failing_calls.why_memory_cannot_fail():
            pytest.skip(reason)

    @staticmethod
    def _fail(door, thread, stride, act, look=lambda: None):
        """`look` says what holds behind each `act`, whatever failed in it."""
        for turn in soak.rounds(MANY_CALLS, MANY_CALLS):
            door.calls.fail("memory", 1 + turn * stride, errno.ENOMEM, thread)
            act()
            has_failed = door.calls.rest()
            look()
            if not has_failed:
                return turn
            assert door.gateway.is_running(), door.gateway.log_text()
            wait_until(door.lets_in, f"all is well behind {turn}:\n{door.gateway.log_text()}")
        return MANY_CALLS

    def _fail_beside_a_session(self, door, thread, stride, act, look=lambda: None):
        if thread == WORKER:  # What it cannot judge for want of memory does not go on.
            return self._fail(door, thread, stride, act, look)
        with door.gateway.connect() as inside:
            inside.log_in("native", PASSWORD)

            def look_at_both():
                look()
                assert inside.ping()

            return self._fail(door, thread, stride, act, look_at_both)

    def test_a_command_may_fail_and_can_be_given_again(self, transparent):
        gateway = transparent.gateway

        def act():
            gateway.write_rules(configuration.rule_file("again 127.0.0.0/8"))
            gateway.run_command("status")

        assert self._fail_beside_a_session(transparent, CONTROL, soak.amount(13, 1), act) > 3
        gateway.command("reload")
        assert gateway.status()["snapshot"]["last_error"] is None

    # A worker has little to allocate for what it is told.
    @pytest.mark.parametrize(("thread", "stride", "more_than"),
                             [(LOADER, 101, 3), (CONTROL, 1, 3), (WORKER, 1, 0)])
    def test_a_reload_may_fail_and_can_be_done_again(self, transparent, thread, stride,
                                                     more_than):
        gateway = transparent.gateway
        added = []

        def act():
            added.append(f"127.1.{len(added) // 250}.{1 + len(added) % 250}")
            gateway.write_rules(configuration.rule_file(f"doors 127.0.0.0/16\nlater {added[-1]}"))
            gateway.run_command("reload")

        def look():
            gateway.command("reload")
            # By a worker's own word: the control thread may only believe that they know.
            wait_until(lambda: transparent.lets_in(added[-1]), f"{added[-1]} is let in")
            assert gateway.status()["snapshot"]["last_error"] is None

        failed = self._fail_beside_a_session(transparent, thread, soak.amount(stride, 1), act, look)
        assert failed > more_than

    @pytest.mark.parametrize(("thread", "stride"), [(CONTROL, 2), (WORKER, 1)])
    def test_a_lockdown_may_fail_and_can_be_given_again(self, transparent, thread, stride):
        gateway = transparent.gateway

        def act():
            gateway.run_command("lockdown", configuration.SERVER)

        def look():
            # Whatever the answer was: what counts is in force, and in force again after a restart.
            lockdowns = gateway.status()["lockdowns"]
            if not lockdowns["by_command"] or not lockdowns["stored"]:
                gateway.command("lockdown", configuration.SERVER)
            wait_until(lambda: not transparent.lets_in(), "nobody is let in")
            assert gateway.status()["lockdowns"]["stored"]
            gateway.command("unlock", configuration.SERVER)

        assert self._fail(transparent, thread, soak.amount(stride, 1), act, look) > 0

    @pytest.mark.parametrize(("thread", "stride"), [(CONTROL, 3), (WORKER, 1)])
    def test_sockets_that_are_bound_when_a_reload_fails_are_not_lost(self, transparent, thread,
                                                                     stride, certificates):
        gateway = transparent.gateway
        before = json.loads(gateway.yaml_path.read_text())
        names = []

        def act():
            names.append(f"added-{len(names)}")
            more = configuration.listener(certificates, names[-1])
            gateway.write_configuration(before | {"listeners": [*before["listeners"], more]})
            gateway.run_command("reload")

        def look():
            gateway.command("reload")
            [at] = [each["address"] for each in gateway.status()["listeners"]
                    if each["name"] == names[-1]]
            host, port = at.split(":")
            with socket.create_connection((host, int(port)), DEADLINE_SECONDS) as client:
                assert client.recv(1), "a greeting"

        stride = soak.amount(stride, 1)
        assert self._fail_beside_a_session(transparent, thread, stride, act, look) > 0

    def test_a_page_may_fail_and_can_be_asked_for_again(self, transparent):

        def act():
            with contextlib.suppress(OSError, http.client.HTTPException):
                transparent.gateway.http("/metrics")

        assert self._fail_beside_a_session(transparent, CONTROL, soak.amount(17, 1), act) > 3

    def test_the_audit_goes_on_and_what_it_lost_is_counted(self, transparent):

        def act():
            transparent.lets_in()
            transparent.gateway.audit()  # when all of it is written

        assert self._fail_beside_a_session(transparent, AUDIT, soak.amount(3, 1), act) > 3
