"""Several servers behind one address: who is meant, who may, and what the client is told."""

import json
import ssl

import pytest

from support import configuration, wire
from support.mariadb_server import PASSWORD, MariaDbServer
from support.refusals import denied_bytes, denied_text
from support.session import ServerError
from support.waiting import wait_until

HINT = " If the server's name is missing or wrong: the user name has the form user@server."
FIRST_THREAD_ID = 1 << 31


@pytest.fixture
def gateway(start_gateway, routed_yaml):
    return start_gateway(routed_yaml(), configuration.ROUTED_RULES)


def _port(session):
    return session.value("SELECT @@port")


def _refusal(gateway, user, source="127.0.0.1", password=PASSWORD, **options):
    with gateway.connect(source) as session:
        with pytest.raises(ServerError) as refused:
            session.log_in(user, password, **options)
        session.wait_for_end()
    return refused.value


class TestName:
    """user@server, the _server_host attribute and SNI say which server is meant."""

    @pytest.mark.parametrize("suffix", ["@billing", "@billing.db.example.com", "@BILLING"])
    def test_a_suffix_of_the_user_names_the_server(self, gateway, billing, suffix):
        with gateway.connect() as session:
            session.log_in("native" + suffix, PASSWORD)
            assert _port(session) == str(billing.port)
            assert session.value("SELECT USER()").split("@")[0] == "native"
        opened = gateway.wait_for_audit("opened")
        assert (opened["server"], opened["user"]) == ("billing", "native")

    def test_only_the_last_suffix_counts(self, gateway, mariadb, billing):
        billing.execute(f"CREATE OR REPLACE USER 'me@corp'@'%' IDENTIFIED BY '{PASSWORD}'")
        with gateway.connect() as session:
            session.log_in("me@corp@billing", PASSWORD)
            assert session.value("SELECT USER()").startswith("me@corp@")
            assert _port(session) == str(billing.port)

    def test_an_attribute_names_the_server(self, gateway, mariadb):
        with gateway.connect() as session:
            session.log_in("native", PASSWORD, attributes={"_server_host": "orders.example.com"})
            assert _port(session) == str(mariadb.port)

    def test_sni_names_the_server(self, gateway, billing):
        with gateway.connect() as session:
            session.log_in("native", PASSWORD, server_name="billing.example.com")
            assert _port(session) == str(billing.port)
        assert gateway.wait_for_audit("opened")["tls"]["sni"] == "billing.example.com"

    def test_an_attribute_of_another_host_says_nothing(self, gateway, billing):
        with gateway.connect() as session:
            session.log_in("native@billing", PASSWORD, attributes={"_server_host": "10.0.0.1"})
            assert _port(session) == str(billing.port)

    @pytest.mark.parametrize("options", [
        {"attributes": {"_server_host": "orders"}},
        {"server_name": "orders.example.com"},
    ])
    def test_names_that_disagree_are_refused(self, gateway, options):
        error = _refusal(gateway, "native@billing", **options)
        assert error.code == 9000
        assert gateway.wait_for_audit("denied")["reason"] == "unknown_server"

    def test_a_login_in_plaintext_is_routed_too(self, start_gateway, routed_yaml, certificates,
                                                billing):
        gateway = start_gateway(routed_yaml({"tls": {"required": False}}), configuration.ROUTED_RULES)
        with gateway.connect() as session:
            session.log_in("native@billing", PASSWORD, tls=False)
            assert _port(session) == str(billing.port)

    def test_a_routed_listener_of_one_server_needs_no_name(self, certificates, start_gateway,
                                                           mariadb):
        yaml = configuration.gateway_yaml(
            certificates, [mariadb.tcp_backend],
            listeners=[configuration.listener(certificates, login="routed")])
        gateway = start_gateway(yaml)
        for user in ("native", "native@orders"):
            with gateway.connect() as session:
                session.log_in(user, PASSWORD)
                assert session.greeting.thread >= FIRST_THREAD_ID
                assert session.value("SELECT USER()").startswith("native@")


