"""Listeners behind a load balancer: who it says is calling counts, from it and from nobody else."""

import signal

import pytest

from support import configuration, proxy_header, wire
from support.mariadb_server import PASSWORD
from support.refusals import denied_bytes
from support.session import ServerError
from support.waiting import wait_until

BALANCER, STRANGER = "127.0.0.20", "127.0.0.99"
ALLOWED, FORBIDDEN = "203.0.113.9", "203.0.113.200"
RULES = {"orders.yaml": configuration.rule_file("office 203.0.113.0/25\noffice6 2001:db8::/32")}
HEALTH_CHECKS = "gatehouse_health_checks_total"


@pytest.fixture
def gateway(certificates, proxied_mariadb, start_gateway):
    listener = configuration.listener(certificates, proxy_protocol={"from": [f"{BALANCER}/32"]})
    server = configuration.server(certificates, [proxied_mariadb.tcp_backend],
                                  send_proxy_protocol=True)
    return start_gateway(configuration.gateway_yaml(
        certificates, [], listeners=[listener], servers=[server],
        limits={"handshake_timeout": "3s"}), RULES)


def _say(gateway, *parts, sender=BALANCER):
    """A connection of the sender that has said these parts, each in a packet of its own."""
    session = gateway.connect(sender)
    for part in parts:
        session.send(part)
    return session


def _hear_out(gateway, said=b"", sender=STRANGER):
    """What one who is reset at once hears: it may come before anything was said."""
    try:
        with _say(gateway, said, sender=sender) as session:
            return session.receive_rest()
    except (ConnectionResetError, BrokenPipeError):
        return b""


class TestClient:
    HEADERS = {
        "version 1": proxy_header.v1(ALLOWED),
        "version 1, IPv6": proxy_header.v1("2001:db8::9", "2001:db8::200"),
        "version 2": proxy_header.v2(ALLOWED),
        "version 2, IPv6": proxy_header.v2("2001:db8::9"),
        "version 2, IPv4 in IPv6": proxy_header.v2(f"::ffff:{ALLOWED}"),
        "version 2, with its checksum": proxy_header.v2(ALLOWED, checksum=True),
        "version 2, with values of no concern": proxy_header.v2(
            ALLOWED, proxy_header.value(0x02, b"\xff\xfe"), proxy_header.value(0x20, b"\x07"),
            proxy_header.value(0x04, bytes(3000))),
    }

    @pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
    def test_the_one_in_the_header_gets_in(self, gateway, header):
        with _say(gateway, header) as session:
            session.log_in("native", PASSWORD)
            opened = gateway.wait_for_audit("opened")
        source = opened["source"]
        assert source["address"] in (ALLOWED, "2001:db8::9")
        assert source["port"] == 50000
        assert source["peer_address"] == BALANCER
        assert opened["rule"]["name"] in ("office", "office6")

    def test_the_database_sees_the_client_and_where_it_wanted_to_go(self, gateway):
        with _say(gateway, proxy_header.v2(ALLOWED)) as session:
            session.log_in("native", PASSWORD)
            assert session.value("SELECT USER()") == f"native@{ALLOWED}"

    def test_the_databases_grants_and_its_own_audit_go_by_the_client(self, gateway,
                                                                     proxied_mariadb):
        log = proxied_mariadb.folder / "server_audit.log"
        proxied_mariadb.execute(f"""
            CREATE OR REPLACE USER office@'203.0.113.%' IDENTIFIED BY '{PASSWORD}';
            INSTALL SONAME 'server_audit';
            SET GLOBAL server_audit_file_path = '{log}', GLOBAL server_audit_logging = ON;""")
        try:
            with _say(gateway, proxy_header.v2(ALLOWED)) as session:
                session.log_in("office", PASSWORD)
                assert session.value("SELECT CURRENT_USER()") == "office@203.0.113.%"
            with _say(gateway, proxy_header.v2("2001:db8::9")) as session, \
                    pytest.raises(ServerError, match="Access denied for user 'office'@'2001:db8::9'"):
                session.log_in("office", PASSWORD)
        finally:
            proxied_mariadb.execute("UNINSTALL SONAME 'server_audit'; DROP USER office@'203.0.113.%'")
        events = [line.split(",") for line in log.read_text().splitlines()]
        assert {(event[2], event[3], event[6]) for event in events if event[2] == "office"} >= {
            ("office", ALLOWED, "CONNECT"), ("office", "2001:db8::9", "FAILED_CONNECT")}

    @pytest.mark.parametrize("make", [proxy_header.v1, proxy_header.v2])
    def test_the_header_may_come_in_any_number_of_packets(self, gateway, make):
        header = make(ALLOWED)
        for at in range(1, len(header)):
            with _say(gateway, header[:at], header[at:]) as session:
                assert session.read_greeting()
        with _say(gateway, *(header[at:at + 1] for at in range(len(header)))) as session:
            session.log_in("native", PASSWORD)

    @pytest.mark.parametrize("make", [proxy_header.v1, proxy_header.v2])
    def test_what_follows_in_the_same_segment_is_the_clients(self, gateway, make):
        """The SSLRequest before its greeting: early, as a client that knows its server may be."""
        session = gateway.connect(BALANCER)
        session.send(make(ALLOWED) + wire.ssl_request())
        session.read_greeting()
        session.start_tls(request=b"")
        session.send_login("native", PASSWORD)
        session.finish_login(PASSWORD)
        assert session.ping()
        session.close()

    def test_a_second_header_is_no_header(self, gateway):
        with _say(gateway, proxy_header.v2(ALLOWED) + proxy_header.v2(FORBIDDEN)) as session:
            session.receive_rest()
        closed = gateway.wait_for_audit("closed")
        assert closed["source"]["address"] == ALLOWED
        assert closed["close_reason"] == "login_malformed"

    def test_one_that_no_rule_lets_in_is_told_so_through_the_balancer(self, gateway):
        # With bytes behind the header that nobody reads: a reset would take the answer with it.
        with _say(gateway, proxy_header.v2(FORBIDDEN) + bytes(2000)) as session:
            assert session.receive_rest() == denied_bytes(FORBIDDEN)
        denied = gateway.wait_for_audit("denied", reason="no_matching_rule")
        assert denied["source"]["address"] == FORBIDDEN
        assert denied["source"]["peer_address"] == BALANCER

    def test_sessions_of_one_client_are_counted_and_not_those_of_the_balancer(
            self, certificates, proxied_mariadb, start_gateway):
        listener = configuration.listener(certificates, proxy_protocol={"from": [BALANCER]})
        gateway = start_gateway(configuration.gateway_yaml(
            certificates, [proxied_mariadb.tcp_backend], listeners=[listener],
            limits={"sessions_per_source": 1}), RULES)
        with _say(gateway, proxy_header.v2(ALLOWED)) as first:
            first.log_in("native", PASSWORD)
            with _say(gateway, proxy_header.v2(ALLOWED)) as second:
                assert b"Too many connections" in second.receive_rest()
            with _say(gateway, proxy_header.v2("203.0.113.10")) as other:
                other.log_in("native", PASSWORD)


