"""A name server of the tests' own, for a gateway that reads a resolv.conf of its own."""

import errno
import os
import pathlib
import random
import socket
import struct
import subprocess
import tempfile
import threading

from support.waiting import wait_until

PORT = 53  # resolv.conf(5) knows no other
NAME_UNKNOWN = 3
TYPE_A = 1


def missing_right():
    """Why no program can be given a resolver here; None if one can."""
    if os.geteuid() != 0:
        return "a name server's port and mount namespaces need root"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "this system does not let us make mount namespaces"
    return None


def _socket_of_its_own():
    """On some address of the loopback: each server can have the port on another one."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        try:
            bound.bind((".".join(["127", *(str(random.randint(1, 254)) for _ in range(3))]), PORT))
            return bound
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise


class NameServer:
    """Says nothing until it is told to answer; then also what was asked before."""

    def __init__(self):
        self._socket = _socket_of_its_own()
        self._lock = threading.Lock()
        self._waiting = []
        self._answers = False
        self._address = None
        self._folder = tempfile.TemporaryDirectory(prefix="gatehouse-names-")
        self._resolv = pathlib.Path(self._folder.name) / "resolv.conf"
        self._resolv.write_text(f"nameserver {self._socket.getsockname()[0]}\n"
                                "options timeout:30 attempts:1\n")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.answer(None)  # or the program's resolver would hold up its end
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()
        self._folder.cleanup()

    def enter(self):
        """What to put before a command so that it asks this server."""
        return ["unshare", "--mount", "sh", "-c",
                'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(self._resolv)]

    def wait_for_question(self):
        wait_until(lambda: self._waiting, "the name server is asked")

    def answer(self, address):
        """From now on: the name has this IPv4 address, or, if None, does not exist."""
        with self._lock:
            self._address = address
            self._answers = True
            waiting, self._waiting = self._waiting, []
        for question, sender in waiting:
            self._reply(question, sender)

    def _serve(self):
        while True:
            question, sender = self._socket.recvfrom(512)
            if not question:
                return
            with self._lock:
                if not self._answers:
                    self._waiting.append((question, sender))
                    continue
            self._reply(question, sender)

    def _reply(self, question, sender):
        # RFC 1035, 4.1: twelve bytes of header, then the name, its type and its class.
        end = question.index(b"\0", 12) + 5
        kind = struct.unpack("!H", question[end - 4:end - 2])[0]
        found = self._address is not None
        answers = [self._record()] if found and kind == TYPE_A else []
        flags = 0x8180 | (0 if found else NAME_UNKNOWN)
        header = question[:2] + struct.pack("!HHHHH", flags, 1, len(answers), 0, 0)
        self._socket.sendto(header + question[12:end] + b"".join(answers), sender)

    def _record(self):
        name = b"\xc0\x0c"  # the one at offset 12, the question's
        return name + struct.pack("!HHIH", TYPE_A, 1, 0, 4) + socket.inet_aton(self._address)
