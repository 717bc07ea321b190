"""A network namespace joined to ours by a veth pair: a peer that is not on the loopback."""

import os
import pathlib
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


class VethPair:
    """`here` is our end's address, `there` that of the end inside the namespace."""

    here = "10.203.0.1"
    there = "10.203.0.2"
    here_name = "gateway.test"

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
            self._must("netns", "add", self.namespace)
            self._must("link", "add", self._link, "type", "veth", "peer", "name", inner, "netns",
                       self.namespace)
            self._must("addr", "add", f"{self.here}/30", "dev", self._link)
            self._must("link", "set", self._link, "up")
            self._must(*inside, "addr", "add", f"{self.there}/30", "dev", inner)
            self._must(*inside, "link", "set", inner, "up")
            self._must(*inside, "link", "set", "lo", "up")
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

    @staticmethod
    def _must(*arguments):
        done = _ip(*arguments)
        assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


def _ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=30,
                          check=False)
