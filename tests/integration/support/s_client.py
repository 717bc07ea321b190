"""openssl's s_client: for what Python's own TLS will not do, such as resuming, asking for less than it
should, or saying something before TLS is there."""

import base64
import subprocess
import threading

from support import wire
from support.waiting import DEADLINE_SECONDS, wait_until

MYSQL = ("-starttls", "mysql")
PLAIN = ()


def talk(address, certificates, *options, protocol=MYSQL, said=wire.packet(2, b"")):
    """What it prints of a connection in which this is said. An empty login makes a MariaDB listener
    end the session, after which all tickets have been read."""
    done = subprocess.run(_command(address, certificates, protocol, "-ign_eof", *options),
                          input=said, capture_output=True, timeout=60, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


class Conversation:
    """One that goes on for as long as the test has something to say."""

    def __init__(self, address, certificates, *options, protocol=MYSQL):
        self._process = subprocess.Popen(
            _command(address, certificates, protocol, *options), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._printed = bytearray()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._reading.join(DEADLINE_SECONDS)
        self._process.stdin.close()
        self._process.stdout.close()

    def say(self, data):
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def wait_for(self, text):
        wait_until(lambda: text.encode() in self._printed,
                   f"s_client prints {text!r}")

    def _read(self):
        while data := self._process.stdout.read1():
            self._printed += data


def offers_early_data(ticket, size=4096):
    """Changes a saved session into one whose server had promised to take so many bytes ahead of the
    handshake: s_client sends none otherwise."""
    lines = ticket.read_text().splitlines()
    [_, fields], rest = _element(base64.b64decode("".join(lines[1:-1])))
    assert rest == b""
    kept, promise = b"", bytes([0xAF, 4, 2, 2]) + size.to_bytes(2, "big")  # [15] INTEGER
    while fields:
        [tag, _], rest = _element(fields)
        if promise and 0xAF < tag:
            kept, promise = kept + promise, b""
        kept, fields = kept + fields[:len(fields) - len(rest)], rest
    body = kept + promise
    encoded = base64.encodebytes(b"\x30\x82" + len(body).to_bytes(2, "big") + body).decode()
    ticket.write_text(f"{lines[0]}\n{encoded}{lines[-1]}\n")


def _element(der):
    """(tag, content) of the first of these DER elements, and those behind it."""
    size, at = der[1], 2
    if size > 0x80:
        at += size - 0x80
        size = int.from_bytes(der[2:at], "big")
    return (der[0], der[at:at + size]), der[at + size:]


def _command(address, certificates, protocol, *options):
    host, port = address
    return ["openssl", "s_client", "-connect", f"{host}:{port}", *protocol,
            "-CAfile", str(certificates.authority), *map(str, options)]