class TestSender:
    @pytest.mark.parametrize("said", [
        b"", proxy_header.v1(ALLOWED), proxy_header.v2(ALLOWED), b"\x16\x03\x01"],
        ids=["nothing", "version 1", "version 2", "TLS"])
    def test_who_is_not_trusted_gets_nothing_whatever_he_says(self, gateway, said):
        assert _hear_out(gateway, said) == b""
        closed = gateway.wait_for_audit("closed", close_reason="untrusted_sender")
        assert closed["source"] == {"address": STRANGER, "port": closed["source"]["port"]}
        assert "reason" not in closed
        gateway.wait_for_metric("gatehouse_sessions_closed_total", 1, reason="untrusted_sender")

    def test_who_comes_again_and_again_does_not_fill_the_disk(self, gateway):
        for _ in range(30):
            _hear_out(gateway)
        gateway.wait_for_metric("gatehouse_sessions_closed_total", 30, reason="untrusted_sender")
        gateway.signal(signal.SIGTERM)
        assert gateway.wait_for_exit() == 0
        records = gateway.audit("closed", close_reason="untrusted_sender")
        assert [record.get("count") for record in records] == [None, 29]

    def test_an_allowed_client_that_comes_directly_does_not_get_in(self, gateway):
        """Its own address has a rule: only the way it came is wrong."""
        gateway.write_rules(configuration.rule_file(f"direct {STRANGER}\noffice 203.0.113.0/25"))
        gateway.command("reload")
        assert _hear_out(gateway) == b""
        gateway.wait_for_audit("closed", close_reason="untrusted_sender")

    def test_a_header_where_none_is_expected_is_what_a_client_says(
            self, certificates, proxied_mariadb, start_gateway):
        gateway = start_gateway(
            configuration.gateway_yaml(certificates, [proxied_mariadb.tcp_backend]),
            {"orders.yaml": configuration.rule_file(f"balancer {BALANCER}")})
        with _say(gateway, proxy_header.v2(ALLOWED)) as session:
            session.receive_rest()
        closed = gateway.wait_for_audit("closed", close_reason="login_malformed")
        assert closed["source"]["address"] == BALANCER

    def test_a_sender_that_is_trusted_no_more_takes_its_sessions_with_it(
            self, certificates, proxied_mariadb, gateway):
        with _say(gateway, proxy_header.v2(ALLOWED)) as session:
            session.log_in("native", PASSWORD)
            listener = configuration.listener(certificates,
                                              proxy_protocol={"from": ["127.0.0.21"]})
            server = configuration.server(certificates, [proxied_mariadb.tcp_backend],
                                          send_proxy_protocol=True)
            gateway.write_configuration(configuration.gateway_yaml(
                certificates, [], listeners=[listener], servers=[server]))
            session.wait_for_end()
        closed = gateway.wait_for_audit("closed")
        assert closed["close_reason"] == "revoked"


    def test_a_sender_that_loses_trust_while_it_is_waited_for_gets_nothing(
            self, certificates, gateway):
        with _say(gateway, b"PROXY ") as session:
            before = gateway.generation()
            gateway.write_configuration(configuration.gateway_yaml(
                certificates, ["127.0.0.1:1"], limits={"handshake_timeout": "60s"}, listeners=[
                    configuration.listener(certificates, proxy_protocol={"from": ["127.0.0.21"]})]))
            gateway.wait_for_generation_after(before)
            session.send(proxy_header.v1(ALLOWED)[len(b"PROXY "):])
            assert session.receive_rest() == b""
        gateway.wait_for_audit("closed", close_reason="untrusted_sender")
        assert gateway.audit("denied") == []


