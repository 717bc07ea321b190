"""One gateway whose two servers can both be reached by either kind of MariaDB's listeners."""

from support import configuration

NAMES = ["transparent", "routed"]
SERVERS = ["orders", "billing"]


class MariadbDoor:
    """How a client goes through one kind of listener."""

    def __init__(self, name, gateway):
        self._name = name
        self.gateway = gateway

    def address(self, server):
        return self.gateway.address(server if self._name == "transparent" else self._name)

    def user(self, name, server):
        """What an account calls itself where it has to say which server it means."""
        return name if self._name == "transparent" else f"{name}@{server}"


def gateway_yaml(certificates, **backends):
    """A transparent listener of each server's name, and a routed one; TLS on every leg."""
    servers = [configuration.server(certificates, [backends[name].tcp_backend], name=name)
               for name in SERVERS]
    listeners = [configuration.listener(certificates, name, servers=[name]) for name in SERVERS]
    listeners.append(configuration.listener(certificates, "routed", servers=SERVERS))
    return configuration.gateway_yaml(certificates, [], listeners=listeners, servers=servers)
