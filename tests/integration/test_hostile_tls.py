"""What clients do to TLS, at each kind of listener: alerts, renegotiation, early data, old versions, and
tickets from before a change."""

import contextlib
import ssl

import pytest

from support import every_kind, s_client, wire
from support import cql_wire as cql
from support.client_hello import client_hello
from support.fake_node import PASSWORD, USER, FakeNode
from support.every_kind import CASSANDRA, KINDS, ROUTED
from support.gateway_doors import ESTABLISHED, Doors
from support.waiting import wait_until

FATAL = b"\x15\x03\x03\x00\x02\x02\x28"  # handshake_failure
NATIVE = wire.NATIVE.encode()
WARNING = b"\x15\x03\x01\x00\x02\x01\x5a"  # user_canceled


@pytest.fixture(scope="module")
def node():
    with FakeNode() as node:
        yield node


@pytest.fixture(scope="module")
def doors(certificates, mariadb, node):
    """With a key of RSA's: it can be used in more ways than others."""
    identity = {"certificate": str(certificates.rsa_gateway.certificate),
                "key": str(certificates.rsa_gateway.key)}
    with Doors(certificates, mariadb.tcp_backend, node.tcp_backend,
               listener_tls=identity) as doors:
        yield doors


def _protocol(kind):
    return s_client.PLAIN if kind == CASSANDRA else s_client.MYSQL


def _login(kind):
    """All that somebody without a password, or with the node's, has to say to get in."""
    if kind == CASSANDRA:
        options = cql.string_map({"CQL_VERSION": "3.0.0"})
        token = cql.value(f"\0{USER}\0{PASSWORD}".encode())
        return (cql.Frame(4, cql.STARTUP, options, 1).encode()
                + cql.Frame(4, cql.AUTH_RESPONSE, token, 2).encode())
    suffix, proof = ("@orders", wire.packet(4, b"")) if kind == ROUTED else ("", b"")
    # The SSLRequest of s_client is without a database, and so is a login behind it.
    login = wire.login_payload(f"empty{suffix}").replace(3 * b"\0" + NATIVE, 2 * b"\0" + NATIVE)
    return wire.packet(2, login) + proof


def _nonsense(kind):
    """What no login is."""
    return b"\xee" * 16 if kind == CASSANDRA else wire.packet(2, b"")


ALERTS = {
    "in place of a ClientHello": FATAL,
    "behind it": client_hello() + FATAL,
    "as a hundred warnings": client_hello() + 100 * WARNING,
    "that is cut": client_hello() + FATAL[:-1],
    "that is none": client_hello() + b"\x15\x03\x03\x00\x02\x07\xff",
}


class TestAlerts:
    @pytest.mark.parametrize("alert", ALERTS)
    @pytest.mark.parametrize("kind", KINDS)
    def test_an_alert_within_the_handshake_ends_it(self, doors, kind, alert):
        door = doors[kind]
        with door.connect() as session:
            door.reach(session, every_kind.CONNECTED if kind == CASSANDRA
                       else every_kind.ABOUT_TO_BEGIN_TLS)
            with contextlib.suppress(OSError):  # it may have been closed by the first of them
                session.send(ALERTS[alert])
                session.finish_sending()
            session.receive_rest()
            begins_no_tls = kind == CASSANDRA and ALERTS[alert] == FATAL
            assert door.end_of(session)["close_reason"] == (
                "plaintext_refused" if begins_no_tls else "tls_failed")

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_client_that_does_not_trust_the_gateway_has_failed(self, certificates, doors, kind,
                                                                 version):
        door = doors[kind]
        with door.connect() as session:
            with pytest.raises(ssl.SSLCertVerificationError):
                door.start_tls(session, certificates.stranger_authority, version=version)
            session.close()
            assert door.end_of(session)["close_reason"] == "tls_failed"

    @pytest.mark.parametrize("stage", [every_kind.IN_TLS, every_kind.WITHIN_A_LOGIN,
                                       every_kind.ASKED_FOR_A_PROOF, ESTABLISHED])
    @pytest.mark.parametrize("kind", KINDS)
    def test_an_alert_behind_the_handshake_is_the_clients_end(self, doors, kind, stage):
        door = doors[kind]
        for end in (lambda session: session.end_tls(),
                    # One that TLS does not vouch for: whoever is on the path can say it.
                    lambda session: session.send_past_tls(FATAL)):
            with door.connect() as session:
                end(door.reach(session, stage))
                assert door.end_of(session)["close_reason"] == "client_closed"


