"""Fails the Nth call of one kind inside a gateway, by the library that is preloaded into it.

What the kinds are is in tests/integration/faults/failing_calls.cpp.
"""

import errno
import mmap
import pathlib
import struct
import subprocess

from support.gatehouse import binary, tls_library

KINDS = ["none", "accept", "receive", "send", "connect", "socket", "options", "watch", "resolve",
         "tls", "memory", "write_file"]
# The threads whose calls count: what a session needs is done by its worker.
WORKER, AUDIT, CONTROL, LOADER = "worker", "audit", "gatehouse", "loader"
_LAYOUT = struct.Struct("=iiii16s")
_KIND_ONLY = struct.Struct("=i")


class FailingCalls:
    """Told to one gateway: `enter` is what stands before its command."""

    def __init__(self, folder):
        path = pathlib.Path(folder) / "failing-calls"
        path.write_bytes(bytes(_LAYOUT.size))
        with open(path, "r+b") as file:
            self._order = mmap.mmap(file.fileno(), _LAYOUT.size)
        self._number = 0
        self.enter = ["env", f"LD_PRELOAD={_preloaded()}", f"GATEHOUSE_FAILING_CALLS={path}"]

    def fail(self, kind, number, error=errno.EIO, thread=WORKER):
        """From now on the calls are counted, and that one fails."""
        self._number = number
        self._order[:] = _LAYOUT.pack(0, number, error, 0, thread.encode())
        self._order[:_KIND_ONLY.size] = _KIND_ONLY.pack(KINDS.index(kind))

    def calls(self):
        """How many there were since `fail`."""
        return self._number - _LAYOUT.unpack(self._order[:])[1]

    def has_failed(self):
        return _LAYOUT.unpack(self._order[:])[3] > 0

    def rest(self):
        """From now on nothing fails; whether something has."""
        self._order[:_KIND_ONLY.size] = bytes(_KIND_ONLY.size)
        return self.has_failed()


def why_memory_cannot_fail():
    """None where it can."""
    return "a sanitizer has an allocator of its own" if sanitizers() else None


def why_tls_cannot_fail():
    """None where it can."""
    # Nothing can be put in front of what is linked into the program.
    return "AWS-LC is a part of the program" if tls_library() == "AWS-LC" else None


def _preloaded():
    library = pathlib.Path(binary()).resolve().parent / "failing_calls.so"
    assert library.is_file(), f"{library} is not there: build gatehouse_failing_calls"
    # A sanitizer insists on being the first that calls come to.
    return ":".join([*sanitizers(), str(library)])


def sanitizers():
    """Those that the gateway is built with."""
    listed = subprocess.run(["ldd", binary()], capture_output=True, text=True, timeout=60,
                            check=True).stdout
    return [line.split()[2] for line in listed.splitlines()
            if line.strip().startswith(("libasan", "libtsan"))]
