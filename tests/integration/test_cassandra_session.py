"""A session with a real Cassandra node, byte by byte: who gets in, what passes, and what does not."""

import contextlib
import hashlib
import ssl

import pytest

from support import configuration
from support import cql_wire as wire
from support.cassandra_server import SUPERUSER, TOPOLOGY_USER, USER
from support.connection import Closed
from support.cql_session import CqlSession
from support.cql_wire import ServerError
from support.mariadb_server import PASSWORD
from support.waiting import wait_until

EVENTS = configuration.CLUSTER
FORBIDDEN = "127.0.9.9"
RULES = {"events.yaml": configuration.rule_file("loopback 127.0.0.0/24", EVENTS)}
DENIED = f"Client with IP address '{FORBIDDEN}' is not allowed to connect to this Cassandra cluster."
UNAUTHORIZED, INVALID, SYNTAX, PROTOCOL = 0x2100, 0x2200, 0x2000, 0x000A
CREDENTIALS, OVERLOADED, UNPREPARED = 0x0100, 0x1001, 0x2500

every_version = pytest.mark.parametrize("version", [3, 4, 5])


def events_yaml(certificates, node, tls=None, server_keys=None, **changes):
    """A gateway in front of one cluster, of which clients see one node."""
    return configuration.cassandra_yaml(certificates, {"mode": "single"}, [node.tcp_backend],
                                        {"tls": tls}, server_keys, **changes)


@pytest.fixture(scope="module")
def node(cassandra):
    return cassandra.nodes[0]


@pytest.fixture
def gateway(certificates, node, start_gateway):
    return start_gateway(events_yaml(certificates, node), RULES)


def connect(gateway, certificates, version=5, source="127.0.0.1", tls=True, identity=None):
    return CqlSession(gateway.address(), version, source,
                      certificates.authority if tls else None, "gateway.test", identity)


def fingerprint_of(node):
    certificate = ssl.get_server_certificate((node.address, node.port))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()


@pytest.fixture
def client(gateway, certificates):
    """Logs somebody in over TLS."""
    opened = []

    def log_in(version=5, user=USER, password=PASSWORD, options=None):
        opened.append(connect(gateway, certificates, version))
        return opened[-1].log_in(user, password, options)

    yield log_in
    for session in opened:
        session.close()


def refusal_of(session, step):
    with session, pytest.raises(ServerError) as refused:
        step(session)
        pytest.fail("it was let in")
    return refused.value


