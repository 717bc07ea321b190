"""The ways to MariaDB that are compared: directly, and through each kind of listener."""

import contextlib
import io
import json
import pathlib
import tempfile

from suite_server import SuiteServer
from support import configuration
from support.certificates import Certificates
from support.gatehouse import Gatehouse

DIRECT = "direct"
LISTENERS = ["transparent", "routed"]
# Clients name the host they were told as the server: connections that tests open have no other way
# to say `user@server`. Some say 127.0.0.1, whose first label is a name as well.
ROUTED_SERVERS = ["localhost", "127"]
# Clients are told of 127.0.0.1 alone, so none can find a way around the gateway.
ADDRESSES = {DIRECT: "127.0.0.1"} | {name: f"127.0.77.{number}"
                                     for number, name in enumerate(LISTENERS, 1)}
RULE_FILE = "all.yaml"
RULES = f"""servers: {json.dumps(["alone", *ROUTED_SERVERS])}
ip_rules:
  - {{name: loopback, range: 127.0.0.0/8}}
"""


class Way:
    """One way: the MariaDB at its end, which no other way leads to, and the port that leads there."""

    def __init__(self, name, server, port, gateway=None):
        self.name = name
        self.server = server
        self.port = port
        self._gateway = gateway

    def is_up(self):
        """Whether what it consists of still runs."""
        return all(part is None or part.is_running() for part in (self.server, self._gateway))

    def sessions(self):
        """How many connections the gateway has led to the server."""
        return len({record["session"] for record in self._gateway.audit(listener=self.name)})


class Ways:
    """A MariaDB for each way, the same to the byte, and one gateway. A context manager."""

    def __init__(self):
        self._cleanup = contextlib.ExitStack()

    def __enter__(self):
        with self._cleanup as cleanup:
            folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="gatehouse-suite-"))
            certificates = Certificates(pathlib.Path(folder))
            self.authority = certificates.authority
            servers = {name: cleanup.enter_context(SuiteServer(certificates, address))
                       for name, address in ADDRESSES.items()}
            self.gateway = Gatehouse(_gateway_yaml(certificates, servers), {RULE_FILE: RULES})
            cleanup.callback(self._stop_gateway)
            self.gateway.start()
            # The direct one first.
            self.all = [Way(DIRECT, servers[DIRECT], servers[DIRECT].port)]
            self.all += [Way(name, servers[name], self.gateway.address(name)[1],
                             self.gateway)
                         for name in LISTENERS]
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_):
        self._cleanup.close()

    def kill_servers(self):
        for way in self.all:
            way.server.kill()

    def _stop_gateway(self):
        # It says on stdout what pytest would show of a test that fails.
        with contextlib.redirect_stdout(io.StringIO()):
            self.gateway.stop()


def _gateway_yaml(certificates, servers):
    def server(name, way):
        return configuration.server(certificates, [servers[way].tcp_backend], "verify", name)

    return configuration.gateway_yaml(
        certificates, [],
        listeners=[
            configuration.listener(certificates, "transparent", servers=["alone"]),
            configuration.listener(certificates, "routed", servers=ROUTED_SERVERS, login="routed"),
        ],
        servers=[server("alone", "transparent"),
                 *(server(name, "routed") for name in ROUTED_SERVERS)])