class TestHealthCheck:
    CHECKS = {
        "LOCAL": [proxy_header.raw_v2(proxy_header.LOCAL, 0)],
        "LOCAL with addresses and more": [
            proxy_header.raw_v2(proxy_header.LOCAL, proxy_header.TCP4, bytes(200))],
        "UNSPEC": [proxy_header.raw_v2(proxy_header.PROXY, proxy_header.UNSPEC)],
        "UNKNOWN": [b"PROXY UNKNOWN\r\n"],
        "UNKNOWN with words": [b"PROXY UNKNOWN 1.2.3.4 5.6.7.8 1 2\r\n"],
    }

    @pytest.mark.parametrize("said", CHECKS.values(), ids=CHECKS)
    def test_one_that_names_no_client_is_closed_counted_and_not_recorded(self, gateway, said):
        with _say(gateway, *said) as session:
            assert session.receive_rest() == b""
        self._assert_only_counted(gateway, 1)

    def test_connect_and_close_is_one_too(self, gateway):
        _say(gateway).close()
        self._assert_only_counted(gateway, 1)
        _say(gateway).reset()
        self._assert_only_counted(gateway, 2)

    @staticmethod
    def _assert_only_counted(gateway, count):
        gateway.wait_for_metric(HEALTH_CHECKS, count)
        # A client behind it, so that a record of the check would be in the file by now.
        with _say(gateway, proxy_header.v2(FORBIDDEN)) as session:
            session.receive_rest()
        gateway.wait_for_audit("denied")
        assert gateway.audit("closed") == []
        assert {record["source"]["address"] for record in gateway.audit("denied")} == {FORBIDDEN}
        scraped = gateway.metrics()
        closed = "gatehouse_sessions_closed_total"
        assert {scraped.value(closed, **labels) for labels in scraped.labels_of(closed)} == {0}


