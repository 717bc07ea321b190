"""Sessions that do nothing: the memory of each, and whether it grows with their number."""

from runner import databases, gateways, peers
from runner.findings import Findings, Goal, Table, ratio
from runner.tool import Way

NAME = "idle"
TITLE = "Idle sessions"
ONE_LEG_MAX, TWO_LEGS_MAX = 14.5, 27.0  # KiB of PSS a session
GROWTH_MAX = 1.1  # from the first step to the last: of memory a session, and of set-ups
# Threads of its own for each of thousands would be what the machine is busy with.
POOL = ["--max-connections=12000", "--thread-handling=pool-of-threads"]
TCP_AND_TLS = {"MariaDB, plaintext behind": ("off", ONE_LEG_MAX),
               "MariaDB, TLS behind": ("verify", TWO_LEGS_MAX)}


def run(setting):
    ways, limits = [], {}
    server = databases.beside_clients(setting, POOL)
    for name in setting.gatehouses:
        for what, (tls, limit) in TCP_AND_TLS.items():
            gateway = setting.during_section(
                gateways.mariadb(setting, name, server.tcp_backend, tls))
            ways.append(Way(f"{name}, {what}", "mariadb", gateway.address, gateway.pids))
            limits[ways[-1].name] = limit
        gateway = setting.during_section(gateways.cassandra(setting, name, setting.stub))
        ways.append(Way(f"{name}, Cassandra", "cql", gateway.address, gateway.pids))
        limits[ways[-1].name] = ONE_LEG_MAX
    for start in (peers.haproxy, peers.nginx, peers.hitch, peers.stunnel):
        peer = setting.during_section(start(setting, setting.stub))
        ways.append(Way(peer.name, "cql", peer.address, peer.pids))
    sessions = setting.amount(2_000, 9_500)
    title = f"{sessions:,} idle sessions"
    report = setting.tool.run("idle", title, ways, "--sessions", sessions, "--steps",
                              setting.amount(4, 10))
    return _findings(report, title, ways, limits)


def _findings(report, title, ways, limits):
    steps = report.data["steps"]
    table = Table(title, ["", "KiB a session", f"with {steps[0]:,.0f}", "its growth",
                          f"set-up with {steps[0]:,.0f}, p50, µs", "its growth"])
    found = Findings([table], reports=[report])
    for way in ways:
        memory, ready = report.steps(way.name, "memory"), report.steps(way.name, "ready_p50")
        growth = [ratio(values[-1], values[0]) for values in (memory, ready)]
        table.rows.append([way.name, memory[-1], memory[0], growth[0], ready[0], growth[1]])
        if way.name not in limits:
            continue
        found.goals += [
            Goal("4", f"{way.name}: memory a session", memory[-1], limits[way.name], unit=" KiB"),
            Goal("7", f"{way.name}: memory a session, from {steps[0]:,.0f} to {steps[-1]:,.0f}",
                 growth[0], GROWTH_MAX),
            Goal("7", f"{way.name}: set-up, from {steps[0]:,.0f} to {steps[-1]:,.0f} sessions",
                 growth[1], GROWTH_MAX)]
    return found