class TestLogin:
    @every_version
    def test_who_is_allowed_gets_in_and_is_recorded(self, gateway, client, version):
        session = client(version, options={"DRIVER_NAME": "of our own", "DRIVER_VERSION": "1.2"})
        assert session.query("SELECT now() FROM system.local")
        session.close()
        closed = gateway.wait_for_audit("closed")
        assert closed["close_reason"] == "client_closed"
        assert closed["user"] == USER
        assert closed["program"] == "of our own 1.2"
        assert closed["server"] == EVENTS
        assert closed["tls"]["version"] == "TLSv1.3"
        assert closed["backend_local_port"] > 0

    def test_a_wrong_password_is_the_nodes_own_refusal(self, gateway, certificates):
        session = connect(gateway, certificates)
        refused = refusal_of(session, lambda it: it.log_in(USER, "wrong"))
        assert refused.code == CREDENTIALS
        assert "password" in str(refused)
        gateway.wait_for_audit("closed", close_reason="login_refused", user=USER)
        gateway.wait_for_metric("gatehouse_failed_logins_total", 1, server=EVENTS)

    @every_version
    def test_a_denied_source_is_told_so_and_reaches_no_node(self, gateway, certificates, version):
        session = connect(gateway, certificates, version, FORBIDDEN)
        refused = refusal_of(session, lambda it: it.options())
        assert (refused.code, refused.message) == (CREDENTIALS, DENIED)
        denied = gateway.wait_for_audit("denied")
        assert denied["reason"] == "no_matching_rule"
        assert "backend" not in denied

    def test_a_denied_source_in_plaintext_is_told_so(self, gateway, certificates):
        session = connect(gateway, certificates, 4, FORBIDDEN, tls=False)
        assert refusal_of(session, lambda it: it.startup()).message == DENIED

    def test_plaintext_is_told_to_use_tls(self, gateway, certificates):
        session = connect(gateway, certificates, 4, tls=False)
        refused = refusal_of(session, lambda it: it.options())
        assert refused.message == "TLS is required on this port."
        gateway.wait_for_audit("closed", close_reason="plaintext_refused")

    def test_plaintext_passes_where_the_listener_lets_it(self, certificates, node, start_gateway):
        gateway = start_gateway(events_yaml(certificates, node, tls={"required": False}), RULES)
        with connect(gateway, certificates, tls=False) as session:
            session.log_in(USER, PASSWORD)
            assert session.query("SELECT now() FROM system.local")

    def test_where_client_certificates_are_required_only_their_owners_get_in(
            self, certificates, node, start_gateway):
        gateway = start_gateway(events_yaml(
            certificates, node, tls={"client_ca": str(certificates.authority)}), RULES)
        with connect(gateway, certificates, identity=certificates.client) as session:
            session.log_in(USER, PASSWORD)
            opened = gateway.wait_for_audit("opened")
            assert "alice" in opened["tls"]["client_subject"]
        for identity in (None, certificates.stranger_client):
            with pytest.raises((ssl.SSLError, Closed, ConnectionError)):
                with connect(gateway, certificates, identity=identity) as session:
                    session.log_in(USER, PASSWORD)
        gateway.wait_for_audit("closed", count=2, close_reason="tls_failed")

    @pytest.mark.parametrize("version", [2, 6, 65, 66])
    def test_a_version_that_is_not_spoken_is_answered_so_that_drivers_try_another(
            self, gateway, certificates, version):
        with connect(gateway, certificates, version) as session:
            session.send_frame(wire.OPTIONS)
            answer = session.receive_frame()
        error = ServerError(answer)
        assert error.code == PROTOCOL
        assert error.message.startswith(f"Invalid or unsupported protocol version ({version})")

    def test_who_comes_beyond_the_cap_is_told_so(self, certificates, node, start_gateway):
        gateway = start_gateway(events_yaml(certificates, node, limits={"sessions_per_source": 1}),
                                RULES)
        with connect(gateway, certificates) as first:
            first.log_in(USER, PASSWORD)
            refused = refusal_of(connect(gateway, certificates), lambda it: it.options())
        assert refused.code == OVERLOADED

    def test_who_comes_beyond_the_servers_cap_is_told_so(self, certificates, node, start_gateway):
        gateway = start_gateway(events_yaml(certificates, node, server_keys={"max_sessions": 1}),
                                RULES)
        with connect(gateway, certificates) as first:
            first.log_in(USER, PASSWORD)
            refused = refusal_of(connect(gateway, certificates), lambda it: it.options())
        assert refused.code == OVERLOADED
        gateway.wait_for_audit("closed", close_reason="too_many_sessions", bound="max_sessions")

    @pytest.mark.parametrize("changes", [{"on_deny": "reset"}, {"limits": {"refusals": 0}}],
                             ids=["on_deny: reset", "refusals: 0"])
    def test_a_denied_source_that_is_not_told_so_reads_it_from_tls(self, certificates, node,
                                                                   start_gateway, changes):
        yaml = events_yaml(certificates, node)
        on_deny = changes.get("on_deny")
        if on_deny:
            yaml["listeners"][0]["on_deny"] = on_deny
        gateway = start_gateway(yaml | {key: changes[key] for key in changes if key == "limits"},
                                RULES)
        with pytest.raises(ssl.SSLError, match="(?i)access.denied"):
            connect(gateway, certificates, source=FORBIDDEN)
        gateway.wait_for_audit("denied")

    def test_a_denied_source_that_speaks_first_is_told_so(self, certificates, node, start_gateway):
        gateway = start_gateway(events_yaml(certificates, node, limits={"refusals": 0}), RULES)
        with contextlib.ExitStack() as open_sessions:
            with gateway.standing_still():
                session = open_sessions.enter_context(
                    connect(gateway, certificates, source=FORBIDDEN, tls=False))
                session.send(b"\x16\x03\x01\x02\x00" + b"hello" * 100)
            assert session.receive_exactly(7) == b"\x15\x03\x03\x00\x02\x02\x31"  # access_denied
            # An end, and no reset, which others than Linux would put first.
            assert (session.receive(), session.error()) == (b"", 0)


