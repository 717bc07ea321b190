"""Every client logs in, over each version of TLS, to accounts of every kind, and does its work.

`direct` is the same client at the server itself, so that what a client cannot do is not taken for
what the gateway does to it. The table goes to the file that GATEHOUSE_CLIENT_MATRIX names.
"""

import contextlib

import pytest

from support import client_matrix, clients, configuration, gatehouse, mariadb_versions, pam, tables
from support.client_matrix import ACCOUNTS, NATIVE, PAM, Table
from support.mariadb_server import PASSWORD, MariaDbServer

# Threads that the gateway numbers itself, for clients that are greeted before it has a backend.
FIRST_OF_THE_GATEWAYS = 2**31


@pytest.fixture(scope="module")
def table():
    table = Table()
    yield table
    tables.keep(table.text(), "GATEHOUSE_CLIENT_MATRIX")


@pytest.fixture(scope="module")
def why_no_pam():
    return pam.missing()


@pytest.fixture(scope="module")
def database(certificates, why_no_pam):
    """With the accounts of the matrix, and PAM where it can be had."""
    if reason := mariadb_versions.debian().missing():
        pytest.skip(reason)
    with contextlib.ExitStack() as running:
        options, enter = [], []
        if why_no_pam is None:
            options = ["--plugin-load-add=auth_pam"]
            enter = running.enter_context(pam.PamService(PASSWORD)).enter()
        server = running.enter_context(MariaDbServer(certificates, options, enter=enter))
        server.execute(client_matrix.CREATE)
        if why_no_pam is None:
            server.execute(client_matrix.CREATE_PAM)
        yield server


class Door:
    """Where the clients of one mode log in, and as whom."""

    def __init__(self, address, suffix="", gateway=None):
        self.address = address
        self.suffix = suffix
        self.gateway = gateway

    def record(self, result):
        """What the audit says of a session that worked."""
        return self.gateway.wait_for_audit("opened", backend_thread=result["connection_id"])


@pytest.fixture(scope="module", params=client_matrix.MODES)
def door(request, certificates, database):
    if request.param == "direct":
        yield Door((database.address, database.port))
        return
    servers = ["orders"] if request.param == "transparent" else ["orders", "billing"]
    yaml = configuration.gateway_yaml(
        certificates, [],
        listeners=[configuration.listener(certificates, servers=servers, login=request.param)],
        servers=[configuration.server(certificates, [database.tcp_backend], name=name)
                 for name in servers])
    rules = {f"{name}.yaml": configuration.rule_file("loopback 127.0.0.0/8", name)
             for name in servers}
    suffix = "@orders" if request.param == "routed" else ""
    gateway = gatehouse.Gatehouse(yaml, rules)
    try:
        yield Door(gateway.start().address(), suffix, gateway)
    finally:
        gateway.stop()


@pytest.mark.parametrize("client", clients.ALL, ids=lambda client: client.name)
@pytest.mark.parametrize("tls", client_matrix.TLS)
def test_a_client_logs_in_and_works(request, certificates, table, why_no_pam, door, client, tls):
    mode = request.node.callspec.params["door"]

    def log_in(accounts):
        logins = [(account.user + door.suffix, account.password) for account in accounts]
        return zip(accounts, client.log_in(door.address, certificates.authority, tls, logins))

    def note(account, outcome):
        table.note(client.name, mode, tls, account.plugin, outcome)

    if reason := client.missing():
        for account in ACCOUNTS:
            note(account, f"not run: {reason}")
        pytest.skip(reason)
    if reason := client_matrix.LIMITS.get((client.name, tls)):
        for account in ACCOUNTS:
            note(account, reason)
        [(account, result)] = log_in([NATIVE])
        assert _failure(account, result) is None
        assert door.gateway is None or door.record(result)["tls"]["version"] != f"TLSv{tls}"
        return
    wrong = []
    for account, result in log_in([each for each in ACCOUNTS if each != PAM or not why_no_pam]):
        failure = _failure(account, result) or _failure_by_the_gateway(door, mode, tls, account,
                                                                       result)
        known = client_matrix.limit(client.name, account.plugin, mode)
        if known and not failure:
            known, failure = None, f"is listed as what the client cannot do, and works: {known}"
        if failure and not known:
            wrong.append(f"{account.plugin}: {failure}")
            failure = "FAILED"
        note(account, known or failure or Table.WORKS)
    if why_no_pam:
        note(PAM, f"not run: {why_no_pam}")
    assert not wrong, "\n".join(wrong)


def _failure(account, result):
    """What is wrong with what a client says; None if nothing is."""
    if account.refused is not None:
        return None if result.get("error") == account.refused else f"was not refused: {result}"
    work = {"user": f"{account.user}@%", "prepared": 42, "bytes": 1048576, "kept": 2}
    return None if work.items() <= result.items() else str(result)


def _failure_by_the_gateway(door, mode, tls, account, result):
    """What is wrong with the session's record, or with the thread that the client was told."""
    if door.gateway is None or account.refused is not None:
        return None
    record = door.record(result)
    if record["tls"]["version"] != f"TLSv{tls}" or record["user"] != account.user:
        return f"is in the audit as {record}"
    thread = result["connection_id"]
    told = result.get("thread", thread)
    if told != thread and not (mode == "routed" and told >= FIRST_OF_THE_GATEWAYS):
        return f"believes to be thread {told}, but is {thread}"
    return None
