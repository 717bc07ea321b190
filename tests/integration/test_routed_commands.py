"""What passes behind a routed login: all of it unchanged, but for another login."""

import os
import pwd

import pytest

from support import configuration, wire
from support.mariadb_server import PASSWORD
from support.session import ServerError
from support.waiting import wait_until


@pytest.fixture
def gateway(start_gateway, routed_yaml):
    return start_gateway(routed_yaml(), configuration.ROUTED_RULES)


class TestChangeUser:
    """A new login: decided again, for the server the session has."""

    @pytest.mark.parametrize("user", ["second", "second@orders", "second@orders.example.com"])
    def test_with_or_without_the_suffix(self, gateway, user):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            session.change_user(user, PASSWORD, "shop")
            assert session.value("SELECT USER()").startswith("second@")
            assert session.value("SELECT DATABASE()") == "shop"
            session.change_user("native@orders", PASSWORD)
            assert session.value("SELECT USER()").startswith("native@")
        wait_until(lambda: [record["user"] for record in gateway.audit("opened")] ==
                   ["native", "second", "native"], "each login is in the audit")
        assert gateway.wait_for_audit("closed")["user"] == "native"

    @pytest.mark.parametrize("user", ["native@billing"])
    def test_it_cannot_move_to_another_server(self, gateway, user):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            with pytest.raises(ServerError) as refused:
                session.change_user(user, PASSWORD)
            session.wait_for_end()
        assert refused.value.code == 9000
        closed = gateway.wait_for_audit("closed")
        assert (closed["close_reason"], closed["reason"]) == ("revoked", "unknown_server")

    def test_a_refused_one_leaves_the_session_what_it_was(self, gateway):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            with pytest.raises(ServerError) as refused:
                session.change_user("second", "wrong")
            assert refused.value.code == 1045
            assert session.value("SELECT USER()").startswith("native@")

    def test_an_error_of_a_command_before_it_is_not_its_answer(self, gateway, mariadb):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            session.send(wire.packet(0, bytes([wire.COM_QUERY]) + b"nonsense") +
                         wire.packet(0, wire.change_user_payload("empty")))
            session.wait_for_end()
        closed = gateway.wait_for_audit("closed")
        assert (closed["user"], closed["close_reason"]) == ("native", "login_refused")
        wait_until(lambda: mariadb.sessions_of("empty", "native") == 0, "nobody is logged in")

    def test_an_ok_of_a_command_before_it_is_not_its_answer(self, gateway):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            session.send(wire.packet(0, bytes([wire.COM_PING])) +
                         wire.packet(0, wire.change_user_payload("empty")))
            session.wait_for_end()
        assert gateway.wait_for_audit("closed")["user"] == "native"
        assert [record["user"] for record in gateway.audit("opened")] == ["native"]

    def test_the_gateways_own_user_is_nobody_over_a_unix_socket(self, certificates, start_gateway,
                                                                mariadb):
        own = pwd.getpwuid(os.geteuid()).pw_name
        gateway = start_gateway(configuration.gateway_yaml(
            certificates, [mariadb.unix_backend], "off",
            listeners=[configuration.listener(certificates, login="routed")]))
        with gateway.connect() as session:
            session.log_in("native", PASSWORD)
            with pytest.raises(ServerError) as refused:
                session.change_user(own, "")
            session.wait_for_end()
        assert refused.value.code == 1105
        gateway.wait_for_audit("closed", close_reason="backend_untrusted")

    def test_a_session_that_is_spared_may_change_its_user(self, start_gateway, routed_yaml):
        keep = configuration.rule_file("loopback 127.0.0.0/8", "orders", on_revoke="keep")
        gateway = start_gateway(routed_yaml(), configuration.ROUTED_RULES | {"orders.yaml": keep})
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            gateway.write_rules(configuration.rule_file("", "orders", on_revoke="keep"),
                                "orders.yaml")
            gateway.command("reload")
            session.change_user("second", PASSWORD)
            assert session.ping()

    def test_in_pieces_and_behind_other_commands(self, gateway):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            for _ in range(3):
                assert session.ping()
            packet = wire.packet(0, wire.change_user_payload("second@orders"))
            for byte in packet:
                session.send(bytes([byte]))
            session.sequence = 1
            session.finish_login(PASSWORD)
            assert session.value("SELECT USER()").startswith("second@")

    def test_a_name_that_never_ends_is_refused(self, gateway):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            session.send(wire.packet(0, bytes([wire.COM_CHANGE_USER]) + b"x" * 500))
            session.wait_for_end()
        gateway.wait_for_audit("closed", close_reason="login_malformed")

    def test_a_reset_connection_is_the_same_session(self, gateway):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            session.query("SET @kept = 1")
            session.command(wire.COM_RESET_CONNECTION)
            assert session.receive_packet()[:1] == b"\x00"
            assert session.value("SELECT @kept") is None


class TestStream:
    """Nothing between login and COM_QUIT is changed but what has to be."""

    def test_large_statements_and_results_pass_unchanged(self, gateway):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD, "shop")
            text = "x" * (17 * 1024 * 1024)
            assert session.value(f"SELECT LENGTH('{text}')") == str(len(text))
            assert session.value("SELECT REPEAT('y', 17 * 1024 * 1024)") == "y" * len(text)

    def test_a_file_of_more_than_256_packets_is_loaded(self, gateway):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD, "shop",
                           capabilities=wire.DEFAULT_CAPABILITIES | wire.LOCAL_FILES)
            session.query("CREATE OR REPLACE TABLE t (n VARCHAR(20))")
            session.command(wire.COM_QUERY, b"LOAD DATA LOCAL INFILE 'x' INTO TABLE t")
            assert session.receive_packet()[:1] == b"\xfb"
            # Each line begins like a COM_CHANGE_USER: data must not be taken for commands.
            for number in range(600):
                session.send_packet(b"\x11%d\n" % number)
            session.send_packet(b"")
            assert session.receive_packet()[:1] == b"\x00"
            assert session.value("SELECT COUNT(*) FROM t") == "600"

    def test_a_sequence_no_client_has_ends_the_session(self, gateway):
        with gateway.connect() as session:
            session.log_in("native@orders", PASSWORD)
            session.send(wire.packet(255, b"\x0e") + wire.packet(7, b"\x0e"))
            session.wait_for_end()
        gateway.wait_for_audit("closed")
