"""Lets a client that cannot speak TLS reach a server that demands it: plain in, verified TLS out."""

import contextlib
import select
import socket
import socketserver
import ssl
import struct
import threading

from support import wire

GREETING, ERROR, OK = b"\x0a", b"\xff", b"\x00"
CHUNK = 65536
ADDRESS = "127.0.0.1"  # What certificates are good for; no SNI is sent for an address.


class TlsForwarder:
    """Listens on a free port of the loopback; `port` is where the client goes instead.

    Its TLS names no server: a routed listener has to go by the host that the client names.
    """

    def __init__(self, target_port, authority):
        self._server = _Listener((ADDRESS, 0), _Connection)
        self._server.target = (ADDRESS, target_port)
        self._server.context = ssl.create_default_context(cafile=str(authority))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


class _Connection(socketserver.BaseRequestHandler):
    """One client. The SSLRequest is a packet more than the client knows of, so all up to the login's
    OK is numbered anew; then each side counts from zero and bytes pass as they are."""

    def handle(self):
        with contextlib.suppress(OSError, EOFError), \
                socket.create_connection(self.server.target) as plain:
            for leg in (self.request, plain):
                leg.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            encrypted = self._start_tls(plain)
            if encrypted is not None:
                with encrypted:
                    if self._finish_login(encrypted):
                        _pump(self.request, encrypted)

    def _start_tls(self, plain):
        """The server's leg once the client's login has gone to it, or None if it refused."""
        sequence, greeting = _receive(plain)
        self.request.sendall(wire.packet(sequence, _without_tls(greeting)))
        if greeting[:1] == ERROR:
            return None
        sequence, login = _receive(self.request)
        capabilities, = struct.unpack_from("<I", login)
        login = struct.pack("<I", capabilities | wire.SSL) + login[4:]
        plain.sendall(wire.packet(sequence, login[:32]))
        encrypted = self.server.context.wrap_socket(plain, server_hostname=ADDRESS)
        encrypted.sendall(wire.packet(sequence + 1, login))
        return encrypted

    def _finish_login(self, encrypted):
        """Whether the server says OK in the end."""
        while True:
            sequence, answer = _receive(encrypted)
            self.request.sendall(wire.packet(sequence - 1, answer))
            if answer[:1] in (OK, ERROR):
                return answer[:1] == OK
            sequence, answer = _receive(self.request)
            encrypted.sendall(wire.packet(sequence + 1, answer))


def _receive(leg):
    """The sequence and the payload of one packet."""
    header = _exactly(leg, 4)
    return header[3], _exactly(leg, int.from_bytes(header[:3], "little"))


def _exactly(leg, size):
    data = b""
    while len(data) < size:
        more = leg.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _without_tls(greeting):
    """A greeting that does not offer TLS: the client would rather fail than go without."""
    if greeting[:1] != GREETING:
        return greeting
    at = greeting.index(0, 1) + 1 + 4 + 8 + 1  # version, thread, nonce, filler
    capabilities, = struct.unpack_from("<H", greeting, at)
    return greeting[:at] + struct.pack("<H", capabilities & ~wire.SSL) + greeting[at + 2:]


def _pump(client, server):
    """One thread for both ways: an SSLSocket must not be used by two at once."""
    while True:
        # What TLS has decrypted already wakes no select.
        ready = [server] if server.pending() else select.select([client, server], [], [])[0]
        for source, target in ((server, client), (client, server)):
            if source in ready:
                data = source.recv(CHUNK)
                if not data:
                    return
                target.sendall(data)
