"""TLS towards clients: who is shown which certificate, resumption and its limits, client
certificates, and the minimum version."""

import fcntl
import hashlib
import os
import pty
import ssl
import subprocess
import termios

import pytest

from support import configuration, s_client
from support.certificates import ECDSA
from support.connection import Closed
from support.gatehouse import binary, tls_library
from support.mariadb_server import PASSWORD


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
    assert "Reused, TLS" in s_client.talk(address, certificates, f"-{version}", "-sess_in", ticket)


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_a_ticket_of_one_listener_is_worth_nothing_at_another(two_listeners, certificates,
                                                              tmp_path, version):
    ticket = tmp_path / "ticket"
    _save_ticket(two_listeners.address("first"), certificates, version, ticket)
    again = s_client.talk(two_listeners.address("second"), certificates, f"-{version}", "-sess_in",
                      ticket)
    assert "New, TLS" in again and "Reused, TLS" not in again


def test_a_ticket_is_worth_the_same_at_every_worker(certificates, mariadb, start_gateway, tmp_path):
    gateway = start_gateway(configuration.gateway_yaml(certificates, [mariadb.tcp_backend],
                                                       workers=4))
    ticket = tmp_path / "ticket"
    _save_ticket(gateway.address(), certificates, "tls1_2", ticket)
    for _ in range(12):  # each from a port of its own, by which the kernel chooses
        assert "Reused, TLS" in s_client.talk(gateway.address(), certificates, "-tls1_2",
                                              "-sess_in", ticket)


def test_a_handshake_gives_one_ticket(gateway, certificates):
    said = s_client.talk(gateway.address(), certificates, "-tls1_3")
    assert said.count("New Session Ticket arrived") == 1


@pytest.mark.parametrize("offered, chosen, by_client", [
    ("X25519:P-256", "X25519", "X25519"), ("P-256:X25519", "prime256v1", "prime256v1"),
    ("P-384:P-256:X25519", "X25519", "prime256v1"), ("P-384:P-256", "prime256v1", "prime256v1")])
def test_the_group_of_a_handshake_is_the_clients_first_else_the_cheapest(
        gateway, certificates, offered, chosen, by_client):
    """AWS-LC takes the client's next, `by_client`, instead of the cheapest."""
    said = s_client.talk(gateway.address(), certificates, "-groups", offered)
    wanted = by_client if tls_library() == "AWS-LC" else chosen
    assert f"Server Temp Key: {wanted}" in said.replace("ECDH, ", "")


def _save_ticket(address, certificates, version, ticket):
    said = s_client.talk(address, certificates, f"-{version}", "-sess_out", ticket)
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
    said = s_client.talk(gateway.address(), certificates, f"-{version}", "-sess_out", ticket, "-cert",
                     certificates.client.certificate, "-key", certificates.client.key)
    assert "New, TLS" in said
    assert not ticket.exists()


