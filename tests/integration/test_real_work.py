"""What databases are for goes through either kind of listener: dumps, load, replication."""

import subprocess

import pytest

from support import (configuration, everything, mariadb_doors, mariadb_program, processes, soak,
                     sysbench)
from support.mariadb_server import PASSWORD, MariaDbServer
from support.waiting import wait_until

# These bound how long a failure takes: for 200 MB on a busy machine, and for a replica.
PIPE_SECONDS = 600
FOLLOW_SECONDS = 50


@pytest.fixture(scope="module")
def orders(certificates, billing):
    """A server that another one, `billing` with the usual id of 1, may follow."""
    options = ["--log-bin=binary-log", "--server-id=2"]
    with MariaDbServer(certificates, options) as server:
        server.execute(f"""CREATE USER replica@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;
                           GRANT REPLICATION SLAVE ON *.* TO replica@'%'""")
        yield server


@pytest.fixture(params=mariadb_doors.NAMES)
def door(request, certificates, orders, billing, start_gateway):
    gateway = start_gateway(mariadb_doors.gateway_yaml(certificates, orders=orders, billing=billing),
                            configuration.ROUTED_RULES)
    return mariadb_doors.MariadbDoor(request.param, gateway)


class TestDump:
    """mariadb-dump | mariadb, by an account that has to come over TLS."""

    @pytest.fixture(scope="class")
    def original(self, orders):
        """In all 20 MB every day, and 200 MB in a long run."""
        everything.fill(orders, blobs=soak.amount(20, 1150), rows_of_17_mb=soak.amount(1, 3))
        return everything.contents(orders)

    def test_what_is_dumped_and_loaded_equals_the_original(self, door, certificates, orders,
                                                           billing, original):
        everything.make_empty(billing)
        large = ["--max-allowed-packet=512M"]
        dump = mariadb_program.dump_command(
            door.address("orders"), door.user("tls_only", "orders"), everything.NAME,
            authority=certificates.authority, options=large)
        load = mariadb_program.command(
            door.address("billing"), door.user("tls_only", "billing"),
            authority=certificates.authority, options=[*large, everything.NAME])
        _pipe(dump, load)
        definitions, checksums = everything.contents(billing)
        assert checksums == original[1]
        assert definitions == original[0]


