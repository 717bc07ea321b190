"""Network namespaces joined by veth pairs: peers that are not on the loopback."""

import contextlib
import ctypes
import os
import pathlib
import random
import socket
import subprocess
import tempfile
import uuid


def missing_right():
    """Why no namespace can be made here; None if one can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"gh-{uuid.uuid4().hex[:8]}"
    if _ip("netns", "add", name).returncode != 0:
        return "this system does not let us make network namespaces"
    _ip("netns", "delete", name)
    return None


def missing_ipv6():
    """Why nobody can call from ::1 here; None if one can."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        return f"no IPv6 on the loopback: {error}"
    return None


class VethPair:
    """`here` is our end's address, `there` that of the end inside the namespace."""

    here_name = "gateway.test"

    def __init__(self):
        # A block of its own: several tests have a pair at the same time, and our end is where
        # everybody's sockets are.
        block = random.SystemRandom().randrange(1, 1 << 14) * 4
        self.here, self.there = (f"10.204.{(block + end) // 256}.{(block + end) % 256}"
                                 for end in (1, 2))

    def __enter__(self):
        suffix = uuid.uuid4().hex[:6]
        self.namespace = f"gh-{suffix}"
        self._link = f"gh{suffix}a"
        inner = f"gh{suffix}b"
        inside = ("-n", self.namespace)
        # MariaDB counts a host's failures only once it could look up the host's name.
        self._hosts = pathlib.Path(tempfile.mkstemp(prefix="gatehouse-hosts-")[1])
        self._hosts.write_text(f"127.0.0.1 localhost\n{self.here} {self.here_name}\n")
        try:
            _must("netns", "add", self.namespace)
            _must("link", "add", self._link, "type", "veth", "peer", "name", inner, "netns",
                       self.namespace)
            _must("addr", "add", f"{self.here}/30", "dev", self._link)
            _must("link", "set", self._link, "up")
            _must(*inside, "addr", "add", f"{self.there}/30", "dev", inner)
            _must(*inside, "link", "set", inner, "up")
            _must(*inside, "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        _ip("link", "delete", self._link)
        _ip("netns", "delete", self.namespace)
        self._hosts.unlink()

    def enter(self):
        """What to put before a command so that it runs inside, with its own /etc/hosts."""
        # `ip netns exec` gives the command mounts of its own: the system's file stays as it is.
        return ["ip", "netns", "exec", self.namespace, "sh", "-c",
                'mount --bind "$0" /etc/hosts && exec "$@"', str(self._hosts)]


def _must(*arguments):
    done = _ip(*arguments)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


def _ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=30,
                          check=False)


class TwoTenants:
    """A namespace for the gateway, and two tenants, each on a device of its own, who use the same
    addresses: `device_a` and `device_b` lead from `here` to `there` both."""

    here = "10.203.0.1"
    there = "10.203.0.2"
    # Of somebody on the gateway's own side, reached over its loopback.
    embedded = "fd40:1::10.203.0.2"
    device_a, device_b = "tenant-a", "tenant-b"

    def __enter__(self):
        suffix = uuid.uuid4().hex[:6]
        self.namespace = f"gh-{suffix}"
        self._tenants = {device: f"gh-{suffix}-{device[-1]}"
                         for device in (self.device_a, self.device_b)}
        try:
            _must("netns", "add", self.namespace)
            inside = ("-n", self.namespace)
            _must(*inside, "link", "set", "lo", "up")
            _must(*inside, "addr", "add", f"{self.embedded}/128", "dev", "lo", "nodad")
            for device, tenant in self._tenants.items():
                _must("netns", "add", tenant)
                self._make(device)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for namespace in (*self._tenants.values(), self.namespace):
            _ip("netns", "delete", namespace)

    def _make(self, device):
        tenant = self._tenants[device]
        _must("-n", self.namespace, "link", "add", device, "type", "veth", "peer", "name", "out",
              "netns", tenant)
        for namespace, name, address in ((self.namespace, device, self.here),
                                         (tenant, "out", self.there)):
            _must("-n", namespace, "addr", "add", f"{address}/30", "dev", name)
            _must("-n", namespace, "link", "set", name, "up")
        # The way back to an address that two devices lead to is not what it came by.
        for name in ("all", device):
            _must("netns", "exec", self.namespace, "sh", "-c",
                  'test "$(cat "$0")" = 0 || echo 0 >"$0"',
                  f"/proc/sys/net/ipv4/conf/{name}/rp_filter")

    def make_anew(self, device):
        """As a restart of what manages it does: the same name, and another device."""
        _must("-n", self.namespace, "link", "delete", device)
        self._make(device)

    def enter(self):
        """What to put before a command so that it runs where the gateway is to run."""
        return ["ip", "netns", "exec", self.namespace]

    def inside(self, device=None):
        """For sockets made within: on the gateway's side, or by the tenant on a device."""
        return inside(self._tenants[device] if device else self.namespace)


@contextlib.contextmanager
def inside(namespace):
    """The calling thread is in that namespace meanwhile; sockets it makes stay there."""
    library = ctypes.CDLL(None, use_errno=True)
    clone_newnet = 0x40000000  # setns(2)

    def enter(descriptor):
        if library.setns(descriptor, clone_newnet) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    with open("/proc/thread-self/ns/net", "rb") as before, \
            open(f"/run/netns/{namespace}", "rb") as there:
        enter(there.fileno())
        try:
            yield
        finally:
            enter(before.fileno())
