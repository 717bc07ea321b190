"""The HTTP address: liveness, readiness, and metrics whose labels no stranger can choose."""

import socket

from support.mariadb_server import PASSWORD
from support.refusals import denied_bytes

FAMILIES = [
    "gatehouse_sessions_open", "gatehouse_sessions_opened_total", "gatehouse_denied_total",
    "gatehouse_sessions_closed_total", "gatehouse_bytes_total", "gatehouse_backend_dials_total",
    "gatehouse_backend_dial_failures_total", "gatehouse_snapshot_generation",
    "gatehouse_snapshot_age_seconds", "gatehouse_snapshot_last_load_failed",
    "gatehouse_audit_events_lost_total", "gatehouse_tls_handshake_seconds_count",
    "gatehouse_establishment_seconds_count", "gatehouse_certificate_expiry_timestamp_seconds",
    "gatehouse_failed_logins_total", "gatehouse_alerts_total", "gatehouse_blocked_sources",
]


def test_it_is_healthy_and_ready(gateway):
    assert gateway.http("/healthz")[0] == 200
    assert gateway.http("/readyz")[0] == 200
    assert gateway.status()["ready"] is True


def test_every_family_of_the_design_is_there(gateway):
    names = gateway.metrics().names()
    assert [family for family in FAMILIES if family not in names] == []


def test_sessions_are_counted_from_open_to_close(gateway):
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)
        gateway.wait_for_metric("gatehouse_sessions_open", 1)
        assert gateway.metric("gatehouse_sessions_opened_total") == 1
    gateway.wait_for_metric("gatehouse_sessions_open", 0)
    gateway.wait_for_metric("gatehouse_sessions_closed_total", 1, reason="client_closed")
    assert gateway.metric("gatehouse_establishment_seconds_count") == 1
    assert gateway.metric("gatehouse_tls_handshake_seconds_count") == 1


def test_denials_are_counted_by_server_and_reason_and_nothing_else(gateway):
    gateway.write_rules("")
    gateway.command("reload")
    for last in (1, 2, 3):
        with gateway.connect(f"127.0.0.{last}") as session:
            assert session.receive_rest() == denied_bytes(f"127.0.0.{last}")
    gateway.wait_for_metric("gatehouse_denied_total", 3, server="orders",
                            reason="no_matching_rule")
    for labels in gateway.metrics().labels_of("gatehouse_denied_total"):
        assert set(labels) == {"server", "reason"}


def test_no_label_comes_from_a_client(gateway):
    with gateway.connect("127.0.0.5") as session:
        session.log_in("native", PASSWORD, attributes={"program_name": "label-probe"})
        text = gateway.http("/metrics")[1]
    for chosen in ("native", "label-probe", "127.0.0.5"):
        assert chosen not in text


def test_what_is_not_a_page_is_not_found_and_nothing_can_be_changed(gateway):
    assert gateway.http("/nothing")[0] == 404
    for request in (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
                    b"DELETE /healthz HTTP/1.1\r\nHost: x\r\n\r\n"):
        with socket.create_connection(gateway.address("admin"), timeout=10) as connection:
            connection.sendall(request)
            assert connection.recv(100).startswith(b"HTTP/1.1 405")


def test_noise_at_the_http_address_disturbs_nothing(gateway):
    for noise in (b"\x16\x03\x01\x02\x00\x01" * 100, b"GET /" + b"a" * 100_000, b"\0"):
        with socket.create_connection(gateway.address("admin"), timeout=10) as connection:
            try:
                connection.sendall(noise)
            except ConnectionError:
                pass
    assert gateway.http("/healthz")[0] == 200
