"""gatehouse-bench: it measures what it says, through the gateway and beside it, or says why not.

How long anything took is not looked at.
"""

import json
import os
import pathlib
import signal
import subprocess

import pytest

from support import configuration, gatehouse, processes
from support.cassandra_doors import RULE_FILE, RULES, cluster_yaml, known_nodes
from support.cassandra_server import USER as CASSANDRA_USER
from support.mariadb_server import PASSWORD
from support.waiting import DEADLINE_SECONDS, wait_until

STAGES = {"tcp", "greeting", "tls", "login", "query", "close"}


def _program():
    return pathlib.Path(gatehouse.binary()).with_name("gatehouse-bench")


def bench(*arguments):
    return subprocess.run([_program(), *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False)


class Stub:
    """`gatehouse-bench stub`, running."""

    def __init__(self):
        self._process = processes.start([_program(), "stub"], stdout=subprocess.PIPE, text=True)
        word, address = self._process.stdout.readline().split()
        assert word == "listening"
        self.backend = address
        self.pid = self._process.pid

    @property
    def target(self):
        return f"stub=cql+plain://{self.backend}"

    def stop(self):
        self._process.terminate()
        assert self._process.wait(DEADLINE_SECONDS) == 0
        self._process.stdout.close()


@pytest.fixture
def stub():
    running = Stub()
    yield running
    running.stop()


@pytest.fixture
def before_stub(certificates, stub, start_gateway):
    """A gateway that leads to the stub, in plaintext; `account`: by which it learns the ring."""

    def start(account=None, rules=RULES, limits=None, **listener_keys):
        yaml = configuration.cassandra_yaml(certificates, {"mode": "single"}, [stub.backend],
                                            listener_keys, {"tls": {"mode": "off"}}, account,
                                            limits=limits or {})
        return start_gateway(yaml, {RULE_FILE: rules})

    return start


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return path


@pytest.fixture
def gateway(certificates, mariadb, start_gateway):
    return start_gateway(configuration.gateway_yaml(certificates, [mariadb.tcp_backend]))


@pytest.fixture
def connect(password_file):
    """Runs `connect` with two rounds of twenty connections, and what it is given."""

    def run(*arguments, user="native"):
        return bench("connect", "--rounds", 2, "--connections", 20, "--user", user,
                     "--password-file", password_file, *arguments)

    return run


def mariadb_target(address, name="gatehouse", scheme="mariadb", user=""):
    host, port = address
    return f"{name}={scheme}://{user}{host}:{port}"


def reported(done):
    """Of each target, all that is told of it."""
    assert done.returncode == 0, done.stderr
    return {each["target"]: each for each in json.loads(done.stdout)["targets"]}


def measured(done):
    return {name: each["microseconds"] for name, each in reported(done).items()}


def cpu_of(gateway):
    """What the processor did for the gateway so far, in microseconds."""
    fields = pathlib.Path(f"/proc/{gateway.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")


class TestConnect:
    @pytest.mark.parametrize("options", [[], ["--resumed"], ["--at-once", 3]],
                             ids=["in full", "resumed", "three at a time"])
    def test_each_stage_of_each_target_is_measured(self, connect, mariadb, gateway, options):
        direct = ("127.0.0.1", mariadb.port)
        results = measured(connect("--format", "json", *options, mariadb_target(direct, "direct"),
                                   mariadb_target(direct, "plain", "mariadb+plain"),
                                   mariadb_target(gateway.address())))
        assert list(results) == ["direct", "plain", "gatehouse"]
        for name, quantities in results.items():
            assert quantities.keys() == STAGES | {"ready", "total"}
            assert quantities["ready"]["samples"] == 40
            assert 0 < quantities["ready"]["p50"] < quantities["total"]["max"]
            assert quantities["ready"]["p99"] is None  # of 40 samples, none knows it
            assert (quantities["tls"]["max"] == 0) == (name == "plain")
        assert results["direct"]["ready"]["ratio"] == 1

    def test_sessions_through_the_gateway_are_counted_there(self, connect, gateway):
        target = mariadb_target(gateway.address())
        assert measured(connect("--format", "json", target))
        gateway.wait_for_audit("closed", count=40, close_reason="client_closed")
        assert not any(record["tls"]["resumed"] for record in gateway.audit("opened"))
        assert measured(connect("--format", "json", "--resumed", target))
        # The first of each round has no ticket yet.
        gateway.wait_for_audit("closed", count=40 + 42, close_reason="client_closed")
        assert len(gateway.audit("opened", user="native")) == 40 + 42
        assert sum(record["tls"]["resumed"] for record in gateway.audit("opened")) == 40

    def test_what_a_process_spends_on_a_connection_is_its_own(self, connect, mariadb, gateway):
        before = cpu_of(gateway)
        results = reported(connect("--format", "json", "--process", f"gatehouse={gateway.pid}",
                                   mariadb_target(("127.0.0.1", mariadb.port), "direct"),
                                   mariadb_target(gateway.address())))
        spent = cpu_of(gateway) - before
        cpu = results["gatehouse"]["figures"]["cpu"]
        assert len(cpu["rounds"]) == 2
        assert 0 < cpu["least"] <= cpu["median"] <= cpu["most"]
        assert sum(cpu["rounds"]) * 20 <= spent + 20_000  # the other clock ticks in 10 ms
        assert results["direct"]["figures"]["cpu"]["median"] is None
        assert results["direct"]["figures"]["rate"]["ratio"] == 1

    def test_a_cluster_is_measured_too(self, connect, certificates, cassandra, start_gateway):
        gateway = start_gateway(cluster_yaml(certificates, cassandra, {"mode": "single"}),
                                {RULE_FILE: RULES})
        [node] = cassandra.nodes
        results = measured(connect("--format", "json", f"direct=cql://{node.address}:{node.port}",
                                   mariadb_target(gateway.address(), scheme="cql"),
                                   user=CASSANDRA_USER))
        assert all(quantities["login"]["samples"] == 40 for quantities in results.values())

    def test_people_read_a_table_and_a_page(self, connect, mariadb, tmp_path):
        page = tmp_path / "page.html"
        done = connect("--html", page, mariadb_target(("127.0.0.1", mariadb.port), "<direct>"))
        assert done.returncode == 0, done.stderr
        assert "ready, us" in done.stdout and "spread" in done.stdout
        text = page.read_text()
        assert "<polyline" in text and "&lt;direct>" in text
        assert "http" not in text  # it loads nothing


class TestQuery:
    @pytest.mark.parametrize("sessions", [1, 3])
    def test_round_trips_are_measured_and_nothing_else(self, password_file, mariadb, gateway,
                                                       sessions):
        results = reported(bench(
            "query", "--rounds", 2, "--requests", 50, "--at-once", sessions, "--format", "json",
            "--user", "native", "--password-file", password_file,
            "--process", f"gatehouse={gateway.pid}",
            mariadb_target(("127.0.0.1", mariadb.port), "direct", "mariadb+plain"),
            mariadb_target(gateway.address())))
        for each in results.values():
            assert each["microseconds"].keys() == {"query"}
            assert each["microseconds"]["query"]["samples"] == 100
            assert len(each["figures"]["rate"]["rounds"]) == 2
        assert results["gatehouse"]["figures"]["cpu"]["least"] > 0
        gateway.wait_for_audit("closed", count=2 * sessions, close_reason="client_closed")

    def test_of_a_cluster_too(self, stub, before_stub):
        gateway = before_stub()
        results = measured(bench("query", "--rounds", 2, "--requests", 50, "--format", "json",
                                 stub.target, mariadb_target(gateway.address(), scheme="cql")))
        assert all(quantities["query"]["samples"] == 100 for quantities in results.values())


class TestBulk:
    def test_megabytes_and_what_they_cost(self, password_file, mariadb, gateway):
        results = reported(bench(
            "bulk", "--rounds", 2, "--megabytes", 5, "--at-once", 2, "--format", "json",
            "--user", "native", "--password-file", password_file,
            "--process", f"gatehouse={gateway.pid}",
            mariadb_target(("127.0.0.1", mariadb.port), "direct"),
            mariadb_target(gateway.address())))
        assert results["gatehouse"]["figures"]["rate"]["unit"] == "MB/s"
        assert len(results["gatehouse"]["figures"]["rate"]["rounds"]) == 2
        assert results["gatehouse"]["figures"]["cpu"]["least"] > 0
        closed = gateway.wait_for_audit("closed", count=4, close_reason="client_closed")
        assert sum(record["bytes_out"] for record in closed) >= 2 * 5 * 1_000_000

    def test_the_stub_has_much_to_tell(self, stub, before_stub):
        gateway = before_stub()
        results = reported(bench("bulk", "--rounds", 2, "--megabytes", 5, "--format", "json",
                                 stub.target, mariadb_target(gateway.address(), scheme="cql")))
        assert all(each["figures"]["rate"]["least"] > 0 for each in results.values())

    def test_a_real_node_has_no_such_table(self, cassandra, password_file):
        [node] = cassandra.nodes
        done = bench("bulk", "--user", CASSANDRA_USER, "--password-file", password_file,
                     f"node=cql://{node.address}:{node.port}")
        assert done.returncode == 1
        assert "only `gatehouse-bench stub` has a table for it" in done.stderr


class TestIdle:
    def test_memory_grows_with_sessions(self, stub, before_stub, tmp_path):
        gateway = before_stub()
        page = tmp_path / "page.html"
        done = bench("idle", "--sessions", 60, "--steps", 3, "--format", "json", "--html", page,
                     "--process", f"gatehouse={gateway.pid}", stub.target,
                     mariadb_target(gateway.address(), scheme="cql"))
        results = reported(done)
        assert json.loads(done.stdout)["steps"] == [20, 40, 60]
        for each in results.values():
            assert each["microseconds"]["ready"]["samples"] == 60
            assert len(each["by_step"]["ready_p50"]["steps"]) == 3
        memory = results["gatehouse"]["figures"]["memory"]
        assert memory["rounds"] == results["gatehouse"]["by_step"]["memory"]["steps"][-1:]
        assert memory["median"] > 1
        assert results["stub"]["figures"]["memory"]["median"] is None
        assert "memory, KiB a session, by sessions</h2>" in page.read_text()
        gateway.wait_for_audit("closed", count=60, close_reason="client_closed")

    def test_sessions_are_held_until_somebody_has_seen_them(self, stub, before_stub):
        gateway = before_stub()
        address = mariadb_target(gateway.address(), scheme="cql")
        holding = processes.start([_program(), "idle", "--hold", "--sessions", "5", "--steps", "1",
                                   address], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True)
        assert "5 sessions are held until Ctrl-C" in holding.stderr.readline()
        assert gateway.status()["sessions"] == 5
        holding.send_signal(signal.SIGINT)
        shown, _ = holding.communicate(timeout=DEADLINE_SECONDS)
        assert holding.returncode == 0
        assert "ready_p50, us, by sessions" in shown

    def test_more_sessions_than_files_may_be_open(self, stub):
        done = bench("idle", "--sessions", 1_000_000, stub.target)
        assert done.returncode == 1
        assert "fewer --sessions" in done.stderr

    def test_the_session_that_is_one_too_many(self, stub, before_stub):
        gateway = before_stub(limits={"sessions_per_source": 7})
        done = bench("idle", "--sessions", 20, mariadb_target(gateway.address(), scheme="cql"))
        assert done.returncode == 1
        assert "error: gatehouse: session 8: " in done.stderr


ALLOWED, REFUSED = "127.0.0.1", "127.9.0.1"
SOME = "some 127.0.0.0/16"


class TestDeny:
    def test_refusals_and_what_they_cost_others(self, password_file, certificates, mariadb,
                                                start_gateway):
        gateway = start_gateway(configuration.gateway_yaml(certificates, [mariadb.tcp_backend]),
                                {"orders.yaml": configuration.rule_file(SOME)})
        results = reported(bench(
            "deny", "--rounds", 1, "--seconds", 1, "--refused-from", REFUSED, "--allowed-from",
            ALLOWED, "--at-once", 2, "--format", "json", "--user", "native", "--password-file",
            password_file, "--process", f"gatehouse={gateway.pid}",
            mariadb_target(gateway.address())))
        [each] = results.values()
        assert each["microseconds"].keys() == {"alone", "flooded"}
        for figure in ("rate", "moved_p50", "cpu"):
            assert each["figures"][figure]["least"] > 0
        assert gateway.audit("denied", reason="no_matching_rule")[0]["source"]["address"] == REFUSED
        assert {record["source"]["address"] for record in gateway.audit("opened")} == {ALLOWED}

    @pytest.mark.parametrize("on_deny", ["message", "reset"])
    def test_a_cluster_refuses_too(self, before_stub, on_deny):
        rules = configuration.rule_file(SOME, configuration.CLUSTER)
        gateway = before_stub(rules=rules, on_deny=on_deny)
        results = reported(bench(
            "deny", "--rounds", 1, "--seconds", 1, "--refused-from", REFUSED, "--allowed-from",
            ALLOWED, "--format", "json", mariadb_target(gateway.address(), scheme="cql")))
        assert results["gatehouse"]["figures"]["rate"]["least"] > 0

    def test_a_flood_alone_says_what_a_refusal_costs_and_lets_nobody_in(self, before_stub):
        rules = configuration.rule_file(SOME, configuration.CLUSTER)
        gateway = before_stub(rules=rules, on_deny="reset")
        results = reported(bench(
            "deny", "--rounds", 2, "--seconds", 1, "--refused-from", REFUSED, "--flood-alone",
            "--format", "json", "--process", f"gatehouse={gateway.pid}",
            mariadb_target(gateway.address(), scheme="cql")))
        figures = results["gatehouse"]["figures"]
        assert figures.keys() == {"rate", "cpu"}
        assert all(len(figure["rounds"]) == 2 and figure["least"] > 0
                   for figure in figures.values())
        assert results["gatehouse"]["microseconds"] == {}
        assert gateway.audit("opened") == []
        shown = bench("deny", "--rounds", 1, "--seconds", 1, "--refused-from", REFUSED,
                      "--flood-alone", mariadb_target(gateway.address(), scheme="cql"))
        assert "refusals/s" in shown.stdout

    def test_a_flood_alone_beside_somebody_is_a_contradiction(self, stub):
        done = bench("deny", "--refused-from", REFUSED, "--allowed-from", ALLOWED, "--flood-alone",
                     stub.target)
        assert done.returncode == 2
        assert "--allowed-from excludes --flood-alone" in done.stderr

    def test_one_that_is_let_in_is_an_error(self, stub):
        done = bench("deny", "--seconds", 1, "--refused-from", REFUSED, stub.target)
        assert done.returncode == 1
        assert f"error: stub: from {REFUSED}: it was let in" in done.stderr

    def test_an_address_of_somebody_else(self, stub):
        done = bench("deny", "--seconds", 1, "--refused-from", "192.0.2.1", stub.target)
        assert done.returncode == 1
        assert "cannot connect from 192.0.2.1" in done.stderr


class TestStub:
    def test_it_is_measured_directly_and_behind_the_gateway(self, connect, stub, before_stub):
        gateway = before_stub()
        results = measured(connect("--format", "json", stub.target,
                                   mariadb_target(gateway.address(), scheme="cql")))
        assert all(quantities["query"]["samples"] == 40 for quantities in results.values())
        gateway.wait_for_audit("closed", count=40, close_reason="client_closed")

    def test_a_gateway_with_an_account_learns_it_as_a_ring(self, connect, before_stub,
                                                           password_file):
        gateway = before_stub(account=("gatehouse", password_file))
        wait_until(lambda: len(known_nodes(gateway)) == 1, "the ring is known")
        assert measured(connect("--format", "json",
                                mariadb_target(gateway.address(), scheme="cql")))

    def test_many_clients_at_once(self, connect, stub):
        results = measured(connect("--format", "json", "--at-once", 10, stub.target))
        assert results["stub"]["ready"]["samples"] == 40

    def test_a_port_that_is_taken(self, mariadb):
        done = bench("stub", "--port", mariadb.port)
        assert done.returncode == 1
        assert "error: it cannot listen: Address already in use" in done.stderr


class TestFailures:
    def test_a_wrong_password_is_told_with_its_target(self, connect, mariadb):
        done = connect(mariadb_target(("127.0.0.1", mariadb.port), "direct"), user="nobody")
        assert done.returncode == 1
        assert "error: direct: error 1045: Access denied for user 'nobody'" in done.stderr
        assert done.stdout == ""

    def test_a_refused_source_is_told_with_its_text(self, connect, certificates, start_gateway):
        gateway = start_gateway(configuration.gateway_yaml(certificates, ["127.0.0.1:9"]),
                                {"orders.yaml": configuration.rule_file("other 127.9.0.0/16")})
        done = connect(mariadb_target(gateway.address()))
        assert done.returncode == 1
        assert "is not allowed to connect to this MariaDB server" in done.stderr

    def test_where_nobody_listens(self, connect):
        done = connect("nobody=mariadb://127.0.0.1:9")
        assert done.returncode == 1
        assert "error: nobody: Connection refused" in done.stderr

    def test_a_process_that_is_not_there(self, connect):
        ended = subprocess.Popen(["true"])
        ended.wait()
        done = connect("--process", f"nobody={ended.pid}", "nobody=mariadb://127.0.0.1:9")
        assert done.returncode == 1
        assert "error: nobody: there is no process of the number given" in done.stderr

    @pytest.mark.parametrize("arguments", [
        [], ["connect"], ["connect", "127.0.0.1:3306"],
        ["connect", "--rounds", "0", "mariadb://127.0.0.1:1"],
        ["connect", "--process", "other=1", "this=mariadb://127.0.0.1:1"],
        ["idle", "--sessions", "5", "--steps", "6", "mariadb://127.0.0.1:1"],
        ["deny", "mariadb://127.0.0.1:1"]])
    def test_wrong_usage_exits_with_2(self, arguments):
        done = bench(*arguments)
        assert done.returncode == 2
        assert done.stderr

    def test_its_help_says_what_it_takes(self):
        assert "--resumed" in bench("connect", "--help").stdout
