"""PyMySQL does everything through the gateway, whatever way leads to the backend."""

import hashlib
import ssl

import pytest

from support import driver_cache, drivers
from support.legs import BULK, NAMES
from support.mariadb_server import PASSWORD
from support.waiting import wait_until

if reason := driver_cache.missing("python", "PyMySQL"):
    pytest.skip(reason, allow_module_level=True)
pymysql = drivers.import_pymysql()

BLOB_BYTES = 64 * 1024 * 1024


@pytest.fixture(params=NAMES)
def leg(request):
    return request.param


@pytest.fixture
def connect(legs, leg):
    """Connects over one way to the backend; what it opened ends with the test."""
    opened = []

    def connect(user="native", password=PASSWORD, source=None, context=None, **options):
        host, port = legs.address(leg)
        context = context or ssl.create_default_context(cafile=str(legs.authority))
        opened.append(pymysql.connect(
            host=host, port=port, user=user, password=password, database="shop", ssl=context,
            bind_address=source, max_allowed_packet=128 * 1024 * 1024, **options))
        return opened[-1]

    yield connect
    for connection in opened:
        if connection.open:
            connection.close()


def _rows(connection, sql, *arguments):
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments or None)
        return list(cursor.fetchall())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_it_logs_in_over_both_versions_of_tls(connect, legs, version):
    context = ssl.create_default_context(cafile=str(legs.authority))
    context.minimum_version = context.maximum_version = version
    connection = connect(context=context)
    assert _rows(connection, "SELECT 1") == [(1,)]


class _Resuming(ssl.SSLContext):
    """PyMySQL begins TLS by what it is given, and so from the session that this one keeps."""

    kept = None

    def wrap_socket(self, *arguments, **options):
        return super().wrap_socket(*arguments, session=self.kept, **options)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_it_resumes_tls(connect, legs, leg, version):
    context = _Resuming(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(legs.authority)
    context.minimum_version = context.maximum_version = version
    for resumed in (False, True, True):
        connection = connect(context=context)
        [(thread,)] = _rows(connection, "SELECT CONNECTION_ID()")
        opened = legs.gateway.wait_for_audit("opened", listener=leg, backend_thread=thread)
        assert opened["tls"]["resumed"] is resumed
        context.kept = connection._sock.session  # pylint: disable=protected-access


@pytest.mark.parametrize("user, password",
                         [("native", PASSWORD), ("ed", PASSWORD), ("empty", "")])
def test_accounts_of_every_plugin_log_in(connect, user, password):
    connection = connect(user, password)
    assert _rows(connection, "SELECT CURRENT_USER()") == [(f"{user}@%",)]


def test_an_account_that_requires_tls_logs_in_where_the_backend_leg_has_it(connect, leg):
    if leg in ("plaintext", "unix-socket"):
        with pytest.raises(pymysql.err.OperationalError) as refused:
            connect("tls_only")
        assert refused.value.args[0] == 1045
    else:
        assert _rows(connect("tls_only"), "SELECT CURRENT_USER()") == [("tls_only@%",)]


def test_it_knows_the_servers_own_thread_and_version(connect):
    connection = connect()
    [(thread, version)] = _rows(connection, "SELECT CONNECTION_ID(), VERSION()")
    assert connection.thread_id() == thread
    assert connection.get_server_info().removeprefix("5.5.5-") == version


def test_the_server_sees_the_clients_address_where_the_gateway_sends_a_proxy_header(connect, leg):
    [(user,)] = _rows(connect(source="127.0.0.77"), "SELECT USER()")
    assert user == ("native@127.0.0.77" if leg == "proxied" else "native@localhost")


def test_transactions_keep_what_is_committed_only(connect, leg):
    connection = connect()
    table = f"pymysql_{leg.replace('-', '_')}"
    _rows(connection, f"CREATE TABLE {table} (n INT) ENGINE=InnoDB")
    _rows(connection, f"INSERT INTO {table} VALUES (1)")
    connection.rollback()
    _rows(connection, f"INSERT INTO {table} VALUES (2)")
    connection.commit()
    assert _rows(connect(), f"SELECT n FROM {table}") == [(2,)]


def test_prepared_statements_of_the_server_run(connect):
    connection = connect()
    _rows(connection, "PREPARE more FROM 'SELECT ? + 1'")
    for n in range(3):
        _rows(connection, f"SET @n = {n}")
        assert _rows(connection, "EXECUTE more USING @n") == [(n + 1,)]


@pytest.mark.parametrize("leg", BULK, indirect=True)
def test_a_blob_of_64_mb_goes_both_ways(connect):
    connection = connect()
    # Half as many bytes as hex digits: the statement stays below the server's largest packet.
    sent = hashlib.shake_256(b"gatehouse").digest(BLOB_BYTES // 2)
    with connection.cursor() as cursor:
        cursor.execute(b"SELECT SHA1(x'" + sent.hex().encode() + b"')")
        assert cursor.fetchone()[0] == hashlib.sha1(sent).hexdigest()
        cursor.execute(f"SELECT CAST(REPEAT(x'{sent[:64].hex()}', {BLOB_BYTES // 64}) AS BINARY)")
        received = cursor.fetchone()[0]
    assert received == sent[:64] * (BLOB_BYTES // 64)


def test_load_data_local_sends_a_file(connect, tmp_path):
    rows = tmp_path / "rows.txt"
    rows.write_text("".join(f"{n}\n" for n in range(50_000)))
    connection = connect(local_infile=True)
    _rows(connection, "CREATE TEMPORARY TABLE loaded (n INT)")
    _rows(connection, f"LOAD DATA LOCAL INFILE '{rows}' INTO TABLE loaded")
    assert _rows(connection, "SELECT COUNT(*), SUM(n) FROM loaded") == [(50_000, 1_249_975_000)]


def test_a_statement_is_killed_from_another_session_by_the_id_its_client_knows(connect, legs, leg):
    victim, killer = connect(), connect()
    victim._execute_command(pymysql.constants.COMMAND.COM_QUERY,
                            "SELECT SLEEP(60) FROM DUAL WHERE SLEEP(60)")
    database = legs.database(leg)
    wait_until(lambda: "User sleep" in database.execute(
        f"SELECT state FROM information_schema.processlist WHERE id = {victim.thread_id()}"),
        "the statement runs")
    _rows(killer, f"KILL QUERY {victim.thread_id()}")
    with pytest.raises(pymysql.err.OperationalError) as killed:
        victim._read_query_result()
    assert killed.value.args[0] == 1317
    assert _rows(victim, "SELECT 1") == [(1,)]


def test_several_statements_give_several_results(connect):
    connection = connect(client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1; SELECT 2; SELECT 3")
        results = [cursor.fetchall()]
        while cursor.nextset():
            results.append(cursor.fetchall())
    assert results == [((1,),), ((2,),), ((3,),)]


def test_errors_of_the_server_arrive_as_they_are(connect):
    with pytest.raises(pymysql.err.ProgrammingError) as unknown:
        _rows(connect(), "SELECT * FROM no_such_table")
    assert unknown.value.args == (1146, "Table 'shop.no_such_table' doesn't exist")
    with pytest.raises(pymysql.err.OperationalError) as refused:
        connect(password="wrong")
    assert refused.value.args[0] == 1045