def _pipe(first, second):
    """Runs two commands, the second one with what the first one prints."""
    with processes.start(first, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as source:
        try:
            target = subprocess.run(second, stdin=source.stdout, capture_output=True, check=False,
                                    timeout=PIPE_SECONDS)
            source.stdout.close()
            errors = source.stderr.read() + target.stderr
            source.wait(timeout=PIPE_SECONDS)
        finally:
            source.kill()
    assert (source.returncode, target.returncode, errors) == (0, 0, b"")


class TestTransactions:
    """sysbench's reading and writing transactions, in threads."""

    @pytest.fixture
    def bench(self, door, certificates, orders, tmp_path):
        if reason := sysbench.missing():
            pytest.skip(reason)
        orders.execute("""CREATE OR REPLACE DATABASE bench;
                          GRANT ALL ON bench.* TO tls_only@'%'""")
        bench = sysbench.Sysbench(door.address("orders"), door.user("tls_only", "orders"), "bench",
                                  certificates, tmp_path)
        bench.prepare()
        return bench

    def test_they_run_without_an_error_on_connections_that_stay(self, door, orders, bench):
        before = _sessions_opened(door)
        counts = bench.run(events=400)
        assert counts["transactions"] > 0
        assert counts["reconnects"] == 0
        _assert_rows_are_complete(orders)
        assert _sessions_opened(door) - before == sysbench.THREADS

    def test_they_run_without_an_error_on_a_connection_for_each(self, door, orders, bench):
        before = _sessions_opened(door)
        counts = bench.run(events=200, script=sysbench.RECONNECTING)
        assert counts["transactions"] > 0
        _assert_rows_are_complete(orders)
        opened = sysbench.THREADS + counts["transactions"]
        assert _sessions_opened(door) - before == opened


def _sessions_opened(door):
    return door.gateway.metric("gatehouse_sessions_opened_total")


def _assert_rows_are_complete(server):
    """Each transaction puts back the row that it deletes."""
    for number in range(1, sysbench.TABLES + 1):
        rows = server.execute(f"SELECT COUNT(*) FROM bench.sbtest{number}")
        assert rows == str(sysbench.ROWS)


class TestReplica:
    """`billing` follows `orders` through the gateway, whose certificate it verifies."""

    @pytest.fixture
    def replica(self, door, certificates, orders, billing):
        start = orders.execute("SELECT @@gtid_binlog_pos")
        orders.execute("""CREATE OR REPLACE DATABASE followed; USE followed;
                          CREATE TABLE small (id INT AUTO_INCREMENT PRIMARY KEY, text TEXT);
                          CREATE TABLE large (id INT PRIMARY KEY, data LONGBLOB)""")
        host, port = door.address("orders")
        billing.execute(f"""
            SET GLOBAL gtid_slave_pos = '{start}';
            CHANGE MASTER TO MASTER_HOST='{host}', MASTER_PORT={port},
              MASTER_USER='{door.user("replica", "orders")}', MASTER_PASSWORD='{PASSWORD}',
              MASTER_SSL=1, MASTER_SSL_CA='{certificates.authority}',
              MASTER_SSL_VERIFY_SERVER_CERT=1, MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos;
            START SLAVE""")
        yield Replica(billing, orders)
        billing.execute("STOP SLAVE; RESET SLAVE ALL")

    def test_it_has_what_its_primary_has(self, replica):
        replica.follow("INSERT INTO small (text) SELECT MD5(seq) FROM seq_1_to_10000;"
                       + everything.insert_bytes("large", 1, 1, 17 * 1024))
        replica.assert_same_rows(10_000)

    def test_its_session_stays_over_reloads(self, door, orders, replica):
        done = 0
        for number in soak.rounds(8, 1000):
            # Another rule each time, which lets it in as well.
            door.gateway.write_rules(configuration.rule_file(f"rule-{number} 127.0.0.0/8"))
            orders.execute("INSERT INTO followed.small (text) VALUES ('beside a reload')")
            door.gateway.command("reload")
            replica.follow("INSERT INTO small (text) VALUES ('behind it')")
            done += 1
        replica.assert_same_rows(2 * done)
        assert len(door.gateway.audit("opened", user="replica")) == 1
        assert door.gateway.audit("closed") == []

    def test_it_is_cut_off_without_a_rule_and_catches_up_with_one(self, door, orders, replica):
        gateway = door.gateway
        for number in soak.rounds(2, 100):
            replica.follow("INSERT INTO small (text) VALUES ('allowed')")
            gateway.write_rules(configuration.rule_file("others 127.0.0.77"))
            gateway.command("reload")
            gateway.wait_for_audit("closed", count=number + 1, close_reason="revoked")
            orders.execute("INSERT INTO followed.small (text) VALUES ('cut off')")
            tried = _denials(gateway)
            wait_until(lambda: _denials(gateway) > tried, "the replica tries to come back")
            assert replica.rows() == 3 * number + 1
            gateway.write_rules(configuration.EVERYONE_ON_LOOPBACK)
            gateway.command("reload")
            replica.follow("INSERT INTO small (text) VALUES ('allowed again')")
            replica.assert_same_rows(3 * number + 3)


def _denials(gateway):
    return gateway.metric("gatehouse_denied_total", server="orders", reason="no_matching_rule")


class Replica:
    """Has from its primary what is done there in the database `followed`."""

    def __init__(self, server, primary):
        self._server = server
        self._primary = primary

    def follow(self, sql):
        """Runs this on the primary; returns when that, and all before it, is done here, too."""
        position = self._primary.execute(f"USE followed; {sql}; SELECT @@gtid_binlog_pos")
        late = self._server.execute(f"SELECT MASTER_GTID_WAIT('{position}', {FOLLOW_SECONDS})")
        assert late == "0", self._server.execute("SHOW SLAVE STATUS\\G")

    def rows(self):
        return int(self._server.execute("SELECT COUNT(*) FROM followed.small"))

    def assert_same_rows(self, small):
        """As many of the small ones, and all of them those of the primary."""
        assert self.rows() == small
        compare = "CHECKSUM TABLE followed.small, followed.large"
        assert self._server.execute(compare) == self._primary.execute(compare)