class TestMalformed:
    HEADERS = {
        "another protocol": b"GET / HTTP/1.1\r\n\r\n",
        "no header but TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        "version 3": proxy_header.SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
        "UDP": proxy_header.raw_v2(proxy_header.PROXY, proxy_header.UDP4, bytes(12)),
        "a unix socket": proxy_header.raw_v2(proxy_header.PROXY, proxy_header.UNIX, bytes(216)),
        "too short for its addresses": proxy_header.raw_v2(
            proxy_header.PROXY, proxy_header.TCP4, bytes(11)),
        "64 KiB": proxy_header.raw_v2(proxy_header.PROXY, proxy_header.TCP4, bytes(65535)),
        "a value that is longer than the header": proxy_header.v2(ALLOWED, b"\x04\xff\xff"),
        "a wrong checksum": proxy_header.v2(ALLOWED, proxy_header.value(0x03, b"\0\0\0\0")),
        "a link id of three bytes": proxy_header.v2(
            ALLOWED, proxy_header.value(proxy_header.AZURE, b"\x01\x02\x03\x04")),
        "an endless line": b"PROXY TCP4 " + b"1" * 200,
        "a port beyond 65535": proxy_header.v1(ALLOWED, source_port=65536),
        "words in lower case": proxy_header.v1(ALLOWED).lower(),
    }

    @pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
    def test_it_is_closed_without_a_byte(self, gateway, header):
        with _say(gateway, header) as session:
            assert session.receive_rest() == b""
        closed = gateway.wait_for_audit("closed")
        assert closed["close_reason"] == "proxy_header_malformed"
        assert "it" in closed["detail"] or "a port" in closed["detail"]
        assert closed["source"]["address"] == BALANCER

    @pytest.mark.parametrize("make", [proxy_header.v1, proxy_header.v2])
    def test_one_cut_short_is_malformed_wherever_it_is_cut(self, gateway, make):
        header = make(ALLOWED)
        for at in range(1, len(header)):
            with _say(gateway, header[:at]) as session:
                session.finish_sending()
                assert session.receive_rest() == b""
        gateway.wait_for_metric("gatehouse_sessions_closed_total", len(header) - 1,
                                reason="proxy_header_malformed")

    def test_one_that_does_not_come_has_the_deadline_of_the_handshake(self, gateway):
        with _say(gateway) as silent, _say(gateway, proxy_header.v2(ALLOWED)[:20]) as stalled:
            assert silent.receive_rest() == b""
            assert stalled.receive_rest() == b""
        gateway.wait_for_metric("gatehouse_sessions_closed_total", 2,
                                reason="proxy_header_timeout")
        gateway.wait_for_audit("closed", close_reason="proxy_header_timeout")

    def test_the_deadline_goes_on_behind_the_header(self, gateway):
        with _say(gateway, proxy_header.v2(ALLOWED)) as session:
            session.read_greeting()
            session.wait_for_end()
        closed = gateway.wait_for_audit("closed", close_reason="handshake_timeout")
        assert 2.5 < closed["seconds"] < 20

    def test_a_balancer_that_checks_in_another_protocol_does_not_fill_the_disk(self, gateway):
        for _ in range(30):
            with _say(gateway, b"GET / HTTP/1.0\r\n\r\n") as session:
                session.receive_rest()
        gateway.wait_for_metric("gatehouse_sessions_closed_total", 30,
                                reason="proxy_header_malformed")
        gateway.signal(signal.SIGTERM)
        assert gateway.wait_for_exit() == 0
        assert [record.get("count") for record in gateway.audit("closed")] == [None, 29]


class TestRoom:
    """Whoever comes through a balancer without a rule holds nothing that others need."""

    @pytest.fixture
    def small(self, certificates, proxied_mariadb, start_gateway):
        listener = configuration.listener(certificates, proxy_protocol={"from": [BALANCER]})
        return start_gateway(configuration.gateway_yaml(
            certificates, [proxied_mariadb.tcp_backend], listeners=[listener],
            limits={"handshakes": 2}), RULES)

    def test_those_that_wait_for_a_header_are_bounded(self, small):
        with _say(small, b"PROXY") as first, _say(small, b"PROXY") as second:
            small.wait_for_metric("gatehouse_handshakes", 2)
            assert _hear_out(small, proxy_header.v2(ALLOWED), BALANCER) == b""
            refused = small.wait_for_audit("closed", close_reason="too_many_sessions")
            assert refused["bound"] == "handshakes"
            first.send(proxy_header.v1(ALLOWED)[len("PROXY"):])
            first.log_in("native", PASSWORD)
            small.wait_for_metric("gatehouse_handshakes", 1)  # given back once its login is over
            with _say(small, proxy_header.v2(ALLOWED)) as third:
                third.log_in("native", PASSWORD)
            second.reset()
        small.wait_for_metric("gatehouse_handshakes", 0)

    def test_those_that_wait_for_a_header_end_with_a_drain(self, small):
        with _say(small, b"PROXY") as first, _say(small, b"PROXY") as second:
            small.wait_for_metric("gatehouse_handshakes", 2)
            small.signal(signal.SIGTERM)
            assert first.receive_rest() == second.receive_rest() == b""
        assert small.wait_for_exit() == 0
        assert small.audit("closed", close_reason="drained")

    def test_those_that_are_denied_are_not_waited_for(self, small):
        denied = []
        for _ in range(50):
            denied.append(_say(small, proxy_header.v2(FORBIDDEN)))
            denied[-1].wait_until_readable()  # more than two at a time are not heard
        with _say(small, proxy_header.v2(ALLOWED)) as session:
            session.log_in("native", PASSWORD)
        # None of them has read its answer or closed yet.
        for session in denied:
            assert session.receive_rest() == denied_bytes(FORBIDDEN)
            session.close()
