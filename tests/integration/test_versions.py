"""Servers of other versions and builds than Debian's stand behind the gateway as well."""

import pytest

from support import configuration, mariadb_program
from support.mariadb_server import PASSWORD


@pytest.fixture(params=["mariadb_11_4", "mariadb_10_11_5"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def query(certificates, server, start_gateway):
    gateway = start_gateway(configuration.gateway_yaml(certificates, [server.tcp_backend]))

    def query(sql, user="native", **options):
        return mariadb_program.query(gateway.address(), user, sql,
                                     authority=certificates.authority, **options)

    return query


@pytest.mark.parametrize("user, password",
                         [("native", PASSWORD), ("ed", PASSWORD), ("empty", "")])
def test_accounts_of_every_plugin_log_in(query, user, password):
    assert query("SELECT CURRENT_USER()", user, password=password) == f"{user}@%"


def test_the_client_learns_the_servers_own_version_and_thread(query, server):
    status = query("\\s\nSELECT CONNECTION_ID(), VERSION()")
    thread, version = status.splitlines()[-1].split("\t")
    assert version == server.version()
    assert f"Connection id:\t\t{thread}\n" in status
    assert f"Server version:\t\t{version}" in status
