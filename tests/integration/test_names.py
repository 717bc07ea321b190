"""Backends given by a host's name: found when a session needs them, and never waited for."""

import pytest

from support import configuration, name_server
from support.mariadb_server import PASSWORD
from support.session import ServerError


@pytest.fixture
def names():
    if reason := name_server.missing_right():
        pytest.skip(reason)
    with name_server.NameServer() as server:
        yield server


@pytest.fixture
def gateway_to(certificates, start_gateway, names):
    def start(*backends, **changes):
        server = configuration.server(certificates, backends, dial_timeout="300ms")
        yaml = configuration.gateway_yaml(certificates, [], servers=[server], **changes)
        return start_gateway(yaml, enter=names.enter())

    return start


def _by_name(mariadb):
    return f"db.test:{mariadb.port}"


def test_a_backend_is_found_by_its_name(gateway_to, names, mariadb):
    names.answer(mariadb.address)
    gateway = gateway_to(_by_name(mariadb))
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)
        assert session.ping()
    assert gateway.wait_for_audit("opened")["backend"] == _by_name(mariadb)


def test_a_name_that_does_not_exist_is_said_in_the_log_only(gateway_to, names, mariadb):
    names.answer(None)
    gateway = gateway_to(_by_name(mariadb))
    with gateway.connect() as session, pytest.raises(ServerError) as refused:
        session.read_greeting()
    assert refused.value.code == 1105
    assert "db.test" not in refused.value.message
    assert "its name cannot be resolved" in gateway.log_text()


def test_a_name_server_that_says_nothing_costs_one_dial_timeout(gateway_to, names, mariadb):
    gateway = gateway_to(_by_name(mariadb), mariadb.tcp_backend)
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)
        # The lookup is under way still: nobody has answered it.
        names.wait_for_question()
        assert session.ping()
    assert gateway.wait_for_audit("opened")["backend"] == mariadb.tcp_backend


def test_a_session_that_waits_for_a_name_can_be_cut(gateway_to, names, mariadb):
    gateway = gateway_to(_by_name(mariadb), limits={"handshake_timeout": "100ms"})
    with gateway.connect() as session:
        names.wait_for_question()
        assert session.receive_rest() == b""
    gateway.wait_for_audit("closed", close_reason="handshake_timeout")


def test_an_answer_that_comes_too_late_goes_nowhere(gateway_to, names, mariadb):
    gateway = gateway_to(_by_name(mariadb))
    with gateway.connect() as session, pytest.raises(ServerError):
        session.read_greeting()
    names.answer(mariadb.address)
    with gateway.connect() as session:
        session.log_in("native", PASSWORD)
        assert session.ping()
    gateway.wait_for_audit("closed", close_reason="client_closed")
