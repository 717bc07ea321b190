"""What goes on while many addresses are loaded, on a processor that somebody else wants too."""

import os
import pathlib
import re
import resource
import signal
import time
import typing

import pytest

from support import configuration
from support.refusals import denied_bytes
from support.waiting import wait_until

LATER = "127.0.0.88"
ADDRESSES = 1_000_000
AS_THE_OTHERS = os.getpriority(os.PRIO_PROCESS, 0)
SECONDS_TO_THE_NEXT_TRY = 5  # of what was refused (retry_every in gateway/gateway_reload.cpp)
CAP_SYS_NICE = 23  # capabilities(7)


def _may_take_niceness_back():
    status = pathlib.Path("/proc/self/status").read_text()
    capabilities = int(re.search(r"^CapEff:\s*(\w+)", status, re.MULTILINE)[1], 16)
    limit, _ = resource.getrlimit(resource.RLIMIT_NICE)
    return (bool(capabilities >> CAP_SYS_NICE & 1) or limit == resource.RLIM_INFINITY
            or limit >= 20 - AS_THE_OTHERS)


# What give_way() in gateway/loader.cpp sets, and what becomes of it.
STAGES = [19, AS_THE_OTHERS] if _may_take_niceness_back() else [max(10, AS_THE_OTHERS + 1)]
# Of its time on the processor: more than it takes to begin and to end.
WORK_TICKS = 3


def _text_of(address):
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


@pytest.fixture(scope="module")
def addresses():
    return "".join(f"{_text_of(0x0B00_0000 + 7 * number)}\n" for number in range(ADDRESSES))


class Load(typing.NamedTuple):
    """One that is under way."""

    thread: int
    niceness: int
    ticks: int  # of a processor that it had


class Busy:
    """A gateway that is to load a long list whenever that is changed."""

    def __init__(self, gateway, partners, addresses):
        self.gateway = gateway
        self._partners = partners
        self._addresses = addresses
        self._changes = 0

    def change_list(self):
        """Returns when the load has begun, which takes long."""
        self._changes += 1
        before = self.load()
        beside = self._partners.with_suffix(".new")
        beside.write_text(f"{self._addresses}10.0.0.{self._changes}\n")
        beside.rename(self._partners)
        self.wait_for_load_after(before)

    def wait_for_load_after(self, before):
        wait_until(lambda: (load := self.load()) and (not before or load.thread != before.thread),
                   "a load has begun")

    def load(self):
        """None: nothing is being loaded."""
        for task in pathlib.Path(f"/proc/{self.gateway.pid}/task").iterdir():
            try:
                if (task / "comm").read_text() == "loader\n":
                    fields = (task / "stat").read_text().rpartition(")")[2].split()  # proc(5)
                    return Load(int(task.name), int(fields[16]), int(fields[11]) + int(fields[12]))
            except OSError:  # It has ended.
                continue
        return None


@pytest.fixture
def busy(certificates, mariadb, start_gateway, tmp_path, addresses):
    partners = tmp_path / "partners.netset"
    partners.write_text("127.0.0.1\n")
    rules = {"orders.yaml": configuration.rule_file("here 127.0.0.1"),
             "partners.yaml": "server: orders\nip_rules:\n"
                              f"  - {{name: partners, list: {partners}}}\n"}
    # One processor for the gateway and for somebody who leaves nothing of it to who gives way: of
    # the same session, since Linux shares time out among sessions first (sched(7), autogroup).
    beside = f"timeout 120 sh -c 'while :; do :; done' & echo $! >{tmp_path}/other; exec \"$@\""
    processor = str(min(os.sched_getaffinity(0)))
    gateway = start_gateway(configuration.gateway_yaml(certificates, [mariadb.tcp_backend]), rules,
                            ["taskset", "-c", processor, "sh", "-c", beside, "sh"])
    yield Busy(gateway, partners, addresses)
    os.kill(int((tmp_path / "other").read_text()), signal.SIGTERM)


def test_a_lockdown_does_not_wait_for_them(busy):
    def was_first():
        before = busy.gateway.generation()
        busy.change_list()
        assert busy.gateway.command("lockdown", "orders") == "orders: locked down\n"
        status = busy.gateway.status()
        assert status["servers"][0]["locked_down"]
        busy.gateway.command("unlock", "orders")
        wait_until(lambda: busy.load() is None, "the list is loaded")
        return status["snapshot"]["generation"] == before + 1

    wait_until(was_first, "a lockdown is in force before the list is")


def test_they_give_way_at_first_and_are_not_put_off_for_long(busy):
    def went_through_both():
        busy.change_list()
        first = load = busy.load()
        ticks_at = {}
        while load is not None and load.thread == first.thread:
            ticks_at.setdefault(load.niceness, load.ticks)
            last, load = load, busy.load()
        stages = [niceness for niceness in ticks_at if niceness in STAGES]
        return stages == STAGES and last.ticks >= ticks_at[STAGES[-1]] + WORK_TICKS

    wait_until(went_through_both, f"a load gives way and then does not, by niceness {STAGES}")


def test_a_look_that_is_due_is_not_put_off_by_what_is_refused(busy):
    rules = busy.gateway.folder / "rules"
    busy.gateway.write_rules("server: orders\nip_rules: bad\n")
    busy.change_list()
    first = busy.load()

    def is_over():
        load = busy.load()
        if load is None or load.thread != first.thread:
            return True
        # Towards its end, so that a look is due soon after it, and was not before.
        if load.niceness == STAGES[-1]:
            (rules / "beside").touch()
        return False

    wait_until(is_over, "the load ends", poll=0.03)
    rejected = time.monotonic()
    busy.wait_for_load_after(first)
    assert time.monotonic() - rejected < SECONDS_TO_THE_NEXT_TRY / 2, "the look, not the next try"


def test_a_reload_that_is_asked_for_meanwhile_takes_what_the_files_say_by_then(busy):
    busy.change_list()
    busy.gateway.write_rules(configuration.rule_file(f"later {LATER}"))
    busy.gateway.command("reload")
    with busy.gateway.connect(LATER) as session:
        assert session.receive() != denied_bytes(LATER)


def test_who_ends_the_gateway_meanwhile_ends_it_in_order(busy):
    busy.change_list()
    busy.gateway.signal(signal.SIGTERM)
    assert busy.gateway.wait_for_exit() == 0
