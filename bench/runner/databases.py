"""Private MariaDB servers, as many as stand in different places."""

from runner.peers import CIPHER
from support.mariadb_server import MariaDbServer

# Towards backends it is the server that chooses.
OPTIONS = ["--tls-version=TLSv1.3", f"--ssl-cipher={CIPHER}", "--skip-name-resolve",
           "--max-connect-errors=4294967295"]


def beside_clients(setting, options=()):
    """Where clients and servers are: what stands behind a proxy."""
    return _started(setting, setting.processors.for_others, options)


def in_the_proxys_place(setting):
    """As far from clients as a proxy is: what they reach directly."""
    return _started(setting, setting.processors.for_proxy, ())


def _started(setting, pinned, options):
    return setting.during_section(
        MariaDbServer(setting.certified, [*OPTIONS, *options], enter=pinned))
