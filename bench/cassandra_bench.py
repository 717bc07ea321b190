#!/usr/bin/env python3
"""What the gateway adds to a Cassandra session: time to set it up, time of a request, memory while it
is idle. A node of its own is asked in turn directly and through the gateway, over TLS both ways."""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import statistics
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "integration"))
os.environ.setdefault("GATEHOUSE_BINARY", str(REPOSITORY / "build" / "release" / "gatehouse"))

# pylint: disable=wrong-import-position
from support import cassandra_doors, cassandra_versions, gatehouse
from support.cassandra_server import CassandraCluster, USER
from support.cassandra_witness import fill
from support.certificates import Certificates
from support.cql_session import CqlSession
from support.mariadb_server import PASSWORD

STATEMENT = "SELECT name FROM shop.items WHERE id = ?"
KEY = (1).to_bytes(4, "big")
# Before anything is measured: both have compiled, cached and resumed by then what they do.
WARM_UP = 200
WARM_UP_SESSIONS = 20
FILES_BESIDE = 200  # open files besides those of sessions
SESSIONS_PER_SOURCE = 200  # fewer than limits.sessions_per_source


def main():
    arguments = parsed()
    if reason := cassandra_versions.newest().missing():
        sys.exit(f"error: {reason}")
    if not os.access(gatehouse.binary(), os.X_OK):
        sys.exit(f"error: {gatehouse.binary()} is not a program\n"
                 "  hint: cmake --preset release && cmake --build --preset release")
    raise_limit_of_files(arguments.sessions)
    # What servers have to say when they end is not the result.
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as folder:
        certificates = Certificates(pathlib.Path(folder))
        progress("starting a node")
        with CassandraCluster(certificates) as cluster:
            fill(cluster)
            with cassandra_doors.single(certificates, cluster) as gateway:
                results = measured(arguments, cluster, gateway)
    if arguments.format == "json":
        print(json.dumps(results))
    else:
        print(as_text(results, arguments))


def parsed():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=5000, metavar="N",
                        help="requests each way (default: %(default)s)")
    parser.add_argument("--setups", type=int, default=300, metavar="N",
                        help="sessions set up each way (default: %(default)s)")
    parser.add_argument("--sessions", type=int, default=500, metavar="N",
                        help="sessions that are idle at once (default: %(default)s)")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    arguments = parser.parse_args()
    if min(arguments.requests, arguments.setups, arguments.sessions) < 1:
        parser.error("each of them needs at least one")
    return arguments


def progress(what):
    print(f"{what} …", file=sys.stderr, flush=True)


def raise_limit_of_files(sessions):
    wanted = sessions + FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    if wanted > hard:
        sys.exit(f"error: {sessions} sessions need {wanted} open files, of which {hard} may be\n"
                 "  hint: ulimit -n, or fewer --sessions")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def measured(arguments, cluster, gateway):
    node = cluster.nodes[0]
    ways = {"direct": (node.address, node.port), "gateway": gateway.address()}

    def logged_in(address, source="127.0.0.1"):
        session = CqlSession(address, source=source, authority=cluster.authority)
        return session.log_in(USER, PASSWORD)

    progress("setting sessions up")
    setups = in_turn(ways, arguments.setups, WARM_UP_SESSIONS,
                     lambda address: logged_in(address).close())
    progress("asking")
    with contextlib.ExitStack() as running:
        asked = {}
        for way, address in ways.items():
            session = running.enter_context(logged_in(address))
            asked[way] = session, session.prepare(STATEMENT)
        requests = in_turn(asked, arguments.requests, WARM_UP,
                           lambda pair: pair[0].execute(pair[1], values=[KEY]))
    progress("being idle")
    with contextlib.ExitStack() as running:
        before = private_kib(gateway.pid)
        for number in range(arguments.sessions):
            source = f"127.0.1.{1 + number // SESSIONS_PER_SOURCE}"
            running.enter_context(logged_in(ways["gateway"], source))
        after = private_kib(gateway.pid)
    return {"setup_microseconds": summary(setups), "request_microseconds": summary(requests),
            "idle_session_kib": round((after - before) / arguments.sessions, 1)}


def in_turn(ways, count, warm_up, what):
    """How long each took, in microseconds: one of each way after the other, so that whatever else
    the machine does hits both."""
    taken = {way: [] for way in ways}
    for number in range(-warm_up, count):
        for way, argument in ways.items():
            start = time.perf_counter_ns()
            what(argument)
            if number >= 0:
                taken[way].append((time.perf_counter_ns() - start) / 1000)
    return taken


def summary(taken):
    numbers = {way: {"median": round(statistics.median(each)),
                     "p99": round(statistics.quantiles(each, n=100)[98]) if len(each) > 1 else None}
               for way, each in taken.items()}
    direct, gateway = numbers["direct"]["median"], numbers["gateway"]["median"]
    return numbers | {"added": gateway - direct, "ratio": round(gateway / direct, 2)}


def private_kib(pid):
    """The memory that is its own alone."""
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines()
               if line.startswith(("Private_Clean", "Private_Dirty")))


def as_text(results, arguments):
    lines = [f"{'':26}{'direct':>10}{'gateway':>10}{'added':>10}{'ratio':>8}"]
    for name, key in (("session set up", "setup_microseconds"), ("request", "request_microseconds")):
        numbers = results[key]
        lines.append(f"{name + ', median':26}{numbers['direct']['median']:>7} us"
                     f"{numbers['gateway']['median']:>7} us{numbers['added']:>7} us"
                     f"{numbers['ratio']:>8.2f}")
        lines.append(f"{name + ', 99 %':26}{numbers['direct']['p99'] or 0:>7} us"
                     f"{numbers['gateway']['p99'] or 0:>7} us")
    lines.append(f"an idle session holds {results['idle_session_kib']} KiB of the gateway's memory"
                 f" ({arguments.sessions} at once)")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
