"""Round trips and bulk over established sessions: what the gateway adds, and what HAProxy does."""

import statistics

from runner import databases, gateways, peers
from runner.findings import Findings, Goal, Table
from runner.tool import Way

NAME = "requests"
TITLE = "Requests and answers on established sessions"
DIRECT = "direct"
ADDED_MAX = 0.90  # of what HAProxy adds, in time and in CPU
BULK_MIN = 1.3  # of HAProxy's bytes per CPU second
BEHIND = "direct, in plaintext"


def run(setting):
    ways = _before_the_stub(setting)
    findings = Findings()
    for at_once in (1, 32):
        findings += _round_trips(setting, ways, at_once)
    findings += _bulk(setting, ways)
    findings += _mariadb(setting)
    return findings


def _before_the_stub(setting):
    stub = setting.stub
    parties = [start(setting, stub) for start in
               (peers.haproxy, peers.nginx, peers.hitch, peers.stunnel)]
    parties += [gateways.cassandra(setting, name, stub) for name in setting.gatehouses]
    for party in parties:
        setting.during_section(party)
    return [Way(BEHIND, "cql+plain", stub),
            *(Way(party.name, "cql", party.address, party.pids) for party in parties),
            *(Way(name, "cql", address) for name, address in setting.options.peers.items())]


def _round_trips(setting, ways, at_once):
    title = f"Round trips, {'one' if at_once == 1 else at_once} at a time"
    report = setting.tool.run("query", title, ways, "--rounds", setting.amount(6, 20),
                              "--requests", setting.amount(3_000, 20_000), "--at-once", at_once)
    table = Table(title, ["", "p50, µs", "p99, µs", "added, p50, µs", "added, of HAProxy's",
                          "CPU, µs", "CPU of HAProxy's"],
                  note="Added: above the stub without anything before it.")
    found = Findings([table], reports=[report])
    for way in ways:
        table.rows.append([
            way.name, report.figure(way.name, "query"), report.figure(way.name, "query", "p99"),
            statistics.median(_added(report, way.name)), _added_ratio(report, way.name),
            report.median(way.name, "cpu"), report.paired_rounds(way.name, "HAProxy", "cpu")])
    for name in setting.gatehouses:
        found.goals += [
            Goal("3", f"{name}: added to a request of HAProxy's, {title}",
                 _added_ratio(report, name), ADDED_MAX),
            Goal("3", f"{name}: CPU a request of HAProxy's, {title}",
                 report.paired_rounds(name, "HAProxy", "cpu"), ADDED_MAX)]
    return found


def _added(report, name):
    """Round by round."""
    return [mine - direct for mine, direct in
            zip(report.medians(name, "query"), report.medians(BEHIND, "query"), strict=True)]


def _added_ratio(report, name):
    ratios = [mine / other for mine, other in
              zip(_added(report, name), _added(report, "HAProxy"), strict=True) if other > 0]
    return statistics.median(ratios) if ratios else None


def _bulk(setting, ways):
    ways = [way for way in ways if way.pids]
    report = setting.tool.run("bulk", "Bulk", ways, "--rounds", setting.amount(4, 12),
                              "--megabytes", setting.amount(300, 1000))
    table = Table("Bulk, one session",
                  ["", "MB/s", "CPU, ms a GB", "bytes per CPU s, of HAProxy's"])
    found = Findings([table], reports=[report])
    for way in ways:
        # Fewer seconds for as many bytes.
        per_second = report.paired_rounds("HAProxy", way.name, "cpu")
        table.rows.append([way.name, report.median(way.name, "rate"),
                           report.median(way.name, "cpu"), per_second])
        if way.name in setting.gatehouses:
            found.goals.append(Goal("3", f"{way.name}: bytes per CPU second of HAProxy's",
                                    per_second, BULK_MIN, at_least=True))
    return found


def _mariadb(setting):
    """For information: nothing here but the gateway ends MariaDB's TLS."""
    server = databases.beside_clients(setting)
    at = "127.0.0.1", server.port
    ways = [Way(DIRECT, "mariadb", at)]
    parties = [gateways.mariadb(setting, name, server.tcp_backend) for name in setting.gatehouses]
    parties += [peers.haproxy(setting, at, tls=False), peers.nginx(setting, at, tls=False)]
    for party in parties:
        setting.during_section(party)
        ways.append(Way(party.name, "mariadb", party.address, party.pids))
    title = "SELECT 1 by MariaDB, one at a time"
    report = setting.tool.run("query", title, ways, "--rounds", setting.amount(6, 20),
                              "--requests", setting.amount(3_000, 20_000))
    table = Table(title, ["", "p50, µs", "p99, µs", "CPU, µs"], note=(
        "HAProxy and nginx pass on what MariaDB encrypts; the gateway encrypts itself."))
    for way in ways:
        table.rows.append([
            way.name, report.figure(way.name, "query"), report.figure(way.name, "query", "p99"),
            report.median(way.name, "cpu")])
    return Findings([table], reports=[report])
