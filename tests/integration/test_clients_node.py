"""Node.js: mysql2 and MariaDB's own driver do everything through the gateway."""

import pytest

from support import driver_cache, drivers
from support.legs import BULK, ENCRYPTED, NAMES

if reason := driver_cache.missing("node", "mysql2 and mariadb for Node.js"):
    pytest.skip(reason, allow_module_level=True)

# By their names in tests/drivers/node/scenarios.js, which knows no others.
LOGIN = "the account logs in"
SHARED_TLS = "three logins share what they know of TLS"
BLOB = "a blob of 64 MB goes both ways"
SCENARIOS = [
    "the thread id and the version are the server's own",
    "prepared statements run many times",
    "a transaction is rolled back, another committed",
    BLOB,
    "LOAD DATA LOCAL sends a file",
    "a compressed session carries large results",
    "COM_CHANGE_USER becomes another account",
    "KILL QUERY from another session ends a statement",
    "a statement that its client gives up ends",
    "several result sets answer several statements",
    "an error of the server arrives with its code and state",
]


@pytest.fixture(scope="module", params=["mysql2", "mariadb"])
def driver(request):
    return request.param


@pytest.fixture(scope="module", params=NAMES)
def leg(request):
    return request.param


@pytest.fixture(scope="module")
def results(driver, legs, leg):
    """What every scenario said, over one way to the backend: one process runs them all."""
    wanted = [scenario for scenario in SCENARIOS if scenario != BLOB or leg in BULK]
    return drivers.run_node(driver, legs.address(leg), "native", legs.authority, wanted)


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if each != BLOB])
def test_a_driver_works_as_without_a_gateway(results, scenario):
    assert results[scenario] is None, results[scenario]


@pytest.mark.parametrize("leg", BULK, indirect=True)
def test_a_driver_moves_large_values_both_ways(results):
    assert results[BLOB] is None, results[BLOB]


@pytest.mark.parametrize("user, password", [("empty", ""), ("tls_only", None)])
@pytest.mark.parametrize("leg", ENCRYPTED, indirect=True)
def test_every_kind_of_account_logs_in(driver, legs, leg, user, password):
    options = {} if password is None else {"password": password}
    results = drivers.run_node(driver, legs.address(leg), user, legs.authority, [LOGIN], **options)
    assert results == {LOGIN: None}


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_mysql2_resumes_tls(legs, leg, version):
    # MariaDB's driver wants to see the certificate each time, and keeps no tickets.
    results = drivers.run_node("mysql2", legs.address(leg), "native", legs.authority, [SHARED_TLS],
                               tls=version)
    assert results == {SHARED_TLS: None}
    legs.gateway.wait_for_metric("gatehouse_sessions_open", 0)
    opened = legs.gateway.audit("opened", listener=leg)[-3:]
    assert [(record["tls"]["version"], record["tls"]["resumed"]) for record in opened] == [
        (f"TLSv{version}", resumed) for resumed in (False, True, True)]


def test_an_ed25519_account_logs_in_with_mariadbs_own_driver(legs, leg):
    # mysql2 does not have this plugin.
    results = drivers.run_node("mariadb", legs.address(leg), "ed", legs.authority, [LOGIN])
    assert results == {LOGIN: None}