class TestPassing:
    @every_version
    def test_rows_pages_and_batches_pass(self, client, version):
        session = client(version)
        session.query("CREATE TABLE IF NOT EXISTS shop.passing (id int PRIMARY KEY, name text)")
        insert = session.prepare("INSERT INTO shop.passing (id, name) VALUES (?, ?)")
        name = b"abcdefghij" * 2000  # a page of them takes several of version 5's segments
        for number in range(50):
            session.execute(insert, values=[number.to_bytes(4, "big"), name])
        page = session.page("SELECT * FROM shop.passing", page_size=20)
        assert len(page.rows) == 20
        rest = session.page("SELECT * FROM shop.passing", page_size=40,
                            paging_state=page.paging_state)
        assert len(rest.rows) == 30
        assert {row["name"] for row in page.rows + rest.rows} == {name.decode()}

    @pytest.mark.parametrize(("version", "compression"),
                             [(3, "lz4"), (3, "snappy"), (4, "lz4"), (4, "snappy")])
    def test_what_a_client_says_of_compression_is_the_nodes_to_answer(self, client, version,
                                                                      compression):
        session = client(version, options={"COMPRESSION": compression})
        # Requests are not compressed: that is each frame's own choice.
        session.send_frame(wire.OPTIONS)
        assert session.receive_frame().opcode == wire.SUPPORTED


