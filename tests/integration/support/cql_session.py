"""A Cassandra client of our own, each step a call: it can stop, stall or lie anywhere between two.

It needs no package, so that only the tests of real drivers depend on a registry.
"""

import dataclasses
import socket
import ssl

from support import cql_wire as wire
from support.connection import Connection
from support.cql_wire import Frame
from support.waiting import DEADLINE_SECONDS


class CqlSession(Connection):
    """One connection. `source` is the loopback address it comes from: who it is to the gateway.

    `authority`: TLS, by which the server's certificate is verified; None: plaintext. `identity`: a
    certificate of the client's own.
    """

    def __init__(self, address, version=5, source="127.0.0.1", authority=None, server_name=None,
                 identity=None, timeout=DEADLINE_SECONDS):
        self.version = version
        self.events = []  # what arrived between answers
        self._in_segments = False
        self._frames = b""  # out of segments, not read yet
        self._stream = 0
        self._socket = socket.create_connection(address, timeout=timeout,
                                                source_address=(source, 0))
        self.source_port = self._socket.getsockname()[1]
        if authority is not None:
            self.start_tls(authority, server_name or address[0], identity)

    def start_tls(self, authority, server_name, identity=None, version=None):
        try:
            context = ssl.create_default_context(cafile=str(authority))
            if version is not None:
                context.minimum_version = context.maximum_version = version
            if identity is not None:
                context.load_cert_chain(identity.certificate, identity.key)
            self._socket = context.wrap_socket(self._socket, server_hostname=server_name)
        except BaseException:
            self._socket.close()
            raise

    # Frames

    def send_frame(self, opcode, body=b"", stream=None, flags=0):
        """In a segment of its own where the connection has come to them; returns its stream."""
        if stream is None:
            self._stream = (self._stream + 1) % 32768
            stream = self._stream
        data = Frame(self.version, opcode, body, stream, flags).encode()
        self.send(wire.segments(data) if self._in_segments else data)
        return stream

    def receive_frame(self):
        """The next frame, whichever it is."""
        frame, length = wire.read_header(self._take(wire.HEADER_SIZE))
        return dataclasses.replace(frame, body=self._take(length))

    def receive_answer(self):
        """The next frame that is no event; raises where it is an ERROR."""
        while True:
            frame = self.receive_frame()
            if frame.opcode == wire.ERROR:
                raise wire.ServerError(frame)
            if frame.opcode != wire.EVENT:
                return frame
            self.events.append(wire.read_event(frame))

    def receive_event(self):
        if self.events:
            return self.events.pop(0)
        frame = self.receive_frame()
        assert frame.opcode == wire.EVENT, frame
        return wire.read_event(frame)

    def ask(self, opcode, body=b"", flags=0):
        """Sends a request and returns its answer."""
        stream = self.send_frame(opcode, body, flags=flags)
        frame = self.receive_answer()
        assert frame.stream == stream, f"{frame} answers another request than {stream}"
        return frame

    def _take(self, size):
        if not self._in_segments:
            return self.receive_exactly(size)
        while len(self._frames) < size:
            length = wire.read_segment_header(self.receive_exactly(wire.SEGMENT_HEADER_SIZE))
            payload = self.receive_exactly(length)
            checksum = int.from_bytes(self.receive_exactly(4), "little")
            assert checksum == wire.crc32(payload), "a segment's payload is wrong"
            self._frames += payload
        taken, self._frames = self._frames[:size], self._frames[size:]
        return taken

    # Stages of a login

    def options(self):
        return wire.read_supported(self.ask(wire.OPTIONS))

    def startup(self, options=None):
        """Returns the answer, AUTHENTICATE or READY; from then on version 5 is in segments."""
        frame = self.ask(wire.STARTUP, wire.string_map({"CQL_VERSION": "3.0.0"} | (options or {})))
        self._in_segments = self.version >= 5
        return frame

    def authenticate(self, user, password):
        token = f"\0{user}\0{password}".encode()
        frame = self.ask(wire.AUTH_RESPONSE, wire.value(token))
        assert frame.opcode == wire.AUTH_SUCCESS, frame

    def log_in(self, user, password, options=None):
        """The whole way from connected to ready for statements."""
        if self.startup(options).opcode == wire.AUTHENTICATE:
            self.authenticate(user, password)
        return self

    # Statements

    def query(self, cql, **options):
        """What the RESULT holds; the rows alone where there are some. `options`: of
        cql_wire.parameters."""
        return _simple(self.page(cql, **options))

    def page(self, cql, **options):
        """The same with columns and the state that leads to the next page."""
        return wire.read_result(
            self.ask(wire.QUERY, wire.query_body(self.version, cql, **options)))

    def prepare(self, cql):
        return wire.read_result(self.ask(wire.PREPARE, wire.prepare_body(self.version, cql)))

    def execute(self, prepared, **options):
        frame = self.ask(wire.EXECUTE, wire.execute_body(self.version, prepared, **options))
        return _simple(wire.read_result(frame, prepared))

    def register(self, events=tuple(wire.EVENTS)):
        frame = self.ask(wire.REGISTER, wire.string_list(events))
        assert frame.opcode == wire.READY, frame


def _simple(result):
    return result.rows if isinstance(result, wire.Rows) else result
