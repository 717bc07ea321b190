"""One gateway with a listener for each way to a backend, so that every client can try them all."""

from support import configuration
from support.gatehouse import Gatehouse

# Listener, and server, by how the gateway reaches MariaDB.
NAMES = ["verified", "plaintext", "unix-socket", "proxied"]
ENCRYPTED = ["verified", "proxied"]
# Those over which bulk is worth its time: with TLS on the backend's leg, and without.
BULK = ["verified", "unix-socket"]


class Legs:
    """Everyone on the loopback may reach every server."""

    def __init__(self, certificates, mariadb, proxied):
        self.authority = certificates.authority
        self._databases = {name: proxied if name == "proxied" else mariadb for name in NAMES}
        tcp, unix = [mariadb.tcp_backend], [mariadb.unix_backend]
        servers = [
            configuration.server(certificates, tcp, "verify", "verified"),
            configuration.server(certificates, tcp, "off", "plaintext"),
            configuration.server(certificates, unix, "off", "unix-socket"),
            configuration.server(certificates, [proxied.tcp_backend], "verify", "proxied",
                                 send_proxy_protocol=True),
        ]
        listeners = [configuration.listener(certificates, name, servers=[name]) for name in NAMES]
        rules = configuration.rule_file("loopback 127.0.0.0/8").replace(
            "server: orders", f"servers: [{', '.join(NAMES)}]")
        self.gateway = Gatehouse(
            configuration.gateway_yaml(certificates, tcp, listeners=listeners, servers=servers),
            {"all.yaml": rules})
        try:
            self.gateway.start()
        except BaseException:
            self.gateway.destroy()
            raise

    def stop(self):
        self.gateway.stop()

    def address(self, name):
        return self.gateway.address(name)

    def database(self, name):
        """The MariaDB behind a listener."""
        return self._databases[name]
