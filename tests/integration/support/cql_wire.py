"""The bytes of Cassandra's protocol, versions 3 to 5, as our own client writes and reads them."""

import dataclasses
import ipaddress
import struct
import uuid
import zlib

# Opcodes.
ERROR, STARTUP, READY, AUTHENTICATE, OPTIONS, SUPPORTED = 0x00, 0x01, 0x02, 0x03, 0x05, 0x06
QUERY, RESULT, PREPARE, EXECUTE, REGISTER, EVENT = 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C
BATCH, AUTH_CHALLENGE, AUTH_RESPONSE, AUTH_SUCCESS = 0x0D, 0x0E, 0x0F, 0x10

# Flags of a frame.
COMPRESSED, TRACING, CUSTOM_PAYLOAD, WARNING, BETA = 0x01, 0x02, 0x04, 0x08, 0x10

ONE, ALL = 0x0001, 0x0005  # consistencies
EVENTS = ["TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE"]
HEADER_SIZE = 9
SEGMENT_HEADER_SIZE = 6
SEGMENT_PAYLOAD_MAX = 131071
_RESPONSE = 0x80
_SELF_CONTAINED = 1 << 17

# Kinds of a RESULT, and flags of its metadata.
_ROWS, _SET_KEYSPACE, _PREPARED = 2, 3, 4
_GLOBAL_TABLE, _MORE_PAGES, _NO_METADATA, _METADATA_CHANGED = 0x01, 0x02, 0x04, 0x08

# Flags of a statement's parameters.
_VALUES, _PAGE_SIZE, _PAGING_STATE, _NAMES = 0x01, 0x04, 0x08, 0x40


@dataclasses.dataclass(frozen=True)
class Frame:
    """What either side says at a time. `version` is without the direction."""

    version: int
    opcode: int
    body: bytes = b""
    stream: int = 0
    flags: int = 0
    response: bool = False

    def encode(self):
        direction = _RESPONSE if self.response else 0
        return struct.pack(">BBhBI", self.version | direction, self.flags, self.stream,
                           self.opcode, len(self.body)) + self.body


def read_header(header):
    """The frame that 9 bytes announce, without its body, and the body's length."""
    version, flags, stream, opcode, length = struct.unpack(">BBhBI", header)
    return Frame(version & 0x7F, opcode, b"", stream, flags, bool(version & _RESPONSE)), length


# Segments: what version 5 puts frames into once STARTUP has been answered


def crc24(data):
    """Of a segment's header."""
    crc = 0x875060
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1974F0B
    return crc


def crc32(data):
    """Of a segment's payload."""
    return zlib.crc32(data, zlib.crc32(b"\xfa\x2d\x55\xca"))


def segment(payload, self_contained=True):
    """One uncompressed segment around whole frames, or around a part of a large one."""
    word = len(payload) | (_SELF_CONTAINED if self_contained else 0)
    header = word.to_bytes(3, "little")
    return (header + crc24(header).to_bytes(3, "little") + payload
            + crc32(payload).to_bytes(4, "little"))


def segments(data):
    """As many of them as these bytes of one frame take."""
    if len(data) <= SEGMENT_PAYLOAD_MAX:
        return segment(data)
    return b"".join(segment(data[at:at + SEGMENT_PAYLOAD_MAX], self_contained=False)
                    for at in range(0, len(data), SEGMENT_PAYLOAD_MAX))


def read_segment_header(header):
    """The payload's length; the flag is of no use to who reads one frame after another."""
    assert crc24(header[:3]) == int.from_bytes(header[3:6], "little"), "a segment's header is wrong"
    return int.from_bytes(header[:3], "little") & (_SELF_CONTAINED - 1)


# Values


def string(text):
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def long_string(text):
    data = text.encode()
    return struct.pack(">i", len(data)) + data


def short_bytes(data):
    return struct.pack(">H", len(data)) + data


def value(data):
    """The bytes of one value; None is null."""
    return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data


def string_map(entries):
    return struct.pack(">H", len(entries)) + b"".join(
        string(name) + string(text) for name, text in entries.items())


def string_list(words):
    return struct.pack(">H", len(words)) + b"".join(map(string, words))


class Reader:
    """Takes one value after another off a body."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        taken = self.data[self.at:self.at + size]
        assert len(taken) == size, f"{size} bytes are not there in {self.data[:80]!r}"
        self.at += size
        return taken

    def rest(self):
        return self.take(len(self.data) - self.at)

    def number(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(">" + form)))[0]

    def string(self):
        return self.take(self.number("H")).decode()

    def short_bytes(self):
        return self.take(self.number("H"))

    def value(self):
        size = self.number("i")
        return None if size < 0 else self.take(size)

    def strings(self):
        return [self.string() for _ in range(self.number("H"))]

    def inet(self):
        return str(ipaddress.ip_address(self.take(self.number("B")))), self.number("i")

    def type(self):
        """A column's type: its id, and the types that it is made of."""
        kind = self.number("H")
        if kind == 0x00:
            return (kind, self.string())
        if kind in (0x20, 0x22):
            return (kind, self.type())
        if kind == 0x21:
            return (kind, self.type(), self.type())
        if kind == 0x30:
            return (kind, self.string(), self.string(),
                    [(self.string(), self.type()) for _ in range(self.number("H"))])
        if kind == 0x31:
            return (kind, [self.type() for _ in range(self.number("H"))])
        return (kind,)


