"""Pools of connections outlive what happens to their server, and to the rule that lets them in."""

import contextlib

import pytest

from support import clients, configuration
from support.clients import RunningPool
from support.mariadb_server import PASSWORD, MariaDbServer
from support.waiting import wait_until

NOT_ALLOWED = "is not allowed to connect to this MariaDB server"


@pytest.fixture(scope="module")
def database(certificates, mariadb):
    """One that may be killed. `mariadb` is there for its reasons to skip."""
    with MariaDbServer(certificates) as server:
        yield server


@pytest.fixture
def gateway(certificates, database, start_gateway):
    return start_gateway(configuration.gateway_yaml(certificates, [database.tcp_backend]))


@pytest.fixture(params=clients.POOLS, ids=lambda pool: pool.name)
def start_pool(request, certificates):
    if reason := request.param.missing():
        pytest.skip(reason)
    with contextlib.ExitStack() as running:

        def start(address):
            return running.enter_context(
                RunningPool(request.param, address, certificates.authority, ("native", PASSWORD)))

        yield start


def _failures_until_it_works(pool):
    """How many statements in a row fail before one runs."""
    failures = []

    def works():
        ran, failure = pool.query()
        if not ran:
            failures.append(failure)
        return ran

    wait_until(works, "a statement runs again")
    return len(failures)


def _restart_under(pool, database, gateway=None):
    """What a pool goes through: how many statements fail once its server is there again."""
    before = pool.fill()
    database.kill()
    if gateway is not None:
        # Without one, the system has closed the server's connections with it.
        gateway.wait_for_audit("closed", count=3, close_reason="backend_closed")
    ran, _ = pool.query()
    assert not ran
    database.start_again()
    failures = _failures_until_it_works(pool)
    after = pool.fill()
    assert len(set(before)) == len(set(after)) == 3
    return failures


def test_a_pool_outlives_a_restart_of_the_backend_as_on_a_direct_connection(
        gateway, database, start_pool):
    direct = _restart_under(start_pool((database.address, database.port)), database)
    through = _restart_under(start_pool(gateway.address()), database, gateway)
    # A pool may learn that a connection has gone by a statement that fails, once for each.
    assert max(direct, through) <= 3


def test_a_pool_outlives_the_time_without_its_rule(gateway, start_pool):
    pool = start_pool(gateway.address())
    pool.fill()
    gateway.write_rules("server: orders\n")
    gateway.wait_for_audit("closed", count=3, close_reason="revoked", reason="no_matching_rule")

    def is_refused():
        ran, failure = pool.query()
        assert not ran, "a statement ran without the rule that allows it"
        return NOT_ALLOWED in failure

    wait_until(is_refused, "the pool learns that it is not allowed in")
    gateway.write_rules(configuration.EVERYONE_ON_LOOPBACK)
    _failures_until_it_works(pool)
    assert len(set(pool.fill())) == 3
