"""The `mariadb` program does everything through the gateway, whatever way leads to the backend."""

import hashlib
import signal
import subprocess

import pytest

from support import mariadb_program
from support.legs import BULK, NAMES
from support.mariadb_server import PASSWORD
from support.waiting import wait_until

BLOB_BYTES = 64 * 1024 * 1024


@pytest.fixture(params=NAMES)
def leg(request):
    return request.param


@pytest.fixture
def query(legs, leg):
    """Runs statements over one way to the backend, with the gateway's certificate verified."""

    def query(sql, user="native", **options):
        return mariadb_program.query(legs.address(leg), user, sql, authority=legs.authority,
                                     **options)

    return query


@pytest.fixture
def run(legs, leg):
    def run(sql, user="native", **options):
        return mariadb_program.run(legs.address(leg), user, sql, authority=legs.authority,
                                   **options)

    return run


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_it_logs_in_over_both_versions_of_tls(query, version):
    # "\s" tells what the client's own leg uses.
    status = query(r"\s", options=[f"--tls-version={version}"])
    assert "Cipher in use is" in status
    assert ("TLS_" in status) == (version == "TLSv1.3"), status


@pytest.mark.parametrize("user, password",
                         [("native", PASSWORD), ("ed", PASSWORD), ("empty", "")])
def test_accounts_of_every_plugin_log_in(query, user, password):
    assert query("SELECT CURRENT_USER()", user, password=password) == f"{user}@%"


def test_an_account_that_requires_tls_logs_in_where_the_backend_leg_has_it(run, leg):
    done = run("SELECT CURRENT_USER()", "tls_only")
    if leg in ("plaintext", "unix-socket"):
        assert b"ERROR 1045 (28000)" in done.stderr
    else:
        assert done.stdout == b"tls_only@%\n", done.stderr


def test_it_shows_the_servers_own_version_and_thread(query):
    status = query("\\s\nSELECT CONNECTION_ID(), VERSION()")
    thread, version = status.splitlines()[-1].split("\t")
    assert f"Connection id:\t\t{thread}\n" in status
    assert f"Server version:\t\t{version}" in status


@pytest.mark.parametrize("leg", BULK, indirect=True)
def test_a_blob_of_64_mb_goes_both_ways(run):
    large = ["--max-allowed-packet=512M"]
    sent = hashlib.shake_256(b"gatehouse").digest(BLOB_BYTES // 2).hex()
    done = run(f"SELECT SHA1('{sent}')", options=large)
    assert done.stdout.decode().strip() == hashlib.sha1(sent.encode()).hexdigest(), done.stderr
    done = run(f"SELECT REPEAT('0123456789abcdef', {BLOB_BYTES // 16})", options=large)
    assert done.stdout == b"0123456789abcdef" * (BLOB_BYTES // 16) + b"\n", done.stderr


def test_load_data_local_sends_a_file(query, tmp_path):
    rows = tmp_path / "rows.txt"
    rows.write_text("".join(f"{n}\n" for n in range(50_000)))
    counted = query(
        f"""CREATE TEMPORARY TABLE shop.loaded (n INT);
            LOAD DATA LOCAL INFILE '{rows}' INTO TABLE shop.loaded;
            SELECT COUNT(*), SUM(n) FROM shop.loaded""", options=["--local-infile=1"])
    assert counted == "50000\t1249975000"


def test_a_compressed_session_carries_large_results(query):
    answer = query("SHOW STATUS LIKE 'Compression'; SELECT REPEAT('gatehouse', 1000000)",
                   options=["--compress", "--max-allowed-packet=64M"])
    assert answer == "Compression\tON\n" + "gatehouse" * 1_000_000


def test_prepared_statements_and_several_results_come_in_order(query):
    assert query("""PREPARE more FROM 'SELECT ? + 1'; SET @n = 41; EXECUTE more USING @n;
                    SELECT 2; SELECT 3""") == "42\n2\n3"


def test_a_transaction_keeps_what_is_committed_only(query, leg):
    table = f"shop.program_{leg.replace('-', '_')}"
    query(f"""CREATE TABLE {table} (n INT) ENGINE=InnoDB;
              BEGIN; INSERT INTO {table} VALUES (1); ROLLBACK;
              BEGIN; INSERT INTO {table} VALUES (2); COMMIT""")
    assert query(f"SELECT n FROM {table}") == "2"


def test_errors_of_the_server_arrive_as_they_are(run):
    done = run("SELECT * FROM shop.no_such_table")
    assert b"ERROR 1146 (42S02) at line 1: Table 'shop.no_such_table' doesn't exist" in done.stderr
    assert b"ERROR 1045 (28000): Access denied" in run("SELECT 1", password="wrong").stderr


def test_control_c_cancels_the_statement_that_runs(legs, leg):
    # The program answers SIGINT with a second connection that says KILL QUERY and the thread's id
    # as it knows it: a wrong id would end a stranger's statement, or none.
    client = subprocess.Popen(
        mariadb_program.command(legs.address(leg), "native", authority=legs.authority,
                                options=["--execute=SELECT SLEEP(60) AS cancelled"]),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: "SLEEP(60) AS cancelled" in legs.database(leg).execute(
            "SELECT info FROM information_schema.processlist WHERE state = 'User sleep'"),
            "the statement runs")
        client.send_signal(signal.SIGINT)
        output, errors = client.communicate(timeout=20)
    finally:
        client.kill()
    # An interrupted SLEEP() returns 1; as the whole statement it may also be reported as killed.
    assert output == b"1\n" or b"1317" in errors, errors
