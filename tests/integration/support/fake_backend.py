"""A backend that follows a script: stalls, lies, breaks off, or drips a real server's bytes."""

import select
import socket
import ssl
import struct
import threading

from support import wire
from support.waiting import DEADLINE_SECONDS, wait_until


class FakeBackend:
    """Runs `script(connection)` in a thread for each connection, which is closed afterwards."""

    def __init__(self, script):
        self._script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.accepted = 0
        self._connections = []
        self._stopping = threading.Event()
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopping.set()
        # Closed under it, accept() might go on with the next socket of that number: another's.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._serving.join(DEADLINE_SECONDS)
        self._listening.close()
        for connection in self._connections:
            connection.close()

    @property
    def tcp_backend(self):
        return f"127.0.0.1:{self.port}"

    @property
    def received(self):
        """What all connections have sent so far, in order of connection."""
        return b"".join(connection.received for connection in self._connections)

    def wait_for_connection(self, count=1):
        wait_until(lambda: self.accepted >= count, f"the gateway dials {count} times")

    def _serve(self):
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return
            connection = Connection(accepted, self._stopping)
            self._connections.append(connection)
            self.accepted += 1
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        try:
            self._script(connection)
        except OSError:
            pass  # The gateway went away, or refused our TLS: what the test is after.
        finally:
            connection.close()


class Connection:
    """The backend's end of one connection."""

    def __init__(self, accepted, stopping):
        self._socket = accepted
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(DEADLINE_SECONDS)
        self._stopping = stopping
        self.received = b""

    def send(self, data):
        self._socket.sendall(data)

    def send_greeting(self, **options):
        self.send(wire.packet(0, wire.greeting(**options)))

    def send_error(self, code, message, sequence=0, state=None):
        self.send(wire.packet(sequence, wire.error_payload(code, message, state)))

    def receive_packet(self):
        header = self.receive_exactly(4)
        return header[3], self.receive_exactly(int.from_bytes(header[:3], "little"))

    def take_login(self, identity=None):
        """From the greeting to OK, whoever it is, over TLS where there is an identity; one who speaks
        of no plug-in that there is, is asked for a proof as servers do."""
        self.send_greeting()
        if identity is not None:
            self.start_tls(identity)
        sequence, login = self.receive_packet()
        if b"gatehouse_switch\0" in login:
            self.send(wire.packet(sequence + 1, b"\xfe" + wire.NATIVE.encode() + b"\0"
                                  + b"y" * 20 + b"\0"))
            sequence, _ = self.receive_packet()
        self.send(wire.packet(sequence + 1, b"\0\0\0\2\0\0\0"))

    def finish_sending(self):
        """Ends this direction; the other goes on."""
        self._socket.shutdown(socket.SHUT_WR)

    def has_room(self):
        """Whether it takes more at this moment: the other side, or what is between, has read."""
        return bool(select.select([], [self._socket], [], 0)[1])

    def start_tls(self, identity):
        """Reads the SSLRequest and presents a certificate."""
        self.receive_packet()
        self.begin_tls(identity)

    def begin_tls(self, identity):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.certificate, identity.key)
        context.num_tickets = 0  # each handshake is a whole one
        self._socket = context.wrap_socket(self._socket, server_side=True)

    def stall(self):
        """Says nothing more; returns when the other side closes or the test is over."""
        self._socket.settimeout(0.05)
        while not self._stopping.is_set():
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                continue
            if not data:
                return
            self.received += data

    def drip(self, host, port):
        """Joins this connection to a real server, a byte at a time in each direction."""
        with socket.create_connection((host, port)) as real:
            for end in (real, self._socket):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_copy, args=(self._socket, real), daemon=True)
            back.start()
            _copy(real, self._socket)
            back.join(DEADLINE_SECONDS)

    def pass_on(self, address, count, note):
        """Joins this connection to a real server until so many of its bytes have passed, which are
        noted, or one side ends."""
        with socket.create_connection(address) as real:
            while count > 0:
                for end in select.select([self._socket, real], [], [], DEADLINE_SECONDS)[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    if end is self._socket:
                        real.sendall(data)
                    else:
                        note(len(data[:count]))
                        self._socket.sendall(data[:count])
                        count -= len(data)

    def reset(self):
        """Closes without a FIN: the other side's next write fails."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def shut_down(self):
        """From any thread: the script finds the connection closed."""
        self._socket.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._socket.close()

    def receive_exactly(self, size):
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            if not more:
                raise ConnectionError("closed")
            data += more
        self.received += data
        return data


def in_pieces(server):
    """A script that stands before a real server and passes its bytes on, one at a time."""
    return lambda connection: connection.drip(server.address, server.port)


class Cutter:
    """A script that stands before a real server and ends after so many of its bytes; what is set is
    in force from the next connection on."""

    ALL = 1 << 30

    def __init__(self, address):
        self._address = address
        self.count = self.ALL
        self.end = "close"
        self.passed = 0  # of the connection that had most: the gateway's own checks have few

    def __call__(self, connection):
        end = self.end
        passed = 0

        def note(size):
            nonlocal passed
            passed += size
            self.passed = max(self.passed, passed)

        connection.pass_on(self._address, self.count, note)
        getattr(connection, end)()


def _copy(origin, destination):
    try:
        while data := origin.recv(65536):
            for byte in data:
                destination.sendall(bytes([byte]))
    except OSError:
        pass
    finally:
        for end in (origin, destination):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
