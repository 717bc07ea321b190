"""A Cassandra node that tells of a ring as a test has it, or lies.

It knows what the gateway asks on its own connection, and nothing of a client's statements.
"""

import dataclasses
import ipaddress
import struct
import threading
import time
import uuid

from support import cql_wire as wire
from support.cql_wire import Frame
from support.fake_backend import FakeBackend

USER, PASSWORD = "gatehouse", "the gateway's own secret"

_TEXT, _INT, _UUID, _INET = 0x0D, 0x09, 0x0C, 0x10
_SET_OF_TEXT = 0x22


@dataclasses.dataclass
class Member:
    """A node as its ring knows it."""

    address: str
    port: int
    number: int = 1
    data_center: str = "dc1"
    rack: str = "rack1"
    schema_version: uuid.UUID = uuid.UUID(int=77)

    @property
    def host_id(self):
        return uuid.UUID(f"1be24c8d-7093-4000-8000-{self.number:012x}")

    def status(self, up=True):
        """What the gateway's status says of it."""
        return {"host_id": str(self.host_id), "address": f"{self.address}:{self.port}",
                "data_center": self.data_center, "rack": self.rack, "up": up}


class FakeNode(FakeBackend):
    """What a test sets is in force from the next frame on."""

    def __init__(self, identity=None, **settings):
        self.versions = (4, 5)
        self.asks_for_password = True
        self.password = PASSWORD
        self.has_old_tables_only = False
        self.cluster_name = "events of ours"
        # Called with each frame before it is answered; what is true has answered it.
        self.instead = None
        self.statements = []
        self.asked_at = None  # as time.monotonic() has it
        self.startups = []
        self.logins = []
        self._identity = identity
        self._talking = []
        self._lock = threading.Lock()
        super().__init__(self._talk)
        self.member = Member("127.0.0.1", self.port)
        self.others = []
        for name, value in settings.items():
            setattr(self, name, value)

    @property
    def ring(self):
        return [self.member, *self.others]

    def count(self, table):
        return sum(f"FROM system.{table}" in statement for statement in list(self.statements))

    def tell(self, kind, change, member=None):
        """An event, to all who asked for them."""
        body = wire.string(kind) + wire.string(change)
        if kind == "SCHEMA_CHANGE":
            body += wire.string("KEYSPACE") + wire.string("shop")
        else:
            body += inet(member.address) + struct.pack(">i", member.port)
        with self._lock:
            for talk in self._talking:
                talk.say(wire.EVENT, body, stream=-1)

    def hang_up(self):
        """On everybody."""
        with self._lock:
            for talk in self._talking:
                talk.connection.shut_down()

    def _talk(self, connection):
        if self._identity is not None:
            connection.begin_tls(self._identity)
        talk = Talk(self, connection)
        try:
            while True:
                talk.answer(talk.receive())
        finally:
            with self._lock:
                if talk in self._talking:
                    self._talking.remove(talk)

    def registered(self, talk):
        with self._lock:
            self._talking.append(talk)

    def local_row(self):
        member = self.member
        return {
            "key": (_TEXT, b"local"), "cluster_name": (_TEXT, self.cluster_name.encode()),
            "partitioner": (_TEXT, b"org.apache.cassandra.dht.Murmur3Partitioner"),
            "cql_version": (_TEXT, b"3.4.7"), "native_protocol_version": (_TEXT, b"5"),
            "rpc_address": (_INET, packed(member.address)),
            **({} if self.has_old_tables_only else {"rpc_port": (_INT, integer(member.port))}),
            **self._common(member)}

    def peer_row(self, member):
        if self.has_old_tables_only:
            return {"peer": (_INET, packed(member.address)),
                    "rpc_address": (_INET, packed(member.address)), **self._common(member)}
        return {"peer": (_INET, packed(member.address)), "peer_port": (_INT, integer(7000)),
                "native_address": (_INET, packed(member.address)),
                "native_port": (_INT, integer(member.port)), **self._common(member)}

    def _common(self, member):
        version = b"3.11.19" if self.has_old_tables_only else b"5.0.9"
        token = str(1000 * member.number).encode()
        return {"host_id": (_UUID, member.host_id.bytes), "release_version": (_TEXT, version),
                "data_center": (_TEXT, member.data_center.encode()),
                "rack": (_TEXT, member.rack.encode()),
                "schema_version": (_UUID, member.schema_version.bytes),
                "tokens": (_SET_OF_TEXT, integer(1) + wire.value(token))}