class TestTopology:
    @every_version
    def test_one_node_is_seen_at_the_address_that_was_connected_to(self, gateway, client, node,
                                                                   version):
        session = client(version)
        row, = session.query("SELECT * FROM system.local WHERE key='local'")
        assert row["rpc_address"] == gateway.address()[0]
        assert row["rpc_port"] == gateway.address()[1]
        assert row["cluster_name"]
        assert str(row["host_id"]) != str(node.host_id())
        assert session.query("SELECT * FROM system.peers") == []
        assert session.query("SELECT * FROM system.peers_v2") == []

    @every_version
    def test_it_is_the_same_when_prepared(self, client, version):
        session = client(version)
        prepared = session.prepare("SELECT host_id, rpc_address FROM system.local WHERE key = ?")
        asked, = session.execute(prepared, values=[b"local"])
        row, = session.query("SELECT host_id, rpc_address FROM system.local")
        assert asked == row

    def test_what_one_session_prepared_another_executes(self, client):
        for text in ["SELECT rack FROM system.local", "SELECT id FROM shop.items"]:
            prepared = client().prepare(text)
            client().execute(prepared)

    @every_version
    @pytest.mark.parametrize("text", [
        "SELECT * FROM system.peer_events", "select * from SYSTEM.\"peer_events_v2\"",
        "SELECT * FROM system_views.clients", "SELECT * FROM system_traces.sessions",
        "DESCRIBE CLUSTER", "SELECT * FROM system.local WHERE token(key) > 0",
        "INSERT INTO system.local (key) VALUES ('local') IF NOT EXISTS"])
    def test_what_may_show_nodes_is_refused(self, client, version, text):
        session = client(version)
        for ask in (session.query, session.prepare):
            with pytest.raises(ServerError) as refused:
                ask(text)
            assert refused.value.code in (UNAUTHORIZED, SYNTAX)
        assert session.query("SELECT now() FROM system.local")

    @every_version
    def test_a_keyspace_in_use_counts(self, client, version):
        session = client(version)
        session.query("USE system")
        assert session.query("SELECT * FROM peers") == []
        with pytest.raises(ServerError):
            session.query("SELECT * FROM peer_events")
        session.query("USE shop")
        session.query("SELECT * FROM items")

    def test_a_keyspace_in_use_counts_from_its_request(self, client):
        session = client(4)
        session.send_frame(wire.QUERY, wire.query_body(4, "USE system"))
        session.send_frame(wire.QUERY, wire.query_body(4, "SELECT * FROM peer_events"))
        answers = [session.receive_frame(), session.receive_frame()]
        assert {answer.opcode for answer in answers} == {wire.RESULT, wire.ERROR}

    @pytest.mark.parametrize("version", [4, 5])
    def test_a_use_does_not_overtake_what_was_sent_before_it(self, client, version):
        """A node parses that for long, and would read `local` in the keyspace used meanwhile."""
        session = client(version)
        slow = f"SELECT rpc_address FROM local /*{' ' * 900_000}*/"
        for stream, text in enumerate([slow, "USE system"], 1):
            session.send_frame(wire.QUERY, wire.query_body(version, text), stream)
        answers = {answer.stream: answer for answer in
                   [session.receive_frame(), session.receive_frame()]}
        assert "No keyspace" in ServerError(answers[1]).message
        # Unless the first was answered before the second was read.
        if answers[2].opcode == wire.ERROR:
            assert ServerError(answers[2]).code == INVALID

    def test_an_answer_is_not_taken_for_that_of_a_use(self, gateway, client):
        session = client(4)
        session.send(wire.Frame(4, wire.REGISTER, wire.string_list(wire.EVENTS), 7).encode()
                     + wire.Frame(4, wire.QUERY, wire.query_body(4, "USE system"), 7).encode())
        session.receive_rest()
        gateway.wait_for_audit("closed", close_reason="login_malformed")

    def test_hiding_begins_at_once(self, certificates, node, start_gateway):
        shown = events_yaml(certificates, node, server_keys={"hide_system_tables": False})
        gateway = start_gateway(shown, RULES)
        with connect(gateway, certificates) as session:
            session.log_in(*SUPERUSER)
            prepared = session.prepare("SELECT * FROM system.peer_events")
            session.execute(prepared)
            gateway.write_configuration(events_yaml(certificates, node))
            assert session.receive_rest() == b""
        gateway.wait_for_audit("closed", close_reason="revoked")
        with connect(gateway, certificates) as session, pytest.raises(ServerError) as refused:
            session.log_in(*SUPERUSER)
            session.execute(prepared)
        assert refused.value.code == UNPREPARED

    def test_another_cluster_under_the_same_name_is_another(self, certificates, node,
                                                            start_gateway, tmp_path):
        password = tmp_path / "password"
        password.write_text(PASSWORD)
        topology = {"user": TOPOLOGY_USER, "password_file": str(password)}
        yaml = events_yaml(certificates, node, server_keys={"topology": topology})
        gateway = start_gateway(yaml, RULES)
        wait_until(lambda: gateway.status()["servers"][0]["cluster"], "the ring is known")
        generation = gateway.status()["snapshot"]["generation"]
        yaml["servers"][0]["backends"] = ["127.0.0.1:9"]
        gateway.write_configuration(yaml)
        gateway.wait_for_generation_after(generation)
        refused = refusal_of(connect(gateway, certificates), lambda it: it.options())
        assert "cannot reach the cluster" in refused.message

    def test_a_statement_that_would_keep_others_waiting_is_refused(self, client):
        session = client(4)
        with pytest.raises(ServerError) as refused:
            session.query(f"SELECT {'a,' * 2 ** 20}a FROM shop.items")
        assert refused.value.code == SYNTAX

    def test_a_prepared_use_counts(self, client):
        session = client(5)
        use = session.prepare("USE system")
        session.execute(use)
        with pytest.raises(ServerError):
            session.query("SELECT * FROM peer_events")

    def test_an_id_that_was_prepared_past_the_gateway_is_unknown(self, client, node):
        with node.connect() as direct:
            direct.log_in(USER, PASSWORD)
            prepared = direct.prepare("SELECT * FROM system.peers")
            with pytest.raises(ServerError) as refused:
                client().execute(prepared)
            assert refused.value.code == UNPREPARED

    def test_hidden_tables_pass_where_the_server_does_not_hide_them(self, certificates, node,
                                                                    start_gateway):
        gateway = start_gateway(
            events_yaml(certificates, node, server_keys={"hide_system_tables": False}), RULES)
        with connect(gateway, certificates) as session:
            session.log_in(*SUPERUSER)
            session.query("SELECT * FROM system.peer_events")
            assert session.query("SELECT * FROM system.peers_v2") == []

    def test_events_of_the_schema_pass(self, client):
        session = client()
        session.register()
        client().query("CREATE TABLE IF NOT EXISTS shop.eventful (id int PRIMARY KEY)")
        client().query("DROP TABLE shop.eventful")
        assert session.receive_event()


class TestAccount:
    """The gateway's own, by which it learns the ring; the sessions' view is the same."""

    def test_one_node_is_seen_of_a_ring_that_is_known(self, certificates, node, start_gateway,
                                                      tmp_path):
        password = tmp_path / "password"
        password.write_text(PASSWORD + "\n")
        topology = {"user": TOPOLOGY_USER, "password_file": str(password)}
        gateway = start_gateway(
            events_yaml(certificates, node, server_keys={"topology": topology}), RULES)
        wait_until(lambda: gateway.status()["servers"][0]["cluster"], "the ring is known")
        with connect(gateway, certificates) as session:
            session.log_in(USER, PASSWORD)
            row, = session.query("SELECT * FROM system.local")
        assert row["rpc_port"] == gateway.address()[1]


