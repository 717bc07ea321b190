"""What goes on while many addresses are loaded, on a processor that somebody else wants too."""

import os
import pathlib
import re
import resource
import signal

import pytest

from support import configuration
from support.refusals import denied_bytes
from support.waiting import wait_until

LATER = "127.0.0.88"
ADDRESSES = 1_000_000
AS_THE_OTHERS = os.getpriority(os.PRIO_PROCESS, 0)
CAP_SYS_NICE = 23  # capabilities(7)


def _may_take_niceness_back():
    status = pathlib.Path("/proc/self/status").read_text()
    capabilities = int(re.search(r"^CapEff:\s*(\w+)", status, re.MULTILINE)[1], 16)
    limit, _ = resource.getrlimit(resource.RLIMIT_NICE)
    return bool(capabilities >> CAP_SYS_NICE & 1) or limit >= 20 - AS_THE_OTHERS


# What give_way() in gateway/loader.cpp sets, and what becomes of it.
STAGES = {19, AS_THE_OTHERS} if _may_take_niceness_back() else {10}


def _text_of(address):
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


@pytest.fixture(scope="module")
def addresses():
    return "".join(f"{_text_of(0x0B00_0000 + 7 * number)}\n" for number in range(ADDRESSES))


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
        beside = self._partners.with_suffix(".new")
        beside.write_text(f"{self._addresses}10.0.0.{self._changes}\n")
        beside.rename(self._partners)
        wait_until(lambda: self.niceness_of_load() is not None, "a load has begun")

    def niceness_of_load(self):
        """None: nothing is being loaded."""
        for task in pathlib.Path(f"/proc/{self.gateway.pid}/task").iterdir():
            try:
                if (task / "comm").read_text() == "loader\n":
                    return int((task / "stat").read_text().rpartition(")")[2].split()[16])
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
        busy.change_list()
        assert busy.gateway.command("lockdown", "orders") == "orders: locked down\n"
        [server] = busy.gateway.status()["servers"]
        assert server["locked_down"]
        loads_still = busy.niceness_of_load() is not None
        busy.gateway.command("unlock", "orders")
        return loads_still

    wait_until(was_first, "a lockdown is in force before the list is")


def test_they_give_way_at_first_and_are_not_put_off_for_long(busy):
    seen = set()

    def went_through_both():
        busy.change_list()
        niceness = busy.niceness_of_load()
        while niceness is not None:
            seen.add(niceness)
            niceness = busy.niceness_of_load()
        return seen >= STAGES

    wait_until(went_through_both, f"a load gives way and then does not, by niceness {STAGES}")


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