class Talk:
    """One connection's conversation."""

    def __init__(self, node, connection):
        self.node = node
        self.connection = connection
        self.in_segments = False
        self.version = 5
        self._frames = b""

    def receive(self):
        frame, length = wire.read_header(self._take(wire.HEADER_SIZE))
        return dataclasses.replace(frame, body=self._take(length))

    def say(self, opcode, body=b"", stream=0, **fields):
        frame = Frame(self.version, opcode, body, stream, response=True, **fields).encode()
        self.connection.send(wire.segments(frame) if self.in_segments else frame)

    def refuse(self, frame, code, message):
        self.say(wire.ERROR, integer(code) + wire.string(message), frame.stream)

    def answer(self, frame):
        if self.node.instead and self.node.instead(self, frame):
            return
        match frame.opcode:
            case wire.STARTUP:
                self._start(frame)
            case wire.AUTH_RESPONSE:
                self._judge(frame)
            case wire.REGISTER:
                assert wire.body_reader(frame).strings() == wire.EVENTS
                self.say(wire.READY, stream=frame.stream)
                self.node.registered(self)
            case wire.OPTIONS:
                self.say(wire.SUPPORTED, struct.pack(">H", 0), frame.stream)
            case wire.QUERY:
                self._select(frame)

    def _start(self, frame):
        reader = wire.body_reader(frame)
        self.node.startups.append(
            {reader.string(): reader.string() for _ in range(reader.number("H"))})
        self.version = min(frame.version, max(self.node.versions))
        if frame.version not in self.node.versions:
            self.refuse(frame, 0x000A,
                        f"Invalid or unsupported protocol version ({frame.version})")
            raise ConnectionError("as a node does")
        if self.node.asks_for_password:
            self.say(wire.AUTHENTICATE, wire.string("PasswordAuthenticator"), frame.stream)
        else:
            self.say(wire.READY, stream=frame.stream)
        self.in_segments = self.version >= 5

    def _judge(self, frame):
        identity, user, password = wire.Reader(frame.body).value().split(b"\0")
        self.node.logins.append((user.decode(), password.decode()))
        if (identity, user, password) == (b"", USER.encode(), self.node.password.encode()):
            self.say(wire.AUTH_SUCCESS, wire.value(None), frame.stream)
        else:
            self.refuse(frame, 0x0100, "the password is incorrect")

    def _select(self, frame):
        reader = wire.body_reader(frame)
        statement = reader.take(reader.number("i")).decode()
        self.node.statements.append(statement)
        self.node.asked_at = time.monotonic()
        table = statement.split("FROM system.")[1].split(" ")[0]
        if table == "local":
            rows = [self.node.local_row()]
        elif (table == "peers") == self.node.has_old_tables_only:
            rows = [self.node.peer_row(member) for member in self.node.others]
        else:
            self.refuse(frame, 0x2200, f"unconfigured table {table}")
            return
        self.say(wire.RESULT, rows_body(table, rows), frame.stream)

    def _take(self, size):
        while len(self._frames) < size:
            if self.in_segments:
                length = wire.read_segment_header(
                    self.connection.receive_exactly(wire.SEGMENT_HEADER_SIZE))
                self._frames += self.connection.receive_exactly(length + 4)[:length]
            else:
                self._frames += self.connection.receive_exactly(size - len(self._frames))
        taken, self._frames = self._frames[:size], self._frames[size:]
        return taken


def integer(value):
    return struct.pack(">i", value)


def packed(address):
    return ipaddress.ip_address(address).packed


def inet(address):
    return bytes([len(packed(address))]) + packed(address)


def rows_body(table, rows):
    """A RESULT; each row: a column's name to its type and its bytes."""
    columns = [(name, kind) for name, (kind, _) in rows[0].items()] if rows else []
    body = integer(2) + integer(1) + integer(len(columns))
    body += wire.string("system") + wire.string(table)
    for name, kind in columns:
        body += wire.string(name) + struct.pack(">H", kind)
        body += struct.pack(">H", _TEXT) if kind == _SET_OF_TEXT else b""
    body += integer(len(rows))
    for row in rows:
        body += b"".join(wire.value(data) for _, data in row.values())
    return body