def test_nobody_is_asked_for_the_pass_phrase_of_a_key(certificates, mariadb, prepare_gateway,
                                                       tmp_path):
    """A gateway starts unattended, also where there is a terminal."""
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "pkey", "-in", str(certificates.gateway.key), "-aes256", "-passout",
                    "pass:secret", "-out", str(locked)], check=True)
    locked.chmod(0o600)
    prepared = prepare_gateway(configuration.gateway_yaml(
        certificates, [mariadb.tcp_backend],
        listeners=[configuration.listener(certificates, tls={"key": str(locked)})]))
    terminal, its_end = pty.openpty()
    try:
        checked = subprocess.run(
            [binary(), "check", "--config", str(prepared.yaml_path)], stdin=its_end,
            capture_output=True, text=True, timeout=60, check=False, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        assert checked.returncode == 1
        assert "a key behind a pass phrase cannot be used" in checked.stdout
        os.set_blocking(terminal, False)
        with pytest.raises(BlockingIOError):
            os.read(terminal, 1)
    finally:
        os.close(terminal)
        os.close(its_end)


@pytest.mark.parametrize("kind, key_type", {
    "ed448": ["-newkey", "ed448"],
    "rsa-pss": ["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"],
    "curve": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    "usage": [*ECDSA, "-addext", "keyUsage=keyAgreement"],
}.items())
def test_check_says_which_certificates_aws_lc_cannot_show(certificates, mariadb, prepare_gateway,
                                                          kind, key_type):
    shown = certificates.of_kind(kind, key_type)
    listener = configuration.listener(
        certificates, tls={"certificate": str(shown.certificate), "key": str(shown.key)})
    prepared = prepare_gateway(configuration.gateway_yaml(certificates, [mariadb.tcp_backend],
                                                          listeners=[listener]))
    if tls_library() == "AWS-LC":
        said = prepared.command("check", code=1)
        assert f"{kind}.pem holds a certificate that cannot be used" in said
        assert "hint: AWS-LC takes " in said
    else:
        assert "error:" not in prepared.command("check")


class TestSeveralCertificates:
    """`more`: chosen by the name that a client asks for."""

    @staticmethod
    def _yaml(certificates, mariadb, *more, **tls):
        pairs = [{"certificate": str(each.certificate), "key": str(each.key)} for each in more]
        listener = configuration.listener(certificates, tls=tls | ({"more": pairs} if more else {}))
        return configuration.gateway_yaml(certificates, [mariadb.tcp_backend],
                                          listeners=[listener])

    @pytest.fixture
    def gateway(self, certificates, mariadb, start_gateway):
        return start_gateway(self._yaml(certificates, mariadb, certificates.wildcard,
                                        certificates.second, certificates.rsa_gateway))

    @staticmethod
    def _shown(gateway, name, authority=None, **tls):
        with gateway.connect() as session:
            session.read_greeting()
            session.start_tls(server_name=name, authority=authority, **tls)
            return hashlib.sha256(session.certificate()).hexdigest()

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_a_client_is_shown_the_one_of_the_name_it_asks_for(self, gateway, certificates,
                                                               version):
        for name, shown in {"second.wild.test": certificates.second,
                            "SECOND.wild.test": certificates.second,
                            "gateway.test": certificates.gateway,
                            "localhost": certificates.gateway,
                            "any.wild.test": certificates.wildcard}.items():
            assert self._shown(gateway, name, certificates.authority,
                               version=version) == shown.sha256(), name

    @pytest.mark.parametrize("name", [None, "nobody.example", "two.labels.wild.test"])
    def test_without_a_name_that_any_has_it_is_the_first(self, gateway, certificates, name):
        assert self._shown(gateway, name) == certificates.gateway.sha256()

    def test_a_session_goes_on_behind_it_and_its_record_has_the_name(self, gateway):
        with gateway.connect() as session:
            session.log_in("native", PASSWORD, server_name="second.wild.test")
            assert session.ping()
            assert gateway.wait_for_audit("opened")["tls"]["sni"] == "second.wild.test"

    @pytest.mark.parametrize("algorithm, key_type", [("ECDSA+SHA256", "ECDSA"),
                                                     ("RSA-PSS+SHA256", "RSA-PSS")])
    def test_a_client_is_shown_a_key_it_can_use(self, gateway, certificates, algorithm, key_type):
        said = s_client.talk(gateway.address(), certificates, "-sigalgs", algorithm)
        assert f"Peer signature type: {key_type}" in said
        assert "Verify return code: 0 (ok)" in said

    @pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
    def test_a_ticket_of_one_name_is_worth_nothing_under_another(self, gateway, certificates,
                                                                 tmp_path, version):
        ticket = tmp_path / "ticket"
        options = f"-{version}", "-servername"
        s_client.talk(gateway.address(), certificates, *options, "second.wild.test", "-sess_out",
                  ticket)

        def again(name):
            return s_client.talk(gateway.address(), certificates, *options, name, "-sess_in", ticket)

        assert "Reused, TLS" in again("second.wild.test")
        for name in ("other.wild.test", "gateway.test"):
            assert "New, TLS" in again(name)

    def test_a_client_certificate_is_required_under_every_name(self, certificates, mariadb,
                                                               start_gateway):
        gateway = start_gateway(self._yaml(certificates, mariadb, certificates.second,
                                           client_ca=str(certificates.authority)))
        for count, name in enumerate(["gateway.test", "second.wild.test"], start=1):
            for identity in (None, certificates.stranger_client):
                with (gateway.connect() as session,
                      pytest.raises((ssl.SSLError, Closed, ConnectionError))):
                    session.log_in("native", PASSWORD, identity=identity,
                                   server_name=name)
            with gateway.connect() as session:
                session.log_in("native", PASSWORD, identity=certificates.client,
                               server_name=name)
            opened = gateway.wait_for_audit("opened", count=count)
            assert "alice" in gateway.audit("opened")[-1]["tls"]["client_subject"], opened
        gateway.wait_for_audit("closed", count=4, close_reason="tls_failed")

    def test_a_reload_replaces_them(self, gateway, certificates, mariadb):
        def reload_with(*more):
            gateway.write_configuration(self._yaml(certificates, mariadb, *more))
            gateway.command("reload")

        with gateway.connect() as session:
            session.log_in("native", PASSWORD, server_name="second.wild.test")
            reload_with(certificates.renewed_second)
            assert (self._shown(gateway, "second.wild.test", certificates.authority)
                    == certificates.renewed_second.sha256())
            assert self._shown(gateway, "any.wild.test") == certificates.gateway.sha256()
            reload_with()
            assert self._shown(gateway, "second.wild.test") == certificates.gateway.sha256()
            assert session.ping()

    def test_the_first_to_end_of_all_is_warned_of_and_measured(self, gateway, certificates):
        file = str(certificates.wildcard.certificate)
        said = subprocess.run(["openssl", "x509", "-enddate", "-noout", "-in", file],
                              capture_output=True, text=True, check=True).stdout
        ends = ssl.cert_time_to_seconds(said.strip().removeprefix("notAfter="))
        assert gateway.metric("gatehouse_certificate_expiry_timestamp_seconds",
                              listener=configuration.LISTENER) == ends
        output = gateway.command("check")
        assert "wildcard.pem expires at" in output

    def test_a_mistake_in_one_of_them_is_told_and_changes_nothing(self, gateway, certificates,
                                                                  mariadb):
        yaml = self._yaml(certificates, mariadb, certificates.second)
        yaml["listeners"][0]["tls"]["more"][0]["key"] = str(certificates.wildcard.key)
        gateway.write_configuration(yaml)
        gateway.command("reload", code=1)
        [told] = gateway.status()["snapshot"]["last_error"]["diagnostics"]
        assert "is not the key of the certificate" in told["message"]
        assert (self._shown(gateway, "any.wild.test", certificates.authority)
                == certificates.wildcard.sha256())