@pytest.mark.parametrize("logs_in", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_no_client_renegotiates(certificates, doors, kind, logs_in):
    gateway = doors.gateway
    opened, closed = (len(gateway.audit(event, listener=kind)) for event in ("opened", "closed"))
    with s_client.Conversation(gateway.address(kind), certificates, "-tls1_2",
                               protocol=_protocol(kind)) as client:
        client.wait_for("Verify return code")
        if logs_in:
            client.say(_login(kind))
            gateway.wait_for_audit("opened", opened + 1, listener=kind)
        client.say(b"R\n")
        client.wait_for("RENEGOTIATING")
        client.wait_for("no renegotiation")
        gateway.wait_for_audit("closed", closed + 1, listener=kind)
    assert gateway.audit("closed", listener=kind)[closed]["close_reason"] == "client_closed"


@pytest.mark.parametrize("kind", KINDS)
def test_a_login_that_comes_ahead_of_the_handshake_is_none(certificates, doors, tmp_path, kind):
    gateway, ticket, early = doors.gateway, tmp_path / "ticket", tmp_path / "early"
    opened = len(gateway.audit("opened", listener=kind))

    def talk(*options):
        return s_client.talk(gateway.address(kind), certificates, "-tls1_3", *options,
                             protocol=_protocol(kind), said=_nonsense(kind))

    talk("-sess_out", ticket)
    s_client.offers_early_data(ticket)
    early.write_bytes(_login(kind))
    said = talk("-sess_in", ticket, "-early_data", early)
    assert "Reused, TLSv1.3" in said and "Early data was rejected" in said
    closed = gateway.wait_for_audit("closed", 2, listener=kind)[-1]
    assert len(gateway.audit("opened", listener=kind)) == opened, closed


class TestFacts:
    """What testssl.sh looks at for minutes (test_testssl.py), in brief."""

    def talk(self, doors, certificates, kind, *options):
        return s_client.talk(doors.gateway.address(kind), certificates, *options,
                             protocol=_protocol(kind), said=_nonsense(kind))

    # Level 0: so that it is not the client that refuses.
    @pytest.mark.parametrize("kind", KINDS)
    def test_tls_begins_at_1_2(self, doors, certificates, kind):
        for version in ("tls1", "tls1_1"):
            said = self.talk(doors, certificates, kind, f"-{version}", "-cipher",
                             "ALL:@SECLEVEL=0")
            assert "Cipher is (NONE)" in said and "alert protocol version" in said
        for version in ("1.2", "1.3"):
            said = self.talk(doors, certificates, kind, f"-tls{version.replace('.', '_')}")
            assert f"New, TLSv{version}, Cipher is" in said

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_cipher_has_forward_secrecy(self, doors, certificates, kind):
        said = self.talk(doors, certificates, kind, "-tls1_2", "-cipher", "kRSA:@SECLEVEL=0")
        assert "Cipher is (NONE)" in said and "handshake failure" in said
        for cipher in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"):
            said = self.talk(doors, certificates, kind, "-tls1_2", "-cipher", cipher)
            assert f"New, TLSv1.2, Cipher is {cipher}" in said

    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_is_compressed_and_renegotiation_is_known_to_be_safe(self, doors, certificates,
                                                                         kind):
        said = self.talk(doors, certificates, kind, "-tls1_2", "-comp")
        assert "Compression: NONE" in said
        assert "Secure Renegotiation IS supported" in said


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
@pytest.mark.parametrize("kind", KINDS)
class TestTicketsAndClientCertificates:
    """A ticket would stand for the certificate that its owner showed, or did not have to show."""

    @pytest.fixture
    def gateway(self, certificates, mariadb, node):
        with Doors(certificates, mariadb.tcp_backend, node.tcp_backend) as doors:
            yield doors.gateway

    @pytest.fixture
    def demand(self, certificates, mariadb, node, gateway):
        """From now on clients need a certificate of this authority's."""

        def demand(authority):
            gateway.write_configuration(every_kind.gateway_yaml(
                certificates, mariadb.tcp_backend, node.tcp_backend, cassandra_tls="off",
                listener_tls={"client_ca": str(authority)}))
            gateway.command("reload")

        return demand

    @pytest.fixture
    def connect(self, certificates, gateway, kind, version):
        """What s_client says, and whether TLS let it in as far as its login, which is none."""

        def connect(*options, identity=None):
            shown = (() if identity is None else
                     ("-cert", identity.certificate, "-key", identity.key))
            ended = len(gateway.audit("closed"))
            said = s_client.talk(gateway.address(kind), certificates, f"-{version}", *options,
                                 *shown, protocol=_protocol(kind), said=_nonsense(kind))
            wait_until(lambda: len(gateway.audit("closed")) > ended, "the session is recorded")
            reason = gateway.audit("closed")[ended]["close_reason"]
            assert reason in ("tls_failed", "login_malformed")
            return said, reason == "login_malformed"

        return connect

    def test_one_from_before_certificates_were_asked_for_lets_nobody_in(
            self, certificates, tmp_path, connect, demand):
        ticket = tmp_path / "ticket"
        connect("-sess_out", ticket)
        said, enters = connect("-sess_in", ticket)
        assert "Reused, TLS" in said and enters
        demand(certificates.authority)
        said, enters = connect("-sess_in", ticket)
        assert "Reused, TLS" not in said and not enters
        said, enters = connect("-sess_in", ticket, identity=certificates.client)
        assert "Reused, TLS" not in said and enters

    def test_none_is_given_that_could_outlive_an_authority(self, certificates, tmp_path, connect,
                                                           demand):
        ticket = tmp_path / "ticket"
        demand(certificates.authority)
        said, enters = connect("-sess_out", ticket, identity=certificates.client)
        assert "New, TLS" in said and enters and not ticket.exists()
        demand(certificates.stranger_authority)
        assert not connect(identity=certificates.client)[1]
        assert connect(identity=certificates.stranger_client)[1]