class TestDecision:
    """Decided at accept as far as it can be, and again when the server is known."""

    def test_a_source_that_no_server_allows_is_told_before_a_greeting(self, gateway, mariadb):
        gateway.write_rules(configuration.rule_file("one 127.0.0.1", "orders"), "orders.yaml")
        gateway.write_rules(configuration.rule_file("one 127.0.0.1", "billing"), "billing.yaml")
        gateway.command("reload")
        with gateway.connect("127.0.0.9") as session:
            assert session.receive_rest() == denied_bytes("127.0.0.9")
        denied = gateway.wait_for_audit("denied")
        assert "server" not in denied
        assert denied["reason"] == "no_matching_rule"
        gateway.wait_for_metric("gatehouse_denied_total", 1, server="", reason="no_matching_rule")

    def test_unknown_forbidden_and_missing_names_read_the_same(self, gateway, mariadb, billing):
        before = [server.status("Connections") for server in (mariadb, billing)]
        answers = []
        for user in ("native@billing", "native@nowhere", "native", "native@"):
            error = _refusal(gateway, user, source="127.9.0.1")
            answers.append((error.code, error.state, error.message))
        assert answers == [(9000, "HY000", denied_text("127.9.0.1") + HINT)] * 4
        records = gateway.wait_for_audit("denied", count=2)
        assert {(record["reason"], record.get("server")) for record in records} == {
            ("no_matching_rule", "billing"), ("unknown_server", None)}
        # Nothing was dialled for any of them; our own questions are one connection each.
        after = [server.status("Connections") for server in (mariadb, billing)]
        assert [late - early for early, late in zip(before, after)] == [1, 1]

    @pytest.mark.parametrize("server_count", [1, 2])
    def test_rules_that_deny_at_accept_are_named_and_counted(self, certificates, start_gateway,
                                                             mariadb, server_count):
        names = ["orders", "billing"][:server_count]
        yaml = configuration.gateway_yaml(
            certificates, [],
            listeners=[configuration.listener(certificates, servers=names, login="routed")],
            servers=[configuration.server(certificates, [mariadb.tcp_backend], name=name)
                     for name in names])
        rules = {f"{name}.yaml": configuration.rule_file("all 127.0.0.0/8", name) +
                 "deny_rules:\n  - {name: abuse, range: 127.0.0.9}\n" for name in names}
        gateway = start_gateway(yaml, rules)
        with gateway.connect("127.0.0.9") as session:
            assert session.receive_rest() == denied_bytes("127.0.0.9")
        assert gateway.wait_for_audit("denied")["reason"] == "denied_by_rule"
        uses = json.loads(gateway.command("rules", "--format", "json"))
        assert [rule["hits"] for rule in uses if rule["name"] == "abuse"] == [1] * server_count
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)

    def test_on_deny_reset_says_nothing_behind_the_login_either(self, start_gateway, routed_yaml):
        gateway = start_gateway(routed_yaml({"on_deny": "reset"}), configuration.ROUTED_RULES)
        with gateway.connect("127.9.0.1") as session:
            session.read_greeting()
            session.start_tls()
            session.send_login("native@billing", PASSWORD)
            assert session.receive_rest() == b""

    def test_a_rule_that_goes_closes_the_sessions_of_its_server_only(self, gateway):
        with gateway.connect() as orders, gateway.connect() as billing:
            orders.log_in("native@orders", PASSWORD)
            billing.log_in("native@billing", PASSWORD)
            gateway.write_rules(configuration.rule_file(server_name="billing"), "billing.yaml")
            gateway.command("reload")
            billing.wait_for_end()
            assert orders.ping()
        closed = gateway.wait_for_audit("closed", close_reason="revoked")
        assert (closed["server"], closed["reason"]) == ("billing", "no_matching_rule")

    def test_a_rule_that_goes_between_greeting_and_login_counts(self, gateway):
        with gateway.connect() as session:
            session.read_greeting()
            session.start_tls()
            gateway.write_rules(configuration.rule_file(server_name="billing"), "billing.yaml")
            gateway.command("reload")
            session.send_login("native@billing", PASSWORD)
            with pytest.raises(ServerError) as refused:
                session.finish_login(PASSWORD)
        assert refused.value.code == 9000


