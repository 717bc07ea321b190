"""A million addresses to know against ten: what they cost to load, hold, look up and change."""

import concurrent.futures
import contextlib
import random
import statistics
import threading
import time

from runner import gateways, memory, peers
from runner.findings import Findings, Goal, Table, ratio
from runner.tool import Way
from support import configuration

NAME = "rules"
TITLE = "A million rules against ten"
FEW, MANY = 10, 1_000_000
LOAD_MAX, MEMORY_MAX = 0.2, 20.0  # seconds, MB
SAME_MAX = 1.1  # what is no difference: of set-ups in between reloads, and with few rules
SAMPLES_FOR_P99 = 1_500
HAPROXY = "  acl known src -f {file}\n  tcp-request connection reject if !known"
NGINX = """geo $door {{ default closed; include {file}; }}
  upstream open {{ server {backend}; }}
  upstream closed {{ server 127.0.0.1:1 down; }}"""
NGINX_VALUE = " open;"


class Lists:
    """Files with so many addresses, the client's among them; nginx wants a value behind each. All
    are there before anybody is timed who reads them."""

    def __init__(self, folder):
        numbers = random.Random(1).sample(range(0x0B00_0000, 0x7E00_0000), MANY)
        addresses = [".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
                     for number in numbers]
        self._folder = folder
        self._changes = 0
        for count in (FEW, MANY):
            chosen = ["127.0.0.1", *addresses[1:count]]
            for behind in ("", NGINX_VALUE):
                self.file(count, behind).write_text(
                    "".join(f"{address}{behind}\n" for address in chosen), encoding="ascii")

    def file(self, count, behind=""):
        return self._folder / f"{count}{'-nginx' if behind else ''}.netset"

    def prepare_changes(self):
        """Two more of each long one, so that a change takes no time of who is measured."""
        for path in self._folder.glob(f"{MANY}*.netset"):
            *lines, last = path.read_bytes().splitlines(keepends=True)
            _, space, behind = last.partition(b" ")
            for number in range(2):
                other = b"10.0.0.%d" % number + (space + behind if space else b"\n")
                path.with_suffix(f".{number}").write_bytes(b"".join([*lines, other]))

    def change(self):
        """As a list's provider does: another file in its place, with one other address."""
        self._changes += 1
        for path in self._folder.glob(f"{MANY}*.netset"):
            beside = path.with_suffix(".new")
            beside.hardlink_to(path.with_suffix(f".{self._changes % 2}"))
            beside.rename(path)


def run(setting):
    lists = Lists(setting.folder)
    starts = {name: _gateway(setting, lists, name) for name in setting.gatehouses}
    starts["HAProxy"] = lambda count: peers.haproxy(
        setting, setting.stub, rules=HAPROXY.format(file=lists.file(count)))
    host, port = setting.stub
    starts["nginx"] = lambda count: peers.nginx(
        setting, None, rules=NGINX.format(file=lists.file(count, NGINX_VALUE),
                                          backend=f"{host}:{port}"))
    findings = Findings()
    findings += _load(setting, starts)
    findings += _set_up(setting, starts)
    with setting.ordinary_priority():
        beside = starts if setting.options.full else setting.gatehouses
        findings += _reload(setting, lists, {name: starts[name] for name in beside})
    return findings


def _gateway(setting, lists, name):
    def start(count):
        rules = (f"server: {configuration.CLUSTER}\nip_rules:\n"
                 f"  - {{name: known, list: {lists.file(count)}}}\n")
        return gateways.cassandra(setting, name, setting.stub, rules)
    return start


