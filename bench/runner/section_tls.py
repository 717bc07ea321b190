"""TLS from byte 0: the gateway's Cassandra listener and the peers before the same stub."""

from runner import gateways, peers
from runner.findings import Findings, Goal, Table
from runner.tool import Way

NAME = "tls"
TITLE = "Connections with TLS from the first byte"
LATENCY_MAX = 0.9  # of the best peer's
CPU_MAX = 0.8  # of HAProxy's
COLUMNS = ["", "p50, µs", "p99, µs", "with query, p50, µs", "connections/s", "CPU, µs",
           "CPU of HAProxy's"]


def run(setting):
    stub = setting.stub
    measured = [gateways.cassandra(setting, name, stub) for name in setting.gatehouses]
    others = [start(setting, stub) for start in
              (peers.haproxy, peers.nginx, peers.hitch, peers.stunnel)]
    parties = [setting.during_section(party) for party in [*others, *measured]]
    ways = [Way(party.name, "cql", party.address, party.pids) for party in parties]
    ways += [Way(name, "cql", address) for name, address in setting.options.peers.items()]
    findings = Findings()
    for resumed in (False, True):
        findings += _measure(setting, ways, resumed, at_once=1)
        # One that is ten times as slow would be all that the run waits for.
        quick = [way for way in ways if way.name != "stunnel"]
        findings += _measure(setting, quick, resumed, at_once=32)
    return findings


def _measure(setting, ways, resumed, at_once):
    title = (f"TLS from byte 0, {'resumed' if resumed else 'in full'}, "
             f"{'one' if at_once == 1 else at_once} at a time")
    rounds = setting.amount(6, 20)
    connections = setting.amount(300, 1000) * (1 if at_once == 1 else 3)
    report = setting.tool.run("connect", title, ways, "--rounds", rounds, "--connections",
                              connections, "--at-once", at_once,
                              *(["--resumed"] if resumed else []))
    table = Table(title, COLUMNS)
    for way in ways:
        table.rows.append([
            way.name, report.figure(way.name, "ready"), report.figure(way.name, "ready", "p99"),
            report.figure(way.name, "total"), report.median(way.name, "rate"),
            report.median(way.name, "cpu"), report.paired_rounds(way.name, "HAProxy", "cpu")])
    found = Findings([table], reports=[report])
    for name in setting.gatehouses:
        if at_once == 1:
            found.goals += _latency_goals(report, name, setting, title)
        found.goals.append(Goal("2", f"{name}: CPU a connection of HAProxy's, {title}",
                                report.paired_rounds(name, "HAProxy", "cpu"), CPU_MAX))
    return found


def _latency_goals(report, name, setting, title):
    """Against whichever peer is the best at each."""
    rivals = [rival for rival in report.targets
              if rival not in setting.gatehouses and rival not in setting.options.peers]
    best = min(rivals, key=lambda rival: report.figure(rival, "ready"))
    yield Goal("2", f"{name}: p50 of {best}'s, {title}", report.paired(name, best, "ready"),
               LATENCY_MAX)
    known = [rival for rival in rivals if report.figure(rival, "ready", "p99") is not None]
    if known:
        best = min(known, key=lambda rival: report.figure(rival, "ready", "p99"))
        yield Goal("2", f"{name}: p99 of {best}'s, {title}",
                   report.ratio(name, best, "ready", "p99"), LATENCY_MAX)
