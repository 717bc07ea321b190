"""TLS towards clients: resumption, its limits, client certificates, and the minimum version."""

import ssl
import subprocess

import pytest

from support import configuration, wire
from support.mariadb_server import PASSWORD
from support.session import Closed


def _s_client(address, certificates, *options):
    """What `openssl s_client` says of a connection to a MariaDB port."""
    host, port = address
    # An empty login makes the server end the session, after which all tickets have been read.
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-starttls", "mysql", "-ign_eof",
         "-CAfile", str(certificates.authority), *map(str, options)],
        input=wire.packet(2, b""), capture_output=True, timeout=60, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


@pytest.fixture
def two_listeners(certificates, mariadb, start_gateway):
    return start_gateway(configuration.gateway_yaml(
        certificates, [mariadb.tcp_backend],
        listeners=[configuration.listener(certificates, name) for name in ("first", "second")]))


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_a_session_is_resumed_by_its_ticket(two_listeners, certificates, tmp_path, version):
    ticket = tmp_path / "ticket"
    address = two_listeners.address("first")
    first = _save_ticket(address, certificates, version, ticket)
    assert "New, TLS" in first
    assert "Reused, TLS" in _s_client(address, certificates, f"-{version}", "-sess_in", ticket)


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_a_ticket_of_one_listener_is_worth_nothing_at_another(two_listeners, certificates,
                                                              tmp_path, version):
    ticket = tmp_path / "ticket"
    _save_ticket(two_listeners.address("first"), certificates, version, ticket)
    again = _s_client(two_listeners.address("second"), certificates, f"-{version}", "-sess_in",
                      ticket)
    assert "New, TLS" in again and "Reused, TLS" not in again


def _save_ticket(address, certificates, version, ticket):
    said = _s_client(address, certificates, f"-{version}", "-sess_out", ticket)
    assert ticket.is_file(), said
    return said


def test_a_client_older_than_the_minimum_is_closed_without_a_word(certificates, mariadb,
                                                                  start_gateway):
    only_13 = configuration.listener(certificates, tls={"minimum_version": "1.3"})
    gateway = start_gateway(configuration.gateway_yaml(certificates, [mariadb.tcp_backend],
                                                       listeners=[only_13]))
    with gateway.connect() as session:
        session.read_greeting()
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            session.start_tls(version=ssl.TLSVersion.TLSv1_2)
    gateway.wait_for_audit("closed", close_reason="tls_failed")
    with gateway.connect() as session:
        session.log_in("native", PASSWORD, version=ssl.TLSVersion.TLSv1_3)
        assert session.ping()


def test_the_audit_tells_version_cipher_and_whether_a_session_was_resumed(gateway):
    with gateway.connect() as session:
        session.log_in("native", PASSWORD, version=ssl.TLSVersion.TLSv1_3)
        tls = gateway.wait_for_audit("opened")["tls"]
    assert tls["version"] == "TLSv1.3"
    assert tls["cipher"].startswith("TLS_")
    assert tls["resumed"] is False


def test_where_client_certificates_are_required_only_their_owners_get_in(certificates, mariadb,
                                                                         start_gateway):
    strict = configuration.listener(certificates, tls={"client_ca": str(certificates.authority)})
    gateway = start_gateway(configuration.gateway_yaml(certificates, [mariadb.tcp_backend],
                                                       listeners=[strict]))
    with gateway.connect() as session:
        session.log_in("native", PASSWORD, identity=certificates.client)
        opened = gateway.wait_for_audit("opened")
        assert "alice" in opened["tls"]["client_subject"]
    for identity in (None, certificates.stranger_client):
        # In TLS 1.3 the client only learns from its first read that it was refused.
        with gateway.connect() as session, pytest.raises((ssl.SSLError, Closed, ConnectionError)):
            session.log_in("native", PASSWORD, identity=identity)
    gateway.wait_for_audit("closed", count=2, close_reason="tls_failed")


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_no_ticket_is_given_where_client_certificates_are_required(certificates, mariadb,
                                                                   start_gateway, tmp_path,
                                                                   version):
    strict = configuration.listener(certificates, tls={"client_ca": str(certificates.authority)})
    gateway = start_gateway(configuration.gateway_yaml(certificates, [mariadb.tcp_backend],
                                                       listeners=[strict]))
    ticket = tmp_path / "ticket"
    said = _s_client(gateway.address(), certificates, f"-{version}", "-sess_out", ticket, "-cert",
                     certificates.client.certificate, "-key", certificates.client.key)
    assert "New, TLS" in said
    assert not ticket.exists()