class TestNoAccount:
    def test_one_node_is_seen_whatever_the_mode_and_check_says_so(self, certificates, node,
                                                                   start_gateway):
        yaml = events_yaml(certificates, node)
        del yaml["listeners"][0]["nodes"]
        gateway = start_gateway(yaml, RULES)
        with connect(gateway, certificates) as session:
            session.log_in(USER, PASSWORD)
            row, = session.query("SELECT * FROM system.local")
            assert row["rpc_port"] == gateway.address()[1]
            assert session.query("SELECT * FROM system.peers_v2") == []
        assert "shows one node: server events has no 'topology'" in gateway.command("check")


class TestTlsToTheNode:
    @pytest.mark.parametrize("mode", ["verify", "pin", "off"])
    def test_each_mode_lets_in_through_it(self, certificates, node, start_gateway, mode):
        tls = {"verify": {"ca": str(certificates.authority)},
               "pin": {"sha256": fingerprint_of(node)}, "off": {}}[mode]
        gateway = start_gateway(events_yaml(certificates, node,
                                            server_keys={"tls": {"mode": mode, **tls}}), RULES)
        with connect(gateway, certificates) as session:
            session.log_in(USER, PASSWORD)
        assert gateway.wait_for_audit("opened")["tls"]["version"] == "TLSv1.3"

    @pytest.mark.parametrize("tls", ["another authority", "another pin"])
    def test_a_node_that_is_another_gets_no_password(self, certificates, node, start_gateway, tls):
        wrong = {"another authority": {"mode": "verify", "ca": str(certificates.stranger_authority)},
                 "another pin": {"mode": "pin", "sha256": certificates.backend.sha256()}}[tls]
        gateway = start_gateway(events_yaml(certificates, node, server_keys={"tls": wrong}), RULES)
        with connect(gateway, certificates) as session, pytest.raises(ServerError):
            session.log_in(USER, PASSWORD)
        gateway.wait_for_audit("closed", close_reason="backend_untrusted")


class TestHostile:
    @pytest.mark.parametrize("said", [b"GET / HTTP/1.0\r\n\r\n", b"\x85" * 9, b"\x05\0\0\0\x05"])
    def test_who_does_not_speak_cql_is_closed(self, certificates, node, start_gateway, said):
        gateway = start_gateway(events_yaml(certificates, node, tls={"required": False},
                                            limits={"handshake_timeout": "1s"}), RULES)
        with connect(gateway, certificates, tls=False) as session:
            session.send(said)
            session.receive_rest()
        assert gateway.wait_for_audit("closed")["close_reason"] in ("login_malformed",
                                                                    "handshake_timeout")

    def test_a_startup_that_claims_256_mib_is_refused(self, gateway, certificates):
        with connect(gateway, certificates, 4) as session:
            session.send(bytes([4, 0, 0, 1, 1]) + (256 * 1024 * 1024).to_bytes(4, "big"))
            assert session.receive_frame().opcode == wire.ERROR
        gateway.wait_for_audit("closed", close_reason="login_malformed")

    def test_a_segment_whose_checksum_is_wrong_ends_the_session(self, gateway, client):
        session = client(5)
        broken = bytearray(wire.segments(wire.Frame(5, wire.OPTIONS, b"", 1).encode()))
        broken[-1] ^= 1
        session.send(bytes(broken))
        session.receive_rest()
        gateway.wait_for_audit("closed", close_reason="login_malformed")

    def test_two_requests_on_one_stream_end_the_session_where_it_matters(self, gateway, client):
        session = client(4)
        body = wire.prepare_body(4, "SELECT * FROM shop.items")
        session.send(2 * wire.Frame(4, wire.PREPARE, body, 7).encode())
        session.receive_rest()
        gateway.wait_for_audit("closed", close_reason="login_malformed")

    def test_a_second_startup_ends_the_session(self, gateway, client):
        session = client(4)
        session.send_frame(wire.STARTUP, wire.string_map({"CQL_VERSION": "3.0.0"}))
        with pytest.raises((ServerError, Closed)):
            session.receive_answer()
        gateway.wait_for_audit("closed", close_reason="login_malformed")
