"""What a gateway's memory grows by, and its descriptors."""

import contextlib
import os
import pathlib

# Far below what is claimed, asked or sent in each test, far above what one costs that behaves.
GROWTH_MAX_KIB = 64 * 1024


def keep_little_that_is_freed(monkeypatch):
    """Where a sanitizer is built in, it keeps what is freed: not for long where that is counted."""
    options = os.environ.get("ASAN_OPTIONS", "")
    monkeypatch.setenv("ASAN_OPTIONS", f"{options}:quarantine_size_mb=1".lstrip(":"))


def resident_kib(gateway):
    status = pathlib.Path(f"/proc/{gateway.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)


def grown_kib(gateway, before):
    """What it has more; nothing under ThreadSanitizer, which remembers all that was ever touched."""
    if "libtsan" in pathlib.Path(f"/proc/{gateway.pid}/maps").read_text():
        return 0
    return resident_kib(gateway) - before


@contextlib.contextmanager
def costs_little(gateway):
    before = resident_kib(gateway)
    yield
    assert grown_kib(gateway, before) < GROWTH_MAX_KIB


def descriptors(gateway):
    return len(os.listdir(f"/proc/{gateway.pid}/fd"))
