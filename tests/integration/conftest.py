"""What the tests of every file share. Each process of pytest has its own servers."""

import contextlib
import os
import socket

import pytest

from support import cassandra_versions, configuration, gatehouse, mariadb_versions, network
from support.cassandra_server import CassandraCluster
from support.certificates import Certificates
from support.fake_backend import FakeBackend
from support.legs import Legs
from support.mariadb_server import MariaDbServer


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def mariadb(certificates):
    """A server on 127.0.0.1, whose own clients it takes the gateway for."""
    _need_mariadb()
    with MariaDbServer(certificates) as server:
        yield server


@pytest.fixture(scope="session")
def proxied_mariadb(certificates):
    """One that believes PROXY headers from the loopback."""
    _need_mariadb()
    # Without names: each made-up client address would be a query to this machine's resolver.
    options = ["--skip-name-resolve", "--proxy-protocol-networks=127.0.0.0/8,localhost"]
    with MariaDbServer(certificates, options) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_11_4(certificates):
    """A server of a later version: it greets without the prefix, and with more abilities."""
    yield from _fetched_mariadb(certificates, "11.4.5")


@pytest.fixture(scope="session")
def mariadb_10_11_5(certificates):
    """Debian's version as MariaDB itself builds it: another TLS library, which has 1.3 only."""
    yield from _fetched_mariadb(certificates, "10.11.5")


def _fetched_mariadb(certificates, version):
    installation = mariadb_versions.fetched(version)
    _need_mariadb(installation)
    with MariaDbServer(certificates, installation=installation) as server:
        yield server


@pytest.fixture(scope="session")
def cassandra(certificates):
    """One node, which speaks plaintext and TLS on one port."""
    _need_cassandra(cassandra_versions.newest())
    with CassandraCluster(certificates) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cassandra_ring(certificates):
    """Three nodes, of which each has a third of the data."""
    _need_cassandra(cassandra_versions.newest())
    with CassandraCluster(certificates, size=3) as cluster:
        yield cluster


@pytest.fixture
def start_cassandra(certificates):
    """Starts clusters that end with the test."""
    with contextlib.ExitStack() as running:

        def start(version=cassandra_versions.NEWEST, **options):
            installation = cassandra_versions.Installation(version)
            _need_cassandra(installation)
            return running.enter_context(
                CassandraCluster(certificates, installation=installation, **options))

        yield start


@pytest.fixture(scope="session")
def legs(certificates, mariadb, proxied_mariadb):
    """One gateway that leads to MariaDB in every way it can."""
    _need_gatehouse()
    running = Legs(certificates, mariadb, proxied_mariadb)
    yield running
    running.stop()


@pytest.fixture
def start_gateway():
    """Starts gateways that end, and are judged, with the test."""
    _need_gatehouse()
    with contextlib.ExitStack() as running:

        def start(yaml, rules=None, enter=()):
            gateway = gatehouse.Gatehouse(yaml, rules, enter)
            running.callback(gateway.stop)
            return gateway.start()

        yield start


@pytest.fixture(scope="module")
def tenants():
    if reason := network.missing_right():
        pytest.skip(reason)
    with network.TwoTenants() as two:
        yield two


@pytest.fixture
def prepare_gateway():
    """A gateway's folder with its files, for commands that need no running one."""
    _need_gatehouse()
    with contextlib.ExitStack() as prepared:

        def prepare(yaml, rules=None):
            gateway = gatehouse.Gatehouse(yaml, rules)
            prepared.callback(gateway.destroy)
            return gateway

        yield prepare


@pytest.fixture
def gateway(certificates, mariadb, start_gateway):
    """The usual one: all of the loopback may reach the server, over verified TLS."""
    return start_gateway(configuration.gateway_yaml(certificates, [mariadb.tcp_backend]))


@pytest.fixture(scope="session")
def billing(certificates):
    """The second server; the first is everybody's `mariadb`."""
    _need_mariadb()
    with MariaDbServer(certificates) as server:
        server.execute("CREATE USER only_here@'%' IDENTIFIED BY 'another secret'")
        yield server


@pytest.fixture
def routed_yaml(certificates, mariadb, billing):
    def make(listener_keys=None, **changes):
        listener = configuration.listener(certificates, servers=["orders", "billing"],
                                          **(listener_keys or {}))
        servers = [
            configuration.server(certificates, [mariadb.tcp_backend], name="orders"),
            configuration.server(certificates, [billing.tcp_backend], name="billing"),
        ]
        return configuration.gateway_yaml(certificates, [], listeners=[listener],
                                          **({"servers": servers} | changes))

    return make


@pytest.fixture
def fake():
    """Makes backends out of scripts; they end with the test."""
    made = []

    def make(script):
        made.append(FakeBackend(script).__enter__())
        return made[-1]

    yield make
    for backend in made:
        backend.__exit__()


@pytest.fixture
def closed_port():
    """The address of a port that is bound, so that nobody else takes it, and refuses."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def driver(request):
    """The one that a test is parametrized by, where it can be run here."""
    if reason := request.param.missing():
        pytest.skip(reason)
    return request.param


def _need_mariadb(installation=None):
    if reason := (installation or mariadb_versions.debian()).missing():
        pytest.skip(reason)


def _need_cassandra(installation):
    if reason := installation.missing():
        pytest.skip(reason)


def _need_gatehouse():
    assert os.access(gatehouse.binary(), os.X_OK), (
        f"{gatehouse.binary()} is not a program: build it, or set GATEHOUSE_BINARY")