def _load(setting, starts):
    """From the start to where it serves, and what it then holds."""
    table = Table(f"Loading {MANY:,} addresses, above what {FEW} take",
                  ["", "seconds", "MB"], note="The median of starts in turn.")
    found = Findings([table])
    seconds = {name: {FEW: [], MANY: []} for name in starts}
    held = {name: {FEW: [], MANY: []} for name in starts}
    setting.progress(table.title)
    for _ in range(setting.amount(2, 9)):
        for name, start in starts.items():
            for count in (FEW, MANY):
                before = time.monotonic()
                party = start(count)
                seconds[name][count].append(time.monotonic() - before)
                held[name][count].append(memory.kib(party.pids))
                party.stop()
    for name in starts:
        taken, holds = (statistics.median(values[name][MANY]) - statistics.median(values[name][FEW])
                        for values in (seconds, held))
        table.rows.append([name, taken, holds * 1024 / 1e6])
        if name in setting.gatehouses:
            found.goals += [
                Goal("6", f"{name}: time to load {MANY:,} addresses", taken, LOAD_MAX,
                     unit=" s"),
                Goal("6", f"{name}: held for them", holds * 1024 / 1e6, MEMORY_MAX, unit=" MB")]
    return found


@contextlib.contextmanager
def _running(party):
    """No longer than it is measured: whoever has a list loads it again when that changes."""
    try:
        yield party
    finally:
        party.stop()


def _set_up(setting, starts):
    ways = []
    title = f"Set-up with {FEW} and with {MANY:,} addresses"
    with contextlib.ExitStack() as running:
        for name, start in starts.items():
            for count in (FEW, MANY):
                party = running.enter_context(_running(start(count)))
                ways.append(Way(f"{name}, {count:,}", "cql", party.address, party.pids))
        report = setting.tool.run("connect", title, ways, "--rounds", setting.amount(6, 20),
                                  "--connections", setting.amount(200, 500))
    table = Table(title, ["", "p50, µs", "p99, µs", f"p50 of that with {FEW}", "CPU, µs"])
    found = Findings([table], reports=[report])
    for way in ways:
        name = way.name.rpartition(", ")[0]
        of_few = report.paired(way.name, f"{name}, {FEW}", "ready")
        table.rows.append([way.name, report.figure(way.name, "ready"),
                           report.figure(way.name, "ready", "p99"), of_few,
                           report.median(way.name, "cpu")])
    for name in setting.gatehouses:
        found.goals.append(Goal("6", f"{name}: set-up with {MANY:,} of that with {FEW}",
                                report.paired(f"{name}, {MANY:,}", f"{name}, {FEW}", "ready"),
                                SAME_MAX))
    return found


def _reload(setting, lists, starts):
    """The same set-ups with nothing else going on, and while the list is loaded again and again."""
    title = f"Set-ups while {MANY:,} addresses are loaded again"
    table = Table(title, ["", "p50 of calm", "p99 of calm", "calm p99, µs", "p99 beside it, µs"],
                  note="A list of one other address each second.")
    found = Findings([table])
    lists.prepare_changes()
    for name, start in starts.items():
        calm, stormy = [], []
        with _running(start(MANY)) as party:
            way = Way(name, "cql", party.address)  # one that is loaded again may be another process
            for number in range(setting.amount(3, 8)):
                calm.append(_set_ups(setting, way, f"{title}, {name}, calm, {number + 1}"))
                with _changing(lists, party):
                    stormy.append(_set_ups(setting, way, f"{title}, {name}, loading, {number + 1}"))
        found.reports += [*calm, *stormy]
        p50, p99 = (statistics.median(
            ratio(*(report.figure(name, "ready", percentile) for report in pair))
            for pair in zip(stormy, calm)) for percentile in ("p50", "p99"))
        table.rows.append([name, p50, p99, *(
            statistics.median(report.figure(name, "ready", "p99") for report in reports)
            for reports in (calm, stormy))])
        if name in setting.gatehouses:
            found.goals.append(Goal("6", f"{name}: p99 of set-ups beside reloads of calm ones", p99,
                                    SAME_MAX))
    return found


def _set_ups(setting, way, title):
    return setting.tool.run("connect", title, [way], "--rounds", 2, "--connections",
                            SAMPLES_FOR_P99 // 2)


@contextlib.contextmanager
def _changing(lists, party):
    done = threading.Event()

    def change():
        while not done.wait(1):
            party.load_after(lists.change)

    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        changes = beside.submit(change)
        try:
            yield
        finally:
            done.set()
        changes.result()  # what it raised