# The types that are numbers: bigint, counter, double, float, int, timestamp, smallint, tinyint.
_NUMBERS = {0x02: ">q", 0x05: ">q", 0x07: ">d", 0x08: ">f", 0x09: ">i", 0x0B: ">q", 0x13: ">h",
            0x14: ">b"}


def _decode(kind, data):
    """A value as Python has it; the bytes themselves where no test needs more."""
    if data is None:
        return None
    match kind[0]:
        case 0x01 | 0x0D:
            return data.decode()
        case number if number in _NUMBERS:
            return struct.unpack(_NUMBERS[number], data)[0]
        case 0x04:
            return data != b"\0"
        case 0x0C | 0x0F:
            return uuid.UUID(bytes=data)
        case 0x10:
            return str(ipaddress.ip_address(data))
        case 0x20 | 0x22:
            reader = Reader(data)
            return [_decode(kind[1], reader.value()) for _ in range(reader.number("i"))]
        case 0x21:
            reader = Reader(data)
            return {_decode(kind[1], reader.value()): _decode(kind[2], reader.value())
                    for _ in range(reader.number("i"))}
    return data


# Requests


def parameters(version, values=(), consistency=ONE, page_size=None, paging_state=None, names=()):
    """What follows a statement in QUERY and EXECUTE. `values` are bytes or None; with `names` as
    many, they are sent by name."""
    flags = (_VALUES if values else 0) | (_NAMES if names else 0)
    flags |= (0 if page_size is None else _PAGE_SIZE)
    flags |= (0 if paging_state is None else _PAGING_STATE)
    body = struct.pack(">H", consistency) + struct.pack(">I" if version >= 5 else ">B", flags)
    if values:
        body += struct.pack(">H", len(values))
        for number, each in enumerate(values):
            body += (string(names[number]) if names else b"") + value(each)
    if page_size is not None:
        body += struct.pack(">i", page_size)
    if paging_state is not None:
        body += value(paging_state)
    return body


def query_body(version, cql, **options):
    return long_string(cql) + parameters(version, **options)


def prepare_body(version, cql):
    return long_string(cql) + (struct.pack(">I", 0) if version >= 5 else b"")


def execute_body(version, prepared, **options):
    metadata_id = short_bytes(prepared.metadata_id) if version >= 5 else b""
    return short_bytes(prepared.id) + metadata_id + parameters(version, **options)


# Responses


class ServerError(Exception):
    """An ERROR frame; `rest` is what follows the message for some codes."""

    def __init__(self, frame):
        reader = body_reader(frame)
        self.frame = frame
        self.code = reader.number("i")
        self.message = reader.string()
        self.rest = reader.rest()
        super().__init__(f"0x{self.code:04x}: {self.message}")


@dataclasses.dataclass
class Rows:
    """`columns`: (keyspace, table, name, type); `rows`: dictionaries by the columns' names."""

    columns: list
    rows: list
    paging_state: bytes | None = None


@dataclasses.dataclass
class Prepared:
    """`columns` are those of the result; `metadata_id` is None before version 5."""

    id: bytes
    metadata_id: bytes | None
    columns: list


def body_reader(frame):
    """Past what the flags put before the body proper."""
    reader = Reader(frame.body)
    if frame.flags & TRACING:
        reader.take(16)
    if frame.flags & WARNING:
        reader.strings()
    if frame.flags & CUSTOM_PAYLOAD:
        for _ in range(reader.number("H")):
            reader.string()
            reader.value()
    return reader


def read_result(frame, prepared=None):
    """Rows, Prepared, a keyspace's name, or None; `prepared` knows the columns where the server
    leaves them out."""
    reader = body_reader(frame)
    kind = reader.number("i")
    if kind == _ROWS:
        return _read_rows(reader, prepared)
    if kind == _PREPARED:
        return _read_prepared(reader, frame.version)
    return reader.string() if kind == _SET_KEYSPACE else None


def _read_columns(reader, count, flags):
    table = (reader.string(), reader.string()) if flags & _GLOBAL_TABLE else None
    return [(*(table or (reader.string(), reader.string())), reader.string(), reader.type())
            for _ in range(count)]


def _read_rows(reader, prepared):
    flags, count = reader.number("i"), reader.number("i")
    paging_state = reader.value() if flags & _MORE_PAGES else None
    if flags & _METADATA_CHANGED:
        reader.short_bytes()
    columns = (prepared.columns if flags & _NO_METADATA
               else _read_columns(reader, count, flags))
    rows = [{name: _decode(kind, reader.value()) for _, _, name, kind in columns}
            for _ in range(reader.number("i"))]
    return Rows(columns, rows, paging_state)


def _read_prepared(reader, version):
    prepared_id = reader.short_bytes()
    metadata_id = reader.short_bytes() if version >= 5 else None
    flags, count = reader.number("i"), reader.number("i")
    if version >= 4:
        reader.take(2 * reader.number("i"))  # which of the variables are the partition's key
    if not flags & _NO_METADATA:
        _read_columns(reader, count, flags)
    flags, count = reader.number("i"), reader.number("i")
    columns = [] if flags & _NO_METADATA else _read_columns(reader, count, flags)
    return Prepared(prepared_id, metadata_id, columns)


def read_event(frame):
    """(type, change, (address, port)), or (SCHEMA_CHANGE, change, target)."""
    reader = body_reader(frame)
    kind, change = reader.string(), reader.string()
    return kind, change, reader.string() if kind == "SCHEMA_CHANGE" else reader.inet()


def read_supported(frame):
    reader = body_reader(frame)
    return {reader.string(): reader.strings() for _ in range(reader.number("H"))}
