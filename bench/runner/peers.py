"""The peers in the gateway's role: each ends TLS, or passes it through, in front of one address.

All have one process or thread that works, the same certificate, TLS 1.3, one cipher and one group.
What their packages set otherwise stays. None of them logs connections.
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess

from runner.addresses import as_text, free_port
from support import processes
from support.waiting import wait_until

CIPHER = "TLS_AES_128_GCM_SHA256"
GROUP = "X25519"
# HAProxy and nginx count two descriptors a connection, and take none that they could not serve.
CONNECTIONS_MAX = 9_800

# Neither TLS nor a request: refused by whatever reads it.
NONSENSE = b"\xff" * 16

HAPROXY = """
global
  nbthread 1
  maxconn {connections}
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-bind-ciphersuites {cipher}
  ssl-default-bind-curves {group}
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
frontend door
  bind {address} {tls}
{rules}
  default_backend server
backend server
  server one {backend}
"""

NGINX = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root;
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr error;
pid {folder}/nginx.pid;
events {{ worker_connections 19600; }}
stream {{
{rules}
  server {{
    listen {address} {tls};
    proxy_pass {backend};
    proxy_timeout 1h;
  }}
}}
"""
NGINX_TLS = """ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.3;
    ssl_ecdh_curve {group};
    ssl_conf_command Ciphersuites {cipher}"""

HITCH = """
frontend = "[{host}]:{port}"
backend = "[{backend_host}]:{backend_port}"
pem-file = "{both}"
user = "root"
workers = 1
tls-protos = TLSv1.3
ciphersuites = "{cipher}"
ecdh-curve = "{group}"
log-level = 0
"""

STUNNEL = """
foreground = yes
pid =
debug = err
[door]
accept = {address}
connect = {backend}
cert = {certificate}
key = {key}
sslVersionMin = TLSv1.3
ciphersuites = {cipher}
curves = {group}
"""


class Peer:
    """A running peer."""

    def __init__(self, setting, name, command, configuration, load_again=None, **values):
        """`command`: where `{file}` stands, the name of the configuration comes. `load_again`: the
        signal that asks for that."""
        self.name = name
        self._load_again = load_again
        self.port = free_port()
        identity = setting.identity
        folder = pathlib.Path(setting.folder)
        stem = f"{name.replace(' ', '-')}-{self.port}"
        self._log = folder / f"{stem}.log"
        file = folder / f"{stem}.conf"
        file.write_text(configuration.format(
            address=f"127.0.0.1:{self.port}", host="127.0.0.1", port=self.port, folder=folder,
            certificate=identity.certificate, key=identity.key, both=setting.both, cipher=CIPHER,
            group=GROUP, connections=CONNECTIONS_MAX, **values), encoding="utf-8")
        with open(self._log, "wb") as log:
            self.process = processes.start(
                [*setting.processors.for_proxy, *(part.format(file=file) for part in command)],
                stdout=log, stderr=log)
        wait_until(self._answers, f"{name} answers", deadline=60)
        # hitch chooses a processor for its worker by itself.
        for pid in self.pids:
            os.sched_setaffinity(pid, setting.processors.proxy)

    def _answers(self):
        """Whether the process that works does: it reads nonsense, and says or does what it may."""
        assert self.process.poll() is None, (
            f"{self.name} ended at once:\n{self._log.read_text(errors='replace')}")
        with socket.socket() as probe:
            probe.settimeout(10)
            if probe.connect_ex(self.address) != 0:
                return False
            with contextlib.suppress(ConnectionError):
                probe.sendall(NONSENSE)
                probe.recv(1)
            return True

    @property
    def pids(self):
        """Of a master and its workers, or of the only process."""
        own = self.process.pid
        children = pathlib.Path(f"/proc/{own}/task/{own}/children").read_text(encoding="ascii")
        return [own, *map(int, children.split())]

    @property
    def address(self):
        return "127.0.0.1", self.port

    def load_after(self, change):
        """Tells it of what `change` did to its files; it does not say when they are loaded."""
        change()
        self.process.send_signal(self._load_again)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


def haproxy(setting, backend, tls=True, rules="", name="HAProxy"):
    return Peer(setting, name, ["haproxy", "-W", "-f", "{file}"], HAPROXY,
                load_again=signal.SIGUSR2, backend=as_text(backend),
                tls=f"ssl crt {setting.both}" if tls else "", rules=rules)


def nginx(setting, backend, tls=True, rules="", name="nginx"):
    """Without a `backend` the rules choose one, as `$door`."""
    identity = setting.identity
    settings = NGINX_TLS.format(certificate=identity.certificate, key=identity.key, cipher=CIPHER,
                                group=GROUP)
    return Peer(setting, name, ["nginx", "-c", "{file}"], NGINX, load_again=signal.SIGHUP,
                backend="$door" if backend is None else as_text(backend),
                tls=settings if tls else "", rules=rules)


def hitch(setting, backend):
    host, port = backend
    return Peer(setting, "hitch", ["hitch", "--config={file}"], HITCH, backend_host=host,
                backend_port=port)


def stunnel(setting, backend):
    return Peer(setting, "stunnel", ["stunnel4", "{file}"], STUNNEL, backend=as_text(backend))
