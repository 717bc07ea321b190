"""A MariaDB client of our own, each step a call: it can stop, stall or lie anywhere between two.

It needs no package, so that only the tests of real drivers depend on a registry.
"""

import socket
import ssl
import struct

from support import wire
from support.connection import Closed, Connection
from support.waiting import DEADLINE_SECONDS


class ServerError(Exception):
    """An ERR packet."""

    def __init__(self, payload):
        self.code = struct.unpack_from("<H", payload, 1)[0]
        text = payload[3:]
        self.state = text[1:6].decode() if text[:1] == b"#" else None
        self.message = (text[6:] if self.state else text).decode(errors="replace")
        super().__init__(f"{self.code} ({self.state}): {self.message}")


class Session(Connection):
    """One connection. `source` is the loopback address it comes from: who it is to the gateway."""

    def __init__(self, address, source="127.0.0.1"):
        self._socket = socket.create_connection(address, timeout=DEADLINE_SECONDS,
                                                source_address=(source, 0))
        self.source_port = self._socket.getsockname()[1]
        self.sequence = 0
        self.greeting = None
        self.tracked = {}  # system variables, as the login's OK told them

    # Packets

    def send_packet(self, payload, sequence=None):
        """In parts of 16 MiB - 1 where it is longer, as the protocol has it."""
        if sequence is not None:
            self.sequence = sequence
        while len(payload) >= wire.PAYLOAD_MAX:
            self.send(b"\xff\xff\xff" + bytes([self.sequence & 0xFF]) + payload[:wire.PAYLOAD_MAX])
            payload = payload[wire.PAYLOAD_MAX:]
            self.sequence += 1
        self.send(wire.packet(self.sequence, payload))
        self.sequence += 1

    def receive_packet(self):
        payload = b""
        while True:
            header = self.receive_exactly(4)
            length = int.from_bytes(header[:3], "little")
            self.sequence = header[3] + 1
            payload += self.receive_exactly(length)
            if length < wire.PAYLOAD_MAX:
                return payload

    # Stages of a login

    def read_greeting(self):
        payload = self.receive_packet()
        if payload[:1] == b"\xff":
            raise ServerError(payload)
        self.greeting = wire.Greeting(payload)
        return self.greeting

    def start_tls(self, authority=None, version=None, capabilities=None, identity=None,
                  request=None, server_name=None):
        """The SSLRequest and the handshake; with an `authority` the certificate is verified, and
        `server_name` is sent as SNI."""
        if request is None:
            request = wire.ssl_request((capabilities or wire.DEFAULT_CAPABILITIES) | wire.SSL)
        self.send(request)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if authority is not None:
            context.load_verify_locations(str(authority))
            context.verify_mode = ssl.CERT_REQUIRED
        if version is not None:
            context.minimum_version = context.maximum_version = version
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.key)
        # Ends without close_notify are ordinary in this protocol.
        self._socket = context.wrap_socket(self._socket, suppress_ragged_eofs=True,
                                           server_hostname=server_name)
        self.sequence = 2

    def certificate(self):
        """What the other side presented, as DER."""
        return self._socket.getpeercert(binary_form=True)

    def send_login(self, user, password, database="", attributes=None, capabilities=None):
        capabilities = capabilities or wire.DEFAULT_CAPABILITIES
        if isinstance(self._socket, ssl.SSLSocket):
            capabilities |= wire.SSL
        self.send_packet(wire.login_payload(
            user, wire.native_answer(password, self.greeting.nonce), database, capabilities,
            attributes=attributes))

    def finish_login(self, password):
        """Answers the server's switches until it says OK, which it returns; raises its error."""
        while True:
            payload = self.receive_packet()
            if payload[:1] == b"\xff":
                raise ServerError(payload)
            if payload[:1] == b"\x00":
                return payload
            assert payload[:1] == b"\xfe", payload[:80]
            plugin, nonce = payload[1:].split(b"\0", 1)
            assert plugin == wire.NATIVE.encode(), f"asked for {plugin!r}"
            self.send_packet(wire.native_answer(password, nonce[:20]))

    def log_in(self, user, password, database="", tls=True, attributes=None, capabilities=None,
               **tls_options):
        """The whole way from connected to ready for commands."""
        self.read_greeting()
        if tls:
            self.start_tls(capabilities=capabilities, **tls_options)
        else:
            self.sequence = 1
        self.send_login(user, password, database, attributes, capabilities)
        ok = self.finish_login(password)
        if (capabilities or 0) & wire.SESSION_TRACK:
            self.tracked = wire.tracked_variables(ok)
        return self

    # Commands

    def command(self, code, body=b""):
        self.send_packet(bytes([code]) + body, sequence=0)

    def query(self, sql):
        """The rows of one statement, as text; an empty list where it returns none."""
        self.command(wire.COM_QUERY, sql.encode())
        return [_text_row(payload) for payload in self.rows()]

    def value(self, sql):
        return self.query(sql)[0][0]

    def rows(self):
        """The raw rows of the answer that is due, one at a time: what a long result streams."""
        payload = self.receive_packet()
        if payload[:1] == b"\xff":
            raise ServerError(payload)
        if payload[:1] == b"\x00":
            return
        columns, _ = wire.read_length(payload, 0)
        for _ in range(columns):
            self.receive_packet()
        self._expect_end(self.receive_packet())
        while True:
            payload = self.receive_packet()
            if payload[:1] == b"\xff":
                raise ServerError(payload)
            if payload[:1] == b"\xfe" and len(payload) < 9:
                return
            yield payload

    def ping(self):
        """Whether the session still answers."""
        try:
            self.command(wire.COM_PING)
            return self.receive_packet()[:1] == b"\x00"
        except (Closed, ConnectionError, ssl.SSLError):
            return False

    def change_user(self, user, password, database=""):
        self.sequence = 0
        self.send_packet(wire.change_user_payload(user, database=database))
        self.finish_login(password)

    def wait_for_end(self):
        """Returns when the other side has closed; times out if it does not."""
        self.receive_rest()

    @staticmethod
    def _expect_end(payload):
        assert payload[:1] == b"\xfe" and len(payload) < 9, payload[:80]


def _text_row(payload):
    row, at = [], 0
    while at < len(payload):
        size, at = wire.read_length(payload, at)
        row.append(None if size is None else payload[at:at + size].decode(errors="replace"))
        at += size or 0
    return row
