"""What bench/run is made of: every party it starts answers, and goals are held against figures.

How fast anything was is not looked at.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import types

import pytest

from support import gatehouse

BENCH = gatehouse.REPOSITORY / "bench"
sys.path.insert(0, str(BENCH))

# pylint: disable=wrong-import-position
from runner import gateways, peers
from runner.findings import Goal, Table, goals_as_markdown, paired
from runner.setting import Setting
from runner.tool import Way

PEERS = {"haproxy": peers.haproxy, "nginx": peers.nginx, "hitch": peers.hitch,
         "stunnel4": peers.stunnel}
NAME = "gatehouse"


@pytest.fixture
def setting(tmp_path):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("bench/run needs two processors")
    program = pathlib.Path(gatehouse.binary())
    options = types.SimpleNamespace(
        gatehouses={NAME: program}, tool=program.with_name("gatehouse-bench"), results=tmp_path,
        full=False, stub_port=0)
    with Setting(options) as started:
        yield started


def connects(setting, party):
    way = Way(party.name, "cql", party.address, party.pids)
    report = setting.tool.run("connect", "a few", [way], "--rounds", 2, "--connections", 5)
    assert report.targets[party.name]["microseconds"]["ready"]["samples"] == 10
    assert len(report.rounds(party.name, "cpu")) == 2


@pytest.mark.parametrize("program", PEERS)
def test_a_peer_ends_tls_before_the_stub_on_the_proxies_processor(setting, program):
    if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip(f"{program} is not installed")
    peer = setting.during_section(PEERS[program](setting, setting.stub))
    connects(setting, peer)
    for pid in peer.pids:
        assert sorted(os.sched_getaffinity(pid)) == setting.processors.proxy


def test_the_gateway_does_the_same(setting):
    connects(setting, setting.during_section(gateways.cassandra(setting, NAME, setting.stub)))


def test_nothing_is_left_behind(setting):
    gateway = setting.during_section(gateways.cassandra(setting, NAME, setting.stub))
    setting.close()
    assert not gateway.folder.exists()
    assert not setting.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(gateway.pid, signal.SIG_DFL)


def test_rounds_are_compared_with_the_same_round_of_the_other():
    assert paired([10, 200, 30], [10, 100, 10]) == 2
    assert paired([], [10]) is None


@pytest.mark.parametrize(("figure", "at_least", "verdict"), [
    (0.8, False, "yes"), (0.9, False, "yes"), (0.91, False, "**no**"),
    (None, False, "not measured"), (0.91, True, "yes"), (0.8, True, "**no**")])
def test_a_goal_holds_or_not(figure, at_least, verdict):
    goal = Goal("2", "p50 of the best peer's", figure, 0.9, at_least)
    assert goal.cells()[-1] == verdict
    assert verdict in goals_as_markdown([goal])


def test_a_table_has_a_line_for_each_row():
    table = Table("Connections", ["", "p50"], [["HAProxy", 1234.5], ["stunnel", None]], "A note.")
    assert table.as_markdown().splitlines() == [
        "### Connections", "",
        "|         |   p50 |",
        "| :------ | ----: |",
        "| HAProxy | 1,234 |",
        "| stunnel |     – |",
        "", "A note."]


def test_its_help_lists_its_sections():
    done = subprocess.run([BENCH / "run", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for section in ("mariadb", "tls", "requests", "idle", "denied", "rules", "micro"):
        assert section in done.stdout
