"""MariaDB's STARTTLS: what it takes to be let in through the gateway, and directly."""

from runner import databases, gateways, peers
from runner.findings import Findings, Goal, Table
from runner.tool import Way

NAME = "mariadb"
TITLE = "Connections to MariaDB"
DIRECT = "direct"
# Of direct TLS, by what the gateway's leg to the backend is.
FULL_MAX = {"plaintext": 0.95, "unix": 0.95, "TLS": 1.15}
RESUMED_MAX = {"plaintext": 1.10, "unix": 1.10, "TLS": 1.15}
COLUMNS = ["", "ready, p50, µs", "p99, µs", "of direct", "greeting", "TLS", "login",
           "with query, p50", "CPU, µs"]


def run(setting):
    server = databases.beside_clients(setting)
    far = databases.in_the_proxys_place(setting)
    at = "127.0.0.1", server.port
    ways = [Way(DIRECT, "mariadb", ("127.0.0.1", far.port)),
            Way("direct, beside the client", "mariadb", at)]
    for name in setting.gatehouses:
        for leg, backend, tls in (("plaintext", server.tcp_backend, "off"),
                                  ("unix", server.unix_backend, "off"),
                                  ("TLS", server.tcp_backend, "verify")):
            gateway = setting.during_section(gateways.mariadb(setting, name, backend, tls))
            ways.append(Way(f"{name}, {leg}", "mariadb", gateway.address, gateway.pids))
    for start in (peers.haproxy, peers.nginx):
        peer = setting.during_section(start(setting, at, tls=False))
        ways.append(Way(f"{peer.name}, passed through", "mariadb", peer.address, peer.pids))
    findings = Findings()
    for resumed in (False, True):
        findings += _measure(setting, ways, resumed)
    return findings


def _measure(setting, ways, resumed):
    title = f"MariaDB, {'resumed' if resumed else 'in full'}"
    report = setting.tool.run("connect", title, ways, "--rounds", setting.amount(6, 20),
                              "--connections", setting.amount(200, 1000),
                              *(["--resumed"] if resumed else []))
    table = Table(title, COLUMNS, note=(
        "`direct` is a MariaDB where the proxies are, as far from the client as they; that behind "
        "the proxies is beside the client, and reached directly in the second line."))
    for way in ways:
        of = [report.figure(way.name, stage) for stage in ("greeting", "tls", "login", "total")]
        table.rows.append([
            way.name, report.figure(way.name, "ready"), report.figure(way.name, "ready", "p99"),
            report.paired(way.name, DIRECT, "ready"), *of, report.median(way.name, "cpu")])
    goals = [Goal("1", f"{name}, {leg} backend: set-up of direct, {title}",
                  report.paired(f"{name}, {leg}", DIRECT, "ready"), limit)
             for name in setting.gatehouses
             for leg, limit in (RESUMED_MAX if resumed else FULL_MAX).items()]
    return Findings([table], goals, [report])
