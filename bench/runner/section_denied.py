"""Sources that are refused: what each costs, and what those who are let in notice of a flood."""

from runner import databases, gateways, peers
from runner.findings import Findings, Goal, Table, ratio
from runner.tool import Way
from support import configuration

NAME = "denied"
TITLE = "Refused sources"
ALLOWED, REFUSED = "127.0.0.1", "127.9.1.1"
RULE = f"clients {ALLOWED}"
REJECT = f"  tcp-request connection reject if {{ src {REFUSED} }}"
RESET_MAX, MESSAGE_MAX = 0.8, 1.1  # CPU a refusal, of HAProxy's reject
MOVED_MAX = 1.5  # times what the same flood does to HAProxy
COLUMNS = ["", "refusals/s", "p99 alone, µs", "p99 flooded, µs", "moved p50", "moved p99"]
COST_COLUMNS = ["", "CPU a refusal, µs", "of HAProxy's"]
FLOOR = "nothing but the calls"


def run(setting):
    # The flood gives way to the one who is let in, which real time would not have it do.
    with setting.ordinary_priority():
        findings = _from_byte_zero(setting)
        findings += _mariadb(setting)
    return findings


def _from_byte_zero(setting):
    stub = setting.stub
    rules = configuration.rule_file(RULE, configuration.CLUSTER)
    parties = [peers.haproxy(setting, stub, rules=REJECT),
               peers.nginx(setting, stub, rules=f"deny {REFUSED};")]
    parties += [gateways.cassandra(setting, name, stub, rules, on_deny="reset")
                for name in setting.gatehouses]
    ways = [_way(setting, party, "cql") for party in parties]
    found, report = _beside_a_load(setting, "Refused before TLS from byte 0", ways)
    for name in setting.gatehouses:
        found.goals.append(
            Goal("5", f"{name}: what a flood moves the p99 by, of HAProxy's",
                 ratio(report.median(name, "moved_p99"), report.median("HAProxy", "moved_p99")),
                 MOVED_MAX))
    # Where TLS is required, who is not to be told anything has its alert for an answer.
    ways.append(_way(setting, setting.refusal_floor("alert"), "cql", FLOOR))
    found += _costs(setting, "The cost of a refusal before TLS from byte 0", ways,
                    {name: ("a refusal by alert, Cassandra", RESET_MAX)
                     for name in setting.gatehouses})
    return found


def _mariadb(setting):
    """HAProxy passes TLS through here: there is no STARTTLS in it."""
    server = databases.beside_clients(setting)
    at = "127.0.0.1", server.port
    rules = configuration.rule_file(RULE)
    ways = [_way(setting, peers.haproxy(setting, at, tls=False, rules=REJECT), "mariadb")]
    goals = {}
    for on_deny, limit in (("reset", RESET_MAX), ("message", MESSAGE_MAX)):
        for name in setting.gatehouses:
            party = gateways.mariadb(setting, name, server.tcp_backend, rules=rules,
                                     on_deny=on_deny)
            ways.append(_way(setting, party, "mariadb", f"{name}, {on_deny}"))
            goals[ways[-1].name] = "a refusal, MariaDB", limit
    found, _ = _beside_a_load(setting, "Refused before MariaDB greets", ways)
    ways += [_way(setting, setting.refusal_floor(on_deny), "mariadb", f"{FLOOR}, {on_deny}")
             for on_deny in ("reset", "message")]
    found += _costs(setting, "The cost of a refusal before MariaDB greets", ways, goals)
    return found


def _way(setting, party, scheme, name=None):
    setting.during_section(party)
    return Way(name or party.name, scheme, party.address, party.pids)


def _rounds(setting):
    return ["--refused-from", REFUSED, "--rounds", setting.amount(3, 8), "--seconds",
            setting.amount(1, 3)]


def _beside_a_load(setting, title, ways):
    """What a flood does to the one who is let in."""
    unwatched = [Way(way.name, way.scheme, way.address) for way in ways]
    report = setting.tool.run("deny", title, unwatched, *_rounds(setting), "--allowed-from",
                              ALLOWED)
    table = Table(title, COLUMNS)
    for way in ways:
        figures = [report.median(way.name, figure) for figure in ("moved_p50", "moved_p99")]
        table.rows.append([
            way.name, report.median(way.name, "rate"), report.figure(way.name, "alone", "p99"),
            report.figure(way.name, "flooded", "p99"), *figures])
    return Findings([table], reports=[report]), report


def _costs(setting, title, ways, goals):
    """Of the flood alone. `goals`: what is refused and what it may cost, by the names of ways."""
    report = setting.tool.run("deny", title, ways, *_rounds(setting), "--flood-alone")
    table = Table(title, COST_COLUMNS)
    for way in ways:
        table.rows.append([way.name, report.median(way.name, "cpu"),
                           report.paired_rounds(way.name, "HAProxy", "cpu")])
    return Findings([table], reports=[report], goals=[
        Goal("5", f"{name}: CPU {what}, of HAProxy's reject",
             report.paired_rounds(name, "HAProxy", "cpu"), limit)
        for name, (what, limit) in goals.items()])
