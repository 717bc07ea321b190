"""The MariaDB protocol's packets, as bytes: just enough to speak, and to misspeak, by hand."""

import hashlib
import struct

LONG_PASSWORD = 0x1
CONNECT_WITH_DB = 0x8
COMPRESS = 0x20
LOCAL_FILES = 0x80
PROTOCOL_41 = 0x200
SSL = 0x800
TRANSACTIONS = 0x2000
SECURE_CONNECTION = 0x8000
MULTI_STATEMENTS = 1 << 16
MULTI_RESULTS = 1 << 17
PLUGIN_AUTH = 1 << 19
CONNECT_ATTRS = 1 << 20
SESSION_TRACK = 1 << 23

# The same for every login, with a database or without: MariaDB goes by those of the SSLRequest.
DEFAULT_CAPABILITIES = (LONG_PASSWORD | CONNECT_WITH_DB | PROTOCOL_41 | TRANSACTIONS |
                        SECURE_CONNECTION | MULTI_STATEMENTS | MULTI_RESULTS | PLUGIN_AUTH |
                        CONNECT_ATTRS)
NATIVE = "mysql_native_password"
UTF8MB4 = 45
PAYLOAD_MAX = 0xFFFFFF

COM_QUIT, COM_QUERY, COM_PROCESS_KILL, COM_PING = 0x01, 0x03, 0x0C, 0x0E
COM_CHANGE_USER, COM_RESET_CONNECTION = 0x11, 0x1F
SESSION_STATE_CHANGED = 0x4000


def packet(sequence, payload):
    """One packet: length in three bytes, sequence, payload."""
    assert len(payload) < PAYLOAD_MAX
    return struct.pack("<I", len(payload))[:3] + bytes([sequence & 0xFF]) + payload


def error_payload(code, message, state=None):
    """An ERR as a server sends it: before its greeting without a state, later with one."""
    marker = b"" if state is None else b"#" + state.encode()
    return b"\xff" + struct.pack("<H", code) + marker + message.encode()


def greeting(version="5.5.5-10.11.99-MariaDB", thread=7, tls=True, nonce=b"x" * 20):
    """The payload of a MariaDB greeting; without `tls` its CLIENT_SSL bit is clear."""
    capabilities = 0x81FFFFFE | SSL if tls else 0x81FFFFFE & ~SSL
    return (b"\x0a" + version.encode() + b"\0" + struct.pack("<I", thread) + nonce[:8] + b"\0" +
            struct.pack("<H", capabilities & 0xFFFF) + b"\x08" + struct.pack("<H", 2) +
            struct.pack("<H", capabilities >> 16) + bytes([21]) + bytes(6) +
            struct.pack("<I", 0x1D) + nonce[8:] + b"\0" + NATIVE.encode() + b"\0")


class Greeting:
    """What a server said first."""

    def __init__(self, payload):
        assert payload[0] == 10, f"not a greeting: {payload[:80]!r}"
        end = payload.index(0, 1)
        self.version = payload[1:end].decode()
        rest = payload[end + 1:]
        self.thread = struct.unpack_from("<I", rest)[0]
        low, = struct.unpack_from("<H", rest, 13)
        high, = struct.unpack_from("<H", rest, 18)
        self.capabilities = low | high << 16
        self.nonce = rest[4:12] + rest[31:43]
        self.plugin = rest[31 + max(13, rest[20] - 8):].split(b"\0")[0].decode()


def ssl_request(capabilities=DEFAULT_CAPABILITIES | SSL, sequence=1):
    """The 36 bytes after which TLS begins."""
    return packet(sequence, _login_prefix(capabilities))


def login_payload(user, auth=b"", database="", capabilities=DEFAULT_CAPABILITIES, plugin=NATIVE,
                  attributes=None):
    """A HandshakeResponse41."""
    pairs = b"".join(text(key) + text(value) for key, value in (attributes or {}).items())
    return (_login_prefix(capabilities) + user.encode() + b"\0" + bytes([len(auth)]) + auth +
            database.encode() + b"\0" + plugin.encode() + b"\0" + _length(len(pairs)) + pairs)


def change_user_payload(user, auth=b"", database="", plugin=NATIVE):
    """A COM_CHANGE_USER; MariaDB answers it with an AuthSwitch whatever `auth` holds."""
    return (bytes([COM_CHANGE_USER]) + user.encode() + b"\0" + bytes([len(auth)]) + auth +
            database.encode() + b"\0" + struct.pack("<H", UTF8MB4) + plugin.encode() + b"\0" +
            b"\0")


def native_answer(password, nonce):
    """mysql_native_password's proof of knowing the password; nothing for an empty one."""
    if not password:
        return b""
    once = hashlib.sha1(password.encode()).digest()
    twice = hashlib.sha1(once).digest()
    mask = hashlib.sha1(nonce + twice).digest()
    return bytes(a ^ b for a, b in zip(once, mask))


def tracked_variables(ok):
    """The system variables that an OK of a client with SESSION_TRACK tells of."""
    at = 1
    for _ in range(2):
        _, at = read_length(ok, at)
    status, = struct.unpack_from("<H", ok, at)
    if not status & SESSION_STATE_CHANGED:
        return {}
    _, state = _read_text(ok, _skip_text(ok, at + 4))
    at, variables = 0, {}
    while at < len(state):
        kind = state[at]
        at, entry = _read_text(state, at + 1)
        inner = 0
        while kind == 0 and inner < len(entry):
            inner, name = _read_text(entry, inner)
            inner, value = _read_text(entry, inner)
            variables[name.decode()] = value.decode()
    return variables


def _read_text(payload, at):
    size, at = read_length(payload, at)
    return at + size, payload[at:at + size]


def _skip_text(payload, at):
    return _read_text(payload, at)[0]


def read_length(payload, at):
    """A length-encoded integer and where it ends; None is SQL's NULL."""
    first = payload[at]
    if first < 0xFB:
        return first, at + 1
    if first == 0xFB:
        return None, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(payload[at + 1:at + 1 + size], "little"), at + 1 + size


def _login_prefix(capabilities):
    return struct.pack("<IIB", capabilities, 1 << 27, UTF8MB4) + bytes(23)


def text(text):
    data = text.encode()
    return _length(len(data)) + data


def _length(value):
    if value < 0xFB:
        return bytes([value])
    size, marker = (2, b"\xfc") if value <= 0xFFFF else (3, b"\xfd")
    return marker + value.to_bytes(size, "little")