class TestLogin:
    """Passwords pass through unseen, by whatever plugin the account has."""

    @pytest.mark.parametrize("user, password", [
        ("native", PASSWORD), ("empty", ""), ("tls_only", PASSWORD)])
    def test_accounts_log_in(self, gateway, user, password):
        with gateway.connect() as session:
            session.log_in(f"{user}@orders", password, "shop")
            assert session.value("SELECT DATABASE()") == "shop"

    def test_a_wrong_password_reads_the_servers_own_error(self, gateway):
        error = _refusal(gateway, "native@orders", password="wrong")
        assert (error.code, error.state) == (1045, "28000")
        assert "native" in error.message and "using password: YES" in error.message
        gateway.wait_for_audit("closed", close_reason="login_refused")

    def test_attributes_and_database_reach_the_server(self, gateway, mariadb):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD, "shop",
                           attributes={"program_name": "routed-test"})
            assert session.value("SELECT DATABASE()") == "shop"
        opened = gateway.wait_for_audit("opened")
        assert (opened["program"], opened["database"]) == ("routed-test", "shop")

    def test_the_audit_knows_the_backend_and_its_thread(self, gateway, mariadb):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            thread = int(session.value("SELECT CONNECTION_ID()"))
        opened = gateway.wait_for_audit("opened")
        assert (opened["backend"], opened["backend_thread"]) == (mariadb.tcp_backend, thread)

    def test_a_server_that_asks_for_no_proof_lets_nobody_in(self, certificates, start_gateway,
                                                            routed_yaml):
        with MariaDbServer(certificates) as open_server:
            open_server.kill()
            open_server.start_again(["--skip-grant-tables"])
            gateway = start_gateway(routed_yaml(servers=[
                configuration.server(certificates, [open_server.tcp_backend], name=name)
                for name in ("orders", "billing")]), configuration.ROUTED_RULES)
            error = _refusal(gateway, "root@orders", password="")
        assert error.code == 1105
        gateway.wait_for_audit("closed", close_reason="backend_untrusted")

    def test_max_sessions_of_the_server_is_said_behind_the_login(self, certificates, start_gateway,
                                                                 routed_yaml, mariadb, billing):
        servers = [configuration.server(certificates, [mariadb.tcp_backend], name="orders",
                                        max_sessions=1),
                   configuration.server(certificates, [billing.tcp_backend], name="billing")]
        gateway = start_gateway(routed_yaml(servers=servers), configuration.ROUTED_RULES)
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            error = _refusal(gateway, "native@orders")
            assert (error.code, error.state) == (1040, "08004")
            with gateway.connect() as other:
                other.log_in("native@billing", PASSWORD)
        closed = gateway.wait_for_audit("closed", close_reason="too_many_sessions")
        assert closed["bound"] == "max_sessions"


class TestThread:
    """Whichever id the client knows, a KILL reaches its thread and nobody else's."""

    def test_a_client_that_tracks_session_state_learns_its_true_id(self, gateway):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD,
                           capabilities=wire.DEFAULT_CAPABILITIES | wire.SESSION_TRACK)
            assert session.greeting.thread >= FIRST_THREAD_ID
            assert session.tracked["connection_id"] == session.value("SELECT CONNECTION_ID()")

    @pytest.mark.parametrize("statement", ["KILL {}", "kill /* that one */ connection {} ;"])
    def test_the_greetings_id_kills_that_session(self, gateway, statement):
        with gateway.connect() as victim, gateway.connect() as killer:
            victim.log_in("native@orders", PASSWORD)
            killer.log_in("native@orders", PASSWORD)
            killer.query(statement.format(victim.greeting.thread))
            wait_until(lambda: not victim.ping(), "the session is killed")
            assert killer.ping()

    def test_kill_query_ends_the_statement_only(self, gateway, mariadb):
        with gateway.connect() as victim, gateway.connect() as killer:
            victim.log_in("native@orders", PASSWORD)
            killer.log_in("native@orders", PASSWORD)
            thread = victim.value("SELECT CONNECTION_ID()")
            victim.command(wire.COM_QUERY, b"SELECT SLEEP(300)")
            wait_until(lambda: "SLEEP" in mariadb.execute(
                f"SELECT info FROM information_schema.processlist WHERE id = {thread}"),
                "the statement runs")
            killer.query(f"KILL QUERY {victim.greeting.thread}")
            with pytest.raises(ServerError) as interrupted:
                list(victim.rows())
            assert interrupted.value.code == 1317
            assert victim.ping()

    def test_the_command_for_it_works_too(self, gateway):
        with gateway.connect() as victim, gateway.connect() as killer:
            victim.log_in("native@orders", PASSWORD)
            killer.log_in("native@orders", PASSWORD)
            killer.command(wire.COM_PROCESS_KILL, victim.greeting.thread.to_bytes(4, "little"))
            assert killer.receive_packet()[:1] == b"\x00"
            wait_until(lambda: not victim.ping(), "the session is killed")

    def test_an_id_of_another_servers_session_means_nothing(self, gateway):
        with gateway.connect() as victim, gateway.connect() as killer:
            victim.log_in("native@billing", PASSWORD)
            killer.log_in("native@orders", PASSWORD)
            with pytest.raises(ServerError) as refused:
                killer.query(f"KILL {victim.greeting.thread}")
            assert refused.value.code == 1094
            assert victim.ping()


def test_tls_1_2_clients_are_routed_too(gateway, billing):
    with gateway.connect() as session:
        session.log_in("native@billing", PASSWORD, version=ssl.TLSVersion.TLSv1_2)
        assert _port(session) == str(billing.port)
