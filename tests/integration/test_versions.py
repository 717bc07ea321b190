"""Servers of other versions and builds than Debian's stand behind the gateway as well."""

import pytest

from support import configuration, mariadb_program, wire
from support.mariadb_server import PASSWORD
from support.session import Session
from support.waiting import wait_until


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


class TestBehindOneAddress:
    """What each server is able to do differs; a client is promised what all of them are."""

    NAMES = {"debian": "mariadb", "later": "mariadb_11_4", "other-build": "mariadb_10_11_5"}

    @pytest.fixture
    def servers(self, request):
        return {name: request.getfixturevalue(fixture) for name, fixture in self.NAMES.items()}

    @pytest.fixture
    def gateway(self, certificates, servers, start_gateway):
        listener = configuration.listener(certificates, servers=list(servers))
        yaml = configuration.gateway_yaml(
            certificates, [], listeners=[listener],
            servers=[configuration.server(certificates, [server.tcp_backend], name=name)
                     for name, server in servers.items()])
        rules = {f"{name}.yaml": configuration.rule_file("all 127.0.0.0/8", name)
                 for name in servers}
        return start_gateway(yaml, rules)

    @staticmethod
    def _greeting(address):
        with Session(address) as session:
            return session.read_greeting()

    def test_the_greeting_is_what_all_have_in_common(self, gateway, servers):
        own = [self._greeting((server.address, server.port)) for server in servers.values()]
        seen = self._greeting(gateway.address())
        assert seen.version == f"5.5.5-{servers['other-build'].version()}"
        for greeting in own:
            assert seen.capabilities & ~greeting.capabilities == 0
        assert seen.capabilities & wire.SSL
        assert not seen.capabilities & wire.COMPRESS

    @pytest.mark.parametrize("name", NAMES)
    def test_each_is_reached_by_its_name(self, gateway, servers, name):
        with gateway.connect() as session:
            session.log_in(f"native@{name}", PASSWORD, "shop")
            assert session.value("SELECT VERSION()") == servers[name].version()

    def test_what_a_server_that_is_replaced_can_do_is_learned_anew(self, certificates, gateway,
                                                                   servers):
        before = gateway.generation()
        only_later = [configuration.server(certificates, [servers["later"].tcp_backend], name=name)
                      for name in servers]
        gateway.write_configuration(configuration.gateway_yaml(
            certificates, [], servers=only_later,
            listeners=[configuration.listener(certificates, servers=list(servers))]))
        gateway.wait_for_generation_after(before)
        wait_until(lambda: self._greeting(gateway.address()).version == servers["later"].version(),
                   "clients are greeted with the later version")
